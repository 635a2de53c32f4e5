package torture_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Servers that start at once on an empty store all become ready: one of them migrates, one key signs, one root key is made.
func TestStartTogether(t *testing.T) {
	for range times(3) {
		stores(t, func(t *testing.T, databaseURL string) {
			const n = 6
			dir := t.TempDir()
			var all []*process
			for range n {
				all = append(all, launch(t, dir, settings(dir, databaseURL)))
			}
			var slowest time.Duration
			for _, p := range all {
				slowest = max(slowest, p.waitReady(20*time.Second))
			}
			t.Logf("%d servers, the last ready after %v", n, slowest)
			madeOnce(t, databaseURL)
			understood(t, all)
			oneFile(t, dir, databaseURL)
			for _, p := range all {
				p.kill()
			}
		})
	}
}

// madeOnce holds that one of the servers did what is to be done once.
func madeOnce(t *testing.T, databaseURL string) {
	t.Helper()
	db := open(t, databaseURL)
	defer db.Close()
	for what, text := range map[string]string{
		"signing keys":        `SELECT COUNT(*) FROM signing_keys`,
		"events of keys made": `SELECT COUNT(*) FROM events WHERE kind = 'signing_key.created'`,
		"runs of migration 1": `SELECT COUNT(*) FROM schema_migrations WHERE version = 1`,
	} {
		if got := column[int64](t, db, text)[0]; got != 1 {
			t.Errorf("%d %s, want 1", got, what)
		}
	}
}

// understood holds that every server takes what any of them gave.
func understood(t *testing.T, all []*process) {
	t.Helper()
	keys := map[string]bool{}
	for _, p := range all {
		keys[string(p.must(t, sent{method: "GET", path: "/.well-known/jwks.json"}, 200).text)] = true
	}
	if len(keys) != 1 {
		t.Errorf("the servers publish different keys: %v", keys)
	}
	all[0].must(t, signUp("ann@example.com"), 201)
	token := all[0].must(t, logInToken("ann@example.com"), 200)
	for _, p := range all {
		p.must(t, sent{method: "GET", path: "/auth/me", bearer: token.text1("access_token")}, 200)
		token = p.must(t, refresh(token.refresh), 200)
	}
}

// oneFile holds that servers that share a data directory keep one event file together.
func oneFile(t *testing.T, dir, databaseURL string) {
	t.Helper()
	engine := "postgres"
	if strings.HasPrefix(databaseURL, "sqlite") {
		engine = "sqlite"
	}
	eventFile(t, open(t, databaseURL), engine, filepath.Join(dir, "admit-data", "events.jsonl"))
	names, err := os.ReadDir(filepath.Join(dir, "admit-data"))
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(names, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".session_secret_key") }) {
		t.Errorf("files of the key's making are left: %v", names)
	}
}
