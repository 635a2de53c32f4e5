package signin_test

import (
	"bytes"
	"compress/gzip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/owner"
	"github.com/admit-dev/admit/internal/testkit"
)

func link(s *testkit.Server) string {
	s.Helper()
	key, err := s.App().Owner.Link(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	s.Events("owner_link.created")
	return key
}

func form(key, email, password string) url.Values {
	return url.Values{"key": {key}, "email": {email}, "password": {password}}
}

// says holds that a page has each of these texts in it, or with a ! in front that it has not.
func says(a testkit.Answer, texts ...string) {
	a.T.Helper()
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(string(a.Body), text) == not {
			a.T.Errorf("%q is there: %t, in\n%s", text, not, a.Body)
		}
	}
}

func TestTheOwnerLinkWorksWithoutJavaScript(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		says(c.Get("/start").Want(200), "<title>Make yourself the owner · localhost</title>", "admit admin link", "<form", "!<details")
		key := link(s)
		a := c.Send("/start", form(key, "ann@example.com", "a quiet green lamp")).Want(303)
		if a.Header.Get("Location") != "/start?done" || len(c.Cookie("/", "session_id")) != 64 {
			t.Fatalf("%v", a.Header)
		}
		s.Events("user.created", "owner_link.used", "role.granted", "session.created", "login.succeeded", "authorization.changed")
		says(c.Get("/start?done").Want(200), "You are the owner", "ann@example.com", "super_admin", `!action="/start"`)
		if roles := c.Get("/auth/me").Want(200).JSON["roles"]; len(roles.([]any)) != 1 {
			t.Error(roles)
		}
		stranger := s.Client()
		if a := stranger.Get("/start?done").Want(303); a.Header.Get("Location") != "/start" {
			t.Error(a.Header)
		}
		says(stranger.Get("/start").Want(200), "This server has an owner", "admit admin link", "<details id=\"claim\">")

		says(stranger.Send("/start", form(key, "eve@example.com", "another sentence")).Want(403),
			"<title>Error: This server has an owner · localhost</title>", `<a href="#key">This link was used already`, `<details id="claim" open>`)
		s.Events()
	})
}

// An account with a second factor becomes the owner with its password, and gets in with the factor alone.
func TestTheOwnerLinkLeavesTheSecondFactor(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		c.Post("/auth/signup", testkit.M{"email": "ann@example.com", "password": "password123"}).Want(201)
		secret := c.Post("/auth/mfa/totp", nil).Want(200).Text("secret")
		code := func() string {
			s.Advance(time.Minute) // each counts once
			code, err := totp.GenerateCode(secret, s.Now())
			if err != nil {
				s.Fatal(err)
			}
			return code
		}
		c.Post("/auth/mfa/totp/confirm", testkit.M{"code": code()}).Want(200)
		b := s.Client()
		asked := b.Send("/start", form(link2(s), "ann@example.com", "password123")).Want(401)
		if b.Cookie("/", "session_id") != "" {
			t.Error("a session without the second factor")
		}
		if roles := c.Get("/auth/me").Want(200).JSON["roles"]; len(roles.([]any)) != 1 {
			t.Error(roles)
		}
		led(b.Submit(asked, "/signin/step", url.Values{"code": {code()}}), "/start?done")
		says(b.Get("/start?done").Want(200), "You are the owner")
	})
}

func TestAnExistingAccountShowsItsPassword(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		c.Post("/auth/signup", testkit.M{"email": "ann@example.com", "password": "password123"}).Want(201)
		old := c.Cookie("/", "session_id")
		key := link2(s)
		says(c.Send("/start", form(key, "ann@example.com", "not this one")).Want(401), `id="password-err"`, `value="ann@example.com"`, "!not this one")
		c.Send("/start", form(key, "ANN@example.com ", "password123")).Want(303)
		s.Events("owner_link.used", "role.granted", "session.revoked", "session.created", "login.succeeded", "authorization.changed")
		before := s.Client()
		before.Header.Set("Cookie", "session_id="+old)
		before.Get("/auth/me").Want(401)
	})
}

// link2 is link after other things have happened.
func link2(s *testkit.Server) string {
	s.Helper()
	s.Records()
	return link(s)
}

