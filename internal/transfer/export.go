package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

const pageSize = 500

// Export writes everything that another server needs to go on with the people of this one, an object a line: permissions, roles, guards,
// organizations and people. The secrets of second factors are in it only if they are asked for. It says how many people
// it wrote, and tells as it goes.
func (s *Service) Export(ctx context.Context, to io.Writer, secrets bool, progress func(done, of int64)) (people int, err error) {
	w := bufio.NewWriter(to)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	count, err := s.users.Count(ctx)
	if err != nil {
		return 0, err
	}
	if err := e.Encode(headLine{typeHead, formatVersion, s.site, secrets}); err != nil {
		return 0, err
	}
	root, err := s.authz.Root(ctx)
	if err != nil {
		return 0, err
	}
	if err := platform(e, root); err != nil {
		return 0, err
	}
	err = s.db.Read(ctx, database.AllOrgs, func(q database.Querier) error {
		if err := organizations(ctx, q, e, root); err != nil {
			return err
		}
		for after := ""; ; {
			page, err := user.After(ctx, q, after, pageSize)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, u := range page {
				line, err := s.person(ctx, q, root, u, secrets)
				if err != nil {
					return err
				}
				if err := e.Encode(line); err != nil {
					return err
				}
				people++
			}
			after = page[len(page)-1].ID
			progress(int64(people), count.All)
		}
	})
	if err != nil {
		return people, err
	}
	return people, w.Flush()
}

// platform writes what all organizations share.
func platform(e *json.Encoder, root *authz.Root) error {
	rows := root.PlatformRows()
	for _, p := range rows.Permissions {
		if p.App == "admit" {
			continue // it is in the program
		}
		if err := e.Encode(permissionLine{typePermission, Permission{p.Name, p.Title, p.Description, p.App, p.Sensitive, p.Deprecated, p.AliasOf}}); err != nil {
			return err
		}
	}
	for _, r := range rows.Globals {
		if r.System {
			continue
		}
		if err := e.Encode(roleLine{typeRole, Role{Key: r.Key, Name: r.Name, Reach: string(r.Reach), Permissions: texts(r.Grants)}}); err != nil {
			return err
		}
	}
	for _, g := range rows.Guards {
		if err := e.Encode(guardLine{typeGuard, Guard{g.Pattern, g.Condition, g.Message}}); err != nil {
			return err
		}
	}
	return nil
}

func organizations(ctx context.Context, q database.Querier, e *json.Encoder, root *authz.Root) error {
	for after := ""; ; {
		page, err := org.After(ctx, q, after, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, o := range page {
			rows, _ := root.OrgRows(o.ID)
			line := orgLine{typeOrg, Organization{ID: o.ID, Slug: o.Slug, Name: o.Name, RequireMFA: o.RequireMFA, Suspended: o.SuspendedAt != nil, CreatedAt: &o.CreatedAt}}
			for _, r := range rows.Roles {
				if !r.System {
					line.Roles = append(line.Roles, Role{Key: r.Key, Name: r.Name, Base: r.Base, Permissions: texts(r.Grants)})
				}
			}
			for _, g := range rows.Guards {
				line.Guards = append(line.Guards, Guard{g.Pattern, g.Condition, g.Message})
			}
			if err := e.Encode(line); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

func (s *Service) person(ctx context.Context, q database.Querier, root *authz.Root, u user.User, secrets bool) (line userLine, err error) {
	line = userLine{typeUser, Person{ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified, Username: u.Username, Phone: u.Phone, PhoneVerified: u.PhoneVerified, Name: u.Name,
		Language: u.Language, TimeZone: u.TimeZone, Disabled: u.DisabledAt != nil, CreatedAt: &u.CreatedAt, Factors: u.Factors, Roles: u.Roles}}
	if line.PasswordHash, err = password.Stored(ctx, q, u.ID); err != nil {
		return line, err
	}
	if secrets {
		if line.TOTP, err = s.apps.Reveal(ctx, q, u.ID); err != nil {
			return line, err
		}
	}
	if line.Passkeys, err = passkey.Of(ctx, q, u.ID); err != nil {
		return line, err
	}
	identities, err := social.Of(ctx, q, u.ID)
	if err != nil {
		return line, err
	}
	for _, i := range identities {
		line.Identities = append(line.Identities, Identity{i.Provider, i.Issuer, i.Subject, i.Email, i.Name, i.Picture, stamp(i.CreatedAt), stamp(i.LastUsedAt)})
	}
	for _, orgID := range root.OrgsOf(u.ID) {
		m, ok := root.Member(orgID, u.ID)
		if !ok {
			continue
		}
		one := Membership{Org: orgID, Suspended: m.Suspended}
		for _, a := range m.Roles {
			if r, ok := root.Role(orgID, a.Role); ok {
				one.Roles = append(one.Roles, Held{r.Key, a.ExpiresAt})
			}
		}
		line.Organizations = append(line.Organizations, one)
	}
	return line, nil
}

func stamp(t time.Time) *time.Time { return &t }

func texts(grants []authz.Grant) []string {
	list := make([]string, len(grants))
	for i, g := range grants {
		list[i] = g.String()
	}
	return list
}
