package org

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

// Service reads and changes organizations.
type Service struct {
	db     *database.DB
	cfg    Config
	authz  *authz.Service
	notify *notify.Service
	base   string // of links in mails
	key    []byte // invitation tokens are derived from it
}

// NewService works on db. Every change goes through az, which knows who may make it; links in mails lead to base.
func NewService(db *database.DB, cfg Config, az *authz.Service, messages *notify.Service, base string, box *secret.Box) *Service {
	return &Service{db, cfg, az, messages, base, box.Derive("invitation tokens", 32)}
}

// New is an organization to be.
type New struct {
	Name  string
	Slug  string // "" makes one from the name
	Owner string // a user; "" is who makes it
}

// Create makes an organization. Whoever makes it is its owner; only the operator can name somebody else.
func (s *Service) Create(ctx context.Context, c authz.Caller, in New) (o Org, err error) {
	name, err := parseName(in.Name)
	if err != nil {
		return o, err
	}
	slug, derived := strings.ToLower(strings.TrimSpace(in.Slug)), false
	if slug == "" {
		slug, derived = slugFrom(name), true
	}
	if !slugForm.MatchString(slug) {
		return o, ErrSlug
	}
	if in.Owner == "" {
		in.Owner = c.User
	}
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		if err := s.mayCreate(tx, in.Owner); err != nil {
			return err
		}
		if derived {
			if slug, err = freeSlug(tx.Context(), tx.Tx, slug); err != nil {
				return err
			}
		}
		o = Org{ID: id.New("org"), Slug: slug, Name: name, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		return s.found(tx, o, in.Owner)
	})
	return o, err
}

func (s *Service) mayCreate(tx *authz.Tx, owner string) error {
	if owner != tx.Caller().User {
		return nil // the operator
	}
	if s.cfg.Creation == "platform" {
		return tx.Require("sys:orgs:create", "")
	}
	if u, err := user.ByID(tx.Context(), tx.Tx, owner); err == nil && u.Guest {
		return user.ErrGuest
	}
	owned := 0
	for _, org := range tx.Root.OrgsOf(owner) {
		if tx.Root.Owns(org, owner) {
			owned++
		}
	}
	if owned >= s.cfg.MostOwned {
		return ErrTooMany
	}
	return nil
}

// found stores an organization with its built-in roles and its first owner.
func (s *Service) found(tx *authz.Tx, o Org, owner string) error {
	database.OriginOf(tx.Context()).Org = o.ID
	if err := tx.Enter(o.ID); err != nil {
		return err
	}
	if err := insertOrg(tx, o); err != nil {
		return err
	}
	if err := insertSlug(tx, o.Slug, o.ID); err != nil {
		return err
	}
	for _, t := range authz.SystemTemplates() {
		if err := insertRole(tx, Role{ID: t.ID, OrgID: o.ID, Key: t.Key, Name: t.Name, System: true, Version: 1}); err != nil {
			return err
		}
	}
	tx.Touch(o.ID)
	tx.Emit(Created{o.ID, o.Slug})
	return join(tx, o.ID, owner, []Held{{ID: authz.Owner, Key: authz.Owner}})
}

// Find reads an organization the caller may know of, by id, slug, or a slug it had.
func (s *Service) Find(ctx context.Context, c authz.Caller, ref string) (Org, error) {
	o, err := find(ctx, s.db, ref)
	if err != nil {
		return Org{}, err
	}
	return o, s.authz.See(ctx, c, o.ID)
}

// reading finds an organization in which the caller has a permission.
func (s *Service) reading(ctx context.Context, c authz.Caller, ref, permission string) (Org, error) {
	o, err := find(ctx, s.db, ref)
	if err != nil {
		return Org{}, err
	}
	return o, s.authz.Require(ctx, c, permission, o.ID)
}

