package admin_test

import (
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

// In a real browser, with scripts and without, somebody is found and kept out, and their session is dead at once; what a filter of the
// log shows is what its export holds.
func TestAdministrationInABrowser(t *testing.T) {
	b := browser.New(t)
	s := testkit.StartAt(t, testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), testkit.NewClock())
	at := s.Config.Web.BaseURL
	owner(s)
	bob, _ := person(s, "bob@example.com")
	b.Open(at + "/docs/errors")
	b.Run(`return fetch('/auth/login', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({email: 'root@example.com', password: '` + sentence + `'})});`)
	for _, scripts := range []bool{true, false} {
		bob.Post("/auth/login", testkit.M{"email": "bob@example.com", "password": sentence}).Want(200)
		b.Scripts(scripts)
		b.Open(at + "/admin/users?q=bob@")
		to := b.Run(`return {list: [...document.querySelectorAll('td a')].map(a => a.href)};`)["list"].([]any)
		if len(to) != 1 {
			t.Fatal(to)
		}
		b.Open(to[0].(string))
		s.Records()
		b.Submit("form[action$='/disable']", "", "")
		s.Events("user.disabled", "session.revoked", "authorization.changed")
		bob.Get("/auth/me").Want(401)
		b.Submit("form[action$='/enable']", "", "")
		s.Events("user.enabled", "authorization.changed")
	}
	b.Scripts(true)
	b.Open(at + "/admin/audit?type=user.disabled")
	found := b.Run(`const file = await (await fetch(document.querySelector('a[href$="format=jsonl"]').href)).text();
		return {shown: document.querySelectorAll('.records summary').length, file};`)
	if n := strings.Count(found["file"].(string), `"kind":"user.disabled"`); n != 2 || found["shown"] != 2.0 {
		t.Errorf("%v", found)
	}
	b.Open(at + "/admin/theme")
	b.Run(`const f = document.getElementById('accent'); f.value = '#7c3aed'; f.dispatchEvent(new Event('input', {bubbles: true})); return {};`)
	b.Wait(`location.search.includes('7c3aed') && getComputedStyle(document.querySelector('.preview .light .btn.primary')).backgroundColor === 'rgb(124, 58, 237)'`)
}
