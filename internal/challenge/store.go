package challenge

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	Purpose   Purpose   `db:"purpose"`
	About     string    `db:"about"`
	UserID    *string   `db:"user_id"`
	Target    string    `db:"target"`
	Data      string    `db:"data"`
	LinkHash  []byte    `db:"link_hash"`
	CodeHash  []byte    `db:"code_hash"`
	Tries     int64     `db:"tries"`
	CreatedAt time.Time `db:"created_at"`
	ExpiresAt time.Time `db:"expires_at"`
}

func (r row) challenge() Challenge {
	c := Challenge{Purpose: r.Purpose, About: r.About, Target: r.Target, Data: r.Data, ExpiresAt: r.ExpiresAt}
	if r.UserID != nil {
		c.UserID = *r.UserID
	}
	return c
}

// whose is who answers for a challenge: a person, or where it was sent when that is nobody's.
func (r row) whose() string {
	if r.UserID != nil {
		return *r.UserID
	}
	return r.Target
}

// put stores a challenge in place of the one there is, and gives the wrong answers that count for it: while that one is alive, those to
// it. One that was guessed at too often lives out its time, unless there is a link to be followed.
func put(tx *database.Tx, r row) (tries int64, err error) {
	tries, err = database.One[int64](tx.Context(), tx, `INSERT INTO challenges (purpose, about, user_id, target, data, link_hash, code_hash, tries, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)
		ON CONFLICT (purpose, about) DO UPDATE SET user_id = excluded.user_id, target = excluded.target, data = excluded.data,
		link_hash = excluded.link_hash, code_hash = excluded.code_hash, created_at = excluded.created_at, expires_at = excluded.expires_at,
		tries = CASE WHEN challenges.expires_at > $8 THEN challenges.tries ELSE 0 END
		WHERE challenges.expires_at <= $8 OR challenges.tries < $10 OR excluded.link_hash IS NOT NULL RETURNING tries`,
		r.Purpose, r.About, r.UserID, r.Target, r.Data, r.LinkHash, r.CodeHash, r.CreatedAt, r.ExpiresAt, mostTries)
	if !errors.Is(err, database.ErrNone) {
		return tries, err
	}
	old, err := byAbout(tx.Context(), tx, r.Purpose, r.About, tx.Now)
	if err == nil {
		err = ErrSpent.Wait(old.ExpiresAt.Sub(tx.Now))
	}
	return tries, err
}

func byLink(ctx context.Context, q database.Querier, p Purpose, hash []byte, now time.Time) (row, error) {
	r, err := database.One[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM challenges WHERE purpose = $1 AND link_hash = $2 AND expires_at > $3`, p, hash, now)
	return r, refused(err, ErrLink)
}

func byAbout(ctx context.Context, q database.Querier, p Purpose, about string, now time.Time) (row, error) {
	r, err := database.One[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM challenges WHERE purpose = $1 AND about = $2 AND expires_at > $3`, p, about, now)
	return r, refused(err, ErrCode)
}

func refused(err, no error) error {
	if errors.Is(err, database.ErrNone) {
		return no
	}
	return err
}

// try counts an answer. It says no to one too many.
func try(tx *database.Tx, p Purpose, about string) (bool, error) {
	n, err := tx.Exec(`UPDATE challenges SET tries = tries + 1 WHERE purpose = $1 AND about = $2 AND tries < $3 AND expires_at > $4`, p, about, mostTries, tx.Now)
	return n == 1, err
}

// take spends a challenge that is as it was found. Of several that try, one succeeds.
func take(tx *database.Tx, r row) (bool, error) {
	n, err := tx.Exec(`DELETE FROM challenges WHERE purpose = $1 AND about = $2 AND COALESCE(link_hash, code_hash) = $3 AND expires_at > $4`, r.Purpose, r.About, r.either(), tx.Now)
	return n == 1, err
}

func (r row) either() []byte {
	if r.LinkHash != nil {
		return r.LinkHash
	}
	return r.CodeHash
}

func remove(tx *database.Tx, p Purpose, about string) error {
	_, err := tx.Exec(`DELETE FROM challenges WHERE purpose = $1 AND about = $2`, p, about)
	return err
}

func removeOf(tx *database.Tx, userID string, p Purpose) error {
	_, err := tx.Exec(`DELETE FROM challenges WHERE user_id = $1 AND purpose = $2`, userID, p)
	return err
}

func removeExpired(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM challenges WHERE (purpose, about) IN (SELECT purpose, about FROM challenges WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now, limit)
}

// owe takes one of a budget that owes until a time: step more than before, unless that would be after full and one step more.
func owe(tx *database.Tx, key []byte, step time.Duration, full time.Time) (bool, error) {
	n, err := tx.Exec(`INSERT INTO budgets (key_hash, owed_until) VALUES ($1, $2) ON CONFLICT (key_hash) DO UPDATE SET
		owed_until = CASE WHEN budgets.owed_until > $3 THEN budgets.owed_until + $4 ELSE excluded.owed_until END WHERE budgets.owed_until <= $5`,
		key, tx.Now.Add(step), tx.Now, step.Microseconds(), full)
	return n == 1, err
}

func owed(tx *database.Tx, key []byte) (time.Time, error) {
	return database.One[time.Time](tx.Context(), tx, `SELECT owed_until FROM budgets WHERE key_hash = $1`, key)
}

func forgive(tx *database.Tx, key []byte, step time.Duration) error {
	_, err := tx.Exec(`UPDATE budgets SET owed_until = owed_until - $2 WHERE key_hash = $1 AND owed_until > $3`, key, step.Microseconds(), tx.Now)
	return err
}

func removePaid(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM budgets WHERE key_hash IN (SELECT key_hash FROM budgets WHERE owed_until <= $1 ORDER BY owed_until LIMIT $2)`, tx.Now, limit)
}
