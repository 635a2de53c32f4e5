package authz

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// The refusals about global roles and guards.
var (
	ErrReach         = apperr.New(apperr.Invalid, "reach_invalid", "The reach of a global role is platform or all_orgs.").In("reach")
	ErrMatch         = apperr.New(apperr.Stale, "role_match_missing", "Send If-Match with the ETag of the role you read, so that nobody's change is lost.")
	ErrGuardNotFound = apperr.New(apperr.NotFound, "global_guard_not_found", "There is no such guard.")
)

type (
	// GlobalRoleCreated is told of a new global role.
	GlobalRoleCreated struct {
		Role        string   `json:"role"`
		Permissions []string `json:"permissions"`
	}
	// GlobalRoleUpdated is told of a global role that grants other permissions, or has another name or reach.
	GlobalRoleUpdated struct {
		Role   string   `json:"role"`
		Before []string `json:"before"`
		After  []string `json:"after"`
	}
	// GlobalRoleDeleted is told of a global role that is gone.
	GlobalRoleDeleted struct {
		Role string `json:"role"`
	}
	// GuardAdded is told of a new condition on what may be done anywhere.
	GuardAdded struct {
		GuardID   string `json:"guard_id"`
		Pattern   string `json:"pattern"`
		Condition string `json:"condition"`
	}
	// GuardRemoved is told of a condition that is lifted everywhere.
	GuardRemoved struct {
		GuardID string `json:"guard_id"`
	}
)

func (GlobalRoleCreated) Kind() string { return "global_role.created" }
func (GlobalRoleUpdated) Kind() string { return "global_role.updated" }
func (GlobalRoleDeleted) Kind() string { return "global_role.deleted" }
func (GuardAdded) Kind() string        { return "guard.added" }
func (GuardRemoved) Kind() string      { return "guard.removed" }

func (e GlobalRoleCreated) Subject() string { return e.Role }
func (e GlobalRoleUpdated) Subject() string { return e.Role }
func (e GlobalRoleDeleted) Subject() string { return e.Role }
func (e GuardAdded) Subject() string        { return e.GuardID }
func (e GuardRemoved) Subject() string      { return e.GuardID }

