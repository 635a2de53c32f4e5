package session

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/user"
)

type row struct {
	ID         string     `db:"id"`
	UserID     string     `db:"user_id"`
	CookieHash []byte     `db:"cookie_hash"`
	Transport  string     `db:"transport"`
	Salt       []byte     `db:"salt"`
	Generation int64      `db:"generation"`
	RotatedAt  *time.Time `db:"rotated_at"`
	AMR        string     `db:"amr"`
	AuthAt     time.Time  `db:"auth_at"`
	IP         string     `db:"ip"`
	UserAgent  string     `db:"user_agent"`
	CreatedAt  time.Time  `db:"created_at"`
	SeenAt     time.Time  `db:"seen_at"`
	ExpiresAt  time.Time  `db:"expires_at"`
	OrgID      string     `db:"org_id"`
	ProvedAt   *time.Time `db:"proved_at"`
	ActorID    string     `db:"actor_id"`
	ParentID   string     `db:"parent_id"`
	Reason     string     `db:"reason"`
}

func (r row) session() Session {
	var act *Act
	if r.ActorID != "" {
		act = &Act{r.ActorID, r.ParentID, r.Reason}
	}
	return Session{r.ID, r.UserID, Transport(r.Transport), strings.Fields(r.AMR), r.AuthAt, r.IP, r.UserAgent,
		r.CreatedAt, r.SeenAt, r.ExpiresAt, r.OrgID, r.ProvedAt, act, nil, r.Generation, r.RotatedAt, r.Salt}
}

func insert(tx *database.Tx, s Session, cookieHash []byte) error {
	r := row{ID: s.ID, UserID: s.UserID, CookieHash: cookieHash, Transport: string(s.Transport), Salt: s.salt, Generation: s.generation, RotatedAt: s.rotatedAt,
		AMR: strings.Join(s.AMR, " "), AuthAt: s.AuthAt, IP: s.IP, UserAgent: s.UserAgent, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt,
		OrgID: s.OrgID, ProvedAt: s.ProvedAt}
	if s.Act != nil {
		r.ActorID, r.ParentID, r.Reason = s.Act.UserID, s.Act.SessionID, s.Act.Reason
	}
	return database.Insert(tx, "sessions", r)
}

// both is a session and its person, in one row.
type both struct {
	row
	user.Row
}

// find reads a session and its person by what where says of s. One statement.
func find(ctx context.Context, q database.Querier, where string, arg any) (Session, user.User, error) {
	b, err := database.One[both](ctx, q, `SELECT s.id, s.user_id, s.cookie_hash, s.transport, s.salt, s.generation, s.rotated_at, s.amr,
		s.auth_at, s.ip, s.user_agent, s.created_at, s.seen_at, s.expires_at, s.org_id, s.proved_at, s.actor_id, s.parent_id, s.reason, `+user.Select+`
		FROM sessions s JOIN users u ON u.id = s.user_id `+user.Joins+` WHERE `+where, arg)
	if errors.Is(err, database.ErrNone) {
		err = ErrUnknown
	}
	return b.session(), b.User(), err
}

func byCookie(ctx context.Context, q database.Querier, hash []byte) (Session, user.User, error) {
	return find(ctx, q, `s.cookie_hash = $1`, hash)
}

func byID(ctx context.Context, q database.Querier, id string) (Session, user.User, error) {
	return find(ctx, q, `s.id = $1`, id)
}

func listOf(ctx context.Context, q database.Querier, userID string, now time.Time) ([]Session, error) {
	rows, err := database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY id DESC`, userID, now)
	list := make([]Session, len(rows))
	for i, r := range rows {
		list[i] = r.session()
	}
	return list, err
}

// advance moves a session to the next generation, if it is still at this one.
func advance(tx *database.Tx, s Session, ip, userAgent string, expires time.Time) (int64, error) {
	return tx.Exec(`UPDATE sessions SET generation = generation + 1, rotated_at = $3, seen_at = $3, ip = $4, user_agent = $5, expires_at = $6
		WHERE id = $1 AND generation = $2 AND expires_at > $3`, s.ID, s.generation, tx.Now, ip, userAgent, expires)
}

// ended is what is left to tell of a session whose row is gone.
type ended struct {
	ID        string    `db:"id"`
	UserID    string    `db:"user_id"`
	CreatedAt time.Time `db:"created_at"`
}

// chosen says which sessions to end.
type chosen struct {
	where string
	args  []any
}

func ofUser(id, userID string) chosen { return chosen{`id = $1 AND user_id = $2`, []any{id, userID}} }

func allOf(userID, except string) chosen {
	return chosen{`user_id = $1 AND id <> $2`, []any{userID, except}}
}

func ofCookie(hash []byte, userID string) chosen {
	return chosen{`cookie_hash = $1 AND user_id = $2`, []any{hash, userID}}
}

// remove ends sessions, and with them those in which their people act in the name of others, and says which there were. Of several that
// try, one is told of each.
func remove(tx *database.Tx, which chosen) ([]ended, error) {
	acting, err := database.All[ended](tx.Context(), tx, `DELETE FROM sessions WHERE parent_id <> '' AND parent_id IN (SELECT id FROM sessions WHERE `+
		which.where+`) RETURNING `+database.Columns[ended](), which.args...)
	if err != nil {
		return nil, err
	}
	own, err := database.All[ended](tx.Context(), tx, `DELETE FROM sessions WHERE `+which.where+` RETURNING `+database.Columns[ended](), which.args...)
	return append(own, acting...), err
}

func count(ctx context.Context, q database.Querier, now time.Time) (int64, error) {
	return database.One[int64](ctx, q, `SELECT COUNT(*) FROM sessions WHERE expires_at > $1`, now)
}

// removeExpired deletes at most limit sessions that have run out, and says how many.
func removeExpired(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now, limit)
}

func setOrg(tx *database.Tx, userID, id, orgID string) (int64, error) {
	return tx.Exec(`UPDATE sessions SET org_id = $3 WHERE id = $1 AND user_id = $2`, id, userID, orgID)
}

func setProved(tx *database.Tx, userID, id string) (int64, error) {
	return tx.Exec(`UPDATE sessions SET proved_at = $3 WHERE id = $1 AND user_id = $2`, id, userID, tx.Now)
}

func setAMR(tx *database.Tx, id string, amr []string) error {
	_, err := tx.Exec(`UPDATE sessions SET amr = $2 WHERE id = $1`, id, strings.Join(amr, " "))
	return err
}

func setSeen(tx *database.Tx, id string, at time.Time) error {
	_, err := tx.Exec(`UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2`, id, at)
	return err
}