func TestAFormSaysWhatIsWrongAndKeepsWhatWasTyped(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, key := s.Client(), link(s)
		for name, test := range map[string]struct {
			form   url.Values
			status int
			says   []string
		}{
			"empty":          {form("", "", ""), 422, []string{`href="#key"`, `href="#email"`, `href="#password"`, "Enter a password."}},
			"wrong key":      {form("nope", "ann@example.com", "a quiet green lamp"), 403, []string{`id="key-err"`, `value="ann@example.com"`, "!a quiet green lamp"}},
			"no address":     {form(key, "ann", "a quiet green lamp"), 422, []string{`id="email-err"`, `value="ann"`, `value="` + key + `"`}},
			"short password": {form(key, "ann@example.com", "short"), 422, []string{`id="password-err"`, "at least 8 characters", `!value="short"`}},
			"markup":         {form(`"><script>x</script>`, `"><b>`, "a quiet green lamp"), 403, []string{"!<script>x", "!<b>"}},
			"twice":          {url.Values{"key": {key, "other"}, "email": {"ann@example.com"}, "password": {"a quiet green lamp"}}, 422, []string{`id="key-err"`}},
		} {
			a := c.Send("/start", test.form)
			if a.Status != test.status {
				t.Errorf("%s: %d, want %d", name, a.Status, test.status)
			}
			says(a, append(test.says, "<title>Error: ", "There is a problem", `aria-invalid="true"`)...)
		}
		s.Events()
		c.Send("/start", form(key, "ann@example.com", "a quiet green lamp")).Want(303) // a refusal does not spend the link
	})
}

func TestALinkRunsOut(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		key := link(s)
		s.Advance(owner.Life)
		says(s.Client().Send("/start", form(key, "ann@example.com", "a quiet green lamp")).Want(403), "has run out")
	})
}

func TestAPageOfAnotherSiteCannotClaim(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, key := s.Client(), link(s)
		c.Header.Set("Sec-Fetch-Site", "cross-site")
		c.Header.Set("Origin", "https://evil.example")
		c.Send("/start", form(key, "eve@example.com", "a quiet green lamp")).Want(403, "cross_origin")
	})
}

func TestClaimsAreLimitedPerAddress(t *testing.T) {
	limits := func(c *admit.Config) { c.RateLimit.RateLimit, c.RateLimit.IPPerMinute = "memory", 3 }
	testkit.Each(t, limits, func(s *testkit.Server) {
		c := s.Client()
		for range 3 {
			c.Send("/start", form("nope", "ann@example.com", "a quiet green lamp")).Want(403)
		}
		if a := c.Send("/start", form("nope", "ann@example.com", "a quiet green lamp")).Want(429); a.Header.Get("Retry-After") == "" {
			t.Error(a.Header)
		}
		c.Get("/start").Want(200)
	})
}

func TestABrowserIsLedToTheOwnerPageOnce(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		c.Header.Set("Accept", "text/html")
		if to := c.Get("/").Want(302).Header.Get("Location"); to != "/start" {
			t.Error(to)
		}
		c.Send("/start", form(link(s), "ann@example.com", "a quiet green lamp")).Want(303)
		if to := c.Get("/").Want(302).Header.Get("Location"); to != "/account" {
			t.Error(to)
		}
	})
}

func TestEveryProblemLeadsToItsExplanation(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		for _, problem := range []testkit.Answer{
			c.Get("/auth/me").Want(401),
			c.Get("/nowhere").Want(404),
			c.Do("DELETE", "/auth/login", nil).Want(405),
			c.Post("/auth/login", "{").Want(400),
		} {
			page, anchor, _ := strings.Cut(problem.Text("type"), "#")
			says(c.Get(page).Want(200), `id="`+anchor+`"`)
		}
		says(c.Get("/docs/errors"), "405 Method Not Allowed", "429 Too Many Requests")
	})
}

var (
	loaded = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)
	inline = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:>| [^>]*>[^<])|(?:src|href|action)="(?:https?:)?//`)
)

