package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit"
)

// exported makes every export that is due.
func exported(nodes ...*testkit.Server) {
	for _, s := range nodes {
		s.Helper()
		if _, err := s.App().Exports.Work(s.Context()); err != nil {
			s.Fatal(err)
		}
	}
}

// unzip is the files of an archive, by name.
func unzip(a testkit.Answer) map[string]string {
	a.T.Helper()
	z, err := zip.NewReader(bytes.NewReader(a.Body), int64(len(a.Body)))
	if err != nil {
		a.T.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			a.T.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || !json.Valid(text) {
			a.T.Fatal(f.Name, err, string(text))
		}
		files[f.Name] = string(text)
	}
	return files
}

// askExport asks for an export and gives its address.
func askExport(c *testkit.Client) string {
	c.T.Helper()
	a := c.Post("/auth/me/export", nil).Want(202)
	at := "/auth/me/export/" + a.Text("id")
	if a.Header.Get("Location") != at {
		c.T.Errorf("led to %s", a.Header.Get("Location"))
	}
	return at
}

// PRV-01: whoever asks for it gets everything that is known of them and nothing of anybody else, and no secret. Asking and fetching want a fresh
// proof, the copy is nobody else's, and it is gone after a day.
func TestPRV01Export(t *testing.T) {
	testkit.Each(t, func(c *admit.Config) { c.Device.Days = 30 }, func(s *testkit.Server) {
		boss, ann := person(s, "boss@example.com"), s.Client()
		boss.Do("PATCH", "/auth/me", m{"name": "Bossington"}).Want(200)
		ann.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		ann.Post("/auth/signup", m{"email": "ann@example.com", "password": pass, "name": "Annelore", "username": "annelore.k"}).Want(201)
		id := userID(ann)
		ann.Do("PATCH", "/auth/me", m{"language": "de", "time_zone": "Europe/Berlin"}).Want(200)
		organization(boss, "Acme")
		join(s, boss, ann, "acme", "ann@example.com", "member")
		texted(s, ann, "+491711234501")
		phone := s.NewAuthenticator()
		options := publicKey(ann.Post("/auth/passkeys/register/options", nil).Want(200))
		ann.Post("/auth/passkeys/register", m{"credential": phone.Create(options), "name": "Telephone"}).Want(201)
		root, rootID := operator(s, "root@example.com")
		root.Header.Set("User-Agent", "Operatorbrowser/1.0")
		root.Post("/api/v1/users/"+id+"/impersonate", m{"reason": "Ticket 4711"}).Want(200)
		s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": "no"}).Want(401)
		sealAll(s)

		s.Client().Post("/auth/me/export", nil).Want(401)
		s.Advance(10 * time.Minute)
		ann.Post("/auth/me/export", nil).Want(403, "reauthentication_required")
		ann.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		s.Records()
		at := askExport(ann)
		exported(s)
		s.Events("export.requested", "export.ready", "message.queued")
		state := ann.Get(at).Want(200)
		if state.Text("state") != "ready" || state.JSON["done"] != state.JSON["total"] || state.JSON["total"].(float64) < 5 || state.Text("expires_at") != s.Now().Add(24*time.Hour).Format(time.RFC3339) {
			t.Errorf("%s", state.Body)
		}
		if mail := s.Letter("ann@example.com"); mail.Links[0] != s.Config.Web.Origin()+"/account/data" || !strings.Contains(mail.Text, "24 Stunden") {
			t.Errorf("%s", mail.Text)
		}
		boss.Get(at).Want(404, "export_not_found")
		root.Get(at + "/download").Want(403) // who acts in their name
		root.Post("/auth/me/export", nil).Want(403)
		boss.Post("/auth/reauthenticate", m{"password": pass}).Want(200)
		boss.Get(at+"/download").Want(404, "export_not_found")
		ann.Get("/auth/me/export/exp_no").Want(404, "export_not_found")
		s.Records()
		file := ann.Get(at + "/download").Want(200)
		s.Events("export.downloaded")
		if file.Header.Get("Content-Type") != "application/zip" || file.Header.Get("Content-Disposition") != `attachment; filename="export-2031-05-06.zip"` || file.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", file.Header)
		}
		files := unzip(file)
		if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"api_keys.json", "consents.json", "devices.json", "events-001.json", "identifiers.json", "linked_accounts.json", "messages.json",
			"organizations.json", "passkeys.json", "profile.json", "sessions.json", "ways_in.json"}) {
			t.Errorf("%v", got)
		}
		for name, words := range map[string][]string{
			"profile.json": {id, "Annelore", "Europe/Berlin", `"de"`}, "identifiers.json": {"ann@example.com", "annelore.k", "+491711234501"},
			"ways_in.json": {`"password": true`}, "passkeys.json": {"Telephone"}, "sessions.json": {"Firefox", "127.0.0.1", "somebody_acts_in_your_name"},
			"devices.json": {"Firefox", "Linux"}, "organizations.json": {"Acme", "member"}, "messages.json": {"one_time_code"},
			"events-001.json": {"user.created", "login.failed", "user.identifier_verified", "impersonation.began", "member.added", "export.requested"},
		} {
			for _, word := range words {
				if !strings.Contains(files[name], word) {
					t.Errorf("%s has no %s: %s", name, word, files[name])
				}
			}
		}
		whole := strings.Join(slices.Collect(maps.Values(files)), "")
		for _, word := range []string{"boss@example.com", "Bossington", userID(boss), rootID, "root@example.com", "Operatorbrowser", "Ticket 4711", "argon2", "secret", "salt"} {
			if strings.Contains(whole, word) {
				t.Errorf("%s is in it: %s", word, whole)
			}
		}

		s.Advance(24*time.Hour - time.Second)
		reenter(s, ann, "ann@example.com")
		ann.Get(at).Want(200)
		s.Advance(time.Second)
		ann.Get(at).Want(404, "export_not_found")
		ann.Get(at+"/download").Want(404, "export_not_found")
		if err := s.App().Exports.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(s, "exports") + count(s, "export_files"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		askExport(ann)
	})
}

