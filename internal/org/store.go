package org

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/user"
)

type orgRow struct {
	ID          string     `db:"id"`
	Slug        string     `db:"slug"`
	Name        string     `db:"name"`
	SuspendedAt *time.Time `db:"suspended_at"`
	CreatedAt   time.Time  `db:"created_at"`
	UpdatedAt   time.Time  `db:"updated_at"`
	RequireMFA  bool       `db:"require_mfa"`
}

// find reads an organization by id, or by a slug it has or had.
func find(ctx context.Context, q database.Querier, ref string) (Org, error) {
	text := `SELECT ` + database.Columns[orgRow]() + ` FROM orgs WHERE id = $1`
	if !id.Valid("org", ref) {
		if ref = strings.ToLower(ref); !slugForm.MatchString(ref) {
			return Org{}, ErrNotFound // and no store is asked for what it may not hold
		}
		text = `SELECT o.id, o.slug, o.name, o.suspended_at, o.created_at, o.updated_at, o.require_mfa FROM org_slugs s JOIN orgs o ON o.id = s.org_id WHERE s.slug = $1`
	}
	r, err := database.One[orgRow](ctx, q, text, ref)
	if errors.Is(err, database.ErrNone) {
		err = ErrNotFound
	}
	return Org(r), err
}

func listOrgs(ctx context.Context, q database.Querier, text, after string, limit int) ([]Org, error) {
	rows, err := database.All[orgRow](ctx, q, `SELECT `+database.Columns[orgRow]()+` FROM orgs WHERE (CAST($1 AS TEXT) = '' OR id < $1)
		AND (CAST($2 AS TEXT) = '' OR id = $2 OR substr(lower(name), 1, length($2)) = $2 OR substr(slug, 1, length($2)) = $2) ORDER BY id DESC LIMIT $3`, after, text, limit)
	return orgs(rows), err
}

func count(ctx context.Context, q database.Querier) (int64, error) {
	return database.One[int64](ctx, q, `SELECT COUNT(*) FROM orgs`)
}

func orgs(rows []orgRow) []Org {
	list := make([]Org, len(rows))
	for i, r := range rows {
		list[i] = Org(r)
	}
	return list
}

func requiresMFA(tx *database.Tx, userID string) (bool, error) {
	n, err := database.One[int64](tx.Context(), tx, `SELECT COUNT(*) FROM memberships m JOIN orgs o ON o.id = m.org_id WHERE m.user_id = $1 AND o.require_mfa`, userID)
	return n > 0, err
}

func insertOrg(tx *authz.Tx, o Org) error { return database.Insert(tx.Tx, "orgs", orgRow(o)) }

// deletePrograms removes the service accounts of an organization that is gone: nobody could ever use them.
func deletePrograms(tx *authz.Tx, orgID string) ([]string, error) {
	return database.All[string](tx.Context(), tx.Tx, `DELETE FROM users WHERE service AND id IN (SELECT user_id FROM service_accounts WHERE org_id = $1) RETURNING id`, orgID)
}

func insertSlug(tx *authz.Tx, slug, orgID string) error {
	_, err := tx.Exec(`INSERT INTO org_slugs (slug, org_id, created_at) VALUES ($1, $2, $3)`, slug, orgID, tx.Now)
	if database.Taken(err) {
		return ErrSlugTaken
	}
	return err
}

// slugOf is whose a slug is or was, "" when it is nobody's.
func slugOf(ctx context.Context, q database.Querier, slug string) (string, error) {
	orgID, err := database.One[string](ctx, q, `SELECT org_id FROM org_slugs WHERE slug = $1`, slug)
	if errors.Is(err, database.ErrNone) {
		return "", nil
	}
	return orgID, err
}

func updateOrg(tx *authz.Tx, o Org) error {
	_, err := tx.Exec(`UPDATE orgs SET name = $2, slug = $3, suspended_at = $4, updated_at = $5, require_mfa = $6 WHERE id = $1`, o.ID, o.Name, o.Slug, o.SuspendedAt, o.UpdatedAt, o.RequireMFA)
	return err
}

