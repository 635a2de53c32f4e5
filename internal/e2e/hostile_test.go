package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

// strangers is a server with somebody who is signed in, and every operation of its document.
func strangers(s *testkit.Server) (c *testkit.Client, list []op) {
	s.Helper()
	c = person(s, "victim@example.com")
	list = operations(s, c)
	s.Records()
	return c, list
}

// DOS-05: a body that is no JSON object of the right types is refused on every operation that reads one, with a clear
// problem that repeats nothing, and changes nothing.
func TestHostileBodies(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, list := strangers(s)
		for _, o := range list {
			if o.Body == nil {
				continue
			}
			good, err := json.Marshal(o.example())
			if err != nil {
				t.Fatal(err)
			}
			for name, body := range hostileBodies(o, string(good)) {
				refused(t, o.Method+" "+o.Path+" "+name, c.Do(o.Method, o.at("ses_x"), body), 400, 403, 404, 413, 415, 422)
			}
			s.Events()
		}
		c.Get("/auth/me").Want(200)
	})
}

func hostileBodies(o op, good string) map[string]string {
	list := map[string]string{
		"no JSON":           marker,
		"cut off":           good[:len(good)-1],
		"unknown member":    good[:len(good)-1] + `,"` + "is_admin" + `":"` + marker + `"}`,
		"trailing data":     good + `{"a":"` + marker + `"}`,
		"trailing brace":    good + "}",
		"array":             "[" + good + "]",
		"text":              `"` + marker + `"`,
		"number":            "1e999",
		"NUL as such":       strings.Replace(good, marker, marker+"\x00", 1),
		"NUL escaped":       strings.Replace(good, marker, marker+`\u0000`, 1),
		"invalid UTF-8":     strings.Replace(good, marker, marker+"\xff\xfe", 1),
		"UTF-16":            "\xff\xfe{\x00}\x00",
		"byte order mark":   "\xef\xbb\xbf" + good,
		"100,000 levels":    strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000),
		"unknown, deep":     `{"` + marker + `":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}",
		"2 MB":              `{"password":"` + strings.Repeat(marker, 2<<20/len(marker)) + `"}`,
		"2,000 unknown":     manyMembers(2_000),
		"comment":           "/* " + marker + " */" + good,
		"single quotes":     strings.ReplaceAll(good, `"`, "'"),
		"name with markup":  `{"<script>` + marker + `</script>":1}`,
		"prototype":         `{"__proto__":{"` + marker + `":1}}`,
		"lone surrogate":    strings.Replace(good, marker, marker+`\ud800`, 1),
		"control character": strings.Replace(good, marker, marker+"\n", 1),
	}
	if good == "{}" || !strings.Contains(good, marker) {
		maps.DeleteFunc(list, func(_, body string) bool { return body == good })
	}
	if o.Required {
		list["null"], list["empty object that lacks what is needed"] = "null", `{"remember":1}`
	}
	properties, _ := o.Body["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		for _, wrong := range []string{`["` + marker + `"]`, `{"$ne":"` + marker + `"}`, "1e999", "12345678901234567890123456789012345678901234567890", "-0"} {
			if p, _ := properties[name].(map[string]any); p["type"] == "object" && wrong[0] == '{' {
				continue
			}
			body := o.example()
			delete(body, name)
			rest, _ := json.Marshal(body)
			key := name + " is " + wrong[:min(4, len(wrong))]
			list[key] = `{"` + name + `":` + wrong + "," + string(rest[1:])
			if len(body) == 0 {
				list[key] = `{"` + name + `":` + wrong + "}"
			}
		}
		value, _ := json.Marshal(o.example()[name])
		list[name+" twice"] = `{"` + name + `":` + string(value) + "," + good[1:]
		list[name+" twice in two cases"] = `{"` + strings.ToUpper(name) + `":` + string(value) + "," + good[1:]
	}
	return list
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"a%d":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// DOS-05: a body of another type than the operation reads is refused, and so is one without a type: a form is what pages of
// other sites can send.
func TestHostileMediaTypes(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, list := strangers(s)
		for _, o := range list {
			if o.Body == nil {
				continue
			}
			good, _ := json.Marshal(o.example())
			for _, kind := range []string{"", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/xml", "application/json-patch+json", "application/ld+json",
				"*/*", "nonsense", "application/json, text/plain", "text/plain; application/json", "application/json;;;charset"} {
				if kind == "application/x-www-form-urlencoded" && o.Path == "/api/v1/login" {
					continue
				}
				status := 415
				if strings.HasPrefix(o.Path, "/access/v1/") {
					status = 400 // so says the specification
				}
				c.Header["Content-Type"] = []string{kind}
				refused(t, o.Path+" as "+kind, c.Do(o.Method, o.at("ses_x"), good), status)
				refused(t, o.Path+" in chunks as "+kind, chunked(c, o.Method, o.at("ses_x"), string(good)), status)
			}
			delete(c.Header, "Content-Type")
			s.Events()
		}
		form := "application/x-www-form-urlencoded"
		for name, body := range map[string]string{"twice": "username=a&username=" + marker + "&password=b", "unknown": "username=a&password=b&role=" + marker,
			"percent": "username=%zz" + marker, "NUL": "username=a%00&password=" + marker, "UTF-8": "username=%ff&password=" + marker, "other grant": "grant_type=" + marker + "&username=a&password=b",
			"100,000 parameters": strings.Repeat("a=b&", 100_000), "semicolon": "username=a;password=b"} {
			c.Header.Set("Content-Type", form)
			refused(t, "form "+name, c.Post("/api/v1/login", body), 400, 422)
		}
		s.Events()
	})
}

