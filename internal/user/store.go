package user

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

type userRow struct {
	ID         string     `db:"id"`
	Name       string     `db:"name"`
	DisabledAt *time.Time `db:"disabled_at"`
	CreatedAt  time.Time  `db:"created_at"`
	UpdatedAt  time.Time  `db:"updated_at"`
	Guest      bool       `db:"guest"`
	Service    bool       `db:"service"`
}

type identifierRow struct {
	Kind       string     `db:"kind"`
	Value      string     `db:"value"`
	UserID     string     `db:"user_id"`
	IsPrimary  bool       `db:"is_primary"`
	VerifiedAt *time.Time `db:"verified_at"`
	CreatedAt  time.Time  `db:"created_at"`
	HeldUntil  *time.Time `db:"held_until"`
}

// Row is a person as one SELECT reads them: see Select.
type Row struct {
	ID              string     `db:"id"`
	Name            string     `db:"name"`
	Email           *string    `db:"email"`
	EmailVerifiedAt *time.Time `db:"email_verified_at"`
	Username        *string    `db:"username"`
	Phone           *string    `db:"phone"`
	PhoneVerifiedAt *time.Time `db:"phone_verified_at"`
	Roles           *string    `db:"roles"`
	Factors         *string    `db:"factors"`
	Beside          *string    `db:"beside"`
	Guest           bool       `db:"guest"`
	Service         bool       `db:"service"`
	Language        string     `db:"language"`
	TimeZone        string     `db:"time_zone"`
	DisabledAt      *time.Time `db:"disabled_at"`
	EraseAt         *time.Time `db:"erase_at"`
	CreatedAt       time.Time  `db:"created_at"`
	UpdatedAt       time.Time  `db:"updated_at"`
}

// Select and From let another store read a person in the same statement as its own row. The alias of users is u.
const (
	Select = `u.id, u.name, e.value, e.verified_at, n.value, p.value, p.verified_at,
		(SELECT string_agg(r.role, ' ') FROM user_roles r WHERE r.user_id = u.id),
		(SELECT string_agg(f.method, ' ') FROM factors f WHERE f.user_id = u.id),
		(SELECT 'passkey' FROM passkeys k WHERE k.user_id = u.id LIMIT 1), u.guest, u.service, u.language, u.time_zone, u.disabled_at, u.erase_at, u.created_at, u.updated_at`
	Joins = `LEFT JOIN identifiers e ON e.user_id = u.id AND e.kind = 'email' AND e.is_primary
		LEFT JOIN identifiers n ON n.user_id = u.id AND n.kind = 'username' AND n.is_primary
		LEFT JOIN identifiers p ON p.user_id = u.id AND p.kind = 'phone' AND p.is_primary`
)