// changing finds the organization of a change, and enters it.
func (s *Service) changing(tx *authz.Tx, ref string) (Org, error) {
	o, err := find(tx.Context(), tx.Tx, ref)
	if err != nil {
		return Org{}, err
	}
	if err := tx.See(o.ID); err != nil {
		return Org{}, err
	}
	database.OriginOf(tx.Context()).Org = o.ID
	return o, tx.Enter(o.ID)
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  string // give it as after for the next page; "" at the end
}

func page[T any](list []T, limit int, key func(T) string) Page[T] {
	p := Page[T]{Items: list}
	if len(list) > limit {
		p.Items = list[:limit]
		p.Next = key(list[limit-1])
	}
	return p
}

// Mine is the organizations the caller belongs to, newest first.
func (s *Service) Mine(ctx context.Context, c authz.Caller, after string, limit int) (Page[Org], error) {
	root, err := s.authz.Root(ctx)
	if err != nil {
		return Page[Org]{}, err
	}
	var refs []string
	mine := root.OrgsOf(c.User)
	for i := len(mine) - 1; i >= 0 && len(refs) <= limit; i-- {
		if c.Within(mine[i]) && (after == "" || mine[i] < after) {
			refs = append(refs, mine[i])
		}
	}
	list := make([]Org, 0, len(refs))
	for _, ref := range refs {
		o, err := find(ctx, s.db, ref)
		switch {
		case err == nil:
			list = append(list, o)
		case !errors.Is(err, ErrNotFound): // else it is deleted just now
			return Page[Org]{}, err
		}
	}
	return page(list, limit, func(o Org) string { return o.ID }), nil
}

// All is every organization, newest first, for holders of sys:orgs:read. text, when given, is what its name or slug begins with.
func (s *Service) All(ctx context.Context, c authz.Caller, text, after string, limit int) (Page[Org], error) {
	if err := s.authz.Require(ctx, c, "sys:orgs:read", ""); err != nil {
		return Page[Org]{}, err
	}
	list, err := listOrgs(ctx, s.db, strings.ToLower(strings.TrimSpace(text)), after, limit+1)
	return page(list, limit, func(o Org) string { return o.ID }), err
}

// Count is how many organizations there are, for holders of sys:orgs:read.
func (s *Service) Count(ctx context.Context, c authz.Caller) (int64, error) {
	if err := s.authz.Require(ctx, c, "sys:orgs:read", ""); err != nil {
		return 0, err
	}
	return count(ctx, s.db)
}

// Edit is what of an organization is to be other; nil leaves it as it is.
type Edit struct {
	Name       *string
	Slug       *string
	RequireMFA *bool
}

// Update gives an organization another name or slug, or says whether its members need a second factor. The old slug goes on leading
// to it.
func (s *Service) Update(ctx context.Context, c authz.Caller, ref string, e Edit) (o Org, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		tx.Quiet()
		if o, err = s.changing(tx, ref); err != nil {
			return err
		}
		if err := tx.Require("sys:org:update", o.ID); err != nil {
			return err
		}
		before := o
		if e.Name != nil {
			if o.Name, err = parseName(*e.Name); err != nil {
				return err
			}
		}
		if e.Slug != nil {
			o.Slug = strings.ToLower(strings.TrimSpace(*e.Slug))
			if err := takeSlug(tx, o); err != nil {
				return err
			}
		}
		if e.RequireMFA != nil {
			o.RequireMFA = *e.RequireMFA
		}
		return edited(tx, before, &o)
	})
	return o, err
}

// edited keeps what is other than before.
func edited(tx *authz.Tx, before Org, o *Org) error {
	if before == *o {
		return nil
	}
	if o.RequireMFA != before.RequireMFA {
		if o.RequireMFA && !tx.Caller().MFA() {
			return ErrMFA
		}
		tx.Emit(MFARequired{o.ID, o.RequireMFA})
	}
	if o.Name != before.Name || o.Slug != before.Slug {
		tx.Emit(Updated{o.ID, o.Name, o.Slug, before.Name, before.Slug})
	}
	if o.Slug != before.Slug || o.RequireMFA != before.RequireMFA {
		tx.Touch(o.ID)
	}
	o.UpdatedAt = tx.Now
	return updateOrg(tx, *o)
}

