package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// beat is how often who listens is told that there was nothing to tell: who hears nothing for longer knows that they may have missed something.
const beat = time.Second

// After says what was heard already.
type After struct {
	Since string `query:"since" maxLength:"300" doc:"The cursor of the message that was heard last. Without it, everything is told."`
}

type revocationsIn struct {
	After
	Wait int `query:"wait" minimum:"0" maximum:"60" default:"25" doc:"Seconds to wait for something to tell."`
}

type streamIn struct {
	After
	Last string `header:"Last-Event-ID" maxLength:"300" doc:"The same as since, as EventSource sends it when it connects again."`
}

func (s *API) revocations() {
	tags := []string{"Tokens"}
	text := func(media, what string) map[string]*huma.Response {
		return map[string]*huma.Response{"200": {Description: what, Content: map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	}
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/revocations", Summary: "Which access tokens count no more: waits for news",
		Responses: text("application/jwt", "A message of the feed, signed by a key of /.well-known/jwks.json, with the typ revocations+jwt."), Tags: tags}, public, s.nextRevocations)
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/revocations/stream", Summary: "The same as server-sent events, one a second at least",
		Responses: text("text/event-stream", "Messages of the feed; the id of each is its cursor."), Tags: tags}, public, s.streamRevocations)
}

func (s *API) nextRevocations(q *call, in *revocationsIn) (func(huma.Context), error) {
	wait := time.Duration(in.Wait) * time.Second
	rc := http.NewResponseController(q.w)
	_ = rc.SetReadDeadline(time.Time{}) // where these cannot be set, those for all requests hold
	_ = rc.SetWriteDeadline(time.Now().Add(wait + 30*time.Second))
	text, _, err := s.app.Revoked.Next(q, in.Since, wait)
	if err != nil {
		return nil, err
	}
	return func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/jwt")
		ctx.SetHeader("Cache-Control", "no-store")
		_, _ = ctx.BodyWriter().Write([]byte(text))
	}, nil
}

func (s *API) streamRevocations(q *call, in *streamIn) (func(huma.Context), error) {
	since := in.Since
	if since == "" {
		since = in.Last
	}
	text, cursor, err := s.app.Revoked.Next(q, since, 0)
	if err != nil {
		return nil, err
	}
	return func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Time{})
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it until it has enough
		for {
			_ = rc.SetWriteDeadline(time.Now().Add(30 * time.Second))
			if _, err := fmt.Fprintf(w, "id: %s\ndata: %s\n\n", cursor, text); err != nil || rc.Flush() != nil {
				return
			}
			if text, cursor, err = s.app.Revoked.Next(r.Context(), cursor, beat); err != nil {
				return // they notice, and come again
			}
			if s.app.Revoked.Over() {
				return
			}
		}
	}, nil
}
