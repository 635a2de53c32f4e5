package passkey

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type row struct {
	ID             string     `db:"id"`
	UserID         string     `db:"user_id"`
	CredentialID   []byte     `db:"credential_id"`
	PublicKey      []byte     `db:"public_key"`
	SignCount      int64      `db:"sign_count"`
	AAGUID         []byte     `db:"aaguid"`
	Transports     string     `db:"transports"`
	BackupEligible bool       `db:"backup_eligible"`
	BackedUp       bool       `db:"backed_up"`
	UserVerified   bool       `db:"user_verified"`
	Name           string     `db:"name"`
	CreatedAt      time.Time  `db:"created_at"`
	LastUsedAt     *time.Time `db:"last_used_at"`
	SuspectedAt    *time.Time `db:"suspected_at"`
}

func (r row) passkey() Passkey {
	return Passkey{r.ID, r.CredentialID, r.Name, providerOf(r.AAGUID), r.BackedUp, !r.BackupEligible, r.UserVerified, r.CreatedAt, r.LastUsedAt, r.SuspectedAt}
}

// byCredential is the passkey with an id that its authenticator gave it; database.ErrNone when there is none.
func byCredential(ctx context.Context, q database.Querier, credentialID []byte) (row, error) {
	return database.One[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM passkeys WHERE credential_id = $1`, credentialID)
}

// listOf is every passkey of a person, the oldest first.
func listOf(ctx context.Context, q database.Querier, userID string) ([]row, error) {
	return database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM passkeys WHERE user_id = $1 ORDER BY id`, userID)
}

func insert(tx *database.Tx, r row) error {
	err := database.Insert(tx, "passkeys", r)
	if database.Taken(err) {
		return ErrTaken
	}
	return err
}

// use advances the counter of a passkey, and says whether it went forward or is one that does not count.
func use(tx *database.Tx, id string, count int64, backedUp, verified bool) (bool, error) {
	n, err := tx.Exec(`UPDATE passkeys SET sign_count = $2, backed_up = $3, user_verified = user_verified OR $4, last_used_at = $5
		WHERE id = $1 AND (sign_count < $2 OR sign_count = 0 AND $2 = 0)`, id, count, backedUp, verified, tx.Now)
	return n == 1, err
}

// suspect notes when a passkey last looked copied, and gives its counter; database.ErrNone when it is gone.
func suspect(tx *database.Tx, id string) (int64, error) {
	return database.One[int64](tx.Context(), tx, `UPDATE passkeys SET suspected_at = $2 WHERE id = $1 RETURNING sign_count`, id, tx.Now)
}

func rename(tx *database.Tx, userID, id, name string) (bool, error) {
	n, err := tx.Exec(`UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2`, id, userID, name)
	return n == 1, err
}

func remove(tx *database.Tx, userID, id string) (bool, error) {
	n, err := tx.Exec(`DELETE FROM passkeys WHERE id = $1 AND user_id = $2`, id, userID)
	return n == 1, err
}

// removeAll forgets every passkey of a person and gives their ids.
func removeAll(tx *database.Tx, userID string) ([]string, error) {
	return database.All[string](tx.Context(), tx, `DELETE FROM passkeys WHERE user_id = $1 RETURNING id`, userID)
}

// The purposes of what a session is asked to sign.
const (
	registering = "register"
	proving     = "prove"
)

// setCeremony keeps what a session is asked to sign, in place of what it was asked before for the same purpose.
func setCeremony(tx *database.Tx, sessionID, purpose string, challenge []byte, until time.Time) error {
	_, err := tx.Exec(`INSERT INTO passkey_ceremonies (session_id, purpose, challenge, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (session_id, purpose) DO UPDATE SET challenge = excluded.challenge, expires_at = excluded.expires_at`, sessionID, purpose, challenge, until)
	return err
}

// ceremony is what a session was asked to sign and has not yet; nil when that is nothing.
func ceremony(ctx context.Context, q database.Querier, sessionID, purpose string, now time.Time) ([]byte, error) {
	c, err := database.One[[]byte](ctx, q, `SELECT challenge FROM passkey_ceremonies WHERE session_id = $1 AND purpose = $2 AND expires_at > $3`, sessionID, purpose, now)
	if errors.Is(err, database.ErrNone) {
		return nil, nil
	}
	return c, err
}

// spend uses up what a session was asked to sign. Of several that try, one succeeds.
func spend(tx *database.Tx, sessionID, purpose string, challenge []byte) (bool, error) {
	n, err := tx.Exec(`DELETE FROM passkey_ceremonies WHERE session_id = $1 AND purpose = $2 AND challenge = $3 AND expires_at > $4`, sessionID, purpose, challenge, tx.Now)
	return n == 1, err
}

func (r row) transports() []string { return strings.Fields(r.Transports) }

func known(ctx context.Context, q database.Querier, credentialID []byte) (bool, error) {
	n, err := database.One[int64](ctx, q, `SELECT COUNT(*) FROM passkeys WHERE credential_id = $1`, credentialID)
	return n > 0, err
}