func takeSlug(tx *authz.Tx, o Org) error {
	if !slugForm.MatchString(o.Slug) {
		return ErrSlug
	}
	whose, err := slugOf(tx.Context(), tx.Tx, o.Slug)
	switch {
	case err != nil:
		return err
	case whose == o.ID:
		return nil // its own, now or before
	case whose != "":
		return ErrSlugTaken
	}
	return insertSlug(tx, o.Slug, o.ID)
}

// RequiresMFA reports whether a person belongs to an organization whose members need a second factor, as part of a change.
func RequiresMFA(tx *database.Tx, userID string) (bool, error) {
	if err := tx.Enter(database.AllOrgs); err != nil {
		return false, err
	}
	return requiresMFA(tx, userID)
}

// Suspend lets everything in an organization rest, or takes that back. It is for the people who run the site.
func (s *Service) Suspend(ctx context.Context, c authz.Caller, ref string, suspended bool) (o Org, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		tx.Quiet()
		if err := tx.Require("sys:orgs:suspend", ""); err != nil {
			return err
		}
		if o, err = find(ctx, tx.Tx, ref); err != nil || suspended == (o.SuspendedAt != nil) {
			return err
		}
		o.SuspendedAt = nil
		if suspended {
			o.SuspendedAt = &tx.Now
		}
		o.UpdatedAt = tx.Now
		tx.Touch(o.ID)
		tx.Emit(Suspended{o.ID, suspended})
		return updateOrg(tx, o)
	})
	return o, err
}

// Delete removes an organization and everything in it.
func (s *Service) Delete(ctx context.Context, c authz.Caller, ref string) error {
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.Require("sys:org:delete", o.ID); err != nil {
			return err
		}
		rows, _ := tx.Root.OrgRows(o.ID)
		for _, m := range rows.Members {
			tx.Emit(MemberRemoved{o.ID, m.User, roleIDs(m.Roles)})
		}
		tx.Touch(o.ID)
		tx.Emit(Deleted{o.ID})
		if err := deleteOrg(tx, o.ID); err != nil {
			return err
		}
		programs, err := deletePrograms(tx, o.ID)
		for _, userID := range programs {
			tx.TouchMember("", userID)
			tx.Emit(user.Deleted{UserID: userID})
		}
		return err
	})
}

var slugForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])$`)

// slugFrom makes a slug of a name: letters and digits stay, accents fall, everything else is a hyphen.
func slugFrom(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := strings.Trim(b.String(), "-")
	if s = strings.Trim(s[:min(len(s), 40)], "-"); len(s) < 2 {
		s = "org-" + suffix()
	}
	return s
}

func suffix() string { return secret.Hex32()[:6] }

// freeSlug is slug, or slug with something behind it that nobody has.
func freeSlug(ctx context.Context, q database.Querier, slug string) (string, error) {
	whose, err := slugOf(ctx, q, slug)
	if err != nil || whose == "" {
		return slug, err
	}
	return strings.TrimRight(slug[:min(len(slug), 41)], "-") + "-" + suffix(), nil
}

func parseName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n == 0 || n > 200 || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", ErrName
	}
	return norm.NFC.String(s), nil
}

// Belong finds an organization that a person is an active member of.
func (s *Service) Belong(ctx context.Context, userID, ref string) (Org, error) {
	o, err := s.Find(ctx, authz.Caller{User: userID}, ref)
	if err != nil {
		return Org{}, err
	}
	root, err := s.authz.Root(ctx)
	if err == nil && root.RoleKeys(o.ID, userID, s.db.Now()) == nil {
		err = ErrNotFound
	}
	return o, err
}
