// Package admit is accounts, sessions and tokens for an app, in one http.Handler.
//
//	cfg := admit.DefaultConfig()
//	srv, err := admit.New(ctx, cfg)
//	…
//	defer srv.Close()
//	mux := http.NewServeMux()
//	mux.Handle("/", srv) // /auth/…, /api/v1/…, /docs
//	mux.Handle("GET /hello", srv.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		fmt.Fprintln(w, "Hello,", admit.UserFrom(r.Context()).Email)
//	})))
//
// The same server runs as a program of its own: go run ./cmd/admit serve. docs/architecture.md says where everything lives.
package admit
