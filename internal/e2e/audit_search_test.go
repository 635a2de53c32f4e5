package e2e_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/testkit"
)

// searched is every event by the API, newest first, gone through in parts of two.
func searched(c *testkit.Client, query string) (list []audit.Record) {
	c.T.Helper()
	for cursor := ""; ; {
		a := c.Get("/api/v1/audit-events?limit=2&" + query + cursor).Want(200)
		var page struct {
			Items      []audit.Record
			NextCursor *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(a.Body, &page); err != nil {
			c.T.Fatal(err)
		}
		list = append(list, page.Items...)
		if page.NextCursor == nil {
			return list
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

// Every filter of the log gives what fits and nothing else, sealed or not, in parts that leave nothing out and give nothing twice.
func TestTheLogIsSearched(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		owner := person(s, "owner@example.com")
		id := owner.Get("/auth/me").Text("id")
		s.Grant(id, "super_admin")
		chronicle(s)
		s.Advance(24 * time.Hour)
		middle := s.Now()
		owner.Post("/auth/login", m{"email": "owner@example.com", "password": pass}).Want(200)
		ann := person(s, "ann@example.com")
		annID := ann.Get("/auth/me").Text("id")
		ann.Header.Set("User-Agent", "=cmd|' /C calc'!A0")
		org := organization(ann, "Acme")
		for _, sealed := range []bool{false, true} {
			if sealed {
				sealAll(s)
			}
			all, err := s.App().DB.Events(t.Context(), database.Cursor{}, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			slices.Reverse(all)
			for query, fits := range map[string]func(r database.Record) bool{
				"":                    func(database.Record) bool { return true },
				"actor=" + annID:      func(r database.Record) bool { return r.Origin.Actor == annID },
				"subject=" + annID:    func(r database.Record) bool { return r.Subject == annID },
				"org=" + org:          func(r database.Record) bool { return r.Origin.Org == org || r.Subject == org },
				"type=login.failed":   func(r database.Record) bool { return r.Kind == "login.failed" },
				"outcome=failure":     func(r database.Record) bool { return r.Outcome == "failure" },
				"outcome=success":     func(r database.Record) bool { return r.Outcome == "success" },
				"ip=127.0.0.1":        func(r database.Record) bool { return r.Origin.IP == "127.0.0.1" },
				"ip=10.9.8.7":         func(database.Record) bool { return false },
				"q=succeeded":         func(r database.Record) bool { return strings.HasSuffix(r.Kind, ".succeeded") },
				"q=ann%40example.com": func(r database.Record) bool { return r.Subject == annID || r.Origin.Actor == annID },
				"q=acme": func(r database.Record) bool {
					return strings.Contains(string(r.Data), `"acme"`) || strings.Contains(string(r.Data), `"Acme"`)
				},
				"q=nothing-of-that":                   func(database.Record) bool { return false },
				"type=role.granted&q=" + id:           func(r database.Record) bool { return r.Kind == "role.granted" && r.Subject == id },
				"from=" + middle.Format(time.RFC3339): func(r database.Record) bool { return !r.At.Before(middle.Truncate(time.Second)) },
				"to=" + middle.Format(time.RFC3339):   func(r database.Record) bool { return r.At.Before(middle.Truncate(time.Second)) },
			} {
				var want, got []string
				for _, r := range all {
					if fits(r) {
						want = append(want, r.ID)
					}
				}
				for _, r := range searched(owner, query) {
					got = append(got, r.ID)
				}
				if !slices.Equal(want, got) {
					t.Errorf("sealed %v, %q: %d events, want %d", sealed, query, len(got), len(want))
				}
			}
		}
		owner.Get("/api/v1/audit-events?cursor=x").Want(400)
		owner.Get("/api/v1/audit-events?cursor=1.2.3.4").Want(400)
		owner.Get("/api/v1/audit-events?from=yesterday").Want(422)
		file := owner.Get("/api/v1/audit-events/export?format=csv&actor=" + annID).Want(200)
		rows, err := csv.NewReader(strings.NewReader(string(file.Body))).ReadAll()
		if err != nil || len(rows) < 3 || rows[0][0] != "id" {
			t.Fatal(err, rows)
		}
		if cell := rows[len(rows)-1][9]; !strings.HasPrefix(cell, "'=cmd") {
			t.Errorf("a spreadsheet would take %q for a formula", cell)
		}
		lines := strings.Split(strings.TrimSpace(string(owner.Get("/api/v1/audit-events/export?subject="+annID).Want(200).Body)), "\n")
		if len(lines) != len(searched(owner, "subject="+annID)) || !json.Valid([]byte(lines[0])) {
			t.Errorf("%d lines", len(lines))
		}
		report := owner.Get("/api/v1/audit-events/verify").Want(200)
		if report.JSON["ok"] != true || report.JSON["bad"] != nil || report.JSON["records"].(float64) < 20 {
			t.Errorf("%s", report.Body)
		}
		owner.Get("/api/v1/audit-events/verify?head=99:" + strings.Repeat("0", 64)).Want(200)
		owner.Get("/api/v1/audit-events/verify?head=x").Want(422)
	})
}

// TEN: who may read the log of an organization sees what belongs to it and nothing else; who may read none sees none; everybody
// sees what happened to their own account, and not where those are who look after it.
func TestTheLogOfAnOrganization(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann, bob, eve := person(s, "ann@example.com"), person(s, "bob@example.com"), person(s, "eve@example.com")
		acme, other := organization(ann, "Acme"), organization(bob, "Other")
		join(s, ann, eve, acme, "eve@example.com", "member")
		eveID := eve.Get("/auth/me").Text("id")
		ann.Do("PUT", "/api/v1/orgs/"+acme+"/members/"+eveID+"/roles", m{"roles": []string{"admin"}}).Want(200)
		sealAll(s)
		at := "/api/v1/audit-events"
		for _, what := range []string{"", "/export", "/verify"} {
			ann.Get(at + what).Want(403)
			s.Client().Get(at + what).Want(401)
		}
		ann.Get(at + "/verify?org=" + acme).Want(403)
		for _, who := range []*testkit.Client{ann, eve} {
			list := searched(who, "org=acme")
			if len(list) < 3 {
				t.Errorf("%d events", len(list))
			}
			for _, r := range list {
				if r.OrgID != acme && r.Subject != acme {
					t.Errorf("of another: %+v", r)
				}
			}
		}
		for _, org := range []string{other, "other", "org_01900000-0000-7000-8000-00000000dead", "nothing"} {
			for _, what := range []string{"?org=", "/export?org="} {
				a, none := ann.Get(at+what+org), ann.Get(at+what+"nowhere")
				if a.Status != 404 || a.Text("code") != none.Text("code") {
					t.Errorf("%s%s: %d %s", what, org, a.Status, a.Body)
				}
			}
		}
		ann.Get(at + "/export?org=acme").Want(200)
		eve.Get(at + "/export?org=acme").Want(403) // an admin reads; taking all of it away is the owner's
		if len(searched(ann, "org=acme&q=bob%40example.com")) != 0 {
			t.Error("the log of an organization tells who has an address elsewhere")
		}

		bobID := bob.Get("/auth/me").Text("id")
		s.Grant(bobID, "super_admin")
		if n := len(searched(bob, "org="+acme)); n < 3 {
			t.Errorf("who may read everything sees %d events of an organization", n)
		}
		bob.Do("PATCH", "/api/v1/users/"+eveID, m{"name": "Eve"}).Want(200)
		own := eve.Get("/auth/events").Want(200).JSON["items"].([]any)
		newest := own[0].(m)
		if newest["kind"] != "user.updated" || newest["by"] != "operator" || newest["ip"] != nil || newest["session_id"] != nil {
			t.Errorf("%v", newest)
		}
		if last := own[len(own)-1].(m); last["kind"] != "user.created" || last["ip"] != "127.0.0.1" {
			t.Errorf("%v", last)
		}
		s.Client().Get("/auth/events").Want(401)
	})
}

// PRV-01: when a person is deleted, their addresses and user agents are gone from the whole database, their id stays, the search
// does not find the address any more, and the log verifies; nobody else loses anything.
func TestErasureKeepsTheLogWhole(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Web.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }, func(s *testkit.Server) {
		from := func(c *testkit.Client, ip string) *testkit.Client {
			c.Header.Set("X-Forwarded-For", ip)
			c.Header.Set("User-Agent", "agent of "+ip)
			return c
		}
		sign := func(ip, email string) (*testkit.Client, string) {
			c := from(s.Client(), ip)
			return c, c.Post("/auth/signup", m{"email": email, "password": pass}).Want(201).Text("id")
		}
		ann, annID := sign("10.1.1.1", "ann@example.com")
		_, bobID := sign("10.2.2.2", "bob@example.com")
		sealAll(s)
		for range 60 { // more than is erased at once
			ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
			if _, err := s.App().Audit.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		from(s.Client(), "10.3.3.3").Post("/auth/login", m{"email": "ann@example.com", "password": "wrong-password-1"}).Want(401)
		if err := s.App().Accounts.Delete(t.Context(), authz.System, annID); err != nil {
			t.Fatal(err)
		}
		sealAll(s)
		r := green(s)
		if r.Erased < 60 {
			t.Errorf("%+v", r)
		}
		for _, query := range []string{`SELECT COUNT(*) FROM events WHERE ip IN ('10.1.1.1', '10.3.3.3') OR user_agent LIKE '%10.1.1.1%'`, `SELECT COUNT(*) FROM audit_words WHERE word LIKE '10.1.1.1%'`,
			`SELECT COUNT(*) FROM audit_people WHERE gone`} {
			if n, err := database.One[int64](t.Context(), s.App().DB, query); err != nil || n != 0 {
				t.Errorf("%s: %d %v", query, n, err)
			}
		}
		find := func(f audit.Filter) int {
			p, err := s.App().Audit.Search(t.Context(), authz.System, f, "", 200)
			if err != nil {
				t.Fatal(err)
			}
			return len(p.Items)
		}
		if find(audit.Filter{Subject: annID}) < 60 || find(audit.Filter{IP: "10.2.2.2"}) == 0 || find(audit.Filter{Kind: (audit.Erased{}).Kind(), Subject: annID}) == 0 || find(audit.Filter{Kind: (audit.Erased{}).Kind(), Subject: bobID}) != 0 {
			t.Error("more or less than a person's own was forgotten")
		}
	})
}

