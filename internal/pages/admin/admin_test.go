package admin_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
)

const sentence = "a quiet green lamp"

func says(a testkit.Answer, texts ...string) {
	a.T.Helper()
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(string(a.Body), text) == not {
			a.T.Errorf("%q is there: %t, in\n%s", text, not, a.Body)
		}
	}
}

func led(a testkit.Answer, to string) {
	a.T.Helper()
	if got := a.Want(303).Header.Get("Location"); got != to {
		a.T.Errorf("led to %s, want %s", got, to)
	}
}

func person(s *testkit.Server, email string) (c *testkit.Client, userID string) {
	s.Helper()
	c = s.Client()
	userID = c.Post("/auth/signup", testkit.M{"email": email, "password": sentence}).Want(201).Text("id")
	s.Records()
	return c, userID
}

func owner(s *testkit.Server) *testkit.Client {
	s.Helper()
	c, userID := person(s, "root@example.com")
	s.Grant(userID, authz.SuperAdmin)
	return c
}

// helper is somebody with a role of exactly these permissions.
func helper(s *testkit.Server, email string, permissions ...string) *testkit.Client {
	s.Helper()
	c, userID := person(s, email)
	r, err := s.App().Authz.CreateGlobalRole(s.Context(), authz.System, authz.GlobalRoleEdit{Name: new("Role of " + strings.Split(email, "@")[0]), Permissions: &permissions})
	if err != nil {
		s.Fatal(err)
	}
	s.Grant(userID, r.Key)
	return c
}

// Each page of the administration asks the permission of its JSON route: strangers are led to the door, others are refused, and who
// holds one permission sees its pages and the way to no other.
func TestPagesAskForTheirPermission(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		pages := map[string]string{"/admin": "sys:server:read", "/admin/users": "sys:users:read", "/admin/users/new": "sys:users:create", "/admin/audit": "sys:audit:read", "/admin/audit/verify": "sys:audit:read",
			"/admin/lockouts": "sys:users:read", "/admin/organizations": "sys:orgs:read", "/admin/roles": "sys:roles:read", "/admin/roles/new": "sys:roles:create", "/admin/roles/manager": "sys:roles:read",
			"/admin/permissions": "sys:permissions:read", "/admin/health": "sys:server:read", "/admin/settings": "sys:server:read", "/admin/methods": "sys:server:read", "/admin/keys": "sys:server:read",
			"/admin/theme": "sys:server:read", "/admin/theme.css": "sys:server:read"}
		nobody, nobodyID := person(s, "nobody@example.com")
		pages["/admin/users/"+nobodyID] = "sys:users:read"
		root := owner(s)
		for path, permission := range pages {
			led(s.Client().Get(path), "/signin?return_to="+url.QueryEscape(path))
			says(nobody.Get(path).Want(403), permission)
			root.Get(path).Want(200)
		}
		for permission, path := range map[string]string{"sys:roles:read": "/admin/roles", "sys:permissions:read": "/admin/permissions"} {
			some := helper(s, strings.Split(permission, ":")[1]+"@example.com", permission)
			led(some.Get("/admin"), path)
			says(some.Get("/account").Want(200), `<a href="/admin">`)
		}
		says(root.Get("/account").Want(200), `<a href="/admin"><span>Administration</span></a>`)
		says(nobody.Get("/account").Want(200), "!/admin")
		says(helper(s, "maker@example.com", "sys:users:create").Get("/account").Want(200), "!/admin") // may do something, but has no part to see
		reader := helper(s, "reader@example.com", "sys:users:read")
		page := reader.Get("/admin/users/" + nobodyID).Want(200)
		says(page, `href="/admin/users"`, "!/admin/audit", "!/disable", "!/roles", "!/sessions/", "!/delete", "!Signed in")
		reader.Send("/admin/users/"+nobodyID+"/disable", nil).Want(403)
		reader.Get("/admin/audit").Want(403)
		nobody.Get("/auth/me").Want(200)
		s.Events()
	})
}