// User is the person the row tells of.
func (r Row) User() User {
	u := User{ID: r.ID, Name: r.Name, Guest: r.Guest, Service: r.Service, Language: r.Language, TimeZone: r.TimeZone, EmailVerified: r.EmailVerifiedAt != nil, PhoneVerified: r.PhoneVerifiedAt != nil,
		DisabledAt: r.DisabledAt, EraseAt: r.EraseAt, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	for _, c := range []struct {
		to   *string
		from *string
	}{{&u.Email, r.Email}, {&u.Username, r.Username}, {&u.Phone, r.Phone}} {
		if c.from != nil {
			*c.to = *c.from
		}
	}
	for _, c := range []struct {
		to   *[]string
		from *string
	}{{&u.Roles, r.Roles}, {&u.Factors, r.Factors}, {&u.Beside, r.Beside}} {
		if c.from != nil {
			*c.to = strings.Fields(*c.from)
			slices.Sort(*c.to)
		}
	}
	return u
}

// ByID finds a person by id.
func ByID(ctx context.Context, q database.Querier, id string) (User, error) {
	r, err := database.One[Row](ctx, q, `SELECT `+Select+` FROM users u `+Joins+` WHERE u.id = $1`, id)
	return r.User(), notFound(err)
}

// ByIdentifier finds a person by what they are known by. One that was given up and is only kept for them finds nobody.
func ByIdentifier(ctx context.Context, q database.Querier, i Identifier) (User, error) {
	r, err := database.One[Row](ctx, q, `SELECT `+Select+` FROM identifiers i JOIN users u ON u.id = i.user_id `+Joins+
		` WHERE i.kind = $1 AND i.value = $2 AND i.is_primary`, i.Kind, i.Value)
	return r.User(), notFound(err)
}

// list compares the beginning of what people are called by its characters: neither engine's LIKE means the same as the other's.
func list(ctx context.Context, q database.Querier, f Filter, after string, limit int, now time.Time) ([]User, error) {
	text, args := `SELECT `+Select+` FROM users u `+Joins+
		` WHERE NOT u.service AND (CAST($1 AS TEXT) = '' OR u.id < $1) AND (CAST($2 AS TEXT) = '' OR u.id = $2 OR substr(lower(u.name), 1, length($2)) = $2
		OR EXISTS (SELECT 1 FROM identifiers i WHERE i.user_id = u.id AND substr(i.value, 1, length($2)) = $2))`, []any{after, f.Text, limit}
	switch f.State {
	case StateActive:
		text += ` AND u.disabled_at IS NULL AND u.erase_at IS NULL`
	case StateDisabled:
		text += ` AND (u.disabled_at IS NOT NULL OR u.erase_at IS NOT NULL)`
	case StateLocked:
		text, args = text+` AND u.id IN (SELECT l.about FROM lockouts l WHERE l.locked_until > $4)`, append(args, now)
	}
	if f.Role != "" {
		args = append(args, f.Role)
		text += fmt.Sprintf(` AND u.id IN (SELECT h.user_id FROM user_roles h WHERE h.role = $%d)`, len(args))
	}
	rows, err := database.All[Row](ctx, q, text+` ORDER BY u.id DESC LIMIT $3`, args...)
	users := make([]User, len(rows))
	for i, r := range rows {
		users[i] = r.User()
	}
	return users, err
}

func count(ctx context.Context, q database.Querier, now time.Time) (Count, error) {
	return database.One[Count](ctx, q, `SELECT COUNT(*), COUNT(CASE WHEN created_at > $1 THEN 1 END), COUNT(COALESCE(disabled_at, erase_at)),
		(SELECT COUNT(*) FROM users l WHERE l.id IN (SELECT about FROM lockouts WHERE locked_until > $2)) FROM users WHERE NOT service`, now.Add(-30*24*time.Hour), now)
}

func knownBy(ctx context.Context, q database.Querier, userID string) ([]Known, error) {
	return database.All[Known](ctx, q, `SELECT `+database.Columns[Known]()+` FROM identifiers WHERE user_id = $1 ORDER BY kind, created_at, value`, userID)
}

func addIdentifier(tx *database.Tx, userID string, i Identifier) error {
	if _, err := tx.Exec(`DELETE FROM identifiers WHERE kind = $1 AND value = $2 AND held_until <= $3`, i.Kind, i.Value, tx.Now); err != nil {
		return err
	}
	return taken(database.Insert(tx, "identifiers", identifierRow{Kind: i.Kind, Value: i.Value, UserID: userID, IsPrimary: true, CreatedAt: tx.Now}), i.Kind)
}

func replaceUsername(tx *database.Tx, userID string, i Identifier) error {
	if _, err := removeKind(tx, userID, KindUsername); err != nil {
		return err
	}
	if i.Value != "" {
		if err := addIdentifier(tx, userID, i); err != nil {
			return err
		}
	}
	return touch(tx, userID)
}

// giveUp takes the address from a person. One that was verified is kept for them.
func giveUp(tx *database.Tx, userID string, until time.Time) error {
	if _, err := tx.Exec(`UPDATE identifiers SET is_primary = FALSE, held_until = $2 WHERE user_id = $1 AND kind = 'email' AND is_primary AND verified_at IS NOT NULL`, userID, until); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM identifiers WHERE user_id = $1 AND kind = 'email' AND is_primary`, userID)
	return err
}

func removeHeld(tx *database.Tx, userID, email string) error {
	_, err := tx.Exec(`DELETE FROM identifiers WHERE user_id = $1 AND kind = 'email' AND value = $2 AND NOT is_primary`, userID, email)
	return err
}

func heldRow(tx *database.Tx, userID, email string) (identifierRow, error) {
	r, err := database.One[identifierRow](tx.Context(), tx, `SELECT `+database.Columns[identifierRow]()+` FROM identifiers
		WHERE user_id = $1 AND kind = 'email' AND value = $2 AND held_until > $3`, userID, email, tx.Now)
	return r, notFound(err)
}

func restore(tx *database.Tx, r identifierRow) error {
	if _, err := tx.Exec(`DELETE FROM identifiers WHERE user_id = $1 AND kind = 'email' AND value <> $2 AND (is_primary OR created_at > $3)`, r.UserID, r.Value, r.CreatedAt); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE identifiers SET is_primary = TRUE, held_until = NULL WHERE user_id = $1 AND kind = 'email' AND value = $2`, r.UserID, r.Value)
	return err
}

