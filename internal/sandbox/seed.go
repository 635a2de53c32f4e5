package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

// Seed is what a server is filled with. It is there whole or not at all.
type Seed struct {
	Permissions   []Permission   `json:"permissions"`
	Roles         []Role         `json:"roles"` // global ones
	Users         []Person       `json:"users"`
	Organizations []Organization `json:"organizations"`
}

// Permission is something an app asks about.
type Permission struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// Role is a name and what it permits.
type Role struct {
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
}

// Person is an account. Addresses and numbers are verified unless Unverified says otherwise.
type Person struct {
	Email      string   `json:"email"`
	Username   string   `json:"username"`
	Phone      string   `json:"phone"`
	Name       string   `json:"name"`
	Password   string   `json:"password"`
	Unverified bool     `json:"unverified"`
	Roles      []string `json:"roles"` // global ones, by key
}

// Organization is one with its roles and members.
type Organization struct {
	Name    string   `json:"name"`
	Slug    string   `json:"slug"`
	Owner   string   `json:"owner"` // an e-mail address, username, phone number or id
	Roles   []Role   `json:"roles"`
	Members []Member `json:"members"`
}

// Member is somebody in an organization.
type Member struct {
	User  string   `json:"user"`  // as Owner
	Roles []string `json:"roles"` // built-in ones, or by name or id
}

// ReadSeed reads one, of JSON that has no member which is not known.
func ReadSeed(r io.Reader) (in Seed, err error) {
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return in, err
	case len(body) > most:
		return in, at(ErrBody, "it is longer than %d MiB", most>>20)
	}
	return in, decode(body, &in)
}

// Sown is the ids of what a Seed made.
type Sown struct {
	Users         []string `json:"users"` // in the order of the seed
	Organizations []string `json:"organizations"`
}

// before is the snapshot to go back to when a seed fails.
const before = "_before"

// sow fills the server. The refusal of a part says which one it was.
func (s *Sandbox) sow(ctx context.Context, in Seed) (out Sown, err error) {
	if err := s.keep(ctx, before); err != nil {
		return out, err
	}
	defer delete(s.kept, before)
	if out, err = in.Sow(ctx, s.srv.App()); err != nil {
		return Sown{}, errors.Join(err, s.back(ctx, before))
	}
	return out, nil
}

// Sow fills a server, in which something may be left when it fails: the refusal says which part it is about.
func (in Seed) Sow(ctx context.Context, a *app.App) (out Sown, err error) {
	out = Sown{[]string{}, []string{}}
	m := authz.Manifest{}
	for _, p := range in.Permissions {
		m.Permissions = append(m.Permissions, authz.Permission{Name: p.Name, Title: p.Title})
	}
	if _, err := a.Authz.Declare(ctx, authz.System, m); err != nil {
		return out, at(err, "permissions")
	}
	for i, r := range in.Roles {
		e := authz.GlobalRoleEdit{Name: &r.Name, Permissions: &r.Permissions}
		if _, err := a.Authz.CreateGlobalRole(ctx, authz.System, e); err != nil {
			return out, at(err, "roles[%d]", i)
		}
	}
	for i, p := range in.Users {
		id, err := p.sow(ctx, a)
		if err != nil {
			return out, at(err, "users[%d]", i)
		}
		out.Users = append(out.Users, id)
	}
	for i, o := range in.Organizations {
		id, err := o.sow(ctx, a)
		if err != nil {
			return out, at(err, "organizations[%d]", i)
		}
		out.Organizations = append(out.Organizations, id)
	}
	return out, nil
}

// at says which part of a seed a refusal is about.
func at(err error, format string, args ...any) error {
	no := apperr.Of(err)
	if no.Kind == apperr.Internal {
		return err
	}
	said := *no
	said.Message = fmt.Sprintf(format, args...) + ": " + no.Message
	return &said
}

func (p Person) sow(ctx context.Context, a *app.App) (string, error) {
	u, err := a.Passwords.Create(ctx, authz.System, user.New{Email: p.Email, Username: p.Username, Phone: p.Phone, Name: p.Name}, p.Password)
	if err != nil {
		return "", err
	}
	err = a.DB.Write(ctx, func(tx *database.Tx) error {
		for _, i := range []user.Identifier{{Kind: user.KindEmail, Value: u.Email}, {Kind: user.KindPhone, Value: u.Phone}} {
			if i.Value == "" || p.Unverified {
				continue
			}
			if err := user.Verify(tx, u.ID, i); err != nil {
				return err
			}
		}
		tx.Quiet()
		return nil
	})
	for _, r := range p.Roles {
		err = errors.Join(err, a.Accounts.Grant(ctx, authz.System, u.ID, r))
	}
	return u.ID, err
}

func (o Organization) sow(ctx context.Context, a *app.App) (string, error) {
	owner, err := known(ctx, a, o.Owner)
	if err != nil {
		return "", err
	}
	made, err := a.Orgs.Create(ctx, authz.System, org.New{Name: o.Name, Slug: o.Slug, Owner: owner})
	if err != nil {
		return "", err
	}
	ids := map[string]string{}
	for _, r := range o.Roles {
		role, err := a.Orgs.CreateRole(ctx, authz.System, made.ID, org.RoleEdit{Name: &r.Name, Permissions: &r.Permissions})
		if err != nil {
			return "", err
		}
		ids[r.Name] = role.ID
	}
	for _, m := range o.Members {
		who, err := known(ctx, a, m.User)
		if err != nil {
			return "", err
		}
		roles := make([]string, len(m.Roles))
		for i, r := range m.Roles {
			if roles[i] = r; ids[r] != "" {
				roles[i] = ids[r]
			}
		}
		if _, err := a.Orgs.Add(ctx, authz.System, made.ID, who, roles); err != nil {
			return "", err
		}
	}
	return made.ID, nil
}

// known is the id of somebody who is named in a seed.
func known(ctx context.Context, a *app.App, text string) (string, error) {
	u, err := a.Users.Find(ctx, text)
	return u.ID, err
}
