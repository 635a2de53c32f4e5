package web

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/database"
)

// HDR-02 and rule 7: whose word counts for the address of the client.
func TestClientIP(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:f::/48")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"a stranger may not say who he is", "192.0.2.1:1", []string{"1.2.3.4"}, "192.0.2.1"},
		{"a trusted peer speaks for its client", "10.0.0.1:1", []string{"192.0.2.9"}, "192.0.2.9"},
		{"what the client made up stands to the left", "10.0.0.1:1", []string{"6.6.6.6, 192.0.2.9"}, "192.0.2.9"},
		{"trusted hops are skipped", "10.0.0.1:1", []string{"6.6.6.6, 192.0.2.9, 10.1.1.1,10.2.2.2"}, "192.0.2.9"},
		{"several lines are one list", "10.0.0.1:1", []string{"6.6.6.6", "192.0.2.9", "10.1.1.1"}, "192.0.2.9"},
		{"the client added a line of its own", "10.0.0.1:1", []string{"10.9.9.9", "192.0.2.9"}, "192.0.2.9"},
		{"only trusted hops: the farthest", "10.0.0.1:1", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"},
		{"nothing sent", "10.0.0.1:1", nil, "10.0.0.1"},
		{"nonsense ends the walk", "10.0.0.1:1", []string{"192.0.2.9, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"an empty entry ends the walk", "10.0.0.1:1", []string{"192.0.2.9,"}, "10.0.0.1"},
		{"a port is cut off", "10.0.0.1:1", []string{"192.0.2.9:5555"}, "192.0.2.9"},
		{"IPv6 with a port", "10.0.0.1:1", []string{"[2001:db8::1]:5555"}, "2001:db8::1"},
		{"IPv6 proxy", "[2001:db8:f::1]:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 stranger", "[2001:db8::2]:1", []string{"1.2.3.4"}, "2001:db8::2"},
		{"mapped addresses are IPv4", "[::ffff:10.0.0.1]:1", []string{"::ffff:192.0.2.9"}, "192.0.2.9"},
		{"a zone is cut off", "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"a socket has no address", "@", []string{"1.2.3.4"}, ""},
	} {
		r := request("GET", "/")
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.forwarded
		r.Header.Set("Forwarded", "for=6.6.6.6")
		r.Header.Set("X-Real-Ip", "6.6.6.6")
		if got := clientIP(r, proxies); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	r := request("GET", "/", "X-Forwarded-For", "1.2.3.4")
	r.RemoteAddr = "10.0.0.1:1"
	if got := clientIP(r, nil); got != "10.0.0.1" {
		t.Errorf("without trusted proxies: %q", got)
	}
}

// AUD-02: what is kept of a User-Agent is one short printable line.
func TestUserAgentIsCleaned(t *testing.T) {
	for in, want := range map[string]string{
		"Mozilla/5.0":                        "Mozilla/5.0",
		"a\r\nSet-Cookie: x\x1b[31m\x00":     "aSet-Cookie: x[31m",
		"bad\xff\xfeutf8":                    "badutf8",
		"right-to-left \u202e\u2028gone":     "right-to-left gone",
		"Käse ✓":                             "Käse ✓",
		strings.Repeat("a", 1<<20):           strings.Repeat("a", 400),
		strings.Repeat("a", 399) + "é":       strings.Repeat("a", 399),
		strings.Repeat("a", 398) + "é" + "x": strings.Repeat("a", 398) + "é",
	} {
		got := userAgent([]string{in})
		if got != want || len(got) > 400 || !utf8.ValidString(got) {
			t.Errorf("%.40q became %.60q", in, got)
		}
	}
	if userAgent(nil) != "" {
		t.Error("something out of nothing")
	}
}

func TestRequestID(t *testing.T) {
	e, _ := testEdge(t, testConfig())
	var seen string
	h := e.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = database.OriginOf(r.Context()).RequestID }))
	w := serve(h, request("GET", "/", "X-Request-Id", "aZ09._-"))
	if seen != "aZ09._-" || w.Header().Get("X-Request-Id") != seen {
		t.Fatalf("a good id was not kept: %q", seen)
	}
	made := map[string]bool{}
	for _, bad := range []string{"", "a b", "x\ny", "é", strings.Repeat("a", 65), "a;b", `"`, "a/b"} {
		w := serve(h, request("GET", "/", "X-Request-Id", bad))
		if seen == bad || !validRequestID(seen) || w.Header().Get("X-Request-Id") != seen || made[seen] {
			t.Errorf("%.20q became %q", bad, seen)
		}
		made[seen] = true
	}
	if serve(h, request("GET", "/", "X-Request-Id", "one", "X-Request-Id", "two")); seen == "one" || seen == "two" {
		t.Errorf("two ids: %q was taken", seen)
	}
}
