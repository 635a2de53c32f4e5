package check

import (
	"encoding/json"
	"strconv"
)

// ReadOne reads the body of a check in its plainest form, which is what programs send. Whatever else there is in it, a condition's
// facts, an escape, a fault, it leaves to a slower reader: then ok is false.
func ReadOne(body string) (q Question, atLeast string, ok bool) {
	s := scanner{text: body}
	seen := 0
	ok = s.object(func(name string) bool {
		if name == "at_least" {
			return s.member(&atLeast, &seen, 8, 100)
		}
		return s.question(name, &q, &seen)
	})
	return q, atLeast, ok && s.end() && seen&permission != 0
}

// ReadAll is ReadOne for the body of a batch.
func ReadAll(body string) (list []Question, atLeast string, ok bool) {
	s := scanner{text: body}
	seen := 0
	ok = s.object(func(name string) bool {
		switch {
		case name == "at_least":
			return s.member(&atLeast, &seen, 8, 100)
		case name != "checks" || list != nil || !s.eat('['):
			return false
		}
		list = make([]Question, 0, min(len(body)/48+1, mostQuestions))
		for len(list) < mostQuestions {
			had := 0
			list = append(list, Question{})
			q := &list[len(list)-1]
			if !s.object(func(name string) bool { return s.question(name, q, &had) }) || had&permission == 0 {
				return false
			}
			if !s.eat(',') {
				return s.eat(']')
			}
		}
		return false
	})
	return list, atLeast, ok && s.end() && list != nil
}

const (
	mostQuestions = 1000
	permission    = 1
)

// scanner reads JSON that is nothing but objects, lists and plain texts.
type scanner struct {
	text string
	i    int
}

func (s *scanner) question(name string, q *Question, seen *int) bool {
	switch name {
	case "permission":
		return s.member(&q.Permission, seen, permission, 200)
	case "org_id":
		return s.member(&q.OrgID, seen, 2, 100)
	case "subject":
		return s.member(&q.Subject, seen, 4, 256)
	}
	return false
}

// member reads a text of at most so many bytes, once.
func (s *scanner) member(to *string, seen *int, bit, most int) (ok bool) {
	if *seen&bit != 0 {
		return false
	}
	*seen |= bit
	*to, ok = s.string()
	return ok && len(*to) <= most
}

func (s *scanner) object(member func(name string) bool) bool {
	if !s.eat('{') {
		return false
	}
	for {
		name, ok := s.string()
		if !ok || !s.eat(':') || !member(name) {
			return false
		}
		if !s.eat(',') {
			return s.eat('}')
		}
	}
}

// string reads a text without escapes, of ASCII alone.
func (s *scanner) string() (string, bool) {
	if !s.eat('"') {
		return "", false
	}
	from := s.i
	for ; s.i < len(s.text); s.i++ {
		switch c := s.text[s.i]; {
		case c == '"':
			s.i++
			return s.text[from : s.i-1], true
		case c < ' ' || c == '\\' || c > '~':
			return "", false
		}
	}
	return "", false
}

func (s *scanner) space() {
	for s.i < len(s.text) && (s.text[s.i] == ' ' || s.text[s.i] == '\n' || s.text[s.i] == '\t' || s.text[s.i] == '\r') {
		s.i++
	}
}

func (s *scanner) eat(c byte) bool {
	s.space()
	if s.i < len(s.text) && s.text[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) end() bool {
	s.space()
	return s.i == len(s.text)
}

// JSON writes what the framework would, sooner.
func (c Checked) JSON() []byte {
	return appendRevision(c.append(make([]byte, 0, 128)), c.Revision)
}

// JSON writes what the framework would, sooner.
func (c CheckedAll) JSON() []byte {
	body := append(make([]byte, 0, 100+48*len(c.Results)), `{"results":[`...)
	for i, r := range c.Results {
		if i > 0 {
			body = append(body, ',')
		}
		body = r.append(body)
		if r.Error != "" {
			text, err := json.Marshal(r.Error)
			if err != nil {
				panic(err) // a text
			}
			body = append(append(body, `,"error":`...), text...)
		}
		body = append(body, '}')
	}
	return appendRevision(append(body, ']'), c.Revision)
}

// append leaves the object open.
func (a Answer) append(body []byte) []byte {
	body = strconv.AppendBool(append(body, `{"allowed":`...), a.Allowed)
	return append(append(append(body, `,"code":"`...), a.Code...), '"')
}

func appendRevision(body []byte, revision string) []byte {
	return append(append(append(body, `,"revision":"`...), revision...), "\"}\n"...)
}
