package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/web"
)

// Running is the answer of the root.
type Running struct {
	Status  string `json:"status" enum:"running"`
	Version string `json:"version"`
}

// Health is whether this server can do its work.
type Health struct {
	Status     string               `json:"status" enum:"ok,degraded,unavailable" doc:"degraded: something is missing that a server can do without."`
	Components map[string]Component `json:"components,omitempty" doc:"What it depends on."`
	Detail     string               `json:"detail,omitempty" doc:"What fails, for people."`
}

// Component is one thing a server depends on.
type Component struct {
	Status string `json:"status" enum:"ok,unavailable"`
}

// probe is how long a health check waits.
const probe = 2 * time.Second

// believed is how long a copy of security.txt may be (RFC 9116 wants less than a year).
const believed = 180 * 24 * time.Hour

func (s *API) status() {
	raw[Running](s, huma.Operation{Method: "GET", Path: "/{$}", OperationID: "status", Summary: "Whether the server runs; a browser is led on", Tags: []string{"Status"}}, public, s.root)
	if s.app.Config.Parts.On(part.Pages) {
		s.huma.OpenAPI().Paths["/{$}"].Get.Responses["302"] = &huma.Response{Description: "A browser is led to the page it wants."}
	}
	s.huma.OpenAPI().Paths["/"] = s.huma.OpenAPI().Paths["/{$}"]
	delete(s.huma.OpenAPI().Paths, "/{$}")
	operation(s, huma.Operation{Method: "GET", Path: "/health/live", Summary: "Whether the process answers", Tags: []string{"Status"}}, public,
		func(*call, *struct{}) (Health, error) { return Health{Status: "ok"}, nil })
	ready := s.shapes(http.StatusOK, "application/json", Health{})
	ready["503"] = s.shapes(http.StatusServiceUnavailable, "application/json", Health{})["503"]
	raw[Health](s, huma.Operation{Method: "GET", Path: "/health/ready", Responses: ready, Summary: "Whether everything it depends on answers", Tags: []string{"Status"}}, public, s.ready)
	s.securityContact()
	keys := s.shapes(http.StatusOK, "application/jwk-set+json", keySet{})
	raw[keySet](s, huma.Operation{Method: "GET", Path: "/.well-known/jwks.json", Responses: keys, Summary: "The keys that sign access tokens (RFC 7517)", Tags: []string{"Tokens"}}, public, s.jwks)
}

// securityContact serves where to tell of a hole (RFC 9116), which no program of ours reads.
func (s *API) securityContact() {
	contact, at := s.app.Config.Web.SecurityContact, "/.well-known/security.txt"
	if contact == "" {
		return
	}
	s.mux.ServeMux.HandleFunc("GET "+at, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		until := s.app.DB.Now().Add(believed).UTC().Truncate(24 * time.Hour).Format(time.RFC3339)
		_, _ = w.Write([]byte("Contact: " + contact + "\nExpires: " + until + "\nCanonical: " + s.app.Config.Web.Origin() + at + "\n"))
	})
}

func (s *API) root(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept"), "text/html") && s.app.Config.Parts.On(part.Pages) {
		to := "/account" // which leads strangers to sign in
		if missing, err := s.app.Owner.Missing(r.Context()); err == nil && missing {
			to = "/start"
		}
		http.Redirect(w, r, to, http.StatusFound)
		return
	}
	newAnswer(Running{"running", s.version}).write(w)
}

func (s *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probe)
	defer cancel()
	h := Health{Status: "ok", Components: map[string]Component{"database": {"ok"}}}
	if s.app.Redis != nil {
		h.Components["redis"] = Component{"ok"}
		if err := s.app.Redis.Ping(ctx); err != nil { // the server does its work without it, and to take it out would help nobody
			h.Components["redis"] = Component{"unavailable"}
			h.Status, h.Detail = "degraded", "redis does not answer: this server counts by itself and asks the database"
		}
	}
	if s.app.DB.HasReplicas() {
		h.Components["replicas"] = Component{"ok"}
		if slices.ContainsFunc(s.app.DB.Replicas(ctx), func(r database.Replica) bool { return r.Err != nil }) { // nor is any of them needed
			h.Components["replicas"] = Component{"unavailable"}
			h.Status, h.Detail = "degraded", "a replica does not answer as it should: this server asks the others and the database"
		}
	}
	if err := s.app.DB.Ping(ctx); err != nil {
		s.app.Log.WarnContext(ctx, "the database does not answer", "err", err)
		h.Components["database"] = Component{"unavailable"}
		h.Status, h.Detail = "unavailable", "database does not answer"
		a := newAnswer(h)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(a.body)
		return
	}
	newAnswer(h).write(w)
}

func (s *API) jwks(w http.ResponseWriter, r *http.Request) {
	web.Compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Cache-Control", "public, max-age=300")
		if w.Header().Get("Access-Control-Allow-Origin") == "" {
			w.Header().Set("Access-Control-Allow-Origin", "*") // public keys, for verifiers in any page; never beside credentials
		}
		_, _ = w.Write(s.app.Tokens.JWKS())
	})).ServeHTTP(w, r)
}

// documents serves the document itself, which is public like everything it tells.
func (s *API) documents() {
	yaml := sync.OnceValues(s.OpenAPIYAML)
	s.mux.Handle("GET /openapi.json", web.Compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.OpenAPI())
	})))
	s.mux.Handle("GET /openapi.yaml", web.Compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := yaml()
		if err != nil {
			web.WriteError(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(text)
	})))
}
