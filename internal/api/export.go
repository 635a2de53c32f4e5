package api

import (
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/export"
	"github.com/admit-dev/admit/internal/web"
)

type oneExport struct {
	ID string `path:"id" maxLength:"100"`
}

func (s *API) exports() {
	tags := []string{"Account"}
	at := "/auth/me/export"
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Have a copy of everything be made that is known of you", DefaultStatus: http.StatusAccepted, Tags: tags}, user|fresh|limited,
		func(q *call, _ *struct{}) (export.Export, error) {
			e, err := s.app.Exports.Ask(q, q.live.User.ID)
			if err == nil {
				q.w.Header().Set("Location", at+"/"+e.ID)
			}
			return e, err
		})
	operation(s, huma.Operation{Method: "GET", Path: at + "/{id}", Summary: "How far the copy is", Tags: tags}, user, func(q *call, in *oneExport) (export.Export, error) {
		return s.app.Exports.Get(q, q.live.User.ID, in.ID)
	})
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	file := map[string]*huma.Response{"200": {Description: "A ZIP archive of JSON files.", Content: map[string]*huma.MediaType{"application/zip": binary}}}
	operation(s, huma.Operation{Method: "GET", Path: at + "/{id}/download", Summary: "The copy, once it is ready", Responses: file, Tags: tags}, user|fresh, s.downloadExport)
}

func (s *API) downloadExport(q *call, in *oneExport) (func(huma.Context), error) {
	if q.live.Session.Act != nil {
		return nil, authz.ErrActing
	}
	a, err := s.app.Exports.Open(q, q.live.User.ID, in.ID)
	if err != nil {
		return nil, err
	}
	return func(ctx huma.Context) {
		_, w := humago.Unwrap(ctx)
		web.SendFile(ctx.Context(), w, web.File{Name: a.Name, Type: "application/zip", Write: func(to io.Writer) error { return a.Write(ctx.Context(), to) }}, s.app.DB.Now, s.app.Log)
	}, nil
}
