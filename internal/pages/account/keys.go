package account

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/pages"
)

// keysPage is the keys of somebody.
type keysPage struct {
	Keys []oneKey
}

type oneKey struct {
	apikey.Key
	Org       string // what the one organization is called that it is for
	Spent     bool   // it has run out
	Lifetimes []pages.Option
}

// newKeyPage is a key that is being made.
type newKeyPage struct {
	Orgs, Lives []pages.Option
	Known       []string // permissions that can be named
}

// madeKeyPage is a key that is shown this once.
type madeKeyPage struct {
	apikey.Key
	Text, Ask string
}

func (s *account) mountKeys(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/keys", pages.Person, s.showKeys)
	s.Handle(mux, "GET /account/keys/new", pages.Person|pages.Fresh, s.showNewKey)
	s.Handle(mux, "POST /account/keys/new", pages.Person|pages.Fresh, s.createKey)
	s.Handle(mux, "GET /account/keys/{id}", pages.Person, s.showKey)
	s.Handle(mux, "GET /account/keys/{id}/rotate", pages.Person|pages.Fresh, s.showKey) // where /confirm leads back to
	s.Handle(mux, "POST /account/keys/{id}/rotate", pages.Person|pages.Fresh, s.rotateKey)
	s.Handle(mux, "POST /account/keys/{id}/revoke", pages.Person, s.revokeKey)
}

func newOneKey(v *pages.Visit, k apikey.Key, orgs map[string]string) oneKey {
	return oneKey{Key: k, Org: cmp.Or(orgs[k.OrgID], k.OrgID), Spent: k.ExpiresAt != nil && !k.ExpiresAt.After(v.Now)}
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
		p.Keys = append(p.Keys, newOneKey(v, k, orgs))
	}
	s.shell(v, atKeys)
	return v.Show(s.keys, v.T("account.keys"), p)
}

// mostKnown is how many permissions are listed to choose from.
const mostKnown = 200

func (s *account) showNewKey(v *pages.Visit) error {
	root, err := s.app.Authz.Root(v)
	if err != nil {
		return err
	}
	orgs, _, err := s.belongs(v)
	if err != nil {
		return err
	}
	p := newKeyPage{Orgs: append([]pages.Option{{Value: "", Label: v.T("keys.everywhere")}}, orgs...)}
	for _, days := range []int{1, 7, 30, 90, 180, 365} {
		p.Lives = append(p.Lives, pages.Option{Value: strconv.Itoa(days), Label: v.T("keys.days", "Count", days)})
	}
	if s.app.Config.APIKey.NeverExpires {
		p.Lives = append(p.Lives, pages.Option{Value: "never", Label: v.T("keys.never")})
	}
	for _, perm := range root.Catalogue() {
		if len(p.Known) < mostKnown && !strings.HasPrefix(perm.Name, "sys:") && !perm.Deprecated {
			p.Known = append(p.Known, perm.Name)
		}
	}
	slices.Sort(p.Known)
	v.Set("expires_in_days", "90")
	s.shell(v, atKeys)
	return v.Show(s.newKey, v.T("keys.new"), p)
}

func (s *account) createKey(v *pages.Visit) error {
	in := apikey.New{Name: v.Typed("name"), Scopes: strings.Fields(v.Typed("scopes")), Org: v.Typed("org_id"), Forever: v.Typed("expires_in_days") == "never"}
	if !in.Forever {
		days, err := strconv.Atoi(v.Typed("expires_in_days"))
		if err != nil {
			return v.Retry(apikey.ErrExpiry, s.showNewKey)
		}
		in.Days = cmp.Or(days, -1)
	}
	k, text, err := s.app.APIKeys.Create(v, v.Live.User.ID, in)
	if err != nil {
		return v.Retry(err, s.showNewKey)
	}
	return s.showMadeKey(v, k, text)
}

// showMadeKey shows a key, this once.
func (s *account) showMadeKey(v *pages.Visit, k apikey.Key, text string) error {
	s.shell(v, atKeys)
	return v.Show(s.madeKey, v.T("keys.made"), madeKeyPage{k, text, "curl -H 'Authorization: Bearer " + text + "' " + s.app.Config.Web.Origin() + "/api/v1/about_me"})
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
	one := newOneKey(v, k, orgs)
	for _, hours := range []int{24, 1, 0, 168} {
		one.Lifetimes = append(one.Lifetimes, pages.Option{Value: strconv.Itoa(hours), Label: v.T("keys.hours", "Count", hours)})
	}
	s.shell(v, atKeys)
	return v.Show(s.key, k.Name, one)
}

func (s *account) rotateKey(v *pages.Visit) error {
	hours, err := strconv.Atoi(v.Typed("overlap_hours"))
	if err != nil {
		return v.Retry(apikey.ErrOverlap, s.showKey)
	}
	k, text, err := s.app.APIKeys.Rotate(v, v.Live.User.ID, v.R.PathValue("id"), time.Duration(hours)*time.Hour)
	if err != nil {
		return v.Retry(err, s.showKey)
	}
	return s.showMadeKey(v, k, text)
}

// revokeKey wants the name typed: what uses the key stops working at once.
func (s *account) revokeKey(v *pages.Visit) error {
	k, err := s.app.APIKeys.Get(v, v.Live.User.ID, v.R.PathValue("id"))
	if err != nil {
		return err
	}
	if strings.TrimSpace(v.Typed("confirm")) != k.Name {
		return v.RetryAt("confirm", v.T("keys.confirm_wrong", "Name", k.Name), apperr.ErrInvalid, s.showKey)
	}
	if err := s.app.APIKeys.Revoke(v, v.Caller(), k.ID); err != nil {
		return v.Retry(err, s.showKey)
	}
	return v.Tell("key_revoked", atKeys)
}
