package pages

import (
	"net/http"
	"sync"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/web"
)

// explained is one refusal of the catalogue.
type explained struct {
	Code, Message, Advice, Status string
	Number                        int
}

// catalogue is the page the type of every problem leads to. Every package has declared its refusals by the time it is asked.
func (s *Site) catalogue() func(*Visit) error {
	list := sync.OnceValue(func() (list []explained) {
		for _, e := range apperr.All() {
			status := web.StatusOf(e)
			list = append(list, explained{e.Code, e.Message, web.Advice(e.Kind), http.StatusText(status), status})
		}
		return list
	})
	return func(v *Visit) error {
		v.Wide = true
		return v.Show(s.errors, v.T("errors.title"), list())
	}
}