func deleteOrg(tx *authz.Tx, orgID string) error {
	for _, text := range []string{ // what is held refers to its role, so it goes first
		`DELETE FROM member_roles WHERE org_id = $1`, `DELETE FROM memberships WHERE org_id = $1`, `DELETE FROM org_roles WHERE org_id = $1`, `DELETE FROM orgs WHERE id = $1`,
	} {
		if _, err := tx.Exec(text, orgID); err != nil {
			return err
		}
	}
	return nil
}

type memberRow struct {
	ID          string     `db:"id"`
	OrgID       string     `db:"org_id"`
	UserID      string     `db:"user_id"`
	SuspendedAt *time.Time `db:"suspended_at"`
	CreatedAt   time.Time  `db:"created_at"`
}

const memberColumns = `m.id, m.org_id, m.user_id, m.suspended_at, m.created_at`

func insertMember(tx *authz.Tx, orgID, userID string) error {
	_, err := tx.Exec(`INSERT INTO memberships (org_id, user_id, id, created_at) VALUES ($1, $2, $3, $4)`, orgID, userID, id.New("mem"), tx.Now)
	if database.Taken(err) {
		return ErrIsMember
	}
	if database.Orphan(err) {
		return user.ErrNotFound
	}
	return err
}

func deleteMember(tx *authz.Tx, orgID, userID string) error {
	_, err := tx.Exec(`DELETE FROM memberships WHERE org_id = $1 AND user_id = $2`, orgID, userID)
	return err
}

func findMember(ctx context.Context, q database.Querier, orgID, userID string) (Member, error) {
	r, err := database.One[memberRow](ctx, q, `SELECT `+memberColumns+` FROM memberships m WHERE m.org_id = $1 AND m.user_id = $2`, orgID, userID)
	if errors.Is(err, database.ErrNone) {
		return Member{}, ErrMember
	}
	if err != nil {
		return Member{}, err
	}
	list, err := complete(ctx, q, orgID, []memberRow{r})
	if err != nil {
		return Member{}, err
	}
	return list[0], nil
}

// listMembers looks for parts of names with replace: neither engine's LIKE means the same as the other's. Numbers and addresses that members
// are not shown with are not searched.
func listMembers(ctx context.Context, q database.Querier, orgID string, w Whom, after string, limit int) ([]Member, error) {
	rows, err := database.All[memberRow](ctx, q, `SELECT `+memberColumns+` FROM memberships m WHERE m.org_id = $1 AND (CAST($2 AS TEXT) = '' OR m.id > $2)
		AND (CAST($3 AS TEXT) = '' OR EXISTS (SELECT 1 FROM member_roles h JOIN org_roles r ON r.org_id = h.org_id AND r.id = h.role_id
			WHERE h.org_id = m.org_id AND h.user_id = m.user_id AND (r.id = $3 OR r.key = $3)))
		AND (CAST($4 AS TEXT) = '' OR m.user_id = $4 OR EXISTS (SELECT 1 FROM users u WHERE u.id = m.user_id AND replace(lower(u.name), $4, '') <> lower(u.name))
			OR EXISTS (SELECT 1 FROM identifiers i WHERE i.user_id = m.user_id AND i.is_primary AND i.kind IN ('email', 'username') AND substr(i.value, 1, length($4)) = $4))
		ORDER BY m.id LIMIT $5`, orgID, after, w.Role, strings.ToLower(strings.TrimSpace(w.Text)), limit)
	if err != nil {
		return nil, err
	}
	return complete(ctx, q, orgID, rows)
}

// complete adds to members of one organization who they are and which roles they hold.
func complete(ctx context.Context, q database.Querier, orgID string, rows []memberRow) ([]Member, error) {
	list := make([]Member, len(rows))
	for i, r := range rows {
		u, err := user.ByID(ctx, q, r.UserID)
		if err != nil {
			return nil, err
		}
		roles, err := heldBy(ctx, q, orgID, r.UserID)
		if err != nil {
			return nil, err
		}
		list[i] = Member{r.ID, r.OrgID, u, roles, r.SuspendedAt, r.CreatedAt}
	}
	return list, nil
}

type heldRow struct {
	ID        string     `db:"id"`
	Key       string     `db:"key"`
	Name      string     `db:"name"`
	ExpiresAt *time.Time `db:"expires_at"`
}