func has(ctx context.Context, q database.Querier, userID, email string) (bool, error) {
	n, err := database.One[int64](ctx, q, `SELECT COUNT(*) FROM identifiers WHERE user_id = $1 AND kind = 'email' AND value = $2`, userID, email)
	return n > 0, err
}

func removeGivenUp(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM identifiers WHERE (kind, value) IN (SELECT kind, value FROM identifiers WHERE held_until <= $1 ORDER BY held_until LIMIT $2)`, tx.Now, limit)
}

func settle(tx *database.Tx, userID, name string) (int64, error) {
	return tx.Exec(`UPDATE users SET guest = FALSE, name = $2, updated_at = $3 WHERE id = $1 AND guest`, userID, name, tx.Now)
}

// known has a guest be none any more.
func known(tx *database.Tx, userID string) error {
	_, err := tx.Exec(`UPDATE users SET guest = FALSE WHERE id = $1 AND guest`, userID)
	return err
}

func left(ctx context.Context, q database.Querier, now time.Time, limit int) ([]string, error) {
	return database.All[string](ctx, q, `SELECT u.id FROM users u WHERE u.guest AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.expires_at > $1) LIMIT $2 + 0`, now, limit)
}

func setName(tx *database.Tx, userID, name string) error {
	_, err := tx.Exec(`UPDATE users SET name = $2, updated_at = $3 WHERE id = $1`, userID, name, tx.Now)
	return err
}

func setVoice(tx *database.Tx, userID, language, timeZone string) error {
	_, err := tx.Exec(`UPDATE users SET language = $2, time_zone = $3, updated_at = $4 WHERE id = $1`, userID, language, timeZone, tx.Now)
	return err
}

func touch(tx *database.Tx, userID string) error {
	_, err := tx.Exec(`UPDATE users SET updated_at = $2 WHERE id = $1`, userID, tx.Now)
	return err
}

func setDisabled(tx *database.Tx, userID string) (int64, error) {
	return tx.Exec(`UPDATE users SET disabled_at = $2, updated_at = $2 WHERE id = $1 AND disabled_at IS NULL`, userID, tx.Now)
}

func clearDisabled(tx *database.Tx, userID string) (int64, error) {
	return tx.Exec(`UPDATE users SET disabled_at = NULL, erase_at = NULL, updated_at = $2 WHERE id = $1 AND (disabled_at IS NOT NULL OR erase_at IS NOT NULL)`, userID, tx.Now)
}

func setErasure(tx *database.Tx, userID string, at time.Time) (int64, error) {
	return tx.Exec(`UPDATE users SET erase_at = $2, updated_at = $3 WHERE id = $1 AND erase_at IS NULL`, userID, at, tx.Now)
}

func clearErasure(tx *database.Tx, userID string) (int64, error) {
	return tx.Exec(`UPDATE users SET erase_at = NULL, updated_at = $2 WHERE id = $1 AND erase_at IS NOT NULL`, userID, tx.Now)
}

// due are those whose time is over, in the order of their ids.
func due(ctx context.Context, q database.Querier, now time.Time, after string, limit int) ([]string, error) {
	return database.All[string](ctx, q, `SELECT id FROM users WHERE erase_at <= $1 AND id > $2 ORDER BY id LIMIT $3 + 0`, now, after, limit)
}

func remove(tx *database.Tx, userID string) (int64, error) {
	return tx.Exec(`DELETE FROM users WHERE id = $1`, userID)
}

func setVerified(tx *database.Tx, userID string, i Identifier) (int64, error) {
	return tx.Exec(`UPDATE identifiers SET verified_at = $4 WHERE kind = $1 AND value = $2 AND user_id = $3 AND verified_at IS NULL`, i.Kind, i.Value, userID, tx.Now)
}

func removeOthers(tx *database.Tx, userID string, i Identifier) (kinds []string, err error) {
	return database.All[string](tx.Context(), tx, `DELETE FROM identifiers WHERE user_id = $1 AND kind <> 'username' AND (kind <> $2 OR value <> $3) RETURNING kind`, userID, i.Kind, i.Value)
}

func removeTyped(tx *database.Tx, userID string, i Identifier) (int64, error) {
	return tx.Exec(`DELETE FROM identifiers WHERE user_id = $1 AND kind = $2 AND value = $3 AND verified_at IS NULL`, userID, i.Kind, i.Value)
}

func removeKind(tx *database.Tx, userID, kind string) (int64, error) {
	return tx.Exec(`DELETE FROM identifiers WHERE user_id = $1 AND kind = $2`, userID, kind)
}

func insertRole(tx *database.Tx, userID, role string) error {
	_, err := tx.Exec(`INSERT INTO user_roles (user_id, role, granted_by, granted_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		userID, role, database.OriginOf(tx.Context()).Actor, tx.Now)
	return err
}

