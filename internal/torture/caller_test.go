package torture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

type m = map[string]any

// caller sends requests and keeps nothing: credentials go in and come out as values. Unlike the client of testkit it
// returns what goes wrong on the way, for that is what is looked for here.
type caller struct {
	url    string
	client *http.Client
}

func newCaller(url string) *caller {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 128
	return &caller{url, &http.Client{Transport: t, Timeout: 30 * time.Second}}
}

// sent is a request to be; zero values are left out.
type sent struct {
	method, path string
	body         any
	session      string // the session cookie
	refresh      string // the refresh cookie
	bearer       string
}

// reply is what came back. A reply whose head arrived was given, even if the rest is lost.
type reply struct {
	status           int
	header           http.Header
	session, refresh string // cookies that were set
	cleared          bool   // a cookie was taken away
	body             m
	text             []byte
}

func (r reply) String() string { return fmt.Sprintf("%d %s", r.status, r.text) }

func (r reply) text1(name string) string { s, _ := r.body[name].(string); return s }

func (c *caller) send(s sent) (reply, error) {
	var body io.Reader
	if s.body != nil {
		text, err := json.Marshal(s.body)
		if err != nil {
			return reply{}, err
		}
		body = bytes.NewReader(text)
	}
	if s.method == "" {
		s.method = "POST"
	}
	r, err := http.NewRequest(s.method, c.url+s.path, body)
	if err != nil {
		return reply{}, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.session != "" {
		r.AddCookie(&http.Cookie{Name: "session_id", Value: s.session})
	}
	if s.refresh != "" {
		r.AddCookie(&http.Cookie{Name: "refresh_token", Value: s.refresh})
	}
	if s.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	resp, err := c.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	out := reply{status: resp.StatusCode, header: resp.Header}
	for _, k := range resp.Cookies() {
		switch {
		case k.MaxAge < 0:
			out.cleared = true
		case k.Name == "session_id":
			out.session = k.Value
		case k.Name == "refresh_token":
			out.refresh = k.Value
		}
	}
	out.text, _ = io.ReadAll(resp.Body)
	_ = json.Unmarshal(out.text, &out.body)
	return out, nil
}

// must sends and holds the status.
func (c *caller) must(t interface {
	Helper()
	Fatalf(string, ...any)
}, s sent, status int) reply {
	t.Helper()
	r, err := c.send(s)
	if err != nil || r.status != status {
		t.Fatalf("%s %s: %v %v, want %d", s.method, s.path, r, err, status)
	}
	return r
}

const password = "password123"

func account(email string) m { return m{"email": email, "password": password} }

func signUp(email string) sent      { return sent{path: "/auth/signup", body: account(email)} }
func logIn(email string) sent       { return sent{path: "/auth/login", body: account(email)} }
func me(session string) sent        { return sent{method: "GET", path: "/auth/me", session: session} }
func logOut(session string) sent    { return sent{path: "/auth/logout", session: session} }
func refresh(token string) sent     { return sent{path: "/api/v1/refresh", refresh: token} }
func logOutToken(token string) sent { return sent{path: "/api/v1/logout", refresh: token} }
func logInToken(email string) sent {
	return sent{path: "/api/v1/login", body: m{"username": email, "password": password}}
}
