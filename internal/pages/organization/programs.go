package organization

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/serviceaccount"
)

// programsPage is the service accounts of an organization.
type programsPage struct {
	*visit
	List          []serviceaccount.Account
	More, Command string
}

// newProgramPage is a service account to be.
type newProgramPage struct {
	*visit
	Choices []choice
}

// programPage is one of them, with its keys.
type programPage struct {
	*visit
	serviceaccount.Account
	Here string // its address
	Held []badge
	Keys []pages.Key
}

func (s *organization) mountPrograms(mux *http.ServeMux) {
	at := "/org/{org}/service-accounts"
	s.page(mux, "GET "+at, 0, s.showPrograms)
	s.page(mux, "GET "+at+"/new", 0, s.showNewProgram)
	s.page(mux, "POST "+at+"/new", 0, s.createProgram)
	one := at + "/{account}"
	s.page(mux, "GET "+one, 0, s.showProgram)
	s.page(mux, "POST "+one, 0, s.describeProgram)
	s.page(mux, "POST "+one+"/delete", 0, s.deleteProgram)
	s.page(mux, "GET "+one+"/keys", 0, func(v *visit) error { return v.Redirect(v.below(v.R.PathValue("account"))) })
	s.page(mux, "GET "+one+"/keys/new", pages.Fresh, s.showNewKey)
	s.page(mux, "POST "+one+"/keys/new", pages.Fresh, s.addKey)
	s.page(mux, "GET "+one+"/keys/{id}", 0, s.showKey)
	s.page(mux, "GET "+one+"/keys/{id}/rotate", pages.Fresh, s.showKey) // where /confirm leads back to
	s.page(mux, "POST "+one+"/keys/{id}/rotate", pages.Fresh, s.rotateKey)
	s.page(mux, "POST "+one+"/keys/{id}/revoke", 0, s.revokeKey)
}

// below is the address of a service account.
func (v *visit) below(accountID string) string {
	return v.At + "/service-accounts/" + url.PathEscape(accountID)
}

// programOf is the service account of the address, which has to be one of this organization.
func (s *organization) programOf(v *visit) (serviceaccount.Account, error) {
	a, err := s.app.Programs.Get(v, v.Caller(), v.R.PathValue("account"))
	if err == nil && a.OrgID != v.Org.ID {
		err = serviceaccount.ErrNone
	}
	return a, err
}

func (s *organization) showPrograms(v *visit) error {
	list, next, err := s.app.Programs.List(v, v.Caller(), v.Org.ID, v.cursor("svc"), shownAtOnce)
	if err != nil {
		return err
	}
	p := programsPage{visit: v, List: list, Command: "curl -b jar " + s.app.Config.Web.Base() + "/api/v1/service-accounts -H 'Content-Type: application/json' -d '{\"org_id\":\"" + v.Org.Slug + "\",\"name\":\"Importer\"}'"}
	if next != "" {
		p.More = pages.With(v.At+"/service-accounts", url.Values{"cursor": {next}})
	}
	return v.show(s.programs, v.T("org.programs"), "programs", p)
}

func (s *organization) showNewProgram(v *visit) error {
	if err := s.app.Authz.RequireAt(v, v.root, v.Caller(), serviceaccount.Manage, v.Org.ID); err != nil {
		return err
	}
	choices := v.choices(nil, v.TypedAll("roles"), v.R.Method == http.MethodPost)
	choices = slices.DeleteFunc(choices, func(c choice) bool { return c.ID == authz.Owner }) // a program owns nothing
	return v.show(s.newProgram, v.T("org_programs.new"), "programs", newProgramPage{v, choices})
}

func (s *organization) createProgram(v *visit) error {
	a, err := s.app.Programs.Create(v, v.Caller(), serviceaccount.New{Org: v.Org.ID, Name: v.Typed("name"), Description: v.Typed("description"), Roles: v.TypedAll("roles")})
	if err != nil {
		return v.again(err, s.showNewProgram)
	}
	return v.Tell("org_program_made", v.below(a.ID))
}

