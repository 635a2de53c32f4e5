package account

import (
	"cmp"
	"net/http"

	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/pages"
)

// keysPage is the keys of somebody.
type keysPage struct{ Keys []pages.Key }

func (s *account) mountKeys(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/keys", pages.Person, s.showKeys)
	s.Handle(mux, "GET /account/keys/new", pages.Person|pages.Fresh, s.showNewKey)
	s.Handle(mux, "POST /account/keys/new", pages.Person|pages.Fresh, s.createKey)
	s.Handle(mux, "GET /account/keys/{id}", pages.Person, s.showKey)
	s.Handle(mux, "GET /account/keys/{id}/rotate", pages.Person|pages.Fresh, s.showKey) // where /confirm leads back to
	s.Handle(mux, "POST /account/keys/{id}/rotate", pages.Person|pages.Fresh, s.rotateKey)
	s.Handle(mux, "POST /account/keys/{id}/revoke", pages.Person, s.revokeKey)
}

// mostOrgs is how many organizations of a person have a name among their keys; of others the id is shown.
const mostOrgs = 200

// belongs is what the organizations of the visitor are called, newest first.
func (s *account) belongs(v *pages.Visit) (list []pages.Option, names map[string]string, err error) {
	mine, err := s.app.Orgs.Mine(v, v.Caller(), "", mostOrgs)
	names = map[string]string{}
	for _, o := range mine.Items {
		list, names[o.ID] = append(list, pages.Option{Value: o.ID, Label: o.Name}), o.Name
	}
	return list, names, err
}

func (s *account) showKeys(v *pages.Visit) error {
	list, err := s.app.APIKeys.List(v, v.Live.User.ID)
	if err != nil {
		return err
	}
	_, orgs, err := s.belongs(v)
	if err != nil {
		return err
	}
	p := keysPage{}
	for _, k := range list {
		p.Keys = append(p.Keys, v.NewKey(k, atKeys, called(k, orgs)))
	}
	s.shell(v, atKeys)
	return v.Show(s.keys, v.T("account.keys"), p)
}

// called is the organization that a key is for, by its name where it is known.
func called(k apikey.Key, orgs map[string]string) string { return cmp.Or(orgs[k.OrgID], k.OrgID) }

func (s *account) showNewKey(v *pages.Visit) error {
	orgs, _, err := s.belongs(v)
	if err != nil {
		return err
	}
	p, err := v.NewKeyForm(atKeys, v.T("keys.new_lead"), append([]pages.Option{{Value: "", Label: v.T("keys.everywhere")}}, orgs...))
	if err != nil {
		return err
	}
	s.shell(v, atKeys)
	return v.Show(s.newKey, v.T("keys.new"), p)
}

func (s *account) createKey(v *pages.Visit) error {
	in, err := v.TypedKey()
	if err != nil {
		return v.Retry(err, s.showNewKey)
	}
	_, text, err := s.app.APIKeys.Create(v, v.Live.User.ID, in)
	if err != nil {
		return v.Retry(err, s.showNewKey)
	}
	return s.showMadeKey(v, text)
}

// showMadeKey shows a key, this once.
func (s *account) showMadeKey(v *pages.Visit, text string) error {
	s.shell(v, atKeys)
	return v.Show(s.madeKey, v.T("keys.made"), v.NewMadeKey(text, atKeys))
}

func (s *account) showKey(v *pages.Visit) error {
	k, err := s.app.APIKeys.Get(v, v.Live.User.ID, v.R.PathValue("id"))
	if err != nil {
		return err
	}
	_, orgs, err := s.belongs(v)
	if err != nil {
		return err
	}
	s.shell(v, atKeys)
	return v.Show(s.key, k.Name, v.NewKey(k, atKeys, called(k, orgs)))
}

func (s *account) rotateKey(v *pages.Visit) error {
	overlap, err := v.TypedOverlap()
	if err != nil {
		return v.Retry(err, s.showKey)
	}
	_, text, err := s.app.APIKeys.Rotate(v, v.Live.User.ID, v.R.PathValue("id"), overlap)
	if err != nil {
		return v.Retry(err, s.showKey)
	}
	return s.showMadeKey(v, text)
}

// revokeKey wants the name typed: what uses the key stops working at once.
func (s *account) revokeKey(v *pages.Visit) error {
	k, err := s.app.APIKeys.Get(v, v.Live.User.ID, v.R.PathValue("id"))
	if err != nil {
		return err
	}
	if !v.Confirmed(k.Name) {
		return v.RetryAt("confirm", v.T("keys.confirm_wrong", "Name", k.Name), apperr.ErrInvalid, s.showKey)
	}
	if err := s.app.APIKeys.Revoke(v, v.Caller(), k.ID); err != nil {
		return v.Retry(err, s.showKey)
	}
	return v.Tell("key_revoked", atKeys)
}
