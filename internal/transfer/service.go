package transfer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

// The refusals of this package.
var (
	ErrSuperAdmin = apperr.New(apperr.Invalid, "import_super_admin", "Nobody becomes super_admin by an import. Give the role afterwards, by name.")
	ErrSource     = apperr.New(apperr.Invalid, "import_source_invalid", "The name of a source is a word of letters a to z, digits, . _ and -, at most 48.").In("source")
)

// batchSize is how many people are made in one change: nobody who works meanwhile waits for long.
const batchSize = 200

// Service writes what was read, and reads all there is.
type Service struct {
	db        *database.DB
	users     *user.Service
	orgs      *org.Service
	authz     *authz.Service
	apps      totp.Method
	providers social.Config
	site      string
}

// NewService works on db, for a site at an address.
func NewService(db *database.DB, users *user.Service, orgs *org.Service, az *authz.Service, apps totp.Method, providers social.Config, site string) *Service {
	return &Service{db, users, orgs, az, apps, providers, site}
}

// Order is what an operator says of an import.
type Order struct {
	Source   string            // what this source is called from now on: whoever it names was imported before is known by it
	DryRun   bool              // change nothing, and report the same
	Org      string            // an organization here that everybody becomes a plain member of, "" for none
	Roles    map[string]string // which global role those hold here who hold one there; no other is given
	OrgRoles map[string]string // the same of roles in organizations; one that is not named is one of the same key
	Progress func(done, of int64)
}

// Import makes everybody of a batch who is not here yet, without a word to them. It may be interrupted, and repeated: whoever is there
// already is left as they are.
func (s *Service) Import(ctx context.Context, b *Batch, o Order) (*Report, error) {
	w := &writer{Service: s, order: o, batch: b, at: map[string]target{}, seen: map[string]place{}}
	w.report = &Report{Source: o.Source, DryRun: o.DryRun, UnmappedRoles: map[string]int{}, Items: []Item{}, Notes: b.notes}
	if err := w.check(ctx); err != nil {
		return nil, err
	}
	if err := w.definitions(ctx); err != nil {
		return nil, err
	}
	for _, one := range b.Orgs {
		if err := w.org(ctx, one); err != nil {
			return w.report, err
		}
	}
	for _, fault := range b.Faults {
		w.report.add(fault)
	}
	for n := 0; n < len(b.People); n += batchSize {
		part := b.People[n:min(n+batchSize, len(b.People))]
		if err := w.people(ctx, part); err != nil {
			return w.report, err
		}
		if o.Progress != nil {
			o.Progress(int64(n+len(part)), int64(len(b.People)))
		}
	}
	return w.report, nil
}

// target is an organization that people of the source belong to.
type target struct {
	id    string              // "" where a dry run would make it
	roles map[string]org.Held // that may be held in it, by key
}

// writer is one import.
type writer struct {
	*Service
	order  Order
	batch  *Batch
	report *Report
	at     map[string]target // by the id of an organization in the files
	own    target            // the one that everybody joins
	seen   map[string]place  // what only one of them can have
}

// check refuses an order that gives what is not there, or what nobody is given this way.
func (w *writer) check(ctx context.Context) error {
	if !sourceForm.MatchString(w.order.Source) {
		return ErrSource
	}
	root, err := w.authz.Root(ctx)
	if err != nil {
		return err
	}
	for _, source := range slices.Sorted(maps.Keys(w.order.Roles)) {
		role := w.order.Roles[source]
		made := slices.ContainsFunc(w.batch.Roles, func(r Role) bool { return r.Key == role })
		if role == user.SuperAdmin {
			return ErrSuperAdmin
		}
		if err := root.KnownGlobal(role); err != nil && !made {
			return err
		}
	}
	if w.order.Org == "" {
		return nil
	}
	o, err := w.orgs.Find(ctx, authz.System, w.order.Org)
	if err != nil {
		return err
	}
	w.own.id = o.ID
	w.own.roles, err = w.orgs.RolesToGive(ctx, o.ID)
	return err
}

