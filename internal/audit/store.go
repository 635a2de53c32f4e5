package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

// row is an event with its place, what is left of its erased values, and the salt of its person.
type row struct {
	Tx  int64 `db:"tx"`
	Seq int64 `db:"seq"`
	database.EventRow
	Erased []byte `db:"erased"`
	Salt   []byte `db:"salt"`
}

func (r *row) place() database.Cursor { return database.Cursor{Tx: r.Tx, Seq: r.Seq} }

type checkpoint struct {
	Number   int64     `db:"number"`
	Previous []byte    `db:"previous"`
	KeyID    string    `db:"key_id"`
	At       time.Time `db:"at"`
	Since    time.Time `db:"since"`
	AfterTx  int64     `db:"after_tx"`
	AfterSeq int64     `db:"after_seq"`
	LastTx   int64     `db:"last_tx"`
	LastSeq  int64     `db:"last_seq"`
	Entries  []byte    `db:"entries"`
	Digest   []byte    `db:"digest"`
	MAC      []byte    `db:"mac"`
}

type floor struct {
	Number int64  `db:"number"`
	MAC    []byte `db:"mac"`
	Turn   int64  `db:"turn"`
}

// stretch is where the events of a checkpoint stand.
type stretch struct {
	Number   int64 `db:"number"`
	AfterTx  int64 `db:"after_tx"`
	AfterSeq int64 `db:"after_seq"`
	LastTx   int64 `db:"last_tx"`
	LastSeq  int64 `db:"last_seq"`
}

func (c stretch) after() database.Cursor { return database.Cursor{Tx: c.AfterTx, Seq: c.AfterSeq} }
func (c stretch) last() database.Cursor  { return database.Cursor{Tx: c.LastTx, Seq: c.LastSeq} }

// store is the statements, which differ in one thing: on Postgres the order of commits is by transaction first.
type store struct {
	q        database.Querier
	postgres bool
}

func (s *Service) store(q database.Querier) store { return store{q, s.db.Engine() == "postgres"} }

const salted = ` FROM events LEFT JOIN audit_people ON user_id = CASE WHEN substr(actor, 1, 4) = 'usr_' THEN actor ELSE subject END WHERE `

// events reads what stands after one place and not after another. The order is that of the commits, or with back the other way.
func (st store) events(ctx context.Context, after, last database.Cursor, limit int, back bool) ([]row, error) {
	order := ""
	if back {
		order = " DESC"
	}
	if !st.postgres {
		return database.All[row](ctx, st.q, `SELECT 0, seq, `+database.Columns[database.EventRow]()+`, erased, salt`+salted+
			`seq > $1 AND seq <= $2 ORDER BY seq`+order+` LIMIT $3 + 0`, after.Seq, last.Seq, limit)
	}
	return database.All[row](ctx, st.q, `SELECT tx, seq, `+database.Columns[database.EventRow]()+`, erased, salt`+salted+
		`(tx, seq) > ($1, $2) AND (tx, seq) <= ($3, $4) ORDER BY tx`+order+`, seq`+order+` LIMIT $5`, after.Tx, after.Seq, last.Tx, last.Seq, limit)
}

// settled reads what may be sealed next: nothing that is earlier in the order can still appear.
func (st store) settled(ctx context.Context, after database.Cursor, limit int) ([]row, error) {
	if !st.postgres {
		return st.events(ctx, after, end, limit, false)
	}
	return database.All[row](ctx, st.q, `SELECT tx, seq, `+database.Columns[database.EventRow]()+`, erased, salt`+salted+
		`(tx, seq) > ($1, $2) AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + admit_tx_base() ORDER BY tx, seq LIMIT $3`, after.Tx, after.Seq, limit)
}

// last is the place of the newest event that there is, settled or not.
func (st store) last(ctx context.Context) (database.Cursor, error) {
	text := `SELECT 0, seq FROM events ORDER BY seq DESC LIMIT 1`
	if st.postgres {
		text = `SELECT tx, seq FROM events ORDER BY tx DESC, seq DESC LIMIT 1`
	}
	return orEmpty(database.One[database.Cursor](ctx, st.q, text))
}

