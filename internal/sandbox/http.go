package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/strict"
	"github.com/admit-dev/admit/internal/web"
)

// named is what a snapshot may be called.
var named = regexp.MustCompile(`^[A-Za-z0-9-][A-Za-z0-9_-]{0,63}$`)

// State is what a sandbox says of itself.
type State struct {
	Now       time.Time `json:"now"`
	Snapshots []string  `json:"snapshots"`
}

// ServeHTTP answers below /test itself, and everything else as a server does.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/test" || strings.HasPrefix(r.URL.Path, "/test/") {
		s.mux.ServeHTTP(w, r)
		return
	}
	s.with(w, r, func(srv *admit.Server) { srv.ServeHTTP(w, r) })
}

func (s *Sandbox) routes() {
	s.mux = http.NewServeMux()
	s.handle("GET /test", func(*http.Request) (any, error) { return nil, nil })
	s.handle("POST /test/clock", func(r *http.Request) (any, error) {
		var in struct{ Advance, Now string }
		if err := read(r, &in); err != nil {
			return nil, err
		}
		return nil, s.move(in.Advance, in.Now)
	})
	s.handle("POST /test/seed", func(r *http.Request) (any, error) {
		var in Seed
		if err := read(r, &in); err != nil {
			return nil, err
		}
		return s.sow(r.Context(), in)
	})
	s.handle("POST /test/snapshots", func(r *http.Request) (any, error) {
		var in struct{ Name string }
		if err := read(r, &in); err != nil {
			return nil, err
		}
		if !named.MatchString(in.Name) {
			return nil, ErrName
		}
		return nil, s.keep(r.Context(), in.Name)
	})
	s.handle("POST /test/snapshots/{name}/restore", func(r *http.Request) (any, error) {
		return nil, s.back(r.Context(), r.PathValue("name"))
	})
	s.handle("POST /test/reset", func(r *http.Request) (any, error) { return nil, s.back(r.Context(), origin) })
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { web.WriteError(w, r, web.ErrNoRoute) })
}

// handle answers one route with what do says, or else with the state that holds afterwards. A page of another site reaches none of them.
func (s *Sandbox) handle(pattern string, do func(r *http.Request) (any, error)) {
	own := http.NewCrossOriginProtection()
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if own.Check(r) != nil || !s.cfg.Web.Inside(r) {
			web.WriteError(w, r, web.ErrCrossOrigin)
			return
		}
		s.change.Lock()
		defer s.change.Unlock()
		out, err := do(r)
		if err != nil {
			web.WriteError(w, r, err)
			return
		}
		if out == nil {
			out = s.state()
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	})
}

func (s *Sandbox) state() State {
	list := slices.Sorted(maps.Keys(s.kept))
	return State{s.Now().UTC(), slices.DeleteFunc(list, func(n string) bool { return n == origin })}
}

// most is as long as a body may be.
const most = 8 << 20

// read takes in a body of JSON that has no member which is not known.
func read(r *http.Request, into any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return ErrBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, most))
	if err != nil {
		return web.BodyError(err)
	}
	return decode(body, into)
}

func decode(body []byte, into any) error {
	err := strict.JSON(body)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	}
	if err != nil {
		return at(ErrBody, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// move moves the clock on.
func (s *Sandbox) move(advance, now string) error {
	d, err := time.ParseDuration(advance)
	if now != "" {
		var t time.Time
		t, err = time.Parse(time.RFC3339, now)
		d = t.Sub(s.Now())
	}
	if err != nil || d <= 0 || (advance == "") == (now == "") || d > furthest-time.Duration(s.ahead.Load()) {
		return ErrClock
	}
	s.ahead.Add(int64(d))
	return nil
}

// furthest is as far as the clock goes: a hundred years.
const furthest = 100 * 365 * 24 * time.Hour
