package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/ratelimit"
)

func perMinute(n int) ratelimit.Rule { return ratelimit.Rule{Name: "ip", Limit: n, Per: time.Minute} }

// The headers of the draft, a 429 with Retry-After, and a quota for each address.
func TestLimit(t *testing.T) {
	l := ratelimit.New(func() time.Time { return then }, 1000)
	e, _ := testEdge(t, testConfig())
	h := e.Wrap(Limit(l, perMinute(2), ByIP)(http.HandlerFunc(ok)))
	ask := func(ip string) (int, http.Header) {
		r := request("GET", "/")
		r.RemoteAddr = ip
		w := serve(h, r)
		return w.Code, w.Header()
	}
	for i, want := range []struct {
		code  int
		state string
		retry string
	}{{200, `"ip";r=1;t=30`, ""}, {200, `"ip";r=0;t=60`, ""}, {429, `"ip";r=0;t=60`, "30"}} {
		code, got := ask("[2001:db8:1:2::" + string(rune('1'+i)) + "]:1")
		if code != want.code || got.Get("RateLimit") != want.state || got.Get("Retry-After") != want.retry || got.Get("RateLimit-Policy") != `"ip";q=2;w=60` {
			t.Errorf("%d: %d %v", i, code, got)
		}
		if code == 429 && got.Get("Content-Type") != "application/problem+json" {
			t.Error("no problem")
		}
	}
	if code, _ := ask("[2001:db8:1:3::1]:1"); code != 200 {
		t.Error("another /64 is limited too")
	}
	twice := e.Wrap(Limit(l, ratelimit.Rule{Name: "all", Limit: 60, Per: time.Hour, Burst: 10}, func(*http.Request) string { return "" })(Limit(l, perMinute(2), ByIP)(http.HandlerFunc(ok))))
	r := request("GET", "/")
	r.RemoteAddr = "192.0.2.1:1"
	if got := serve(twice, r).Header()["Ratelimit-Policy"]; strings.Join(got, ", ") != `"all";q=10;w=600, "ip";q=2;w=60` {
		t.Errorf("%q", got)
	}
	off := Limit(nil, perMinute(1), ByIP)(http.HandlerFunc(ok))
	for range 2 {
		if serve(off, request("GET", "/")).Code != 200 {
			t.Error("limited though it is off")
		}
	}
}