// What is older than it is to be kept goes, whole days at a time; it is told, and the log verifies from there; what is younger stays.
func TestRetentionKeepsTheLogWhole(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Audit.RetentionDays = 30 }, func(s *testkit.Server) {
		chronicle(s)
		old := green(s)
		s.Advance(29 * 24 * time.Hour)
		person(s, "young@example.com")
		sealAll(s)
		prune := func() {
			t.Helper()
			if err := s.App().Audit.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			sealAll(s)
		}
		prune()
		if r := green(s); r.Pruned != 0 {
			t.Fatalf("%+v", r)
		}
		s.Advance(2 * 24 * time.Hour)
		prune()
		r := green(s)
		if r.Pruned != old.Checkpoints || r.Records == 0 {
			t.Fatalf("%+v after %+v", r, old)
		}
		left, err := s.App().DB.Events(t.Context(), database.Cursor{}, 1000)
		if err != nil || left[0].At.Before(s.Now().Add(-30*24*time.Hour)) || left[len(left)-1].Kind != (audit.Pruned{}).Kind() {
			t.Fatal(err, left)
		}
		n := r.Records
		prune()
		if r := green(s); r.Records != n {
			t.Error("pruning tells of itself for ever")
		}
		undone(s, func(exec func(string, ...any)) {
			exec(`UPDATE audit_floor SET number = number + 1`)
		}, func(q database.Querier) {
			if r := verifiedLog(s, q); r.OK {
				t.Error("a beginning was cut off that this server did not cut off")
			}
		})
	})
}