// Whoever looks after people finds one of them, keeps them out and sees their session die, with the events of the JSON routes.
func TestLookingAfterPeople(t *testing.T) {
	change := func(cfg *admit.Config) { cfg.Lockout.After = 3 }
	testkit.Each(t, change, func(s *testkit.Server) {
		ann, annID := person(s, "ann@example.com")
		person(s, "bob@example.com")
		root := owner(s)
		found := root.Get("/admin/users?q=ann@").Want(200)
		says(found, "ann@example.com", "!bob@example.com")
		at := regexp.MustCompile(`href="(/admin/users/usr_[^"]+)"`).FindStringSubmatch(string(found.Body))[1]
		if at != "/admin/users/"+annID {
			t.Fatal(at)
		}
		led(root.Fill(at, at+"/disable", nil), at)
		s.Events("user.disabled", "session.revoked", "authorization.changed")
		ann.Get("/auth/me").Want(401)
		says(root.Get("/admin/users?state=disabled").Want(200), "ann@example.com", "!bob@example.com")
		says(root.Get("/admin/users?state=active").Want(200), "!ann@example.com", "bob@example.com")
		led(root.Fill(at, at+"/enable", nil), at)
		s.Events("user.enabled", "authorization.changed")

		for range 4 {
			s.Client().Post("/auth/login", testkit.M{"email": "ann@example.com", "password": "no"})
		}
		s.Records()
		says(root.Get("/admin/users?state=locked").Want(200), "ann@example.com", "!bob@example.com", "Locked")
		led(root.Fill(at, at+"/unlock", nil), at)
		s.Events("account.unlocked")

		ann.Post("/auth/login", testkit.M{"email": "ann@example.com", "password": sentence}).Want(200)
		s.Records()
		led(root.Fill(at, at+"/sessions/", nil), at)
		s.Events("session.revoked")
		ann.Get("/auth/me").Want(401)
		led(root.Fill(at, at+"/reset-password", nil), at)
		s.Events("password.reset_requested", "message.queued")

		led(root.Fill(at, at+"/roles", url.Values{"role": {"manager"}}), at)
		s.Events("role.granted", "authorization.changed")
		says(root.Get("/admin/users?role=manager").Want(200), "ann@example.com", "!bob@example.com")
		led(root.Fill(at, at, url.Values{"name": {"Ann Other"}}), at)
		s.Events("user.updated")
		says(root.Fill(at, at, url.Values{"username": {"a"}}).Want(422), `id="username-err"`, "<title>Error: ")

		says(root.Fill(at+"/delete", at+"/delete", url.Values{"confirm": {"Ann"}}).Want(422), `id="confirm-err"`)
		s.Events()
		led(root.Fill(at+"/delete", at+"/delete", url.Values{"confirm": {"Ann Other"}}), "/admin/users")
		root.Get(at).Want(404)
	})
}

// An account that is made on a page has no password, and its owner sets one by the link that is sent from their page.
func TestUserIsCreatedOnAPage(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root := owner(s)
		says(root.Fill("/admin/users/new", "/admin/users/new", url.Values{"email": {"root@example.com"}}).Want(409), `id="email-err"`)
		s.Records()
		made := root.Fill("/admin/users/new", "/admin/users/new", url.Values{"email": {"new@example.com"}, "name": {"Nele"}}).Want(303).Header.Get("Location")
		s.Events("user.created")
		says(root.Get(made).Want(200), "Nele", "new@example.com", "The account is there.")
		a := root.Post("/api/v1/users", testkit.M{"email": "other@example.com", "password": sentence}).Want(201)
		s.Events("user.created")
		s.Client().Post("/auth/login", testkit.M{"email": "other@example.com", "password": sentence}).Want(200)
		list := root.Get("/api/v1/users/" + a.Text("id") + "/sessions").Want(200).JSON["items"].([]any)
		if len(list) != 1 {
			t.Fatal(list)
		}
		s.Records()
		root.Do("DELETE", "/api/v1/users/"+a.Text("id")+"/sessions/"+list[0].(testkit.M)["id"].(string), nil).Want(204)
		s.Events("session.revoked")
		helper(s, "desk@example.com", "sys:users:read").Post("/api/v1/users", testkit.M{"email": "x@example.com"}).Want(403, "missing_permission")
	})
}

// The log is searched with every filter in the address, and what is exported is the very same.
func TestAuditOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root := owner(s)
		_, annID := person(s, "ann@example.com")
		s.Client().Post("/auth/login", testkit.M{"email": "ann@example.com", "password": "no"}).Want(401)
		s.Client().Post("/auth/login", testkit.M{"email": "ann@example.com", "password": sentence}).Want(200)
		s.Advance(time.Hour)
		s.Client().Post("/auth/login", testkit.M{"email": "root@example.com", "password": "no"}).Want(401)
		for query, want := range map[string]int{"subject=" + annID + "&type=login.failed": 1, "type=login.failed": 2, "type=login.failed&from=2031-05-06T08:00": 1,
			"outcome=failure&to=2031-05-06T08:00:00Z": 1, "q=ann@example.com&outcome=failure": 1, "type=nothing.such": 0} {
			page := root.Get("/admin/audit?" + query).Want(200)
			if n := strings.Count(string(page.Body), `<summary><span class="mono">`); n != want {
				t.Errorf("%s shows %d, want %d", query, n, want)
			}
			file := regexp.MustCompile(`href="(/api/v1/audit-events/export\?[^"]*)format=jsonl"`).FindStringSubmatch(string(page.Body))
			out := root.Get(strings.ReplaceAll(file[1], "&amp;", "&") + "format=jsonl").Want(200)
			if n := strings.Count(string(out.Body), "\n"); n != want {
				t.Errorf("%s exports %d, want %d", query, n, want)
			}
		}
		says(root.Get("/admin/audit/verify").Want(200), "as it was sealed", "Events verified")
	})
}