func heldBy(ctx context.Context, q database.Querier, orgID, userID string) ([]Held, error) {
	rows, err := database.All[heldRow](ctx, q, `SELECT r.id, r.key, r.name, h.expires_at FROM member_roles h JOIN org_roles r ON r.org_id = h.org_id AND r.id = h.role_id
		WHERE h.org_id = $1 AND h.user_id = $2 ORDER BY r.key`, orgID, userID)
	list := make([]Held, len(rows))
	for i, r := range rows {
		list[i] = Held(r)
	}
	return list, err
}

// replaceHeld makes exactly these the roles of a member.
func replaceHeld(tx *authz.Tx, orgID, userID string, roles []Held) error {
	if _, err := tx.Exec(`DELETE FROM member_roles WHERE org_id = $1 AND user_id = $2`, orgID, userID); err != nil {
		return err
	}
	for _, r := range roles {
		if _, err := tx.Exec(`INSERT INTO member_roles (org_id, user_id, role_id, granted_by, granted_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			orgID, userID, r.ID, database.OriginOf(tx.Context()).Actor, tx.Now, r.ExpiresAt); err != nil {
			return err
		}
	}
	return nil
}

type roleRow struct {
	OrgID     string    `db:"org_id"`
	ID        string    `db:"id"`
	Key       string    `db:"key"`
	Name      string    `db:"name"`
	Base      string    `db:"base"`
	System    bool      `db:"system"`
	Version   int64     `db:"version"`
	CreatedAt time.Time `db:"created_at"`
	UpdatedAt time.Time `db:"updated_at"`
}

const roleColumns = `r.org_id, r.id, r.key, r.name, r.base, r.system, r.version, r.created_at, r.updated_at`

func insertRole(tx *authz.Tx, r Role) error {
	err := database.Insert(tx.Tx, "org_roles", roleRow{r.OrgID, r.ID, r.Key, r.Name, r.Base, r.System, r.Version, tx.Now, tx.Now})
	if database.Taken(err) {
		return authz.ErrRoleTaken
	}
	return err
}

func listRoles(ctx context.Context, q database.Querier, orgID string) ([]Role, error) {
	rows, err := database.All[roleRow](ctx, q, `SELECT `+roleColumns+` FROM org_roles r WHERE r.org_id = $1 ORDER BY r.system DESC, r.id`, orgID)
	if err != nil {
		return nil, err
	}
	list := make([]Role, len(rows))
	for i, r := range rows {
		if list[i], err = completeRole(ctx, q, r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// findRole reads a role of an organization by id or key.
func findRole(ctx context.Context, q database.Querier, orgID, ref string) (Role, error) {
	r, err := database.One[roleRow](ctx, q, `SELECT `+roleColumns+` FROM org_roles r WHERE r.org_id = $1 AND (r.id = $2 OR r.key = $2)`, orgID, ref)
	if errors.Is(err, database.ErrNone) {
		return Role{}, authz.ErrRoleUnknown
	}
	if err != nil {
		return Role{}, err
	}
	return completeRole(ctx, q, r)
}

func completeRole(ctx context.Context, q database.Querier, r roleRow) (Role, error) {
	role := Role{ID: r.ID, OrgID: r.OrgID, Key: r.Key, Name: r.Name, Base: r.Base, System: r.System, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	type row struct {
		Pattern   string `db:"pattern"`
		Condition string `db:"condition"`
	}
	grants, err := database.All[row](ctx, q, `SELECT pattern, condition FROM org_role_grants WHERE org_id = $1 AND role_id = $2 ORDER BY pattern, condition`, r.OrgID, r.ID)
	if err != nil {
		return role, err
	}
	for _, g := range grants {
		role.Grants = append(role.Grants, authz.Grant(g))
	}
	for _, t := range authz.SystemTemplates() {
		if r.System && t.ID == r.ID {
			role.Grants = t.Grants
		}
	}
	role.Members, err = database.One[int64](ctx, q, `SELECT COUNT(*) FROM member_roles WHERE org_id = $1 AND role_id = $2`, r.OrgID, r.ID)
	return role, err
}

// updateRole changes a role that is still at its version.
func updateRole(tx *authz.Tx, r Role) error {
	n, err := tx.Exec(`UPDATE org_roles SET key = $3, name = $4, base = $5, version = version + 1, updated_at = $6 WHERE org_id = $1 AND id = $2 AND version = $7 AND NOT system`,
		r.OrgID, r.ID, r.Key, r.Name, r.Base, tx.Now, r.Version)
	if database.Taken(err) {
		return authz.ErrRoleTaken
	}
	if err == nil && n == 0 {
		return authz.ErrRoleStale
	}
	return err
}

func replaceGrants(tx *authz.Tx, orgID, roleID string, grants []authz.Grant) error {
	if _, err := tx.Exec(`DELETE FROM org_role_grants WHERE org_id = $1 AND role_id = $2`, orgID, roleID); err != nil {
		return err
	}
	for _, g := range grants {
		if _, err := tx.Exec(`INSERT INTO org_role_grants (org_id, role_id, pattern, condition) VALUES ($1, $2, $3, $4)`, orgID, roleID, g.Pattern, g.Condition); err != nil {
			return err
		}
	}
	return nil
}

func insertGuard(tx *authz.Tx, g authz.Guard) error {
	_, err := tx.Exec(`INSERT INTO org_guards (org_id, id, pattern, condition, message, created_at) VALUES ($1, $2, $3, $4, $5, $6)`, g.Org, g.ID, g.Pattern, g.Condition, g.Message, tx.Now)
	return err
}

func removeGuard(tx *authz.Tx, orgID, guardID string) error {
	_, err := tx.Exec(`DELETE FROM org_guards WHERE org_id = $1 AND id = $2`, orgID, guardID)
	return err
}

// deleteRole removes a role nobody holds.
func deleteRole(tx *authz.Tx, orgID, roleID string) error {
	n, err := tx.Exec(`DELETE FROM org_roles WHERE org_id = $1 AND id = $2 AND NOT system AND NOT EXISTS (SELECT 1 FROM member_roles h WHERE h.org_id = $1 AND h.role_id = $2)`, orgID, roleID)
	if err == nil && n == 0 {
		return authz.ErrRoleHeld
	}
	return err
}

type invitationRow struct {
	OrgID      string    `db:"org_id"`
	ID         string    `db:"id"`
	Email      string    `db:"email"`
	Generation int64     `db:"generation"`
	InvitedBy  string    `db:"invited_by"`
	Roles      string    `db:"roles"`
	CreatedAt  time.Time `db:"created_at"`
	SentAt     time.Time `db:"sent_at"`
	ExpiresAt  time.Time `db:"expires_at"`
}

func (r invitationRow) invitation() Invitation {
	return Invitation{r.ID, r.OrgID, r.Email, r.InvitedBy, strings.Fields(r.Roles), r.CreatedAt, r.SentAt, r.ExpiresAt, r.Generation}
}

func insertInvitation(tx *authz.Tx, i Invitation) error {
	// one that has run out makes room for another
	if _, err := tx.Exec(`DELETE FROM invitations WHERE org_id = $1 AND email = $2 AND expires_at <= $3`, i.OrgID, i.Email, tx.Now); err != nil {
		return err
	}
	err := database.Insert(tx.Tx, "invitations", invitationRow{i.OrgID, i.ID, i.Email, i.generation, i.InvitedBy, strings.Join(i.Roles, " "), i.CreatedAt, i.SentAt, i.ExpiresAt})
	if database.Taken(err) {
		return ErrInvited
	}
	return err
}

func listInvitations(ctx context.Context, q database.Querier, orgID, after string, limit int, now time.Time) ([]Invitation, error) {
	rows, err := database.All[invitationRow](ctx, q, `SELECT `+database.Columns[invitationRow]()+` FROM invitations
		WHERE org_id = $1 AND expires_at > $2 AND (CAST($3 AS TEXT) = '' OR id < $3) ORDER BY id DESC LIMIT $4`, orgID, now, after, limit)
	list := make([]Invitation, len(rows))
	for i, r := range rows {
		list[i] = r.invitation()
	}
	return list, err
}

func pending(tx *authz.Tx, orgID string) (int64, error) {
	return database.One[int64](tx.Context(), tx.Tx, `SELECT COUNT(*) FROM invitations WHERE org_id = $1 AND expires_at > $2`, orgID, tx.Now)
}

// invitedWith reports whether a waiting invitation names a role.
func invitedWith(tx *authz.Tx, orgID, roleID string) (bool, error) {
	rows, err := database.All[string](tx.Context(), tx.Tx, `SELECT roles FROM invitations WHERE org_id = $1 AND expires_at > $2`, orgID, tx.Now)
	for _, roles := range rows {
		for _, r := range strings.Fields(roles) {
			if r == roleID {
				return true, err
			}
		}
	}
	return false, err
}

// byID reads an invitation of whichever organization, for who shows its token.
func byID(ctx context.Context, q database.Querier, id string, generation int64, now time.Time) (Invitation, error) {
	return oneInvitation(database.One[invitationRow](ctx, q, `SELECT `+database.Columns[invitationRow]()+` FROM invitations WHERE id = $1 AND generation = $2 AND expires_at > $3 AND org_id <> ''`, id, generation, now))
}

func findInvitation(ctx context.Context, q database.Querier, orgID, id string, now time.Time) (Invitation, error) {
	return oneInvitation(database.One[invitationRow](ctx, q, `SELECT `+database.Columns[invitationRow]()+` FROM invitations WHERE org_id = $1 AND id = $2 AND expires_at > $3`, orgID, id, now))
}

func oneInvitation(r invitationRow, err error) (Invitation, error) {
	if errors.Is(err, database.ErrNone) {
		err = ErrInvitation
	}
	return r.invitation(), err
}

// resend moves an invitation to its next generation.
func resend(tx *authz.Tx, i *Invitation, expires time.Time, by string) error {
	n, err := tx.Exec(`UPDATE invitations SET generation = generation + 1, sent_at = $3, expires_at = $4, invited_by = $6 WHERE org_id = $1 AND id = $2 AND generation = $5`,
		i.OrgID, i.ID, tx.Now, expires, i.generation, by)
	if err == nil && n == 0 {
		return ErrInvitation
	}
	i.generation, i.SentAt, i.ExpiresAt, i.InvitedBy = i.generation+1, tx.Now, expires, by
	return err
}

// spend ends an invitation. Of several that try, one succeeds.
func spend(tx *authz.Tx, i Invitation) error {
	n, err := tx.Exec(`DELETE FROM invitations WHERE org_id = $1 AND id = $2 AND generation = $3 AND expires_at > $4`, i.OrgID, i.ID, i.generation, tx.Now)
	if err == nil && n == 0 {
		return ErrInvitation
	}
	return err
}

func removeExpired(tx *database.Tx, limit int) (int64, error) {
	if err := tx.Enter(database.AllOrgs); err != nil {
		return 0, err
	}
	return tx.Exec(`DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE org_id <> '' AND expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now, limit)
}

func setSuspended(tx *authz.Tx, orgID, userID string, suspended bool) error {
	var at *time.Time
	if suspended {
		at = &tx.Now
	}
	_, err := tx.Exec(`UPDATE memberships SET suspended_at = $3 WHERE org_id = $1 AND user_id = $2`, orgID, userID, at)
	return err
}

func insertImported(tx *authz.Tx, p Past, orgID string) error {
	_, err := tx.Exec(`INSERT INTO imported_orgs (source, external_id, org_id, at) VALUES ($1, $2, $3, $4)`, p.Source, p.ExternalID, orgID, tx.Now)
	return err
}

// importedAs is which organization one of a source is here, "" when it is none yet.
func importedAs(ctx context.Context, q database.Querier, source, externalID string) (string, error) {
	orgID, err := database.One[string](ctx, q, `SELECT org_id FROM imported_orgs WHERE source = $1 AND external_id = $2`, source, externalID)
	if errors.Is(err, database.ErrNone) {
		return "", nil
	}
	return orgID, err
}

func following(ctx context.Context, q database.Querier, after string, limit int) ([]Org, error) {
	rows, err := database.All[orgRow](ctx, q, `SELECT `+database.Columns[orgRow]()+` FROM orgs WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	return orgs(rows), err
}