// definitions declares permissions and makes global roles and guards that an export of Admit has and that are not here. What is here is
// left as it is.
func (w *writer) definitions(ctx context.Context) error {
	root, err := w.authz.Root(ctx)
	if err != nil || w.order.DryRun {
		return err
	}
	apps := map[string][]authz.Permission{}
	for _, p := range w.batch.Permissions {
		if _, there := root.Permission(p.Name); !there {
			apps[p.App] = append(apps[p.App], authz.Permission{Name: p.Name, Title: p.Title, Description: p.Description, Sensitive: p.Sensitive, Deprecated: p.Deprecated, AliasOf: p.AliasOf})
		}
	}
	for _, app := range slices.Sorted(maps.Keys(apps)) {
		if _, err := w.authz.Declare(ctx, authz.System, authz.Manifest{App: app, Permissions: apps[app]}); err != nil {
			w.left("the permissions of "+app, err)
		}
	}
	for _, r := range w.batch.Roles {
		if root.KnownGlobal(r.Key) != nil {
			name := r.Name
			if key, err := authz.RoleKey(name); err != nil || key != r.Key {
				name = r.Key // it was renamed since, and is known by its key
			}
			if err := w.authz.EnsureGlobalRole(ctx, name, authz.Reach(r.Reach), r.Permissions); err != nil {
				w.left("the role "+r.Key, err)
			}
		}
	}
	have := root.PlatformRows().Guards
	for _, g := range w.batch.Guards {
		same := func(h authz.Guard) bool { return h.Pattern == g.Pattern && h.Condition == g.Condition }
		if slices.ContainsFunc(have, same) {
			continue
		}
		if _, err := w.authz.AddGuard(ctx, authz.System, authz.Guard{Pattern: g.Pattern, Condition: g.Condition, Message: g.Message}); err != nil {
			w.left("a guard on "+g.Pattern, err)
		}
	}
	return nil
}

func (w *writer) left(what string, err error) {
	w.report.Notes = append(w.report.Notes, what+" was left out: "+strings.TrimSuffix(err.Error(), "."))
}

// org finds or makes one organization.
func (w *writer) org(ctx context.Context, o *Organization) error {
	w.report.Organizations.Read++
	if err := fit(o.ID); err != nil {
		w.left(o.place.String()+": an organization", err)
		w.report.Organizations.Refused++
		return nil
	}
	id, err := org.ImportedAs(ctx, w.db, w.order.Source, o.ID)
	if err != nil {
		return err
	}
	if id != "" {
		roles, err := w.orgs.RolesToGive(ctx, id)
		w.at[o.ID] = target{id, roles}
		w.report.Organizations.AlreadyThere++
		return err
	}
	past := org.Past{Source: w.order.Source, ExternalID: o.ID, Name: o.Name, Slug: o.Slug, RequireMFA: o.RequireMFA, Suspended: o.Suspended, CreatedAt: o.CreatedAt}
	for _, r := range o.Roles {
		past.Roles = append(past.Roles, org.RoleEdit{Name: &r.Name, Base: &r.Base, Permissions: &r.Permissions})
	}
	for _, g := range o.Guards {
		past.Guards = append(past.Guards, authz.Guard{Pattern: g.Pattern, Condition: g.Condition, Message: g.Message})
	}
	made, slug, err := w.makeOrg(ctx, o, past)
	if _, refused := errors.AsType[*apperr.Error](err); refused && ctx.Err() == nil {
		w.left(o.place.String()+": the organization "+o.Name, err)
		w.report.Organizations.Refused++
		return nil
	}
	if err == nil {
		w.at[o.ID] = made
		w.report.Organizations.Created++
		w.slug(o, slug)
	}
	return err
}

// slug tells of an organization that is called otherwise here than there: links to it need the other word.
func (w *writer) slug(o *Organization, slug string) {
	_, taken := w.seen["the slug "+slug] // only in a dry run
	w.seen["the slug "+slug] = o.place
	if o.Slug == "" || slug == o.Slug && !taken {
		return
	}
	is := "is " + slug
	if w.order.DryRun {
		is = "would be another"
	}
	w.report.Notes = append(w.report.Notes, fmt.Sprintf("%s: the slug %s of the organization %s %s here", o.place, o.Slug, o.Name, is))
}

// makeOrg makes an organization, and says which slug it has.
func (w *writer) makeOrg(ctx context.Context, o *Organization, past org.Past) (target, string, error) {
	if w.order.DryRun {
		roles := map[string]org.Held{}
		for _, t := range authz.SystemTemplates() {
			roles[t.Key] = org.Held{ID: t.ID, Key: t.Key}
		}
		for _, r := range o.Roles {
			roles[r.Key] = org.Held{Key: r.Key}
		}
		_, slug, err := past.Names(ctx, w.db)
		return target{"", roles}, slug, err
	}
	origin := *database.OriginOf(ctx)
	var made org.Org
	err := w.authz.Write(database.WithOrigin(ctx, &origin), authz.System, func(tx *authz.Tx) (err error) {
		made, err = w.orgs.Import(tx, past)
		return err
	})
	if err != nil {
		return target{}, "", err
	}
	roles, err := w.orgs.RolesToGive(ctx, made.ID)
	return target{made.ID, roles}, made.Slug, err
}

// role is what a role of the source in an organization is here, if it is any.
func (w *writer) role(t target, source string) (org.Held, bool) {
	key, named := w.order.OrgRoles[source]
	if !named {
		key = strings.ToLower(source)
	}
	held, ok := t.roles[key]
	return held, ok
}
