// Package api speaks JSON. It decides nothing: each operation turns words into one call and the answer into words.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/web"
)

// The refusals of the wire.
var (
	ErrBody      = apperr.New(apperr.Malformed, "malformed_body", "The body of this request cannot be read: it must be one well-formed JSON object in UTF-8, each member once.")
	ErrMediaType = apperr.New(apperr.Unsupported, "unsupported_media_type", "This body is of a type that is not understood here. Send application/json.")
)

// API is the JSON side of a server.
type API struct {
	app     *app.App
	cookies *web.Cookies
	guard   *web.Guard
	repeats *web.Once
	limit   func(http.Handler) http.Handler // per address, on every route that signs in, signs up or guesses
	version string
	huma    huma.API
	mux     *routes
	trip    *web.Cookie // binds a browser to its trips to other services
	waiting *web.Cookie // the attempt of a browser that asked for a link

	document func() []byte
}

// Mount serves every operation on mux.
func Mount(mux *http.ServeMux, a *app.App, cookies *web.Cookies, guard *web.Guard, version string) *API {
	c := huma.DefaultConfig("Admit", version)
	c.Info.Description = "Accounts, sessions and tokens. Every refusal is application/problem+json (RFC 9457) with a stable `code`."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	if path := a.Config.Web.Path(); path != "" { // without it the servers are the root of where the document is
		c.Servers = []*huma.Server{{URL: path}}
	}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Formats = map[string]huma.Format{"application/json": strictJSON, "json": strictJSON, formType: form}
	c.Transformers = []huma.Transformer{tame}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Components.SecuritySchemes = schemes(a.Config)
	s := &API{app: a, cookies: cookies, guard: guard, repeats: web.NewOnce(a.Answers, a.Log), version: version, mux: &routes{ServeMux: mux}}
	s.limit = web.Limit(a.Limiter, a.Config.RateLimit.PerIP(), web.ByIP)
	s.huma = humago.New(s.mux, c)
	s.status()
	s.auth()
	s.attempts()
	s.emails()
	s.recovery()
	s.codes()
	s.factors()
	s.passkeys()
	s.social()
	s.sessions()
	s.devices()
	s.consents()
	s.orgs()
	s.roles()
	s.invitations()
	s.globals()
	s.permissions()
	s.checks()
	s.authzen()
	s.people()
	s.impersonation()
	s.exports()
	s.apiKeys()
	s.programs()
	s.webhooks()
	s.oauth()
	s.audit()
	s.server()
	s.v1()
	s.revocations()
	s.development()
	if a.Config.Server.Docs {
		s.documents()
	}
	s.document = sync.OnceValue(func() []byte {
		text, err := json.Marshal(s.huma.OpenAPI())
		if err != nil {
			panic(err) // a document of our own types
		}
		return text
	})
	return s
}

