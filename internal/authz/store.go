package authz

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/secret"
)

// position is a revision, and the life of the database it belongs to.
type position struct {
	Revision int64  `db:"revision"`
	Epoch    string `db:"epoch"`
}

func where(ctx context.Context, q database.Querier) (position, error) {
	return database.One[position](ctx, q, `SELECT revision, epoch FROM authz_revision WHERE one = 1`)
}

// advance locks the revision and moves it. Whoever comes second waits, so revisions have the order of commits.
func advance(tx *database.Tx) (position, error) {
	return database.One[position](tx.Context(), tx, `UPDATE authz_revision SET revision = revision + 1 WHERE one = 1 RETURNING revision, epoch`)
}

// retreat puts the revision back when nothing came of the change.
func retreat(tx *database.Tx) error {
	_, err := tx.Exec(`UPDATE authz_revision SET revision = revision - 1 WHERE one = 1`)
	return err
}

// touch is what a change leaves other than before: a member, with no User a whole organization, with no Org the platform.
type touch struct {
	Org  string `db:"org_id"`
	User string `db:"user_id"`
}

func insertChange(tx *database.Tx, revision int64, t touch) error {
	_, err := tx.Exec(`INSERT INTO authz_changes (revision, org_id, user_id, at) VALUES ($1, $2, $3, $4)`, revision, t.Org, t.User, tx.Now)
	return err
}

// changesSince is what is other than at a revision, whole organizations first. complete is false when older changes are forgotten.
func changesSince(ctx context.Context, q database.Querier, revision int64) (list []touch, complete bool, err error) {
	n, err := database.One[int64](ctx, q, `SELECT COUNT(*) FROM authz_changes WHERE revision = $1`, revision+1)
	if err != nil || n == 0 {
		return nil, false, err
	}
	list, err = database.All[touch](ctx, q, `SELECT DISTINCT org_id, user_id FROM authz_changes WHERE revision > $1 ORDER BY org_id, user_id`, revision)
	return list, true, err
}

func touchedSince(ctx context.Context, q database.Querier, at time.Time) ([]Touched, error) {
	return database.All[Touched](ctx, q, `SELECT revision, org_id, user_id FROM authz_changes WHERE at >= $1`, at)
}

func touchedBy(ctx context.Context, q database.Querier, revision int64) ([]Touched, error) {
	return database.All[Touched](ctx, q, `SELECT revision, org_id, user_id FROM authz_changes WHERE revision = $1`, revision)
}

// NewLife says that the database is not the one it was: what was told of its revisions is of another.
func NewLife(tx *database.Tx) error {
	_, err := tx.Exec(`UPDATE authz_revision SET epoch = $1 WHERE one = 1`, secret.Hex32()[:8])
	return err
}

func removeChanges(tx *database.Tx, limit int) (int64, error) {
	return tx.Exec(`DELETE FROM authz_changes WHERE revision IN (SELECT revision FROM authz_changes WHERE at < $1 ORDER BY at LIMIT $2)`, tx.Now.Add(-changesKept), limit)
}

type permissionRow struct {
	Name        string    `db:"name"`
	Title       string    `db:"title"`
	Description string    `db:"description"`
	App         string    `db:"app"`
	Sensitive   bool      `db:"sensitive"`
	Deprecated  bool      `db:"deprecated"`
	AliasOf     string    `db:"alias_of"`
	CreatedAt   time.Time `db:"created_at"`
}

func (r permissionRow) permission() Permission {
	return Permission{Name: r.Name, Title: r.Title, Description: r.Description, App: r.App, Sensitive: r.Sensitive, Deprecated: r.Deprecated, AliasOf: r.AliasOf}
}

func insertPermission(tx *database.Tx, p Permission) error {
	return database.Insert(tx, "permissions", permissionRow{p.Name, p.Title, p.Description, p.App, p.Sensitive, p.Deprecated, p.AliasOf, tx.Now})
}