func (s *organization) showProgram(v *visit) error {
	a, err := s.programOf(v)
	if err != nil {
		return err
	}
	p := programPage{visit: v, Account: a, Here: v.below(a.ID)}
	keys, err := s.app.Programs.Keys(v, v.Caller(), a.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		p.Keys = append(p.Keys, v.NewKey(k, p.Here+"/keys", v.Org.Name))
	}
	if v.May.Members {
		m, err := s.app.Orgs.Member(v, v.Caller(), v.Org.ID, a.ID)
		if err != nil {
			return err
		}
		p.Held = v.badges(m.Roles)
	}
	v.Set("name", a.Name)
	v.Set("description", a.Description)
	return v.show(s.program, a.Name, "programs", p)
}

func (s *organization) describeProgram(v *visit) error {
	a, err := s.programOf(v)
	if err != nil {
		return err
	}
	name, description := v.Typed("name"), v.Typed("description")
	if _, err := s.app.Programs.Update(v, v.Caller(), a.ID, &name, &description); err != nil {
		return v.again(err, s.showProgram)
	}
	return v.Tell("org_saved", v.below(a.ID))
}

func (s *organization) deleteProgram(v *visit) error {
	a, err := s.programOf(v)
	if err != nil {
		return err
	}
	if !v.Confirmed(a.Name) {
		return v.refuse("confirm", v.T("keys.confirm_wrong", "Name", a.Name), s.showProgram)
	}
	if err := s.app.Programs.Delete(v, v.Caller(), a.ID); err != nil {
		return v.again(err, s.showProgram)
	}
	return v.Tell("org_program_deleted", v.At+"/service-accounts")
}

func (s *organization) showNewKey(v *visit) error {
	a, err := s.programOf(v)
	if err != nil {
		return err
	}
	p, err := v.NewKeyForm(v.below(a.ID)+"/keys", v.T("org_programs.key_lead", "Name", a.Name, "Org", v.Org.Name), nil)
	if err != nil {
		return err
	}
	return v.show(s.newKey, v.T("keys.new"), "programs", p)
}

func (s *organization) addKey(v *visit) error {
	a, err := s.programOf(v)
	if err != nil {
		return err
	}
	in, err := v.TypedKey()
	if err != nil {
		return v.again(err, s.showNewKey)
	}
	_, text, err := s.app.Programs.AddKey(v, v.Caller(), a.ID, in)
	if err != nil {
		return v.again(err, s.showNewKey)
	}
	return s.showMadeKey(v, a, text)
}

// showMadeKey shows a key, this once.
func (s *organization) showMadeKey(v *visit, a serviceaccount.Account, text string) error {
	return v.show(s.madeKey, v.T("keys.made"), "programs", v.NewMadeKey(text, v.below(a.ID)+"/keys"))
}

// keyOf is the key of the address, and whose it is.
func (s *organization) keyOf(v *visit) (a serviceaccount.Account, k apikey.Key, err error) {
	if a, err = s.programOf(v); err != nil {
		return a, k, err
	}
	keys, err := s.app.Programs.Keys(v, v.Caller(), a.ID)
	if err != nil {
		return a, k, err
	}
	i := slices.IndexFunc(keys, func(k apikey.Key) bool { return k.ID == v.R.PathValue("id") })
	if i < 0 {
		return a, k, apikey.ErrNone
	}
	return a, keys[i], nil
}

func (s *organization) showKey(v *visit) error {
	a, k, err := s.keyOf(v)
	if err != nil {
		return err
	}
	return v.show(s.key, k.Name, "programs", v.NewKey(k, v.below(a.ID)+"/keys", v.Org.Name))
}

func (s *organization) rotateKey(v *visit) error {
	a, k, err := s.keyOf(v)
	if err != nil {
		return err
	}
	overlap, err := v.TypedOverlap()
	if err != nil {
		return v.again(err, s.showKey)
	}
	_, text, err := s.app.Programs.RotateKey(v, v.Caller(), a.ID, k.ID, overlap)
	if err != nil {
		return v.again(err, s.showKey)
	}
	return s.showMadeKey(v, a, text)
}

// revokeKey wants the name typed: what uses the key stops working at once.
func (s *organization) revokeKey(v *visit) error {
	a, k, err := s.keyOf(v)
	if err != nil {
		return err
	}
	if !v.Confirmed(k.Name) {
		return v.refuse("confirm", v.T("keys.confirm_wrong", "Name", k.Name), s.showKey)
	}
	if err := s.app.Programs.RevokeKey(v, v.Caller(), a.ID, k.ID); err != nil {
		return v.again(err, s.showKey)
	}
	return v.Tell("key_revoked", v.below(a.ID))
}