// Two servers that seal at the same time make one chain, and neither an event is left out nor one is sealed twice.
func TestTwoServersSealAtOnce(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Server.RootKey = "7f2c1a9be04d4c5f8a36d15e90b7c2f4" }, func(s *testkit.Server) {
		cfg := s.Config
		cfg.Server.DataDir = t.TempDir()
		two := testkit.Start(t, cfg, s.Clock)
		var all sync.WaitGroup
		for i, each := range []*testkit.Server{s, two, s, two} {
			all.Go(func() {
				for n := range 10 {
					if a := each.Client().Post("/auth/signup", m{"email": fmt.Sprintf("p%d-%d@example.com", i, n), "password": pass}); a.Status != 201 {
						t.Error(a.Status)
					}
					if _, err := each.App().Audit.Seal(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for i, each := range []*testkit.Server{two, s} { // so that each has sealed something itself: it keeps a head then
			each.Client().Post("/auth/signup", m{"email": fmt.Sprintf("last%d@example.com", i), "password": pass}).Want(201)
			sealAll(each)
		}
		a, b := green(s), green(two)
		if n, err := database.One[int64](t.Context(), s.App().DB, `SELECT COUNT(*) FROM events`); err != nil || a.Records != n || a.Head != b.Head {
			t.Errorf("%d events, %+v, %+v, %v", n, a, b, err)
		}
	})
}

// With a new root key the log goes on where the old one ended, and what was sealed before is still held. A database that is older
// than the head, as a restored backup is, is not sealed: that would hide that the end is missing.
func TestTheHeadOutlivesKeysAndBackups(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Server.RootKey = "7f2c1a9be04d4c5f8a36d15e90b7c2f4" }, func(s *testkit.Server) {
		chronicle(s)
		first := green(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		cfg := s.Config
		cfg.Server.RootKey = "e1b7c2f47f2c1a9be04d4c5f8a36d159"
		two := testkit.Start(t, cfg, s.Clock)
		two.Engine = s.Engine
		person(two, "new@example.com")
		sealAll(two)
		if r := green(two); r.Foreign < first.Checkpoints || r.Checkpoints <= r.Foreign {
			t.Errorf("%+v", r)
		}
		v := newVandal(two)
		undone(two, func(exec func(string, ...any)) {
			if s.Engine == "postgres" {
				exec(`ALTER TABLE events DISABLE TRIGGER events_same`)
			} else {
				exec(`DROP TRIGGER events_same`)
			}
			exec(`UPDATE events SET kind = 'other' WHERE seq = $1`, v.rows[1].Seq)
		}, func(q database.Querier) {
			if r := verifiedLog(two, q); r.Bad == nil || r.Bad.ID != v.rows[1].ID {
				t.Errorf("%+v", r)
			}
		})

		if err := two.Close(); err != nil {
			t.Fatal(err)
		}
		ahead := audit.Head{Number: v.seals + 5, Hash: strings.Repeat("ab", 32)}
		if err := os.WriteFile(filepath.Join(cfg.Server.DataDir, "audit_head"), []byte(ahead.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		three := testkit.Start(t, cfg, s.Clock)
		person(three, "later@example.com")
		if _, err := three.App().Audit.Seal(t.Context()); err == nil {
			t.Error("a log whose end is missing was sealed")
		}
		if r := verifiedLog(three, three.App().DB); r.OK || r.Bad.Checkpoint != v.seals+1 {
			t.Errorf("%+v", r.Bad)
		}
	})
}

// A log is verified and exported in as much memory as a part of it needs, however long it is.
func TestALongLogInLittleMemory(t *testing.T) {
	for _, engine := range testkit.Engines() { // one after the other: memory is everybody's
		s := testkit.Start(t, testkit.Config(t, testkit.DatabaseURL(t, engine)), testkit.NewClock())
		const events = 20_000
		err := s.App().DB.Write(t.Context(), func(tx *database.Tx) error {
			tx.Quiet()
			_, err := tx.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
				INSERT INTO events (id, at, kind, subject, outcome, actor, session_id, org_id, ip, user_agent, request_id, data)
				SELECT 'evt_' || i, 0, 'login.succeeded', 'org_' || (i % 1000), 'success', '', '', '', '10.0.0.1', 'agent', '', '{}' FROM n`, events)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		sealAll(s)
		for told := s.App().Feed.Rounds() + 2; s.App().Feed.Rounds() < told; { // the server has heard of them, too
			<-time.After(5 * time.Millisecond)
		}
		memory := func() uint64 {
			runtime.GC()
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			return now.HeapAlloc
		}
		h, _ := s.App().Audit.Head()
		var most uint64
		before := memory()
		parts := 0
		look := func(int64, int64) {
			if parts++; parts%5 == 0 {
				most = max(most, memory())
			}
		}
		r, err := s.App().Audit.Verify(t.Context(), s.App().DB, audit.Verification{Heads: []audit.Head{*h}, Progress: look})
		if err != nil || !r.OK || r.Records < events {
			t.Fatalf("%+v %v", r, err)
		}
		w, err := s.App().Audit.Export(t.Context(), authz.System, audit.Filter{}, audit.JSONL)
		if err != nil {
			t.Fatal(err)
		}
		w.Progress = look
		var length counted
		if n, err := w.Each(t.Context(), &length); err != nil || n < events {
			t.Fatal(n, err)
		}
		if parts < 40 || most > before+16<<20 {
			t.Errorf("%d parts; %d bytes more than before, and the log has %d", parts, most-before, length)
		}
	}
}

type counted int

func (c *counted) Write(p []byte) (int, error) {
	*c += counted(len(p))
	return len(p), nil
}

// AUD-02: an export has what a search finds: it does not wait for a change that somebody else has under way for hours.
func TestAnExportDoesNotWaitForOthers(t *testing.T) {
	if !slices.Contains(testkit.Engines(), "postgres") {
		t.Skip("SQLite makes one change at a time")
	}
	s := testkit.Start(t, testkit.Config(t, testkit.DatabaseURL(t, "postgres")), testkit.NewClock())
	undone(s, func(exec func(string, ...any)) { exec(`SELECT pg_current_xact_id()`) }, func(database.Querier) {
		s.Client().Post("/auth/login", m{"email": "nobody@example.com", "password": "wrong-password-1"}).Want(401)
		w, err := s.App().Audit.Export(t.Context(), authz.System, audit.Filter{Kind: "login.failed"}, audit.JSONL)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := w.Each(t.Context(), io.Discard); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	})
}

// AUD-02: whatever a client calls itself, each line of an export is one valid object.
func TestAnExportHasOneLineForEachEvent(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		for _, agent := range []string{`{"kind":"login.succeeded"}`, "\xff\xfe", strings.Repeat("long ", 10_000), "a\u2028b"} {
			c := s.Client()
			c.Header.Set("User-Agent", agent)
			c.Post("/auth/login", m{"email": "x\r\n@example.com" + url.QueryEscape(agent)[:4], "password": "wrong-password-1"})
		}
		for _, format := range []string{audit.JSONL, audit.CSV} {
			var text strings.Builder
			w, err := s.App().Audit.Export(t.Context(), authz.System, audit.Filter{}, format)
			if err != nil {
				t.Fatal(err)
			}
			n, err := w.Each(t.Context(), &text)
			lines := strings.Split(strings.TrimSpace(text.String()), "\n")
			if format == audit.CSV {
				lines = lines[1:]
			}
			if err != nil || len(lines) != n || n == 0 {
				t.Fatalf("%s: %d lines of %d events: %v", format, len(lines), n, err)
			}
			for _, line := range lines {
				var e event.Line
				if format == audit.JSONL && json.Unmarshal([]byte(line), &e) != nil {
					t.Errorf("%q", line)
				}
			}
		}
	})
}