// GlobalRole is a role that holds everywhere.
type GlobalRole struct {
	Key       string
	Name      string
	Reach     Reach
	System    bool
	Version   int64 // moves with every change
	Grants    []Grant
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ETag names the version of a role (RFC 9110, section 8.8.3).
func (r GlobalRole) ETag() string { return `"` + r.Key + "." + strconv.FormatInt(r.Version, 10) + `"` }

// GlobalRoles is every global role, the built-in one first.
func (s *Service) GlobalRoles(ctx context.Context, c Caller) ([]GlobalRole, error) {
	if err := s.Require(ctx, c, "sys:roles:read", ""); err != nil {
		return nil, err
	}
	return everyGlobal(ctx, s.db)
}

func everyGlobal(ctx context.Context, q database.Querier) ([]GlobalRole, error) {
	p, err := readPlatform(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := globalRoles(ctx, q)
	list := make([]GlobalRole, len(p.Globals))
	for i, r := range p.Globals {
		list[i] = GlobalRole{Key: r.Key, Name: r.Name, Reach: r.Reach, System: r.System, Version: 1, Grants: r.Grants}
		for _, row := range rows {
			if row.Key == r.Key {
				list[i].Version, list[i].CreatedAt, list[i].UpdatedAt = row.Version, row.CreatedAt, row.UpdatedAt
			}
		}
	}
	return list, err
}

// GlobalRole is one of them.
func (s *Service) GlobalRole(ctx context.Context, c Caller, key string) (GlobalRole, error) {
	if err := s.Require(ctx, c, "sys:roles:read", ""); err != nil {
		return GlobalRole{}, err
	}
	return oneGlobal(ctx, s.db, key)
}

func oneGlobal(ctx context.Context, q database.Querier, key string) (GlobalRole, error) {
	list, err := everyGlobal(ctx, q)
	if err != nil {
		return GlobalRole{}, err
	}
	i := slices.IndexFunc(list, func(r GlobalRole) bool { return r.Key == key })
	if i < 0 {
		return GlobalRole{}, ErrRoleUnknown
	}
	return list[i], nil
}

// GlobalRoleEdit is what a global role is to be; of a role that is there already, nil leaves a part as it is.
type GlobalRoleEdit struct {
	Name        *string // of a new role, what its key is made of
	Reach       *Reach
	Permissions *[]string // grants, as ParseGrant reads them
	IfMatch     string    // the ETag of the role that was read; needed to replace the permissions
}

var globalKey = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,47}$`)

// CreateGlobalRole makes a role that holds everywhere. Whoever makes it holds all that it gives.
func (s *Service) CreateGlobalRole(ctx context.Context, c Caller, e GlobalRoleEdit) (r GlobalRole, err error) {
	err = s.Write(ctx, c, func(tx *Tx) error {
		if err := tx.Require(RolesCreate, ""); err != nil {
			return err
		}
		r = GlobalRole{Reach: ReachPlatform, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		if err := e.apply(tx, &r); err != nil {
			return err
		}
		if r.Key, err = RoleKey(r.Name); err != nil {
			return err
		}
		if !globalKey.MatchString(r.Key) {
			return ErrRoleName
		}
		if err := insertGlobalRole(tx.Tx, r.row()); err != nil {
			return err
		}
		tx.Touch("")
		tx.Emit(GlobalRoleCreated{r.Key, grantTexts(r.Grants)})
		return replaceGlobalGrants(tx.Tx, r.Key, r.Grants)
	})
	return r, err
}

func (r GlobalRole) row() globalRoleRow {
	return globalRoleRow{r.Key, r.Name, string(r.Reach), r.Version, r.CreatedAt, r.UpdatedAt}
}

func (e GlobalRoleEdit) apply(tx *Tx, r *GlobalRole) (err error) {
	if e.Name != nil {
		r.Name = strings.TrimSpace(*e.Name)
		if _, err := RoleKey(r.Name); err != nil && !(errors.Is(err, ErrRoleReserved) && r.Key != "") {
			return err
		}
	}
	if e.Reach != nil {
		if *e.Reach != ReachPlatform && *e.Reach != ReachAllOrgs {
			return ErrReach
		}
		r.Reach = *e.Reach
	}
	if e.Permissions != nil {
		r.Grants, err = tx.Root.ParseGrants(*e.Permissions)
	}
	return err
}

// UpdateGlobalRole changes a role. For everybody who holds it the next check goes by the new permissions.
func (s *Service) UpdateGlobalRole(ctx context.Context, c Caller, key string, e GlobalRoleEdit) (r GlobalRole, err error) {
	err = s.Write(ctx, c, func(tx *Tx) error {
		before, err := tx.editable(key, RolesUpdate)
		if err != nil {
			return err
		}
		switch {
		case e.Permissions != nil && e.IfMatch == "":
			return ErrMatch
		case e.IfMatch != "" && e.IfMatch != "*" && e.IfMatch != before.ETag():
			return ErrRoleStale
		}
		r = before
		if err := e.apply(tx, &r); err != nil {
			return err
		}
		if err := updateGlobalRole(tx.Tx, r.row()); err != nil {
			return err
		}
		r.Version, r.UpdatedAt = r.Version+1, tx.Now
		tx.Touch("")
		tx.Emit(GlobalRoleUpdated{key, grantTexts(before.Grants), grantTexts(r.Grants)})
		return replaceGlobalGrants(tx.Tx, key, r.Grants)
	})
	return r, err
}

func (tx *Tx) editable(key, permission string) (GlobalRole, error) {
	if err := tx.Require(permission, ""); err != nil {
		return GlobalRole{}, err
	}
	r, err := oneGlobal(tx.Context(), tx.Tx, key)
	if err == nil && r.System {
		err = ErrRoleSystem
	}
	return r, err
}

// DeleteGlobalRole removes a role that nobody holds.
func (s *Service) DeleteGlobalRole(ctx context.Context, c Caller, key string) error {
	return s.Write(ctx, c, func(tx *Tx) error {
		if _, err := tx.editable(key, RolesDelete); err != nil {
			return err
		}
		if tx.Root.platform.held(key) {
			return ErrRoleHeld
		}
		tx.Touch("")
		tx.Emit(GlobalRoleDeleted{key})
		return removeGlobalRole(tx.Tx, key)
	})
}

// held reports whether anybody holds a role, for good or for a time.
func (s *space) held(id string) bool {
	i, ok := s.role(id)
	if !ok {
		return false
	}
	for _, m := range s.members.all() {
		if m.in(s, i) || slices.ContainsFunc(m.timed(), func(t timedRole) bool { return t.role == i }) {
			return true
		}
	}
	return false
}

// Guards is every guard of the platform.
func (s *Service) Guards(ctx context.Context, c Caller) ([]Guard, error) {
	if err := s.Require(ctx, c, "sys:roles:read", ""); err != nil {
		return nil, err
	}
	root, err := s.Root(ctx)
	if err != nil {
		return nil, err
	}
	return root.platform.guardRows(), nil
}

// AddGuard makes a condition that must hold everywhere its pattern is asked about.
func (s *Service) AddGuard(ctx context.Context, c Caller, g Guard) (Guard, error) {
	err := s.Write(ctx, c, func(tx *Tx) (err error) {
		if err := tx.Require(RolesUpdate, ""); err != nil {
			return err
		}
		if g, err = tx.Root.ParseGuard(g); err != nil {
			return err
		}
		g.ID = id.New("grd")
		tx.Touch("")
		tx.Emit(GuardAdded{g.ID, g.Pattern, g.Condition})
		return insertGuard(tx.Tx, g)
	})
	return g, err
}

// RemoveGuard lifts a condition. To those affected that is as good as a grant, and judged like one.
func (s *Service) RemoveGuard(ctx context.Context, c Caller, guardID string) error {
	return s.Write(ctx, c, func(tx *Tx) error {
		if err := tx.Require(RolesUpdate, ""); err != nil {
			return err
		}
		n, err := removeGuard(tx.Tx, guardID)
		if err == nil && n == 0 {
			return ErrGuardNotFound
		}
		tx.Touch("")
		tx.Emit(GuardRemoved{guardID})
		return err
	})
}

func grantTexts(grants []Grant) []string {
	list := make([]string, len(grants))
	for i, g := range grants {
		list[i] = g.String()
	}
	return list
}

// EnsureGlobalRole makes a global role, or makes the one there is what is said of it. It is what an operator's file declares.
func (s *Service) EnsureGlobalRole(ctx context.Context, name string, reach Reach, permissions []string) error {
	if reach == "" {
		reach = ReachPlatform
	}
	e := GlobalRoleEdit{Name: &name, Reach: &reach, Permissions: &permissions, IfMatch: "*"}
	key, err := RoleKey(name)
	if err != nil {
		return err
	}
	had, err := oneGlobal(ctx, s.db, key)
	if errors.Is(err, ErrRoleUnknown) {
		_, err = s.CreateGlobalRole(ctx, System, e)
		return err
	}
	if err != nil {
		return err
	}
	root, err := s.Root(ctx)
	if err != nil {
		return err
	}
	grants, err := root.ParseGrants(permissions)
	if err != nil || had.Name == name && had.Reach == reach && slices.Equal(grantTexts(had.Grants), grantTexts(grants)) {
		return err
	}
	_, err = s.UpdateGlobalRole(ctx, System, key, e)
	return err
}
