package torture_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pquerna/otp/totp"

	"github.com/admit-dev/admit/internal/testkit"
)

// marks says, for each table, how a row is known to belong to somebody who is marked: by their name. %s is NEW or OLD.
var marks = map[string]string{
	"users":              `%s.name LIKE 'marked%%'`,
	"identifiers":        `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"passwords":          `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"sessions":           `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"user_roles":         `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"factors":            `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"totp_secrets":       `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"recovery_codes":     `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"passkeys":           `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"deliveries":         `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.user_id AND u.name LIKE 'marked%%')`,
	"passkey_ceremonies": `EXISTS (SELECT 1 FROM sessions n JOIN users u ON u.id = n.user_id WHERE n.id = %s.session_id AND u.name LIKE 'marked%%')`,
	"events":             `EXISTS (SELECT 1 FROM users u WHERE u.id = %s.subject AND u.name LIKE 'marked%%')`,
}

var verbs = map[string]string{"INSERT": "NEW", "UPDATE": "OLD", "DELETE": "OLD"}

// spoil makes every statement fail that would touch a marked row of the table. What it returns repairs that.
func spoil(t *testing.T, db *sql.DB, engine, table string) (repair func()) {
	t.Helper()
	exec := func(text string) {
		t.Helper()
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	for verb, row := range verbs {
		name, when := "spoiled_"+strings.ToLower(verb), fmt.Sprintf(marks[table], row)
		if engine == "sqlite" {
			exec(fmt.Sprintf(`CREATE TRIGGER %s BEFORE %s ON %s WHEN %s BEGIN SELECT RAISE(ABORT, 'spoiled'); END`, name, verb, table, when))
			continue
		}
		exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN IF %s THEN RAISE EXCEPTION 'spoiled'; END IF; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$`, name, when))
		exec(fmt.Sprintf(`CREATE TRIGGER %s BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION %s()`, name, verb, table, name))
	}
	return func() {
		t.Helper()
		for verb := range verbs {
			on := ""
			if engine != "sqlite" {
				on = " ON " + table
			}
			exec("DROP TRIGGER spoiled_" + strings.ToLower(verb) + on)
		}
	}
}

// rowsOf is every row of every table, so that nothing can change unseen.
func rowsOf(t *testing.T, db *sql.DB) []string {
	t.Helper()
	var all []string
	for _, table := range []string{"users", "identifiers", "passwords", "sessions", "user_roles", "events", "login_attempts", "owner_links", "signing_keys", "factors", "totp_secrets", "recovery_codes", "passkeys", "passkey_ceremonies", "deliveries"} {
		rows, err := db.Query(`SELECT * FROM ` + table)
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			all = append(all, table+" "+fmt.Sprint(values...))
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

// operation is something to do, the tables it writes, and how it is answered when it may.
type operation struct {
	name   string
	writes string
	status int
	sent
}

// operations prepares everything a marked person can do; each has a person of its own.
func operations(s *testkit.Server, c *caller, prefix string) []operation {
	t := s.T
	t.Helper()
	n := 0
	marked := func(name string) m {
		return m{"email": prefix + name + "@example.com", "password": password, "name": "marked"}
	}
	person := func() (string, string, string) { // an address, a cookie and a refresh token
		n++
		name := fmt.Sprint("person", n)
		cookie := c.must(t, sent{path: "/auth/signup", body: marked(name)}, 201).session
		email := prefix + name + "@example.com"
		return email, cookie, c.must(t, logInToken(email), 200).refresh
	}
	email, cookie, token := person()
	_, leaving, leavingToken := person()
	_, everywhere, _ := person()
	_, changing, _ := person()
	_, renaming, _ := person()
	_, naming, _ := person()
	_, _, replayed := person()
	c.must(t, refresh(replayed), 200)
	app := func() (cookie, secret string) { // somebody who sets an app up
		_, cookie, _ = person()
		return cookie, c.must(t, sent{path: "/auth/mfa/totp", session: cookie}, 200).text1("secret")
	}
	code := func(secret string) m {
		text, err := totp.GenerateCode(secret, s.Now())
		if err != nil {
			t.Fatal(err)
		}
		return m{"code": text}
	}
	guarded := func() (cookie, secret string, spare any) { // somebody who has
		cookie, secret = app()
		return cookie, secret, c.must(t, sent{path: "/auth/mfa/totp/confirm", session: cookie, body: code(secret)}, 200).body["recovery_codes"].([]any)[0]
	}
	device := s.NewAuthenticator()
	asked := func(cookie, path string, body m) m { // what a passkey is to sign
		answer := c.must(t, sent{path: path, session: cookie, body: body}, 200).body
		if prompt, ok := answer["prompt"].(m); ok {
			answer = prompt["challenge"].(m)
		}
		return answer["publicKey"].(m)
	}
	making := func() (cookie string, made m) { // somebody who adds a passkey
		_, cookie, _ = person()
		return cookie, m{"credential": device.Create(asked(cookie, "/auth/passkeys/register/options", nil), func(c *testkit.Ceremony) { c.Count = 1 })}
	}
	keyed := func() (cookie, path string) { // somebody who has one
		cookie, made := making()
		return cookie, "/auth/passkeys/" + c.must(t, sent{path: "/auth/passkeys/register", session: cookie, body: made}, 201).text1("id")
	}
	signing := func(count uint32) (cookie string, shown m) { // somebody who proves again with one
		cookie, _ = keyed()
		options := asked(cookie, "/auth/reauthenticate/options", m{"method": "passkey"})
		return cookie, m{"credential": device.Get(options, func(c *testkit.Ceremony) { c.Count = count })}
	}
	adding, made := making()
	calling, called := keyed()
	dropping, dropped := keyed()
	showing, shown := signing(2)
	copying, copied := signing(1)
	setting, _ := app()
	confirming, pending := app()
	proving, secret, _ := guarded()
	recovering, _, spare := guarded()
	renewing, _, _ := guarded()
	removing, _, _ := guarded()
	s.Advance(31e9) // past the grace, and into the next time step
	owner, _, _ := person()
	key, err := s.App().Owner.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return []operation{
		{"sign-up", "users identifiers passwords sessions events", 201, sent{path: "/auth/signup", body: marked("new")}},
		{"register", "users identifiers passwords events", 201, sent{path: "/api/v1/register", body: marked("registered")}},
		{"login", "sessions events", 200, logIn(email)},
		{"login for tokens", "sessions events", 200, logInToken(email)},
		{"wrong password", "events", 401, sent{path: "/auth/login", body: m{"email": email, "password": "wrong-password"}}},
		{"login that replaces a session", "sessions events", 200, sent{path: "/auth/login", body: account(email), session: cookie}},
		{"refresh", "sessions events", 200, refresh(token)},
		{"replay of a refresh token", "sessions events", 401, refresh(replayed)},
		{"logout", "sessions events", 200, logOut(leaving)},
		{"logout by refresh token", "sessions events", 200, logOutToken(leavingToken)},
		{"logout everywhere", "sessions events", 200, sent{path: "/auth/logout-all", session: everywhere}},
		{"password change", "passwords sessions deliveries events", 200, sent{path: "/auth/password/change", session: changing,
			body: m{"current_password": password, "new_password": "another password"}}},
		{"new name", "users events", 200, sent{method: "PATCH", path: "/auth/me", session: renaming, body: m{"name": "marked still"}}},
		{"new username", "users identifiers events", 200, sent{method: "PATCH", path: "/auth/me", session: naming, body: m{"username": prefix + "other"}}},
		{"setting an app up", "totp_secrets events", 200, sent{path: "/auth/mfa/totp", session: setting}},
		{"confirming an app", "totp_secrets factors recovery_codes events", 200, sent{path: "/auth/mfa/totp/confirm", session: confirming, body: code(pending)}},
		{"proving with an app", "totp_secrets sessions events", 200, sent{path: "/auth/reauthenticate", session: proving, body: code(secret)}},
		{"proving with a recovery code", "recovery_codes sessions events", 200, sent{path: "/auth/reauthenticate", session: recovering, body: m{"code": spare}}},
		{"new recovery codes", "recovery_codes events", 200, sent{path: "/auth/mfa/recovery-codes", session: renewing}},
		{"removing an app", "totp_secrets factors recovery_codes events", 204, sent{method: "DELETE", path: "/auth/mfa/totp", session: removing}},
		{"adding a passkey", "passkeys passkey_ceremonies deliveries events", 201, sent{path: "/auth/passkeys/register", session: adding, body: made}},
		{"renaming a passkey", "passkeys events", 200, sent{method: "PATCH", path: called, session: calling, body: m{"name": "Phone"}}},
		{"removing a passkey", "passkeys deliveries events", 204, sent{method: "DELETE", path: dropped, session: dropping}},
		{"proving with a passkey", "passkeys passkey_ceremonies sessions events", 200, sent{path: "/auth/reauthenticate", session: showing, body: shown}},
		{"proving with a copy of one", "passkeys passkey_ceremonies events", 403, sent{path: "/auth/reauthenticate", session: copying, body: copied}},
		{"owner link", "user_roles sessions events", 200, sent{path: "/auth/owner", body: m{"key": key, "email": owner, "password": password}}},
	}
}

// RAC-02: when one statement of an operation fails, whichever, the answer says so and nothing at all has happened; once
// the statement works again, the same request does.
func TestOneStatementFails(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		db := open(s.T, s.Config.Database.URL)
		c := newCaller(s.URL)
		defer c.client.CloseIdleConnections()
		failed := 0
		for table := range marks {
			list := operations(s, c, strings.ReplaceAll(table, "_", ""))
			repair := spoil(s.T, db, s.Engine, table)
			for _, op := range list {
				if !slices.Contains(strings.Fields(op.writes), table) {
					continue
				}
				failed++
				before := rowsOf(s.T, db)
				r, err := c.send(op.sent)
				if err != nil || r.status < 500 {
					s.Errorf("%s, %s spoiled: %v %v, want 5xx", op.name, table, r, err)
				}
				if len(r.header["Set-Cookie"]) > 0 {
					s.Errorf("%s, %s spoiled: sets %v", op.name, table, r.header["Set-Cookie"])
				}
				if after := rowsOf(s.T, db); !slices.Equal(before, after) {
					s.Errorf("%s, %s spoiled: something was changed:\n%s", op.name, table, difference(before, after))
				}
			}
			repair()
			for _, op := range list {
				if r, err := c.send(op.sent); err != nil || r.status != op.status {
					s.Errorf("%s, after %s was repaired: %v %v, want %d", op.name, table, r, err, op.status)
				}
			}
		}
		s.Logf("%d operations failed in the middle", failed)
	})
}

func difference(before, after []string) string {
	var out strings.Builder
	for _, r := range before {
		if !slices.Contains(after, r) {
			fmt.Fprintln(&out, "-", r)
		}
	}
	for _, r := range after {
		if !slices.Contains(before, r) {
			fmt.Fprintln(&out, "+", r)
		}
	}
	return out.String()
}

// A change that fails takes nobody else's with it: on SQLite, changes share transactions.
func TestOneFailsAmongMany(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		db := open(s.T, s.Config.Database.URL)
		c := newCaller(s.URL)
		defer c.client.CloseIdleConnections()
		c.must(s, sent{path: "/auth/signup", body: m{"email": "marked@example.com", "password": password, "name": "marked"}}, 201)
		c.must(s, signUp("ann@example.com"), 201)
		defer spoil(s.T, db, s.Engine, "sessions")()
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for range times(4) {
					if r, err := c.send(logIn("marked@example.com")); err != nil || r.status < 500 || r.session != "" {
						s.Errorf("marked: %v %v, want 5xx", r, err)
					}
				}
			})
			all.Go(func() {
				for range times(4) {
					r, err := c.send(logIn("ann@example.com"))
					if err != nil || r.status != 200 {
						s.Errorf("somebody else: %v %v", r, err)
					} else if r, err = c.send(me(r.session)); err != nil || r.status != 200 {
						s.Errorf("the session of somebody else: %v %v", r, err)
					}
				}
			})
		}
		all.Wait()
		halves(s.T, db)
	})
}