func TestNothingIsInlineOrFromElsewhere(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := s.Client()
		owned := s.Client()
		key := link(s)
		pages := []testkit.Answer{c.Get("/start"), c.Send("/start", form("nope", "a@b.cd", "a quiet green lamp")), c.Get("/docs/errors"),
			c.Send("/start", url.Values{"key": {"%zz"}}).Want(422)}
		owned.Send("/start", form(key, "ann@example.com", "a quiet green lamp")).Want(303)
		pages = append(pages, owned.Get("/start?done"), c.Get("/start"))
		c.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		pages = append(pages, c.Do("POST", "/start", "key=%zz").Want(400))
		for _, a := range pages {
			if found := inline.Find(a.Body); found != nil {
				t.Errorf("%s in\n%s", found, a.Body)
			}
			for name, want := range map[string]string{
				"Content-Type":            "text/html; charset=utf-8",
				"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
				"Referrer-Policy":         "same-origin",
				"X-Content-Type-Options":  "nosniff",
			} {
				if got := a.Header.Get(name); got != want {
					t.Errorf("%s: %s", name, got)
				}
			}
			for _, must := range []string{"<h1", "<main ", "</main>"} {
				if strings.Count(string(a.Body), must) != 1 {
					t.Errorf("not one %s in\n%s", must, a.Body)
				}
			}
			says(a, `<html lang="en"`, `class="skip" href="#main"`, `name="viewport"`)
			for _, file := range loaded.FindAllStringSubmatch(string(a.Body), -1) {
				asset := s.Client().Get(file[1]).Want(200)
				if asset.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || len(asset.Header["Set-Cookie"]) > 0 {
					t.Error(file[1], asset.Header)
				}
			}
		}
		if n := len(loaded.FindAll(pages[0].Body, -1)); n != 4 {
			t.Errorf("the start page loads %d files", n)
		}
		if a := c.Get("/start"); a.Header.Get("Cache-Control") != "no-store" {
			t.Error("a page that may hold a key is kept", a.Header)
		}
		c.Get("/assets/pages.css").Want(404)
	})
}

// What password managers and autofill go by.
func TestFormMarkup(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		page := string(s.Client().Get("/start").Body)
		for _, want := range []string{
			`<form method="post" action="/start"`,
			`<input class="input mono" id="key" name="key" type="text" value="" required autocomplete="off" autocapitalize="none" spellcheck="false"`,
			`<input class="input" id="email" name="email" type="email" value="" required autocomplete="username" autocapitalize="none" spellcheck="false"`,
			`<input class="input" id="password" name="password" type="password" required autocomplete="new-password" passwordrules="minlength: 8; allowed: unicode;"`,
			`type="button" aria-controls="password" aria-pressed="false"`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s is not in\n%s", want, page)
			}
		}
		for _, field := range []string{"key", "email", "password"} {
			if strings.Count(page, `<label for="`+field+`">`) != 1 {
				t.Error(field, "has no label of its own")
			}
		}
	})
}

// weigh is how many bytes a page and what it loads are as they travel, and how many requests that takes.
func weigh(c *testkit.Client, path string) (size, requests, script int) {
	page := c.Get(path).Want(200)
	size, requests = gzipped(page.Body), 1
	for _, file := range loaded.FindAllStringSubmatch(string(page.Body), -1) {
		n := gzipped(c.Get(file[1]).Want(200).Body)
		size, requests = size+n, requests+1
		if strings.HasSuffix(file[1], ".js") {
			script += n
		}
	}
	return size, requests, script
}

func gzipped(b []byte) int {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Len()
}

// A page on the way in is there at once on a bad line: 15 KB in four requests, of which six are script; the owner's has a script more. A page
// of the administration has at most 60 KB.
func TestPagesStayLight(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		owner := s.Client()
		owner.Send("/start", form(link(s), "ann@example.com", "a quiet green lamp")).Want(303)
		for _, path := range []string{"/admin", "/admin/users", "/admin/audit", "/admin/permissions", "/admin/settings"} {
			if n, _, _ := weigh(owner, path); n > 60<<10 {
				t.Errorf("%s: %d bytes", path, n)
			}
		}
		for path, most := range map[string]int{"/start": 5, "/signin": 4, "/signup": 4, "/recover": 4} {
			if n, requests, script := weigh(s.Client(), path); n > 15<<10 || requests > most || script > 6<<10 {
				t.Errorf("%s: %d bytes in %d requests, %d of them script", path, n, requests, script)
			}
		}
	})
}