func (st store) count(ctx context.Context, after database.Cursor) (int64, error) {
	if !st.postgres {
		return database.One[int64](ctx, st.q, `SELECT COUNT(*) FROM events WHERE seq > $1`, after.Seq)
	}
	return database.One[int64](ctx, st.q, `SELECT COUNT(*) FROM events WHERE (tx, seq) > ($1, $2)`, after.Tx, after.Seq)
}

// failedSignIn is the kind of a sign-in that failed.
const failedSignIn = "login.failed"

type tally struct {
	Day   int64  `db:"day"` // since 1970
	Kind  string `db:"kind"`
	Count int64  `db:"count"`
}

// signIns counts by day. The condition on the kind is that of an index, word for word.
func (st store) signIns(ctx context.Context, since time.Time) ([]tally, error) {
	return database.All[tally](ctx, st.q, `SELECT at / 86400000000, kind, COUNT(*) FROM events WHERE kind IN ('login.succeeded', 'login.failed') AND at >= $1
		GROUP BY at / 86400000000, kind`, since)
}

// bySeq is the id of an event by its number, "" when there is none.
func (st store) bySeq(ctx context.Context, seq int64) (string, error) {
	return orEmpty(database.One[string](ctx, st.q, `SELECT id FROM events WHERE seq = $1`, seq))
}

func orEmpty[T any](v T, err error) (T, error) {
	if errors.Is(err, database.ErrNone) {
		err = nil
	}
	return v, err
}

func (st store) newest(ctx context.Context) (checkpoint, error) {
	return orEmpty(database.One[checkpoint](ctx, st.q, `SELECT `+database.Columns[checkpoint]()+` FROM audit_checkpoints ORDER BY number DESC LIMIT 1`))
}

func (st store) checkpoint(ctx context.Context, number int64) (checkpoint, error) {
	return orEmpty(database.One[checkpoint](ctx, st.q, `SELECT `+database.Columns[checkpoint]()+` FROM audit_checkpoints WHERE number = $1`, number))
}

func (st store) checkpoints(ctx context.Context, from int64, limit int) ([]checkpoint, error) {
	return database.All[checkpoint](ctx, st.q, `SELECT `+database.Columns[checkpoint]()+` FROM audit_checkpoints WHERE number >= $1 ORDER BY number LIMIT $2 + 0`, from, limit)
}

// from is a checkpoint before which no event is as late as t: clocks of servers may differ by the slack.
func (st store) from(ctx context.Context, t time.Time) (int64, error) {
	n, err := orEmpty(database.One[int64](ctx, st.q, `SELECT number FROM audit_checkpoints WHERE since >= $1 ORDER BY since LIMIT 1`, t.Add(-slack)))
	if err == nil && n == 0 {
		n, err = orEmpty(database.One[int64](ctx, st.q, `SELECT number FROM audit_checkpoints ORDER BY number DESC LIMIT 1`))
	}
	return n - 1, err
}

// until is a checkpoint after which no event is as early as t.
func (st store) until(ctx context.Context, t time.Time) (int64, error) {
	return orEmpty(database.One[int64](ctx, st.q, `SELECT number FROM audit_checkpoints WHERE since <= $1 ORDER BY since DESC LIMIT 1`, t.Add(slack)))
}

func (st store) floor(ctx context.Context) (floor, error) {
	return orEmpty(database.One[floor](ctx, st.q, `SELECT number, mac, turn FROM audit_floor WHERE one = 1`))
}

// stretches are the checkpoints, newest first, in which every word stands and, if there are any, one of the people.
func (st store) stretches(ctx context.Context, from, to int64, words, people []string, limit int) ([]stretch, error) {
	text := strings.Builder{}
	text.WriteString(`SELECT ` + database.Columns[stretch]() + ` FROM audit_checkpoints c WHERE c.number BETWEEN $1 AND $2`)
	args := []any{from, to, limit}
	in := func(list ...string) {
		text.WriteString(` AND c.number IN (SELECT number FROM audit_words WHERE number BETWEEN $1 AND $2 AND word IN (`)
		for i, w := range list {
			args = append(args, w)
			if i > 0 {
				text.WriteString(`, `)
			}
			fmt.Fprintf(&text, "$%d", len(args))
		}
		text.WriteString(`))`)
	}
	for _, w := range words {
		in(w)
	}
	if len(people) > 0 {
		in(people...)
	}
	text.WriteString(` ORDER BY c.number DESC LIMIT $3 + 0`)
	return database.All[stretch](ctx, st.q, text.String(), args...)
}