func removePermission(tx *database.Tx, name string) error {
	_, err := tx.Exec(`DELETE FROM permissions WHERE name = $1`, name)
	return err
}

type globalRoleRow struct {
	Key       string    `db:"key"`
	Name      string    `db:"name"`
	Reach     string    `db:"reach"`
	Version   int64     `db:"version"`
	CreatedAt time.Time `db:"created_at"`
	UpdatedAt time.Time `db:"updated_at"`
}

func globalRoles(ctx context.Context, q database.Querier) ([]globalRoleRow, error) {
	return database.All[globalRoleRow](ctx, q, `SELECT `+database.Columns[globalRoleRow]()+` FROM global_roles ORDER BY key`)
}

func insertGlobalRole(tx *database.Tx, r globalRoleRow) error {
	err := database.Insert(tx, "global_roles", r)
	if database.Taken(err) {
		return ErrRoleTaken
	}
	return err
}

// updateGlobalRole changes a role that is still at a version.
func updateGlobalRole(tx *database.Tx, r globalRoleRow) error {
	n, err := tx.Exec(`UPDATE global_roles SET name = $2, reach = $3, version = version + 1, updated_at = $4 WHERE key = $1 AND version = $5`, r.Key, r.Name, r.Reach, tx.Now, r.Version)
	if err == nil && n == 0 {
		return ErrRoleStale
	}
	return err
}

func removeGlobalRole(tx *database.Tx, key string) error {
	_, err := tx.Exec(`DELETE FROM global_roles WHERE key = $1`, key)
	return err
}

type globalGrantRow struct {
	Role      string `db:"role"`
	Pattern   string `db:"pattern"`
	Condition string `db:"condition"`
}

func replaceGlobalGrants(tx *database.Tx, role string, grants []Grant) error {
	if _, err := tx.Exec(`DELETE FROM global_role_grants WHERE role = $1`, role); err != nil {
		return err
	}
	for _, g := range grants {
		if err := database.Insert(tx, "global_role_grants", globalGrantRow{role, g.Pattern, g.Condition}); err != nil {
			return err
		}
	}
	return nil
}

type guardRow struct {
	ID        string    `db:"id"`
	Pattern   string    `db:"pattern"`
	Condition string    `db:"condition"`
	Message   string    `db:"message"`
	CreatedAt time.Time `db:"created_at"`
}

func insertGuard(tx *database.Tx, g Guard) error {
	return database.Insert(tx, "global_guards", guardRow{g.ID, g.Pattern, g.Condition, g.Message, tx.Now})
}

func removeGuard(tx *database.Tx, id string) (int64, error) {
	return tx.Exec(`DELETE FROM global_guards WHERE id = $1`, id)
}

// readPlatform reads what holds outside every organization.
func readPlatform(ctx context.Context, q database.Querier) (PlatformRows, error) {
	p := PlatformRows{Permissions: SystemPermissions(), Templates: SystemTemplates(), Globals: SystemGlobals()}
	declared, err := database.All[permissionRow](ctx, q, `SELECT `+database.Columns[permissionRow]()+` FROM permissions ORDER BY name`)
	if err != nil {
		return p, err
	}
	for _, d := range declared {
		p.Permissions = append(p.Permissions, d.permission())
	}
	roles, err := globalRoles(ctx, q)
	if err != nil {
		return p, err
	}
	grants, err := database.All[globalGrantRow](ctx, q, `SELECT role, pattern, condition FROM global_role_grants ORDER BY role, pattern, condition`)
	if err != nil {
		return p, err
	}
	byRole := map[string][]Grant{}
	for _, g := range grants {
		byRole[g.Role] = append(byRole[g.Role], Grant{g.Pattern, g.Condition})
	}
	for _, r := range roles {
		p.Globals = append(p.Globals, Role{ID: r.Key, Key: r.Key, Name: r.Name, Scope: ScopeGlobal, Reach: Reach(r.Reach), Grants: byRole[r.Key]})
	}
	guards, err := database.All[guardRow](ctx, q, `SELECT `+database.Columns[guardRow]()+` FROM global_guards ORDER BY id`)
	if err != nil {
		return p, err
	}
	for _, g := range guards {
		p.Guards = append(p.Guards, Guard{ID: g.ID, Pattern: g.Pattern, Condition: g.Condition, Message: g.Message})
	}
	p.Users, err = readUsers(ctx, q, "")
	return p, err
}

