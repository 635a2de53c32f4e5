package authz

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of declaring.
var (
	ErrReserved       = apperr.New(apperr.Invalid, "permission_reserved", "What begins with sys: belongs to the server. Choose another name.").In("name")
	ErrTitle          = apperr.New(apperr.Invalid, "title_invalid", "A title has at most 200 characters, a description at most 1000, and neither control characters.").In("title")
	ErrAlias          = apperr.New(apperr.Invalid, "alias_invalid", "An alias names a permission that is declared and no alias itself.").In("alias_of")
	ErrPermissionUsed = apperr.New(apperr.Conflict, "permission_used", "A role still names this permission. Take it from the role first, or say force.")
	ErrDeclaredBy     = apperr.New(apperr.Conflict, "permission_declared", "Another app has declared this permission.").In("name")
	ErrTooManyNames   = apperr.New(apperr.Invalid, "permissions_too_many", "A catalogue has at most 2000 permissions.").In("permissions")
	ErrAppName        = apperr.New(apperr.Invalid, "app_invalid", "The name of an app is a word of letters a to z, digits, _ and -, and is not admit.").In("app")
)

const mostPermissions = 2000

type (
	// PermissionDeclared is told of a permission that is new, or described in other words.
	PermissionDeclared struct {
		Name string `json:"name"`
		App  string `json:"app"`
		New  bool   `json:"new"`
	}
	// PermissionRemoved is told of a permission that is no more.
	PermissionRemoved struct {
		Name string `json:"name"`
		App  string `json:"app"`
	}
)

func (PermissionDeclared) Kind() string { return "permission.declared" }
func (PermissionRemoved) Kind() string  { return "permission.removed" }

func (e PermissionDeclared) Subject() string { return e.Name }
func (e PermissionRemoved) Subject() string  { return e.Name }

// Manifest is the permissions of one app.
type Manifest struct {
	App         string // "" is app
	Permissions []Permission
	Whole       bool // what the app declared before and is not listed is removed
	Force       bool // also if a role still names it
}

// Manifested is what a manifest has changed.
type Manifested struct {
	Added, Changed, Removed []string
}

// Declare puts the permissions of an app into the catalogue. Declaring the same again changes nothing.
func (s *Service) Declare(ctx context.Context, c Caller, m Manifest) (out Manifested, err error) {
	if err := m.check(); err != nil {
		return out, err
	}
	err = s.Write(ctx, c, func(tx *Tx) error {
		tx.Quiet()
		if err := tx.Require("sys:permissions:declare", ""); err != nil {
			return err
		}
		out, err = m.declare(tx)
		return err
	})
	return out, err
}

func (m *Manifest) check() error {
	if m.App == "" {
		m.App = "app"
	}
	if !isSegment(m.App) || m.App == "admit" {
		return ErrAppName
	}
	seen := map[string]bool{}
	for i := range m.Permissions {
		p := &m.Permissions[i]
		p.App, p.Title, p.Description = m.App, strings.TrimSpace(p.Title), strings.TrimSpace(p.Description)
		switch {
		case !isName(p.Name):
			return ErrPermission.In("name")
		case strings.HasPrefix(p.Name, reserved) || p.Name == "sys":
			return ErrReserved
		case seen[p.Name]:
			return ErrPermission.Say("A permission is listed twice.").In("name")
		case !plain(p.Title, 200) || !plain(p.Description, 1000):
			return ErrTitle
		}
		seen[p.Name] = true
	}
	return nil
}

