package torture_test

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// open looks at a store from outside, whatever Admit thinks of it.
func open(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", databaseURL
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:///"); ok {
		driver, dsn = "sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(10000)"
	}
	if driver == "pgx" { // also behind a pooler
		dsn += "&default_query_exec_mode=simple_protocol"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxIdleConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// column reads one column.
func column[T any](t *testing.T, db *sql.DB, text string, args ...any) []T {
	t.Helper()
	rows, err := db.Query(text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// whole are the counts of what must be nobody: each row is half an operation.
var whole = map[string]string{
	"people without an identifier":    `SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM identifiers)`,
	"people without a password":       `SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM passwords)`,
	"people nobody told of":           `SELECT id FROM users WHERE id NOT IN (SELECT subject FROM events WHERE kind = 'user.created')`,
	"events of people who are nobody": `SELECT id FROM events WHERE kind = 'user.created' AND subject NOT IN (SELECT id FROM users)`,
}

// halves holds that no operation was done by half: what is there was told, and what was told is there.
func halves(t *testing.T, db *sql.DB) {
	t.Helper()
	for what, text := range whole {
		if ids := column[string](t, db, text); len(ids) > 0 {
			t.Errorf("%d %s: %v", len(ids), what, ids[:min(5, len(ids))])
		}
	}
	ever, told := map[string]bool{}, map[string]bool{}
	generation := map[string]float64{}
	for _, text := range column[string](t, db, `SELECT kind || ' ' || data FROM events WHERE kind LIKE 'session.%' OR kind LIKE 'token.%' OR kind = 'login.succeeded' ORDER BY seq`) {
		kind, data, _ := strings.Cut(text, " ")
		var e struct {
			SessionID  string  `json:"session_id"`
			Generation float64 `json:"generation"`
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil || e.SessionID == "" {
			t.Fatalf("event %s: %v", text, err)
		}
		switch kind {
		case "session.created":
			ever[e.SessionID], told[e.SessionID], generation[e.SessionID] = true, true, 1
		case "session.revoked":
			delete(told, e.SessionID)
			delete(generation, e.SessionID)
		case "token.refreshed":
			if told[e.SessionID] {
				generation[e.SessionID] = e.Generation
			}
		case "login.succeeded":
			if !ever[e.SessionID] { // a login tells of both in one change, the session first
				t.Errorf("a login without a session: %s", data)
			}
		}
	}
	rows := map[string]bool{}
	for _, id := range column[string](t, db, `SELECT id FROM sessions`) {
		rows[id] = true
	}
	if !maps.Equal(told, rows) {
		t.Errorf("%d sessions are told to be alive, and there are %d", len(told), len(rows))
	}
	for _, pair := range column[string](t, db, `SELECT id || ' ' || CAST(generation AS TEXT) FROM sessions WHERE transport = 'token'`) {
		id, n, _ := strings.Cut(pair, " ")
		if text, _ := json.Marshal(generation[id]); string(text) != n {
			t.Errorf("session %s is at generation %s, told is %s", id, n, text)
		}
	}
}

// eventIDs are the events of the store, in the order of commits.
func eventIDs(t *testing.T, db *sql.DB, engine string) []string {
	t.Helper()
	if engine == "sqlite" {
		return column[string](t, db, `SELECT id FROM events ORDER BY seq`)
	}
	return column[string](t, db, `SELECT id FROM events ORDER BY tx, seq`)
}

// eventFile holds that the file tells every event of the store, once each and in order, in whole lines.
func eventFile(t *testing.T, db *sql.DB, engine, path string) int {
	t.Helper()
	var want, got []string
	within(t, 5*time.Second, "the file with as many events as the store, no more and no fewer", func() bool {
		want, got = eventIDs(t, db, engine), readEvents(t, path) // a server that has just started tells of that, too
		return len(got) == len(want)
	})
	for i, id := range want {
		if got[i] != id {
			t.Fatalf("line %d of the event file is %s, the store has %s there", i+1, got[i], id)
		}
	}
	return len(want)
}

// readEvents reads the ids of the lines. The last line may be being written; every other must be whole.
func readEvents(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var ids []string
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return ids
		}
		var e struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(line, &e); err != nil || e.ID == "" {
			t.Fatalf("line %d of the event file is torn: %q", len(ids)+1, line)
		}
		ids = append(ids, e.ID)
	}
}
