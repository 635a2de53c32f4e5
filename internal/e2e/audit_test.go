package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/testkit"
)

// sealAll seals everything there is. A transaction of another test on the same server may keep the last events open for a moment.
func sealAll(s *testkit.Server) {
	s.Helper()
	for {
		rest, err := s.App().Audit.Seal(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		if !rest {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
}

// verifiedLog is what a verification of the log finds, with the head that the server keeps in a file.
func verifiedLog(s *testkit.Server, q database.Querier) audit.Report {
	s.Helper()
	h, err := s.App().Audit.Head()
	if err != nil || h == nil {
		s.Fatal(h, err)
	}
	r, err := s.App().Audit.Verify(s.Context(), q, audit.Verification{Heads: []audit.Head{*h}})
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// green holds that the whole log is as it was sealed.
func green(s *testkit.Server) audit.Report {
	s.Helper()
	r := verifiedLog(s, s.App().DB)
	if !r.OK || r.Bad != nil {
		s.Fatalf("the log is not as it was sealed: %+v %+v", r, r.Bad)
	}
	return r
}

var errUndo = errors.New("undo")

// undone carries out a change, looks, and takes the change back.
func undone(s *testkit.Server, change func(exec func(text string, args ...any)), look func(q database.Querier)) {
	s.Helper()
	err := s.App().DB.Write(s.Context(), func(tx *database.Tx) error {
		change(func(text string, args ...any) {
			s.Helper()
			if _, err := tx.Exec(text, args...); err != nil {
				s.Fatalf("%s: %v", text, err)
			}
		})
		look(tx)
		return errUndo
	}, database.ReadCommitted)
	if !errors.Is(err, errUndo) {
		s.Fatal(err)
	}
}

// AUD-03: the log refuses to be changed. Nobody with the rights of the server itself can edit or delete an event or a seal, or
// empty the tables, except for what retention and erasure do.
func TestTheLogIsAppendOnly(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		sealAll(s)
		statements := []string{`DELETE FROM events`, `DELETE FROM events WHERE seq = (SELECT MAX(seq) FROM events)`, `DELETE FROM audit_checkpoints`, `DELETE FROM audit_floor`,
			`UPDATE audit_floor SET number = -1`, `UPDATE audit_checkpoints SET mac = previous`, `UPDATE events SET ip = '', user_agent = '', erased = salt FROM audit_people`,
			`UPDATE events SET erased = salt FROM audit_people WHERE gone`}
		for _, column := range []string{"id", "kind", "subject", "outcome", "actor", "session_id", "org_id", "ip", "user_agent", "request_id", "data"} {
			statements = append(statements, `UPDATE events SET `+column+` = 'other'`)
		}
		if s.Engine == "postgres" {
			statements = append(statements, `TRUNCATE events`, `TRUNCATE audit_checkpoints`, `UPDATE events SET tx = 1`)
		}
		for _, text := range statements {
			err := s.App().DB.Write(t.Context(), func(tx *database.Tx) error {
				tx.Quiet()
				n, err := tx.Exec(text)
				if err == nil && n == 0 {
					return nil // nothing was there to change
				}
				return err
			})
			if strings.Contains(text, "gone") == (err != nil) || err != nil && !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", text, err)
			}
		}
		green(s)
	})
}

// damage is one thing somebody does to the tables, and what must be named: a record, or a checkpoint.
type damage struct {
	what       string
	do         func(exec func(string, ...any))
	records    []string
	checkpoint int64
}

type loggedRow struct {
	ID     string `db:"id"`
	Seq    int64  `db:"seq"`
	Tx     int64  `db:"tx"`
	IP     string `db:"ip"`
	Person string `db:"person"`
	Erased []byte `db:"erased"`
}

// vandal knows a log and every way to damage it.
type vandal struct {
	*testkit.Server
	*rand.Rand
	rows   []loggedRow
	seals  int64
	others []sealRow // checkpoints of another log of the same key
}

func (v *vandal) row() loggedRow { return v.rows[v.IntN(len(v.rows))] }

func (v *vandal) seal() int64 { return 1 + v.Int64N(v.seals) }

func (v *vandal) edit() damage {
	r := v.row()
	column := []string{"id", "kind", "subject", "outcome", "actor", "session_id", "org_id", "ip", "user_agent", "request_id", "data"}[v.IntN(11)]
	return damage{column + " of a record edited", func(exec func(string, ...any)) {
		exec(`UPDATE events SET `+column+` = $1 WHERE seq = $2`, fmt.Sprint("other", v.Int()), r.Seq)
	}, []string{r.ID}, 0}
}

func (v *vandal) later() damage {
	r := v.row()
	return damage{"the time of a record", func(exec func(string, ...any)) { exec(`UPDATE events SET at = at + 1 WHERE seq = $1`, r.Seq) }, []string{r.ID}, 0}
}

func (v *vandal) remove() damage {
	r := v.row()
	return damage{"a record deleted", func(exec func(string, ...any)) { exec(`DELETE FROM events WHERE seq = $1`, r.Seq) }, []string{r.ID}, 0}
}

func (v *vandal) reorder() damage {
	a, b := v.row(), v.row()
	for a.Seq == b.Seq || v.Engine == "postgres" && a.Tx == b.Tx {
		b = v.row()
	}
	return damage{"two records in each other's place", func(exec func(string, ...any)) {
		if v.Engine == "postgres" {
			exec(`UPDATE events SET tx = CASE WHEN seq = $1 THEN CAST($2 AS BIGINT) ELSE CAST($4 AS BIGINT) END WHERE seq IN ($1, $3)`, a.Seq, b.Tx, b.Seq, a.Tx)
			return
		}
		exec(`UPDATE events SET seq = -1 WHERE seq = $1`, a.Seq)
		exec(`UPDATE events SET seq = $1 WHERE seq = $2`, a.Seq, b.Seq)
		exec(`UPDATE events SET seq = $1 WHERE seq = -1`, b.Seq)
	}, nil, 0}
}

func (v *vandal) swap() damage {
	a, b := v.row(), v.row()
	for a.ID == b.ID {
		b = v.row()
	}
	first := a
	if b.Tx < a.Tx || b.Tx == a.Tx && b.Seq < a.Seq {
		first = b
	}
	return damage{"two records' ids swapped", func(exec func(string, ...any)) {
		exec(`UPDATE events SET id = CASE WHEN seq = $1 THEN $2 ELSE $4 END WHERE seq IN ($1, $3)`, a.Seq, b.ID, b.Seq, a.ID)
	}, []string{first.ID}, 0}
}

func (v *vandal) add() damage {
	r, last := v.row(), v.rows[len(v.rows)-1]
	for r.Seq == last.Seq || v.Engine == "postgres" && r.Tx == last.Tx { // behind the last it would be one that is not sealed yet
		r = v.row()
	}
	id := fmt.Sprint("evt_added", v.Int())
	return damage{"a record added", func(exec func(string, ...any)) {
		columns := `id, at, kind, subject, outcome, actor, session_id, org_id, ip, user_agent, request_id, data`
		values := strings.Replace(columns, "id", "$1", 1)
		if v.Engine == "postgres" {
			exec(`INSERT INTO events (tx, `+columns+`) SELECT tx, `+values+` FROM events WHERE seq = $2`, id, r.Seq)
			return
		}
		exec(`INSERT INTO events (seq, `+columns+`) SELECT 0 - seq, `+values+` FROM events WHERE seq = $2`, id, r.Seq) // no number between two is free
	}, []string{id}, 0}
}

func (v *vandal) forgetUntold() damage {
	r := v.row()
	for r.Erased != nil || r.Person == "" {
		r = v.row()
	}
	return damage{"an address erased of somebody who was not", func(exec func(string, ...any)) {
		exec(`UPDATE events SET ip = '', user_agent = '', erased = $2 WHERE seq = $1`, r.Seq, secret.Random(32))
	}, []string{r.ID}, 0}
}

func (v *vandal) remember() damage {
	i := slices.IndexFunc(v.rows, func(r loggedRow) bool { return r.Erased != nil })
	r := v.rows[i]
	return damage{"an erased address invented", func(exec func(string, ...any)) {
		exec(`UPDATE events SET ip = '10.0.0.1', erased = NULL WHERE seq = $1`, r.Seq)
	}, []string{r.ID}, 0}
}

func (v *vandal) salt() damage {
	r := v.row()
	for r.Erased != nil || r.Person == "" {
		r = v.row()
	}
	first := v.rows[slices.IndexFunc(v.rows, func(o loggedRow) bool { return o.Person == r.Person && o.Erased == nil })]
	text := `UPDATE audit_people SET salt = previous FROM audit_checkpoints WHERE number = 2 AND user_id = $1`
	if v.IntN(2) == 0 {
		text = `DELETE FROM audit_people WHERE user_id = $1`
	}
	return damage{"the salt of a person", func(exec func(string, ...any)) { exec(text, r.Person) }, []string{first.ID}, 0}
}

func (v *vandal) checkpoint() damage {
	n := v.seal()
	set := []string{`previous = digest`, `key_id = 'other'`, `at = at + 1`, `since = since - 1`, `after_seq = after_seq - 1`, `last_seq = last_seq + 1`, `entries = digest`, `digest = mac`, `mac = digest`}[v.IntN(9)]
	return damage{"checkpoint: " + set, func(exec func(string, ...any)) { exec(`UPDATE audit_checkpoints SET `+set+` WHERE number = $1`, n) }, nil, n}
}

func (v *vandal) removeCheckpoint() damage {
	n := v.seal()
	return damage{"a checkpoint deleted", func(exec func(string, ...any)) { exec(`DELETE FROM audit_checkpoints WHERE number = $1`, n) }, nil, n}
}

func (v *vandal) truncate() damage {
	n := v.seal()
	return damage{"the end cut off, seals and all", func(exec func(string, ...any)) {
		at := `(SELECT after_seq FROM audit_checkpoints WHERE number = $1)`
		if v.Engine == "postgres" {
			exec(`DELETE FROM events WHERE (tx, seq) > (SELECT after_tx, after_seq FROM audit_checkpoints WHERE number = $1)`, n)
		} else {
			exec(`DELETE FROM events WHERE seq > `+at, n)
		}
		exec(`DELETE FROM audit_checkpoints WHERE number >= $1`, n)
	}, nil, n}
}

func (v *vandal) behead() damage {
	n := min(v.seal(), v.seals-1)
	return damage{"the beginning cut off", func(exec func(string, ...any)) {
		if v.Engine == "postgres" {
			exec(`DELETE FROM events WHERE (tx, seq) <= (SELECT last_tx, last_seq FROM audit_checkpoints WHERE number = $1)`, n)
		} else {
			exec(`DELETE FROM events WHERE seq <= (SELECT last_seq FROM audit_checkpoints WHERE number = $1)`, n)
		}
		exec(`DELETE FROM audit_checkpoints WHERE number < $1`, n)
		exec(`UPDATE audit_floor SET number = $1, mac = (SELECT mac FROM audit_checkpoints WHERE number = $1)`, n)
	}, nil, n}
}

// replay puts a checkpoint in that this server did sign, for another log.
func (v *vandal) replay() damage {
	c := v.others[v.IntN(len(v.others))]
	return damage{"a checkpoint of another log of this server", func(exec func(string, ...any)) {
		exec(`DELETE FROM audit_checkpoints WHERE number = $1`, c.Number)
		exec(`INSERT INTO audit_checkpoints (`+database.Columns[sealRow]()+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			c.Number, append([]byte{}, c.Previous...), c.KeyID, c.At, c.Since, c.AfterTx, c.AfterSeq, c.LastTx, c.LastSeq, c.Entries, c.Digest, c.MAC)
	}, nil, 0}
}

type sealRow struct {
	Number   int64  `db:"number"`
	Previous []byte `db:"previous"`
	KeyID    string `db:"key_id"`
	At       int64  `db:"at"`
	Since    int64  `db:"since"`
	AfterTx  int64  `db:"after_tx"`
	AfterSeq int64  `db:"after_seq"`
	LastTx   int64  `db:"last_tx"`
	LastSeq  int64  `db:"last_seq"`
	Entries  []byte `db:"entries"`
	Digest   []byte `db:"digest"`
	MAC      []byte `db:"mac"`
}

func sealsOf(s *testkit.Server) []sealRow {
	s.Helper()
	list, err := database.All[sealRow](s.Context(), s.App().DB, `SELECT `+database.Columns[sealRow]()+` FROM audit_checkpoints`)
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// chronicle lets a few things happen, sealed in several parts, one person being erased in between.
func chronicle(s *testkit.Server) {
	s.Helper()
	for i := range 5 {
		c := person(s, fmt.Sprintf("p%d@example.com", i))
		c.Post("/auth/login", m{"email": "p0@example.com", "password": "wrong-password-1"})
		sealAll(s)
		if i == 2 {
			if err := s.App().Accounts.Delete(s.Context(), authz.System, c.Get("/auth/me").Text("id")); err != nil {
				s.Fatal(err)
			}
		}
		c.Post("/auth/login", m{"email": "p0@example.com", "password": pass})
		sealAll(s)
	}
}

func newVandal(s *testkit.Server) *vandal {
	s.Helper()
	tx := "0"
	if s.Engine == "postgres" {
		tx = "tx"
	}
	rows, err := database.All[loggedRow](s.Context(), s.App().DB, `SELECT id, seq, `+tx+`, ip,
		CASE WHEN ip || user_agent = '' THEN '' WHEN substr(actor, 1, 4) = 'usr_' THEN actor WHEN substr(subject, 1, 4) = 'usr_' THEN subject ELSE '' END, erased FROM events ORDER BY 3, 2`)
	if err != nil {
		s.Fatal(err)
	}
	n, err := database.One[int64](s.Context(), s.App().DB, `SELECT MAX(number) FROM audit_checkpoints`)
	if err != nil {
		s.Fatal(err)
	}
	return &vandal{Server: s, Rand: rand.New(rand.NewPCG(7, 7)), rows: rows, seals: n}
}

// AUD-03: whatever is edited, deleted, added, moved, swapped, cut off, replayed or erased without a reason is found, and where one
// record was damaged it is the one that is named.
func TestEveryDamageOfTheLogIsFound(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			start := func() *testkit.Server {
				cfg := testkit.Config(t, testkit.DatabaseURL(t, engine))
				cfg.Server.RootKey = "7f2c1a9be04d4c5f8a36d15e90b7c2f4"
				s := testkit.Start(t, cfg, testkit.NewClock())
				s.Engine = engine
				chronicle(s)
				green(s)
				return s
			}
			s := start()
			v := newVandal(s)
			v.others = sealsOf(start())
			ways := []func() damage{v.edit, v.edit, v.edit, v.later, v.remove, v.remove, v.reorder, v.swap, v.add, v.forgetUntold, v.remember, v.salt, v.checkpoint, v.checkpoint,
				v.removeCheckpoint, v.truncate, v.behead, v.replay}
			triggers := map[string][]string{"events": {"events_stay", "events_same"}, "audit_checkpoints": {"audit_checkpoints_stay", "audit_checkpoints_same"}, "audit_floor": {"audit_floor_rises"}}
			for range 1000 {
				d := ways[v.IntN(len(ways))]()
				undone(s, func(exec func(string, ...any)) {
					for table, names := range triggers { // whoever can do this can also do without the triggers
						for _, name := range names {
							if engine == "postgres" {
								exec(`ALTER TABLE ` + table + ` DISABLE TRIGGER ` + name)
							} else {
								exec(`DROP TRIGGER ` + name)
							}
						}
					}
					d.do(exec)
				}, func(q database.Querier) {
					r := verifiedLog(s, q)
					switch {
					case r.OK || r.Bad == nil:
						t.Fatalf("%s %v: not found", d.what, d.records)
					case d.records != nil && !slices.Contains(d.records, r.Bad.ID):
						t.Errorf("%s: %v is damaged, and %+v is named", d.what, d.records, *r.Bad)
					case d.checkpoint != 0 && r.Bad.Checkpoint != d.checkpoint:
						t.Errorf("%s: checkpoint %d is damaged, and %+v is named", d.what, d.checkpoint, *r.Bad)
					}
				})
			}
			green(s)
		})
	}
}
