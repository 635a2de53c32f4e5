package authz

import (
	"iter"
	"slices"
	"time"
)

// View is what a policy engine may see of a Root.
type View struct{ root *Root }

// View shows the Root to a policy engine.
func (r *Root) View() View { return View{r} }

// Rev is the revision of everything in the view.
func (v View) Rev() int64 { return v.root.rev }

// Permissions is every declared name, aliases too, sorted.
func (v View) Permissions() []string { return slices.Clone(v.root.cat.names) }

// Orgs is the ids of all organizations, sorted.
func (v View) Orgs() []string { return orgIDs(v.root) }

// Roles is the roles that can be given in an organization with what they grant, templates included, or the global ones. A
// role's base is folded into its grants.
func (v View) Roles(org string) []Role {
	s, err := v.root.space(org)
	if err != nil {
		return nil
	}
	rows := make([]Role, len(s.roles))
	for i, r := range s.roles {
		rows[i] = r.row
		rows[i].Grants, rows[i].Base = r.flat(), ""
	}
	return rows
}

// RolesOf is the roles that count for a subject in an organization, or on the platform, now. A global role has the prefix
// global: as conditions see it. Who is suspended or disabled has none.
func (v View) RolesOf(subject, org string, now time.Time) []string {
	at, code := v.root.locate(&Query{Subject: subject, Org: org}, -1)
	if code != "" {
		return nil
	}
	f := facts{q: Query{Now: now}}
	v.root.know(&f, at)
	return f.roles
}

// Members goes through the members of an organization, or the users of the platform that are listed, in no order.
func (v View) Members(org string) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		s, err := v.root.space(org)
		if err != nil {
			return
		}
		for user, m := range s.members.all() {
			if !yield(Member{user, m.suspended, s.assignments(m)}) {
				return
			}
		}
	}
}
