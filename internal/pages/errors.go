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
func (p *Pages) catalogue() http.Handler {
	list := sync.OnceValue(func() (list []explained) {
		for _, e := range apperr.All() {
			status := web.StatusOf(e)
			list = append(list, explained{e.Code, e.Message, web.Advice(e.Kind), http.StatusText(status), status})
		}
		return list
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := p.view("Errors", list())
		v.Wide = true
		w.Header().Set("Cache-Control", "no-cache") // it is the same for everybody, and changes with the version
		p.errors.show(w, r, http.StatusOK, v)
	})
}