// readUsers reads who holds a global role or is disabled, or of those the one with an id. Everybody else needs no row. A role
// that is no more gives nothing.
func readUsers(ctx context.Context, q database.Querier, userID string) ([]GlobalUser, error) {
	type row struct {
		ID       string  `db:"id"`
		Disabled bool    `db:"disabled"`
		Role     *string `db:"role"`
		Known    bool    `db:"known"`
	}
	which, args := "", []any{}
	if userID != "" {
		which, args = ` AND u.id = $1`, []any{userID} // said so that the key is used: thousands may have changed at once
	}
	rows, err := database.All[row](ctx, q, `SELECT u.id, u.disabled_at IS NOT NULL OR u.erase_at IS NOT NULL, r.role, g.key IS NOT NULL FROM users u LEFT JOIN user_roles r ON r.user_id = u.id
		LEFT JOIN global_roles g ON g.key = r.role
		WHERE (u.disabled_at IS NOT NULL OR u.erase_at IS NOT NULL OR r.role IS NOT NULL)`+which+` ORDER BY u.id, r.role`, args...)
	var users []GlobalUser
	for _, r := range rows {
		if len(users) == 0 || users[len(users)-1].User != r.ID {
			users = append(users, GlobalUser{User: r.ID, Disabled: r.Disabled})
		}
		if r.Role != nil && (r.Known || *r.Role == SuperAdmin) {
			u := &users[len(users)-1]
			u.Roles = append(u.Roles, Assignment{Role: *r.Role})
		}
	}
	return users, err
}

type orgRow struct {
	ID        string `db:"id"`
	Suspended bool   `db:"suspended"`
	MFA       bool   `db:"require_mfa"`
}

type slugRow struct {
	OrgID string `db:"org_id"`
	Slug  string `db:"slug"`
}

type roleRow struct {
	OrgID string `db:"org_id"`
	ID    string `db:"id"`
	Key   string `db:"key"`
	Name  string `db:"name"`
	Base  string `db:"base"`
}

type grantRow struct {
	OrgID     string `db:"org_id"`
	RoleID    string `db:"role_id"`
	Pattern   string `db:"pattern"`
	Condition string `db:"condition"`
}

type orgGuardRow struct {
	OrgID     string `db:"org_id"`
	ID        string `db:"id"`
	Pattern   string `db:"pattern"`
	Condition string `db:"condition"`
	Message   string `db:"message"`
}

type memberRow struct {
	OrgID     string `db:"org_id"`
	UserID    string `db:"user_id"`
	Suspended bool   `db:"suspended"`
}

type heldRow struct {
	OrgID     string     `db:"org_id"`
	UserID    string     `db:"user_id"`
	RoleID    string     `db:"role_id"`
	ExpiresAt *time.Time `db:"expires_at"`
}

const ofOrg = ` WHERE (CAST($1 AS TEXT) = '*' OR org_id = $1) `