func removeRole(tx *database.Tx, userID, role string) error {
	_, err := tx.Exec(`DELETE FROM user_roles WHERE user_id = $1 AND role = $2`, userID, role)
	return err
}

func insertFactor(tx *database.Tx, userID, method string) (int64, error) {
	return tx.Exec(`INSERT INTO factors (user_id, method, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, userID, method, tx.Now)
}

func removeFactor(tx *database.Tx, userID, method string) (int64, error) {
	return tx.Exec(`DELETE FROM factors WHERE user_id = $1 AND method = $2`, userID, method)
}

func hasOwner(ctx context.Context, q database.Querier) (bool, error) {
	n, err := database.One[int64](ctx, q, `SELECT COUNT(*) FROM user_roles r JOIN users u ON u.id = r.user_id WHERE r.role = $1 AND u.disabled_at IS NULL AND u.erase_at IS NULL`, SuperAdmin)
	return n > 0, err
}

type pastRow struct {
	ID         string     `db:"id"`
	Name       string     `db:"name"`
	Language   string     `db:"language"`
	TimeZone   string     `db:"time_zone"`
	DisabledAt *time.Time `db:"disabled_at"`
	CreatedAt  time.Time  `db:"created_at"`
	UpdatedAt  time.Time  `db:"updated_at"`
}

func insertImported(tx *database.Tx, p Past, userID string) error {
	_, err := tx.Exec(`INSERT INTO imported_users (source, external_id, user_id, at) VALUES ($1, $2, $3, $4)`, p.Source, p.ExternalID, userID, tx.Now)
	return err
}

func importedAs(ctx context.Context, q database.Querier, source, externalID string) (string, error) {
	return orNobody(database.One[string](ctx, q, `SELECT user_id FROM imported_users WHERE source = $1 AND external_id = $2`, source, externalID))
}

func origins(ctx context.Context, q database.Querier, userID string) ([]Origin, error) {
	return database.All[Origin](ctx, q, `SELECT `+database.Columns[Origin]()+` FROM imported_users WHERE user_id = $1 ORDER BY at, source`, userID)
}

func ownerOf(ctx context.Context, q database.Querier, i Identifier, now time.Time) (string, error) {
	return orNobody(database.One[string](ctx, q, `SELECT user_id FROM identifiers WHERE kind = $1 AND value = $2 AND (held_until IS NULL OR held_until > $3)`, i.Kind, i.Value, now))
}

func orNobody(userID string, err error) (string, error) {
	if errors.Is(err, database.ErrNone) {
		return "", nil
	}
	return userID, err
}

func following(ctx context.Context, q database.Querier, after string, limit int) ([]User, error) {
	rows, err := database.All[Row](ctx, q, `SELECT `+Select+` FROM users u `+Joins+` WHERE u.id > $1 AND NOT u.service AND NOT u.guest AND u.erase_at IS NULL ORDER BY u.id LIMIT $2`, after, limit)
	list := make([]User, len(rows))
	for i, r := range rows {
		list[i] = r.User()
	}
	return list, err
}
