package login

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

type attemptRow struct {
	IDHash     []byte    `db:"id_hash"`
	Identifier string    `db:"identifier"`
	UserID     *string   `db:"user_id"`
	Method     string    `db:"method"`
	Proofs     string    `db:"proofs"`
	Tries      int64     `db:"tries"`
	CreatedAt  time.Time `db:"created_at"`
	ExpiresAt  time.Time `db:"expires_at"`
	Remember   bool      `db:"remember"`
	RequireMFA bool      `db:"require_mfa"`
	ReturnTo   string    `db:"return_to"`
	Risk       string    `db:"risk"`
}

func insert(tx *database.Tx, a Attempt) error {
	r := attemptRow{IDHash: secret.Sum(a.ID), Identifier: a.Identifier.Kind + " " + a.Identifier.Value, Method: a.Method, CreatedAt: tx.Now, ExpiresAt: a.ExpiresAt, Remember: a.Remember, RequireMFA: a.RequireMFA, ReturnTo: a.ReturnTo}
	if a.User != nil {
		r.UserID = &a.User.ID
	}
	proofs, err := json.Marshal(a.Shown)
	if err != nil {
		return err
	}
	r.Proofs = string(proofs)
	how, err := json.Marshal(a.Risk)
	if err != nil {
		return err
	}
	r.Risk = string(how)
	return database.Insert(tx, "login_attempts", r)
}

func find(ctx context.Context, q database.Querier, id string, now time.Time) (Attempt, error) {
	r, err := database.One[attemptRow](ctx, q, `SELECT `+database.Columns[attemptRow]()+` FROM login_attempts WHERE id_hash = $1 AND expires_at > $2`, secret.Sum(id), now)
	if errors.Is(err, database.ErrNone) {
		return Attempt{}, ErrAttempt
	}
	if err != nil {
		return Attempt{}, err
	}
	a := Attempt{ID: id, Method: r.Method, ExpiresAt: r.ExpiresAt, Remember: r.Remember, RequireMFA: r.RequireMFA, ReturnTo: r.ReturnTo, Identifier: readIdentifier(r.Identifier)}
	if err := json.Unmarshal([]byte(r.Proofs), &a.Shown); err != nil {
		return Attempt{}, err
	}
	if err := json.Unmarshal([]byte(r.Risk), &a.Risk); err != nil {
		return Attempt{}, err
	}
	if r.UserID != nil {
		u, err := user.ByID(ctx, q, *r.UserID)
		if err != nil {
			return Attempt{}, err
		}
		a.User = &u
	}
	return a, nil
}

func readIdentifier(s string) user.Identifier {
	kind, value, _ := strings.Cut(s, " ")
	return user.Identifier{Kind: kind, Value: value}
}

// try counts an answer before it is judged. It refuses one too many.
func try(tx *database.Tx, id string) error {
	n, err := tx.Exec(`UPDATE login_attempts SET tries = tries + 1 WHERE id_hash = $1 AND tries < $2 AND expires_at > $3`, secret.Sum(id), mostTries, tx.Now)
	if err == nil && n == 0 {
		return ErrAttempt
	}
	return err
}

func setMethod(tx *database.Tx, id, method string) error {
	_, err := tx.Exec(`UPDATE login_attempts SET method = $2 WHERE id_hash = $1`, secret.Sum(id), method)
	return err
}

// remove ends an attempt. Of several that try, one succeeds.
func remove(tx *database.Tx, id string) error {
	n, err := tx.Exec(`DELETE FROM login_attempts WHERE id_hash = $1 AND expires_at > $2`, secret.Sum(id), tx.Now)
	if err == nil && n == 0 {
		return ErrAttempt
	}
	return err
}

func removeOf(tx *database.Tx, userID string) error {
	_, err := tx.Exec(`DELETE FROM login_attempts WHERE user_id = $1`, userID)
	return err
}

func removeExpired(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM login_attempts WHERE id_hash IN (SELECT id_hash FROM login_attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now, limit)
}