// readOrgs reads one organization whole, or with database.AllOrgs all of them.
func readOrgs(ctx context.Context, q database.Querier, org string) ([]OrgRows, error) {
	r := &reader{ctx: ctx, q: q, args: []any{org}}
	orgs := read[orgRow](r, `SELECT id, suspended_at IS NOT NULL, require_mfa FROM orgs WHERE (CAST($1 AS TEXT) = '*' OR id = $1) ORDER BY id`)
	slugs := read[slugRow](r, `SELECT org_id, slug FROM org_slugs`+ofOrg+`ORDER BY org_id, slug`)
	roles := read[roleRow](r, `SELECT org_id, id, key, name, base FROM org_roles`+ofOrg+`AND NOT system ORDER BY org_id, id`)
	grants := read[grantRow](r, `SELECT org_id, role_id, pattern, condition FROM org_role_grants`+ofOrg+`ORDER BY org_id, role_id, pattern, condition`)
	guards := read[orgGuardRow](r, `SELECT org_id, id, pattern, condition, message FROM org_guards`+ofOrg+`ORDER BY org_id, id`)
	members := read[memberRow](r, `SELECT org_id, user_id, suspended_at IS NOT NULL FROM memberships`+ofOrg+`ORDER BY org_id, user_id`)
	held := read[heldRow](r, `SELECT org_id, user_id, role_id, expires_at FROM member_roles`+ofOrg+`ORDER BY org_id, user_id, role_id`)
	if r.err != nil {
		return nil, r.err
	}
	out := make([]OrgRows, len(orgs))
	for i, o := range orgs {
		rows := OrgRows{ID: o.ID, Suspended: o.Suspended, MFA: o.MFA}
		for ; len(slugs) > 0 && slugs[0].OrgID == o.ID; slugs = slugs[1:] {
			rows.Slugs = append(rows.Slugs, slugs[0].Slug)
		}
		for ; len(roles) > 0 && roles[0].OrgID == o.ID; roles = roles[1:] {
			role := Role{ID: roles[0].ID, Org: o.ID, Key: roles[0].Key, Name: roles[0].Name, Scope: ScopeOrg, Base: roles[0].Base}
			for ; len(grants) > 0 && grants[0].OrgID == o.ID && grants[0].RoleID == role.ID; grants = grants[1:] {
				role.Grants = append(role.Grants, Grant{grants[0].Pattern, grants[0].Condition})
			}
			rows.Roles = append(rows.Roles, role)
		}
		for ; len(guards) > 0 && guards[0].OrgID == o.ID; guards = guards[1:] {
			g := guards[0]
			rows.Guards = append(rows.Guards, Guard{g.ID, o.ID, g.Pattern, g.Condition, g.Message})
		}
		for ; len(members) > 0 && members[0].OrgID == o.ID; members = members[1:] {
			m := Member{User: members[0].UserID, Suspended: members[0].Suspended}
			m.Roles, held = assigned(held, o.ID, m.User)
			rows.Members = append(rows.Members, m)
		}
		out[i] = rows
	}
	return out, nil
}

// assigned takes the roles of one member off the front of a sorted list.
func assigned(held []heldRow, org, user string) (list []Assignment, rest []heldRow) {
	for ; len(held) > 0 && held[0].OrgID == org && held[0].UserID == user; held = held[1:] {
		list = append(list, Assignment{held[0].RoleID, held[0].ExpiresAt})
	}
	return list, held
}

// readMember reads one member, nil when there is no such.
func readMember(ctx context.Context, q database.Querier, org, user string) (*Member, error) {
	r := &reader{ctx: ctx, q: q, args: []any{org, user}}
	members := read[memberRow](r, `SELECT org_id, user_id, suspended_at IS NOT NULL FROM memberships WHERE org_id = $1 AND user_id = $2`)
	held := read[heldRow](r, `SELECT org_id, user_id, role_id, expires_at FROM member_roles WHERE org_id = $1 AND user_id = $2 ORDER BY role_id`)
	if r.err != nil || len(members) == 0 {
		return nil, r.err
	}
	m := &Member{User: user, Suspended: members[0].Suspended}
	m.Roles, _ = assigned(held, org, user)
	return m, nil
}

// reader reads table after table and keeps the first error.
type reader struct {
	ctx  context.Context
	q    database.Querier
	args []any
	err  error
}

func read[T any](r *reader, text string) []T {
	if r.err != nil {
		return nil
	}
	var rows []T
	rows, r.err = database.All[T](r.ctx, r.q, text, append([]any(nil), r.args...)...)
	return rows
}
