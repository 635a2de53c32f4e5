package web

import (
	"net/http"
	"testing"
)

func corsEdge(t *testing.T) *Edge {
	cfg := testConfig()
	cfg.CORSOrigins = []string{"https://app.good.test", "http://localhost:3000"}
	e, _ := testEdge(t, cfg)
	return e
}

// COR-01: an answer with an origin in it is only for an origin that is listed, to the letter.
func TestNoOriginIsReflectedThatIsNotListed(t *testing.T) {
	h := corsEdge(t).Wrap(http.HandlerFunc(ok))
	for origin, allowed := range map[string]bool{
		"https://app.good.test": true, "http://localhost:3000": true,
		"https://evil.test": false, "null": false, "": false, "*": false, "https://auth.good.test": false,
		"https://sub.app.good.test": false, "https://app.good.test.evil.test": false, "http://app.good.test": false,
		"https://app.good.test:443": false, "https://app.good.test:444": false, "https://APP.good.test": false,
		"https://app.good.test/": false, "https://app.good.test.": false, "https://evilapp.good.test": false,
		"https://app.good.test@evil.test": false, "http://localhost:3001": false, "http://127.0.0.1:3000": false,
	} {
		for _, method := range []string{"GET", "OPTIONS"} {
			r := request(method, "/auth/me", "Origin", origin)
			if method == "OPTIONS" {
				r.Header.Set("Access-Control-Request-Method", "POST")
				r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,idempotency-key,if-match,traceparent,x-request-id,x-requested-with")
			}
			out := serve(h, r).Header()
			got, creds := out.Get("Access-Control-Allow-Origin"), out.Get("Access-Control-Allow-Credentials")
			if allowed && (got != origin || creds != "true") || !allowed && got+creds != "" {
				t.Errorf("%s from %q: allowed %q, credentials %q", method, origin, got, creds)
			}
			if len(out["Vary"]) != 1 {
				t.Errorf("%s from %q: Vary %q", method, origin, out["Vary"])
			}
		}
	}
	out := serve(h, request("GET", "/", "Origin", "https://app.good.test", "Origin", "https://evil.test")).Header()
	if len(out["Access-Control-Allow-Origin"]) > 0 {
		t.Error("two origins in one request are answered")
	}
	if got := serve(h, request("GET", "/")).Header()["Vary"]; len(got) != 1 || got[0] != "Origin" {
		t.Errorf("without an Origin: Vary %q", got)
	}
}