// The overview counts what there is, draws the sign-ins of thirty days with a table behind, and shows to each who looks what they may know.
func TestOverview(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root := owner(s)
		for day := range 3 {
			for range day + 1 {
				s.Client().Post("/auth/login", testkit.M{"email": "root@example.com", "password": sentence}).Want(200)
			}
			s.Client().Post("/auth/login", testkit.M{"email": "root@example.com", "password": "no"}).Want(401)
			s.Advance(24 * time.Hour)
		}
		root.Post("/auth/login", testkit.M{"email": "root@example.com", "password": sentence}).Want(200)
		page := root.Get("/admin").Want(200)
		says(page, `role="img" aria-label="Sign-ins. 8 in the last 30 days. The most on one day: 3, on 8 May 2031."`, `aria-label="Failed sign-ins. 3 in the last 30 days.`,
			`<td>8 May 2031</td><td class="num">3</td>`, `<a href="/admin/users">1</a>`, "!style=")
		days := root.Get("/api/v1/server/overview").Want(200).JSON["days"].([]any)
		if last := days[27].(testkit.M); len(days) != 30 || last["date"] != "2031-05-07" || last["signed_in"] != 2.0 || last["failed"] != 1.0 {
			t.Errorf("%v", days)
		}
		desk := helper(s, "desk@example.com", "sys:users:read")
		says(desk.Get("/admin").Want(200), `<a href="/admin/users">2</a>`, "!<svg", "!/admin/health", "!/admin/organizations")
		if a := desk.Get("/api/v1/server/overview").Want(200); a.JSON["days"] != nil || a.JSON["checks"] != nil || a.JSON["organizations"] != nil {
			t.Errorf("%s", a.Body)
		}
	})
}

// Who is locked is listed, and unlocked from there; the limits stand beside.
func TestLockoutsOnPages(t *testing.T) {
	testkit.Each(t, func(cfg *admit.Config) { cfg.Lockout.After = 3 }, func(s *testkit.Server) {
		_, annID := person(s, "ann@example.com")
		root := owner(s)
		says(root.Get("/admin/lockouts").Want(200), "No account is locked.", "LOCKOUT_AFTER", ">program<", "RATE_LIMIT")
		for range 3 {
			s.Client().Post("/auth/login", testkit.M{"email": "ann@example.com", "password": "no"}).Want(401)
		}
		s.Records()
		says(root.Get("/admin").Want(200), "1 account is locked")
		led(root.Fill("/admin/lockouts", "/admin/users/"+annID+"/unlock", nil), "/admin/lockouts")
		s.Events("account.unlocked")
		says(root.Get("/admin/lockouts").Want(200), "No account is locked.", "The account is open again.")
	})
}

// Global roles and permissions are made, changed and removed on pages under the rules of the JSON routes.
func TestRolesOnPages(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root := owner(s)
		led(root.Fill("/admin/permissions", "/admin/permissions", url.Values{"name": {"jobs:post"}, "title": {"Post a job"}}), "/admin/permissions")
		s.Events("permission.declared", "authorization.changed")
		says(root.Get("/admin/permissions").Want(200), "jobs:post", "Post a job")
		says(root.Fill("/admin/permissions", "/admin/permissions", url.Values{"name": {"sys:mine"}}).Want(422), `id="name-err"`)
		led(root.Fill("/admin/roles/new", "/admin/roles/new", url.Values{"name": {"Partner"}, "reach": {"all_orgs"}, "permissions": {"jobs:post\r\n"}}), "/admin/roles/partner")
		s.Events("global_role.created", "authorization.changed")
		says(root.Fill("/admin/roles/new", "/admin/roles/new", url.Values{"name": {"Other"}, "reach": {"platform"}, "permissions": {"jobs;x"}}).Want(422), "jobs;x")
		page := root.Get("/admin/roles/partner").Want(200)
		led(root.Submit(page, "/admin/roles/partner", url.Values{"reach": {"platform"}, "permissions": {"jobs:*"}}), "/admin/roles/partner")
		s.Events("global_role.updated", "authorization.changed")
		late := url.Values{"reach": {"all_orgs"}, "permissions": {"jobs:post"}}
		again := root.Submit(page, "/admin/roles/partner", late).Want(412) // somebody was quicker
		says(again, "Somebody else changed this role", "What somebody else saved meanwhile", `<pre class="letter">jobs:*</pre>`, "Where no organization is asked about", ">jobs:post</textarea>", `<option value="all_orgs" selected>`)
		led(root.Submit(again, "/admin/roles/partner", late), "/admin/roles/partner") // and now it is known what was saved
		says(root.Get("/admin/roles/partner").Want(200), ">jobs:post</textarea>", "!saved meanwhile")
		s.Events("global_role.updated", "authorization.changed")
		says(root.Get("/admin/roles/super_admin").Want(200), "built in", "!textarea")
		led(root.Send("/admin/roles/partner/delete", nil), "/admin/roles")
		s.Events("global_role.deleted", "authorization.changed")
	})
}