// chunked sends a body whose length is not told before.
func chunked(c *testkit.Client, method, path, body string) testkit.Answer {
	r, err := http.NewRequestWithContext(c.T.Context(), method, c.URL+path, struct{ *strings.Reader }{strings.NewReader(body)})
	if err != nil {
		c.T.Fatal(err)
	}
	r.ContentLength = -1
	for name, values := range c.Header {
		r.Header[name] = values
	}
	if c.Bearer != "" {
		r.Header.Set("Authorization", "Bearer "+c.Bearer)
	}
	resp, err := c.Client.Do(r)
	if err != nil {
		c.T.Fatal(err)
	}
	return testkit.Read(c.T, resp)
}

// A body over the limit is 413 whether or not its length was told before, and the largest below it is read.
func TestHostileBodySize(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		c.Header.Set("Content-Type", "application/json")
		body := `{"email":"a@example.com","password":"` + strings.Repeat("x", 2<<20) + `"}`
		refused(t, "told", c.Post("/auth/login", body), 413)
		refused(t, "in chunks", chunked(c, "POST", "/auth/login", body), 413)
		c.Header.Set("Idempotency-Key", "k")
		refused(t, "in chunks, with a key", chunked(c, "POST", "/auth/login", body), 413)
		refused(t, "just below", c.Post("/auth/login", body[:1<<20-2]+`"}`), 422)
		s.Events()
	})
}

// SQL injection (DOS-06), absurd ids, and OPV-20: whatever stands in the path or the query, nothing breaks and nothing is told.
func TestHostilePathsAndQueries(t *testing.T) {
	absurd := []string{"%00", "%2f", "..%2f..%2fetc%2fpasswd", "%ff", "%0d%0aSet-Cookie:a=b", strings.Repeat("a", 10<<10), "%F0%9F%98%80", "'%20OR%20'1'='1", "1;DROP%20TABLE%20users--",
		"usr_01h00000000000000000000000", "ses_" + strings.Repeat("z", 26), "ses_%27", "-1", "null", "%E2%80%AE", "%5c", "*", "ses_00000000000000000000000000%20"}
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, list := strangers(s)
		for _, o := range list {
			for _, id := range absurd {
				if o.at("") != o.Path && (id != "null" || !strings.HasSuffix(o.Path, "/{document}")) { // an app may call a document so
					refused(t, o.Method+" "+o.at(id), c.Do(o.Method, o.at(id), bodyOf(o)), 307, 400, 403, 404, 412, 422) // a slash that is hidden is shown
				}
				for _, q := range o.Query {
					a := c.Do(o.Method, o.at("ses_x")+"?"+q+"="+id, bodyOf(o))
					if unreadable := id == "%00" || id == "%ff"; q == "q" && a.Status == 200 && !unreadable { // anything may be searched for, and nothing is found
						if items, _ := a.JSON["items"].([]any); len(items) > 0 {
							t.Errorf("%s?q=%s: %s", o.Path, id, a.Body)
						}
						continue
					}
					refused(t, o.Path+"?"+q+"="+id, a, 400, 403, 404, 422)
				}
			}
			for _, q := range o.Query {
				refused(t, o.Path+" "+q+" twice", c.Do(o.Method, o.at("ses_x")+"?"+q+"=1&"+q+"=2", bodyOf(o)), 400, 422)
			}
			if o.Query != nil {
				refused(t, o.Path+" bad query", c.Do(o.Method, o.at("ses_x")+"?a=%zz", bodyOf(o)), 400)
			}
			s.Events()
		}
	})
}