// schemes are the ways to show who asks.
func schemes(cfg config.Config) map[string]*huma.SecurityScheme {
	all := map[string]*huma.SecurityScheme{
		"cookie":   {Type: "apiKey", In: "cookie", Name: "session_id", Description: "The session cookie of /auth/signup and /auth/login."},
		"bearer":   {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token."},
		"key":      {Type: "http", Scheme: "bearer", BearerFormat: "admit_key_…", Description: "An API key, or an access token that a service account was given for one. It can do what it was made for."},
		"password": {Type: "oauth2", Flows: &huma.OAuthFlows{Password: &huma.OAuthFlow{TokenURL: cfg.Web.Path() + "/api/v1/login", Scopes: map[string]string{}}}, Description: "Sign in here with a username or an e-mail address."},
	}
	parts := cfg.Parts
	if !parts.On(part.Tokens) {
		delete(all, "bearer")
		delete(all, "password")
	}
	if !parts.On(part.APIKeys) && !parts.On(part.ServiceAccounts) {
		delete(all, "key")
	}
	return all
}

// OpenAPI is the document of every operation, OpenAPI 3.1 as JSON.
func (s *API) OpenAPI() []byte { return s.document() }

// OpenAPIYAML is the same document as YAML.
func (s *API) OpenAPIYAML() ([]byte, error) { return s.huma.OpenAPI().YAML() }

// routes lets an operation stand behind its own middleware.
type routes struct {
	*http.ServeMux
	around []func(http.Handler) http.Handler // of the operation being registered, the outermost first
}

// HandleFunc registers a handler behind the middleware.
func (m *routes) HandleFunc(pattern string, f func(http.ResponseWriter, *http.Request)) {
	var h http.Handler = http.HandlerFunc(f)
	for i := len(m.around) - 1; i >= 0; i-- {
		h = m.around[i](h)
	}
	m.Handle(pattern, h)
}

// access is what an operation asks before it is carried out.
type access int

const (
	public    access = 0
	user      access = 1 << iota // somebody who is signed in
	limited                      // counted per address
	formed                       // a form is understood beside JSON
	fresh                        // and who proved a short time ago that it is them
	cookied                      // the session or refresh cookie says what it is about
	foreign                      // the statuses of its refusals are another specification's
	proving                      // also in a session that lacks a second factor: it may show one here
	acting                       // also by who acts in the name of another: it is no more than looking
	enrolling                    // also in a session that lacks one, whose person has none to show: they may set one up here
	keyed                        // also with an API key: everything is decided by permissions, of the caller as CallerOf has it
)

// freshFor is how long a proof is good for what is sensitive.
const freshFor = 10 * time.Minute

// call is one request: what an operation may need of HTTP.
type call struct {
	context.Context
	w    http.ResponseWriter
	r    *http.Request
	live *session.Live // who asks; nil where anybody may
	body []byte

	guard *web.Guard
}

// admit finds out who asks, where that matters.
func (q *call) admit(asks access) (err error) {
	if asks&user == 0 {
		return nil
	}
	identify := q.guard.Identify
	switch {
	case asks&keyed != 0:
		identify = func(r *http.Request) (*session.Live, error) { return q.guard.Keyed(r, asks&acting != 0) }
	case asks&proving != 0:
		identify = q.guard.Prover
	case asks&acting != 0:
		identify = q.guard.Either
	case asks&enrolling != 0:
		identify = q.guard.Enroller
	}
	if q.live, err = identify(q.r); err != nil || asks&fresh == 0 {
		return err
	}
	return q.guard.Fresh(q.r.Context(), q.live, freshFor)
}

type callKey struct{}

// nothing is the output of an operation that answers 204.
type nothing struct{}

type output[T any] struct{ Body T }

// operation declares one operation: its place in the document, what it asks, and what it does. within is what stands between it and
// all that is asked. One of a part that is off is not there.
func operation[In, Out any](s *API, op huma.Operation, asks access, do func(q *call, in *In) (Out, error), within ...func(http.Handler) http.Handler) {
	if !s.app.Config.Parts.Serves(op.Path) {
		return
	}
	s.declare(&op, asks)
	s.mux.around = append(s.middleware(op.Method, asks), within...)
	huma.Register(s.huma, op, func(ctx context.Context, in *In) (*output[Out], error) {
		q := ctx.Value(callKey{}).(*call)
		q.Context = ctx
		out, err := do(q, in)
		if err != nil {
			if own, ok := errors.AsType[huma.StatusError](err); ok {
				return nil, own // it says its status and its body itself
			}
			return nil, web.NewProblem(ctx, err)
		}
		if _, none := any(out).(nothing); none {
			return nil, nil
		}
		return &output[Out]{out}, nil
	})
	s.complete(op, asks)
}

// raw declares an operation whose handler writes its answer itself: one so hot that the way through a framework would
// cost more than the answer.
func raw[Out any](s *API, op huma.Operation, asks access, h http.HandlerFunc) {
	if !s.app.Config.Parts.Serves(op.Path) {
		return
	}
	s.declare(&op, asks)
	status := op.DefaultStatus
	if status == 0 {
		status = http.StatusOK
	}
	if op.Responses[itoa(status)] == nil {
		s.response(&op, status, reflect.TypeFor[Out]())
	}
	s.huma.OpenAPI().AddOperation(&op)
	var around []func(http.Handler) http.Handler
	if asks&limited != 0 {
		around = append(around, s.limit)
	}
	s.mux.around = around
	s.mux.HandleFunc(op.Method+" "+op.Path, h)
}

func (s *API) response(op *huma.Operation, status int, t reflect.Type) {
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	schema := s.huma.OpenAPI().Components.Schemas.Schema(t, true, "")
	op.Responses[itoa(status)] = &huma.Response{Description: http.StatusText(status), Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// declare completes what the document says of an operation.
func (s *API) declare(op *huma.Operation, asks access) {
	if op.OperationID == "" {
		op.OperationID = strings.ToLower(op.Method) + strings.NewReplacer("/", "-", "{", "", "}", "", ".", "").Replace(op.Path)
	}
	problem := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[web.Problem](), true, "")
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{Description: "A refusal (RFC 9457).", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}}
	if asks&user != 0 {
		for _, scheme := range []string{"cookie", "bearer", "password", "key"} {
			if s.huma.OpenAPI().Components.SecuritySchemes[scheme] != nil && (scheme != "key" || asks&keyed != 0) {
				op.Security = append(op.Security, map[string][]string{scheme: {}})
			}
		}
	}
	op.MaxBodyBytes = -1 // the edge limits bodies
	if op.Method == http.MethodPost {
		op.Parameters = append(op.Parameters, &huma.Param{Name: web.IdempotencyKey, In: "header", Schema: &huma.Schema{Type: "string"},
			Description: "Sent again with the same body, the same answer comes back and nothing is done twice. Kept for 24 hours."})
	}
}

// middleware is what stands before a huma operation.
func (s *API) middleware(method string, asks access) []func(http.Handler) http.Handler {
	var list []func(http.Handler) http.Handler
	switch {
	case asks&limited != 0:
		list = append(list, s.limit)
	case method == http.MethodPost && asks&user == 0:
		list = append(list, s.limitKept)
	}
	list = append(list, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := &call{Context: r.Context(), w: w, r: r, guard: s.guard}
			err := q.admit(asks)
			if err == nil {
				if q.body, err = read(r, asks&formed != 0); err != nil && asks&foreign != 0 {
					err = malformed(err)
				}
			}
			if err != nil {
				web.WriteError(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, q)))
		})
	})
	if method == http.MethodPost {
		list = append(list, s.once(asks))
	}
	return list
}