func TestPreflightNeverReachesAHandler(t *testing.T) {
	h := corsEdge(t).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	for _, origin := range []string{"https://app.good.test", "https://evil.test", "null"} {
		w := serve(h, request("OPTIONS", "/x", "Origin", origin, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "if-match"))
		if w.Code != 204 || w.Header().Get("X-Frame-Options") == "" {
			t.Errorf("%s: %d", origin, w.Code)
		}
	}
	w := serve(h, request("OPTIONS", "/x", "Origin", "https://app.good.test", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-evil"))
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("a header that is not ours is allowed")
	}
}

func TestAllowedPagesMayReadTheHeadersTheyNeed(t *testing.T) {
	w := serve(corsEdge(t).Wrap(http.HandlerFunc(ok)), request("GET", "/", "Origin", "https://app.good.test"))
	if got := w.Header().Get("Access-Control-Expose-Headers"); got != "Ratelimit, Ratelimit-Policy, Retry-After, Etag, X-Request-Id, Idempotent-Replayed" {
		t.Error(got)
	}
}

// CSR-02, CSR-03, CSR-06: which requests that change something come from a page of ours, or from no page.
func TestCrossOrigin(t *testing.T) {
	h := corsEdge(t).Wrap(http.HandlerFunc(ok))
	for _, c := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"CSR-02 curl with a cookie", []string{"Cookie", "__Host-session_id=x"}, 200},
		{"CSR-02 no cookie", nil, 200},
		{"our own page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://auth.good.test"}, 200},
		{"our own page, old browser", []string{"Origin", "https://auth.good.test"}, 200},
		{"our own page under no-referrer", []string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, 200},
		{"typed by the person", []string{"Sec-Fetch-Site", "none"}, 200},
		{"a listed app", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://app.good.test"}, 200},
		{"a listed app, old browser", []string{"Origin", "https://app.good.test"}, 200},
		{"a listed app with a bearer", []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://localhost:3000", "Authorization", "Bearer x"}, 200},
		{"CSR-03 null", []string{"Origin", "null"}, 403},
		{"CSR-03 null from a sandbox", []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, 403},
		{"CSR-03 suffix", []string{"Origin", "https://auth.good.test.evil.test"}, 403},
		{"CSR-03 scheme downgrade", []string{"Origin", "http://auth.good.test"}, 403},
		{"CSR-03 other port", []string{"Origin", "https://auth.good.test:444"}, 403},
		{"CSR-03 empty", []string{"Origin", ""}, 403},
		{"CSR-03 two origins", []string{"Origin", "https://auth.good.test", "Origin", "https://evil.test"}, 403},
		{"CSR-03 the same twice", []string{"Origin", "https://auth.good.test", "Origin", "https://auth.good.test"}, 403},
		{"CSR-03 referer only", []string{"Referer", "https://evil.test/auth.good.test"}, 403},
		{"CSR-03 referer that is none", []string{"Referer", "about:blank"}, 403},
		{"our own referer", []string{"Referer", "https://auth.good.test/login?x"}, 200},
		{"user info", []string{"Origin", "https://auth.good.test@evil.test"}, 403},
		{"CSR-06 login from elsewhere, no cookie", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.test"}, 403},
		{"a neighbour that is not listed", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://blog.good.test"}, 403},
		{"no origin but cross-site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"two words on where it comes from", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"}, 403},
		{"a bearer does not help a stranger", []string{"Origin", "https://evil.test", "Authorization", "Bearer x"}, 403},
	} {
		for _, method := range []string{"POST", "DELETE", "PROPFIND"} {
			r := request(method, "https://auth.good.test/auth/login", c.headers...)
			w := serve(h, r)
			if w.Code != c.want {
				t.Errorf("%s %s: %d, want %d", method, c.name, w.Code, c.want)
			}
			if w.Code == 403 && problemOf(t, w).Code != "cross_origin" {
				t.Errorf("%s: %s", c.name, w.Body)
			}
		}
		if w := serve(h, request("GET", "/", c.headers...)); w.Code != 200 {
			t.Errorf("GET %s: %d", c.name, w.Code)
		}
	}
}

// In development a page may be opened by number or as localhost, but not by a name that was made to point here.
func TestDevelopmentAddresses(t *testing.T) {
	cfg := testConfig()
	cfg.BaseURL = "http://localhost:8000"
	e, _ := testEdge(t, cfg)
	h := e.Wrap(http.HandlerFunc(ok))
	for host, want := range map[string]int{
		"localhost:8000": 200, "127.0.0.1:8000": 200, "192.168.1.5:8000": 200, "[::1]:8000": 200, "evil.test:8000": 403,
		"localhost.evil.test:8000": 403, "127.0.0.1.evil.test": 403,
	} {
		if got := serve(h, request("POST", "http://"+host+"/auth/login", "Origin", "http://"+host)).Code; got != want {
			t.Errorf("a page at %s: %d, want %d", host, got, want)
		}
	}
	if got := serve(h, request("POST", "http://127.0.0.1:8000/", "Origin", "http://127.0.0.1:9000")).Code; got != 403 {
		t.Errorf("another port of this machine: %d", got)
	}
}

// Over https there is no such grace: a page on http at the same address is another origin (CSR-03).
func TestNoGraceOverHTTPS(t *testing.T) {
	h := corsEdge(t).Wrap(http.HandlerFunc(ok))
	if got := serve(h, request("POST", "http://127.0.0.1/auth/login", "Origin", "http://127.0.0.1")).Code; got != 403 {
		t.Error(got)
	}
}

// CSR-04: an exemption holds for exactly one method and path.
func TestExemptionIsExact(t *testing.T) {
	e := corsEdge(t)
	e.Exempt("POST", "/auth/apple/callback")
	h := e.Wrap(http.HandlerFunc(ok))
	for target, want := range map[string]int{
		"/auth/apple/callback": 200, "/auth/apple/callback?x=1": 200, "//auth/apple/callback": 403, "/auth/apple/callback/": 403,
		"/auth/apple/Callback": 403, "/auth/apple%2Fcallback": 403, "/auth/./apple/callback": 403, "/auth/apple/callback/../../login": 403,
	} {
		if got := serve(h, request("POST", target, "Origin", "https://appleid.test")).Code; got != want {
			t.Errorf("%s: %d, want %d", target, got, want)
		}
	}
	if got := serve(h, request("PUT", "/auth/apple/callback", "Origin", "https://appleid.test")).Code; got != 403 {
		t.Errorf("another method: %d", got)
	}
}

// Origins of registered clients may read answers, never with cookies, and change things only with an Authorization header.
func TestClientOrigins(t *testing.T) {
	cfg := testConfig()
	e, _ := testEdge(t, cfg)
	e.ClientOrigins(func(_ *http.Request, origin string) bool { return origin == "https://spa.test" })
	h := e.Wrap(http.HandlerFunc(ok))
	out := serve(h, request("GET", "/", "Origin", "https://spa.test")).Header()
	if out.Get("Access-Control-Allow-Origin") != "https://spa.test" || out.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%v", out)
	}
	if out := serve(h, request("GET", "/", "Origin", "https://evil.test")).Header(); out.Get("Access-Control-Allow-Origin") != "" || out.Get("Vary") == "" {
		t.Errorf("%v", out)
	}
	if got := serve(h, request("POST", "/", "Origin", "https://spa.test", "Authorization", "Bearer x")).Code; got != 200 {
		t.Errorf("with a bearer: %d", got)
	}
	for _, origin := range []string{"https://spa.test", "null"} {
		if got := serve(h, request("POST", "/", "Origin", origin)).Code; got != 403 {
			t.Errorf("without: %d", got)
		}
	}
}