// reenter signs somebody in again.
func reenter(s *testkit.Server, c *testkit.Client, email string) {
	s.Helper()
	c.Post("/auth/login", m{"email": email, "password": pass}).Want(200)
}

func count(s *testkit.Server, table string) int64 {
	s.Helper()
	n, err := database.One[int64](s.Context(), s.App().DB, `SELECT COUNT(*) FROM `+table)
	if err != nil {
		s.Fatal(err)
	}
	return n
}

// spoil has the store refuse the files of exports that have a name, and mend gives it back.
func spoil(s *testkit.Server, name string) (mend func()) {
	s.Helper()
	broken, repair := `CREATE TRIGGER spoiled BEFORE INSERT ON export_files WHEN NEW.name = '`+name+`' BEGIN SELECT RAISE(ABORT, 'spoiled'); END`, `DROP TRIGGER spoiled`
	if s.Engine == "postgres" {
		perform(s, `CREATE FUNCTION spoiled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = '`+name+`' THEN RAISE EXCEPTION 'spoiled'; END IF; RETURN NEW; END $$`)
		broken, repair = `CREATE TRIGGER spoiled BEFORE INSERT ON export_files FOR EACH ROW EXECUTE FUNCTION spoiled()`, `DROP TRIGGER spoiled ON export_files`
	}
	perform(s, broken)
	return func() { perform(s, repair) }
}

// An export whose server gave up in the middle is gone on with by another once its claim has run out, and not before. Asked for again while it
// is being made, it is the same one.
func TestExportIsTakenOver(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		other := twin(s)
		ann := person(s, "ann@example.com")
		mend := spoil(s, "sessions.json")
		at := askExport(ann)
		exported(s, other)
		half := ann.Get(at).Want(200)
		if half.Text("state") != "running" || half.JSON["done"].(float64) == 0 {
			t.Fatalf("%s", half.Body)
		}
		if askExport(ann) != at {
			t.Error("asked again it is another one")
		}
		ann.Get(at+"/download").Want(409, "export_not_ready")
		if page := string(ann.Get("/account/data").Want(200).Body); !strings.Contains(page, `data-progress="`+at+`"`) || !strings.Contains(page, "Look again") || strings.Contains(page, `action="/account/data/export"`) {
			t.Errorf("%s", page)
		}
		mend()
		s.Advance(2*time.Minute - time.Second)
		exported(other)
		if now := ann.Get(at).Want(200); now.Text("state") != "running" || now.JSON["done"] != half.JSON["done"] {
			t.Errorf("taken over too early: %s", now.Body)
		}
		s.Advance(time.Second)
		exported(other, s)
		if now := ann.Get(at).Want(200); now.Text("state") != "ready" {
			t.Errorf("%s", now.Body)
		}
		s.Events("export.requested", "export.ready", "message.queued")
		if files := unzip(ann.Get(at + "/download").Want(200)); len(files) != 12 {
			t.Errorf("%d files", len(files))
		}
	})
}

// Of several servers one makes an export, however many there are and however often it is tried.
func TestManyWorkersOneExport(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		nodes := []*testkit.Server{s, twin(s)}
		var all []*testkit.Client
		for _, name := range []string{"ann", "bob", "cid", "dan", "eve"} {
			all = append(all, person(s, name+"@example.com"))
		}
		var work sync.WaitGroup
		for _, c := range all {
			work.Go(func() { c.Post("/auth/me/export", nil).Want(202) })
			work.Go(func() { c.Post("/auth/me/export", nil).Want(202) })
			for _, node := range nodes {
				work.Go(func() { _, _ = node.App().Exports.Work(s.Context()) })
			}
		}
		work.Wait()
		exported(nodes...)
		told := map[string]int{}
		for _, r := range s.Records() {
			told[r.Kind]++
		}
		if told["export.requested"] < 5 || told["export.ready"] != told["export.requested"] || told["message.queued"] != told["export.ready"] || count(s, "exports") != 5 {
			t.Errorf("%v, %d exports", told, count(s, "exports"))
		}
	})
}

// An export that fails whoever tries is given up, says so, and can be asked for anew.
func TestExportIsGivenUp(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		mend := spoil(s, "devices.json")
		at := askExport(ann)
		for range 6 {
			exported(s)
			s.Advance(2 * time.Minute)
		}
		if now := ann.Get(at).Want(200); now.Text("state") != "failed" {
			t.Fatalf("%s", now.Body)
		}
		s.Events("export.requested", "export.failed")
		reenter(s, ann, "ann@example.com")
		if page := string(ann.Get("/account/data").Want(200).Body); !strings.Contains(page, "could not be made") || !strings.Contains(page, `action="/account/data/export"`) {
			t.Errorf("%s", page)
		}
		mend()
		reenter(s, ann, "ann@example.com")
		again := askExport(ann)
		exported(s)
		if now := ann.Get(again).Want(200); again == at || now.Text("state") != "ready" {
			t.Errorf("%s", now.Body)
		}
		ann.Get(at).Want(404, "export_not_found")
	})
}

// Whoever is deleted while their export is made has none.
func TestExportEndsWithItsPerson(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		spoil(s, "devices.json")
		askExport(ann)
		exported(s)
		ann.Do("DELETE", "/auth/me", nil).Want(204)
		s.Advance(2 * time.Minute)
		exported(s)
		if n := count(s, "exports") + count(s, "export_files"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}