// mostFaults is how many fields at fault are named: who sends thousands is not helped by more.
const mostFaults = 20

// tame turns a refusal of huma's own into ours, without what was typed. huma's hook for this is global to the process, and
// a library may not change its host's.
func tame(ctx huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	var no error
	switch {
	case e.Status == http.StatusRequestEntityTooLarge:
		no = web.ErrTooLarge
	case e.Status == http.StatusUnsupportedMediaType:
		no = ErrMediaType
	case e.Status >= http.StatusInternalServerError:
		no = errors.New("api: " + e.Detail)
	case e.Status == http.StatusUnprocessableEntity:
		invalid := *apperr.ErrInvalid
		for _, d := range e.Errors[:min(len(e.Errors), mostFaults)] {
			invalid.Fields = append(invalid.Fields, apperr.Field{Name: fieldName(d), Message: d.Message})
		}
		no = &invalid
	default:
		no = ErrBody
	}
	p := web.NewProblem(ctx.Context(), no)
	p.SetHeaders(headerOf(ctx))
	return p, nil
}

func headerOf(ctx huma.Context) http.Header {
	_, w := humago.Unwrap(ctx)
	return w.Header()
}

// schemaName is the package and the type: two packages may each have a Field.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if pkg := path.Base(t.PkgPath()); pkg != "." && pkg != "api" {
		return strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	return name
}
