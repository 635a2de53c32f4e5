package account_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

var ownKey = regexp.MustCompile(`<code>(admit_key_[0-9a-z]{55})</code>`)

// A key is made, replaced and revoked on its pages, without JavaScript: shown once as plain text, and ended by typing its name.
func TestKeysOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		says(c.Get("/account/keys").Want(200), "You have no API keys yet", `href="/account/keys/new"`, `aria-current="page"`)
		says(c.Get("/account/keys/new").Want(200), "Everywhere", "In 90 days", "!Never expires")
		says(c.Fill("/account/keys/new", "/account/keys/new", url.Values{"name": {"Build"}, "scopes": {"no such"}, "expires_in_days": {"30"}, "org_id": {""}}).Want(422), `href="#scopes"`, "no such")
		says(c.Fill("/account/keys/new", "/account/keys/new", url.Values{"name": {""}, "scopes": {"sys:members:read"}, "expires_in_days": {"soon"}}).Want(422), "A key lives for 1 to 365 days")
		s.Records()
		made := c.Fill("/account/keys/new", "/account/keys/new", url.Values{"name": {"Build <b>"}, "scopes": {"sys:members:read\nsys:org:*"}, "expires_in_days": {"30"}, "org_id": {""}}).Want(200)
		s.Events("api_key.created", "message.queued")
		found := ownKey.FindSubmatch(made.Body)
		if found == nil {
			t.Fatalf("%s", made.Body)
		}
		if made.Header.Get("Cache-Control") != "no-store" {
			t.Error(made.Header)
		}
		key := s.Client()
		key.Bearer = string(found[1])
		id := key.Get("/auth/me").Want(200).JSON["api_key"].(testkit.M)["id"].(string)
		at := "/account/keys/" + id
		says(c.Get("/account/keys").Want(200), "Build &lt;b&gt;", "!"+key.Bearer[20:], at)
		says(c.Get(at).Want(200), "sys:members:read", "sys:org:*", "!"+key.Bearer[20:])
		person(s, "eve@example.com").Get(at).Want(404)

		says(c.Fill(at, at+"/revoke", url.Values{"confirm": {"build"}}).Want(422), "exactly as it stands there")
		next := c.Fill(at, at+"/rotate", url.Values{"overlap_hours": {"1"}}).Want(200)
		newer := s.Client()
		newer.Bearer = string(ownKey.FindSubmatch(next.Body)[1])
		newer.Get("/auth/me").Want(200)
		key.Get("/auth/me").Want(200)
		says(c.Get("/account/keys").Want(200), "Replaced")
		says(c.Get(at).Want(200), "!"+at+"/rotate")
		led(c.Fill(at, at+"/revoke", url.Values{"confirm": {"Build <b>"}}), "/account/keys")
		says(c.Get("/account/keys").Want(200), "The key is revoked.")
		key.Get("/auth/me").Want(401)
		newer.Get("/account/keys").Want(403)

		s.Advance(11 * 60e9)
		led(c.Get("/account/keys/new"), "/confirm?return_to=%2Faccount%2Fkeys%2Fnew")
	})
}