// An organization is found, looked at and suspended; the server says how it stands, what it is set to and which keys sign, and rotates them.
func TestOrganizationsAndServerOnPages(t *testing.T) {
	change := func(cfg *admit.Config) { cfg.Server.RootKey = "a root key of thirty-two letters" }
	testkit.Each(t, change, func(s *testkit.Server) {
		ann, _ := person(s, "ann@example.com")
		orgID := ann.Post("/api/v1/orgs", testkit.M{"name": "Acme"}).Want(201).Text("id")
		ann.Post("/api/v1/orgs", testkit.M{"name": "Brick"}).Want(201)
		root := owner(s)
		says(root.Get("/admin/organizations?q=ac").Want(200), "Acme", "!Brick")
		at := "/admin/organizations/" + orgID
		says(root.Get(at).Want(200), "ann@example.com", "Owner")
		led(root.Fill(at, at+"/suspend", nil), at)
		s.Events("org.suspended", "authorization.changed")
		led(root.Fill(at, at+"/reinstate", nil), at)
		s.Events("org.suspended", "authorization.changed")

		says(root.Get("/admin/settings").Want(200), "SESSION_SECRET_KEY", "!a root key", "***", "LOCKOUT_AFTER")
		says(root.Get("/admin/settings?given=yes").Want(200), "SESSION_SECRET_KEY", "!SMTP_HOST")
		says(root.Get("/admin/health?services=yes").Want(200), "database", "signing key", "stays here")
		says(root.Get("/admin/methods").Want(200), "PASSKEY_ENABLED", "/auth/development/callback")
		keys := root.Get("/api/v1/server/keys").Want(200).JSON["items"].([]any)
		says(root.Get("/admin/keys").Want(200), keys[0].(testkit.M)["id"].(string), "Signs now", "!Signs soon")
		s.Records()
		led(root.Fill("/admin/keys", "/admin/keys/rotate", nil), "/admin/keys")
		s.Events("signing_key.created")
		says(root.Get("/admin/keys").Want(200), "Signs now", "Signs soon")
	})
}

// A theme is tried without changing anything: the page says what was corrected and which settings make it so; what can be no theme is
// said, and what was chosen is kept.
func TestThemeIsTried(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		root := owner(s)
		says(root.Get("/admin/theme").Want(200), "THEME_ACCENT=#2f5bea\n", "THEME_RADIUS_PX=8")
		chosen := "?accent=%23ffe600&accent_dark=%2300ff00&radius=3&font=Georgia"
		says(root.Get("/admin/theme"+chosen).Want(200), "THEME_ACCENT=#ffe600,#00ff00\n", "THEME_FONT=Georgia\n", "<code>#ffe600</code> → <code>#", `value="#ffe600"`, "/admin/theme.css"+strings.ReplaceAll(chosen, "&", "&amp;"))
		css := root.Get("/admin/theme.css" + chosen).Want(200)
		says(css, ".preview{", "--radius:3px;", "--font:Georgia;", "!:root")
		if css.Header.Get("Content-Type") != "text/css; charset=utf-8" {
			t.Error(css.Header)
		}
		says(root.Get("/admin/theme?radius=99&font=x%3B}").Want(422), "<title>Error: ", `id="radius-err"`, `value="99"`, "THEME_FONT", "THEME_RADIUS_PX=8\n")
		says(root.Get("/admin/theme?background=%23ffffff&surface=%23000000").Want(422), "no text can be read")
		says(root.Get("/admin/theme.css?radius=99").Want(200), "--radius:8px;")
		s.Events()
	})
}
