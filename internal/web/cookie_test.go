package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var then = time.Unix(1_800_000_000, 0).UTC()

func httpConfig() Config {
	cfg := testConfig()
	cfg.BaseURL = "http://localhost:8000"
	return cfg
}

// SES-04: the attributes of every cookie, and of its deletion.
func TestCookieAttributes(t *testing.T) {
	strict, none := testConfig(), testConfig()
	strict.CookieSameSite, none.CookieSameSite = "strict", "none"
	const hostSession, hostRefresh = "__Host-session_id=", "__Host-refresh_token="
	for _, c := range []struct {
		name             string
		cfg              Config
		session, refresh string
		attributes       string
	}{
		{"https", testConfig(), hostSession, hostRefresh, "; HttpOnly; Secure; SameSite=Lax"},
		{"strict", strict, hostSession, hostRefresh, "; HttpOnly; Secure; SameSite=Strict"},
		{"none", none, hostSession, hostRefresh, "; HttpOnly; Secure; SameSite=None"},
		{"http", httpConfig(), "session_id=", "refresh_token=", "; HttpOnly; SameSite=Lax"},
	} {
		cookies := NewCookies(c.cfg)
		refreshPath := "; Path=/"
		if c.cfg.BaseURL == httpConfig().BaseURL {
			refreshPath = "; Path=/api/v1"
		}
		value := strings.Repeat("ab", 32)
		got := []string{}
		for _, do := range []func(http.ResponseWriter){
			func(w http.ResponseWriter) { cookies.SetSession(w, value, then.Add(time.Hour), then) },
			func(w http.ResponseWriter) { cookies.SetSession(w, value, time.Time{}, then) },
			func(w http.ResponseWriter) { cookies.ClearSession(w) },
			func(w http.ResponseWriter) { cookies.SetSession(w, value, then.Add(-time.Second), then) },
			func(w http.ResponseWriter) { cookies.SetRefresh(w, value, then.Add(time.Hour), then) },
			func(w http.ResponseWriter) { cookies.ClearRefresh(w) },
		} {
			w := httptest.NewRecorder()
			do(w)
			got = append(got, w.Header()["Set-Cookie"]...)
		}
		const hour = "; Expires=Fri, 15 Jan 2027 09:00:00 GMT; Max-Age=3600"
		const gone = "; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"
		want := []string{
			c.session + value + "; Path=/" + hour + c.attributes,
			c.session + value + "; Path=/" + c.attributes,
			c.session + "; Path=/" + gone + c.attributes,
			c.session + "; Path=/" + gone + c.attributes,
			c.refresh + value + refreshPath + hour + c.attributes,
			c.refresh + refreshPath + gone + c.attributes,
		}
		for i := range want {
			if got[i] != want[i] || len(got[i]) > 4096 || strings.Contains(got[i], "Domain") {
				t.Errorf("%s: got  %s\nwant %s", c.name, got[i], want[i])
			}
		}
	}
}

// SES-05: a name that comes twice with different values is nobody's; a neighbour's cookie without the prefix is not read.
func TestCookieTossing(t *testing.T) {
	secure, plain := NewCookies(testConfig()), NewCookies(httpConfig())
	for _, c := range []struct {
		name    string
		cookies *Cookies
		lines   []string
		want    string
	}{
		{"one", secure, []string{"__Host-session_id=a"}, "a"},
		{"among others", secure, []string{"x=1; __Host-session_id=a;y=2"}, "a"},
		{"on a second line", secure, []string{"x=1", "__Host-session_id=a"}, "a"},
		{"twice the same", secure, []string{"__Host-session_id=a; __Host-session_id=a"}, "a"},
		{"two values", secure, []string{"__Host-session_id=a; __Host-session_id=b"}, ""},
		{"two values, other order", secure, []string{"__Host-session_id=b; __Host-session_id=a"}, ""},
		{"two lines", secure, []string{"__Host-session_id=a", "__Host-session_id=b"}, ""},
		{"one of them empty", secure, []string{"__Host-session_id=; __Host-session_id=a"}, ""},
		{"three", secure, []string{"__Host-session_id=a; __Host-session_id=b; __Host-session_id=a"}, ""},
		{"without the prefix", secure, []string{"session_id=a"}, ""},
		{"the prefix where there is none", plain, []string{"__Host-session_id=a"}, ""},
		{"plain", plain, []string{"session_id=a"}, "a"},
		{"plain, two values", plain, []string{"session_id=a; session_id=b"}, ""},
		{"longer name", plain, []string{"xsession_id=a; session_idx=a"}, ""},
		{"other case", plain, []string{"SESSION_ID=a"}, ""},
		{"unicode space before the name", secure, []string{"\u2000__Host-session_id=a"}, ""},
		{"no-break space before the name", secure, []string{"\u00a0__Host-session_id=a"}, ""},
		{"line feed before the name", secure, []string{"\v__Host-session_id=a"}, ""},
		{"space around =", plain, []string{"session_id =a"}, ""},
		{"quotes are part of the value", plain, []string{`session_id="a"`}, `"a"`},
		{"empty", plain, []string{"session_id="}, ""},
		{"no value", plain, []string{"session_id"}, ""},
		{"nothing", plain, nil, ""},
	} {
		r := request("GET", "/")
		r.Header["Cookie"] = c.lines
		got, ok := c.cookies.Session(r)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q %v", c.name, got, ok)
		}
	}
	r := request("GET", "/", "Cookie", "__Host-refresh_token=a; __Host-refresh_token=b")
	if _, ok := secure.Refresh(r); ok {
		t.Error("refresh: first wins")
	}
}

func TestTheLastWordOnACookieIsTheOnlyOne(t *testing.T) {
	c := NewCookies(testConfig())
	w := httptest.NewRecorder()
	http.SetCookie(w, &http.Cookie{Name: "other", Value: "1"})
	c.ClearSession(w)
	c.SetSession(w, "new", time.Time{}, then)
	got := w.Header()["Set-Cookie"]
	if len(got) != 2 || got[0] != "other=1" || !strings.HasPrefix(got[1], "__Host-session_id=new") {
		t.Errorf("%q", got)
	}
	if c.Named("device", "/auth").Name() != "__Host-device" {
		t.Error("a cookie without the prefix")
	}
}

// What is written is what is read, by a client that follows the rules.
func TestCookieRoundTrip(t *testing.T) {
	for _, cfg := range []Config{testConfig(), httpConfig()} {
		c := NewCookies(cfg)
		w := httptest.NewRecorder()
		c.SetSession(w, "s", time.Time{}, then)
		c.SetRefresh(w, "r", time.Time{}, then)
		r := request("GET", "/")
		for _, sent := range w.Result().Cookies() {
			r.AddCookie(sent)
		}
		s, _ := c.Session(r)
		if v, _ := c.Refresh(r); s != "s" || v != "r" {
			t.Errorf("%q %q", s, v)
		}
	}
}