// holding are the checkpoints in which a word stands, the oldest first.
func (st store) holding(ctx context.Context, word string, after int64, limit int) ([]stretch, error) {
	return database.All[stretch](ctx, st.q, `SELECT `+database.Columns[stretch]()+` FROM audit_checkpoints c
		WHERE c.number IN (SELECT number FROM audit_words WHERE word = $1 AND number > $2 ORDER BY number LIMIT $3 + 0) ORDER BY c.number`, word, after, limit)
}

// gone is people whose values are to be forgotten.
func (st store) gone(ctx context.Context) ([]string, error) {
	return database.All[string](ctx, st.q, `SELECT user_id FROM audit_people WHERE gone LIMIT 100 + 0`)
}

// take gives the turn to one of those who seal, erase or prune at the same time.
func take(tx *database.Tx, turn int64) (bool, error) {
	n, err := tx.Exec(`UPDATE audit_floor SET turn = turn + 1 WHERE one = 1 AND turn = $1`, turn)
	return n == 1, err
}

func insertPerson(tx *database.Tx, userID string, salt []byte) error {
	_, err := tx.Exec(`INSERT INTO audit_people (user_id, salt, gone) VALUES ($1, $2, NOT EXISTS (SELECT 1 FROM users WHERE id = $1))`, userID, salt)
	return err
}

func markGone(tx *database.Tx, userID string) error {
	_, err := tx.Exec(`UPDATE audit_people SET gone = TRUE WHERE user_id = $1 AND NOT EXISTS (SELECT 1 FROM users WHERE id = $1)`, userID)
	return err
}

func removePerson(tx *database.Tx, userID string) error {
	_, err := tx.Exec(`DELETE FROM audit_people WHERE user_id = $1 AND gone`, userID)
	return err
}

// wordsAtOnce is how many one statement adds: its text is always the same, for both stores keep statements by their text.
const wordsAtOnce = 50

func insertWords(tx *database.Tx, number int64, words []string) error {
	values := make([]string, wordsAtOnce)
	for i := range values {
		values[i] = fmt.Sprintf("($%d, $1)", i+2)
	}
	text := `INSERT INTO audit_words (word, number) VALUES ` + strings.Join(values, ", ") + ` ON CONFLICT DO NOTHING`
	for len(words) > 0 {
		args := make([]any, 0, wordsAtOnce+1)
		args = append(args, number)
		for i := range wordsAtOnce {
			args = append(args, words[min(i, len(words)-1)])
		}
		if _, err := tx.Exec(text, args...); err != nil {
			return err
		}
		words = words[min(wordsAtOnce, len(words)):]
	}
	return nil
}

func removeWord(tx *database.Tx, number int64, word string) error {
	_, err := tx.Exec(`DELETE FROM audit_words WHERE number = $1 AND word = $2`, number, word)
	return err
}

func erase(tx *database.Tx, seq int64, sealed []byte) error {
	_, err := tx.Exec(`UPDATE events SET ip = '', user_agent = '', erased = $2 WHERE seq = $1`, seq, sealed)
	return err
}

// prune moves the floor and removes what is under it. The checkpoint it stands on stays.
func (st store) prune(tx *database.Tx, c *checkpoint, mac []byte) error {
	if _, err := tx.Exec(`UPDATE audit_floor SET number = $1, mac = $2 WHERE one = 1`, c.Number, mac); err != nil {
		return err
	}
	var err error
	if st.postgres {
		_, err = tx.Exec(`DELETE FROM events WHERE (tx, seq) <= ($1, $2)`, c.LastTx, c.LastSeq)
	} else {
		_, err = tx.Exec(`DELETE FROM events WHERE seq <= $1`, c.LastSeq)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM audit_words WHERE number <= $1`, c.Number); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM audit_checkpoints WHERE number < $1`, c.Number)
	return err
}