func plain(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

func (m *Manifest) declare(tx *Tx) (out Manifested, err error) {
	before := map[string]Permission{}
	for _, p := range tx.Root.cat.rows {
		before[p.Name] = p
	}
	total := len(before)
	for _, p := range m.Permissions {
		had, there := before[p.Name]
		switch {
		case there && had.App != m.App:
			return out, ErrDeclaredBy
		case there && had == p:
			continue
		case there:
			out.Changed = append(out.Changed, p.Name)
			if err := removePermission(tx.Tx, p.Name); err != nil {
				return out, err
			}
		default:
			out.Added = append(out.Added, p.Name)
			total++
		}
		tx.Emit(PermissionDeclared{p.Name, m.App, !there})
		if err := insertPermission(tx.Tx, p); err != nil {
			return out, err
		}
	}
	if total > mostPermissions {
		return out, ErrTooManyNames
	}
	if m.Whole {
		if out.Removed, err = m.remove(tx); err != nil {
			return out, err
		}
	}
	if err := m.aliases(before, out.Removed); err != nil {
		return out, err
	}
	if len(out.Added)+len(out.Changed)+len(out.Removed) > 0 {
		tx.Touch("")
	}
	return out, nil
}

// remove takes away what the app no longer lists.
func (m *Manifest) remove(tx *Tx) (removed []string, err error) {
	for _, p := range tx.Root.cat.rows {
		if p.App != m.App || slices.ContainsFunc(m.Permissions, func(q Permission) bool { return q.Name == p.Name }) {
			continue
		}
		removed = append(removed, p.Name)
		if err := tx.undeclare(p, m.Force); err != nil {
			return nil, err
		}
	}
	return removed, nil
}

func (tx *Tx) undeclare(p Permission, force bool) error {
	if where := tx.Root.namedBy(p.Name); where != "" && !force {
		return ErrPermissionUsed.Say("A role still names " + p.Name + ": " + where + ". Take it from the role first, or say force.")
	}
	tx.Emit(PermissionRemoved{p.Name, p.App})
	return removePermission(tx.Tx, p.Name)
}

// Undeclare takes one permission out of the catalogue, whichever app has declared it.
func (s *Service) Undeclare(ctx context.Context, c Caller, name string, force bool) error {
	return s.Write(ctx, c, func(tx *Tx) error {
		if err := tx.Require("sys:permissions:declare", ""); err != nil {
			return err
		}
		p, there := tx.Root.Permission(name)
		switch {
		case !there:
			return tx.Root.cat.unknown(name)
		case strings.HasPrefix(name, reserved):
			return ErrReserved.Say("What begins with sys: belongs to the server and stays.")
		}
		for _, other := range tx.Root.cat.rows {
			if other.AliasOf == name {
				return ErrPermissionUsed.Say(other.Name + " is another name for this permission. Remove that first.")
			}
		}
		tx.Touch("")
		return tx.undeclare(p, force)
	})
}

// aliases holds that every alias leads to a permission that is there after the change.
func (m *Manifest) aliases(before map[string]Permission, removed []string) error {
	after := map[string]Permission{}
	for name, p := range before {
		if !slices.Contains(removed, name) {
			after[name] = p
		}
	}
	for _, p := range m.Permissions {
		after[p.Name] = p
	}
	for _, p := range after {
		if p.AliasOf == "" {
			continue
		}
		if to, there := after[p.AliasOf]; !there || to.AliasOf != "" || strings.HasPrefix(p.AliasOf, reserved) {
			return ErrAlias
		}
	}
	return nil
}

// namedBy is a role that names exactly this permission, "" when there is none.
func (r *Root) namedBy(permission string) string {
	names := func(s *space) string {
		for i, role := range s.roles {
			if s != r.platform && i < s.templates {
				continue
			}
			for _, g := range role.rows().Grants {
				if g.Pattern == permission {
					return role.row.Name
				}
			}
		}
		return ""
	}
	if found := names(r.platform); found != "" {
		return found
	}
	for _, s := range r.orgs.all() {
		if found := names(*s); found != "" {
			return found
		}
	}
	return ""
}

// Catalogue is every declared permission, those of the server too, sorted by name.
func (r *Root) Catalogue() []Permission {
	list := slices.Clone(r.cat.rows)
	slices.SortFunc(list, func(a, b Permission) int { return strings.Compare(a.Name, b.Name) })
	return list
}