// What no store can be asked for is refused before one is asked, also to who may ask for everything: in the query of every operation, and of the
// pages that search.
func TestUnreadableQueries(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		organization(root, "Acme")
		_, list := strangers(s)
		for _, text := range []string{"%00", "a%00b", "%ff", "%c3%28"} {
			for _, o := range list {
				for _, q := range o.Query {
					if o.User {
						refused(t, o.Path+"?"+q+"="+text, root.Do(o.Method, o.at("x")+"?"+q+"="+text, bodyOf(o)), 400)
					}
				}
			}
			refused(t, "all organizations", root.Get("/api/v1/orgs?all=true&q="+text), 400)
			refused(t, "the members of one", root.Get("/api/v1/orgs/acme/members?q="+text), 400)
			root.Header.Set("Accept", "text/html")
			for _, page := range []string{"/admin/users", "/admin/organizations", "/admin/audit", "/org/acme/members", "/org/acme/audit", "/org/acme/roles", "/org/acme/members.csv"} {
				root.Get(page + "?q=" + text).Want(400)
			}
			root.Header.Del("Accept")
		}
	})
}

func bodyOf(o op) any {
	if o.Body == nil {
		return nil
	}
	return o.example()
}

// Unknown addresses are 404, wrong methods 405 with Allow, and TRACE is never answered; each as a problem.
func TestHostileMethods(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, list := strangers(s)
		known := map[string][]string{}
		for _, o := range list {
			known[o.at("ses_x")] = append(known[o.at("ses_x")], o.Method)
		}
		for path, methods := range known {
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "G3T"} {
				if slices.Contains(methods, method) || method == "GET" && path == "/api/v1/invitations/accept" { // which is a token nobody has
					continue
				}
				if method == "GET" && strings.HasPrefix(path, "/auth/") && strings.HasSuffix(path, "/login") { // which is a service nobody offers
					continue
				}
				if strings.HasPrefix(path, "/auth/passkeys/") && slices.Contains(known["/auth/passkeys/ses_x"], method) { // which is a passkey nobody has
					continue
				}
				a := c.Do(method, path, nil)
				refused(t, method+" "+path, a, 405)
				if allow := a.Header.Get("Allow"); !strings.Contains(allow, methods[0]) {
					t.Errorf("%s %s: Allow %q", method, path, allow)
				}
			}
		}
		for _, path := range []string{"/" + marker, "/auth/" + marker, "/auth", "/auth/", "/auth/login/", "/AUTH/LOGIN", "/docs/assets/" + marker, "/docs/assets/", "/docs/", "/api/v1/", "/api/v1/" + marker + "/x",
			"/debug/pprof", "/debug/vars", "/metrics", "/.git/config", "/.env", "/env", "/actuator", "/administrator", "/openapi.json/", "/.well-known/" + marker} { // ADM-03
			for _, method := range []string{"GET", "POST", "DELETE"} {
				refused(t, method+" "+path, c.Do(method, path, nil), 404, 405)
			}
		}
		s.Events()
	})
}

// A client may ask for any type of answer; it gets JSON.
func TestHostileAccept(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, list := strangers(s)
		for _, accept := range []string{"application/x-www-form-urlencoded", "json", "text/html", "application/cbor", "*/*", "application/json;q=0", marker, ";;;,,,", strings.Repeat("a/b,", 1000), "application/problem+xml"} {
			c.Header.Set("Accept", accept)
			for range 3 {
				a := c.Post("/auth/login", m{"email": "victim@example.com", "password": pass}).Want(200)
				if a.Header.Get("Content-Type") != "application/json" {
					t.Errorf("Accept %s: %q", accept, a.Header.Get("Content-Type"))
				}
			}
			refused(t, "Accept "+accept, c.Post("/auth/login", m{"email": "victim@example.com", "password": marker}), 401)
			for _, o := range list {
				if o.Path != "/" && c.Do(o.Method, o.at("ses_x"), nil).Status >= 500 {
					t.Errorf("Accept %.40s: %s %s", accept, o.Method, o.Path)
				}
			}
		}
	})
}
