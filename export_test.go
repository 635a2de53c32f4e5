package admit

import (
	"reflect"
	"slices"
)

// Patterns is every route of a server, in the words of its mux, which keeps them to itself.
func (s *Server) Patterns() []string {
	index := reflect.ValueOf(s.mux).Elem().FieldByName("index")
	var list []string
	add := func(patterns reflect.Value) {
		for i := range patterns.Len() {
			list = append(list, patterns.Index(i).Elem().FieldByName("str").String())
		}
	}
	add(index.FieldByName("multis"))
	for _, patterns := range index.FieldByName("segments").Seq2() {
		add(patterns)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
