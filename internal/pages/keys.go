package pages

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apikey"
)

// Key is a key for programs, as the parts of templates/keys.html show it.
type Key struct {
	apikey.Key
	At    string // the address of its page
	Below string // and of the list it stands in
	Org   string // what the one organization is called that it is for
	Spent bool   // it has run out
}

// NewKey is a key whose pages are below an address.
func (v *Visit) NewKey(k apikey.Key, below, org string) Key {
	return Key{k, below + "/" + k.ID, below, org, k.ExpiresAt != nil && !k.ExpiresAt.After(v.Now)}
}

// KeyForm is what a key is made with.
type KeyForm struct {
	At          string // where the keys are
	Lead        string // what it will be able to do
	Orgs, Lives []Option
	Known       []string // permissions that can be named
}

// mostKnown is how many permissions are listed to choose from.
const mostKnown = 200

// NewKeyForm is the form of a key that will be below an address; orgs are those that it may be for, where there is a choice.
func (v *Visit) NewKeyForm(at, lead string, orgs []Option) (KeyForm, error) {
	p := KeyForm{At: at, Lead: lead, Orgs: orgs}
	for _, days := range []int{1, 7, 30, 90, 180, 365} {
		p.Lives = append(p.Lives, Option{strconv.Itoa(days), v.T("keys.days", "Count", days)})
	}
	if v.site.App.Config.APIKey.NeverExpires {
		p.Lives = append(p.Lives, Option{"never", v.T("keys.never")})
	}
	root, err := v.site.App.Authz.Root(v)
	if err != nil {
		return p, err
	}
	for _, perm := range root.Catalogue() {
		if len(p.Known) < mostKnown && !strings.HasPrefix(perm.Name, "sys:") && !perm.Deprecated {
			p.Known = append(p.Known, perm.Name)
		}
	}
	slices.Sort(p.Known)
	v.Set("expires_in_days", "90")
	return p, nil
}

// TypedKey is what was typed into the form of a key.
func (v *Visit) TypedKey() (apikey.New, error) {
	in := apikey.New{Name: v.Typed("name"), Scopes: strings.Fields(v.Typed("scopes")), Org: v.Typed("org_id"), Forever: v.Typed("expires_in_days") == "never"}
	if in.Forever {
		return in, nil
	}
	days, err := strconv.Atoi(v.Typed("expires_in_days"))
	if err != nil {
		return in, apikey.ErrExpiry
	}
	in.Days = cmp.Or(days, -1)
	return in, nil
}

// Overlaps is for how long a key may work on beside the one that takes its place.
func (v *Visit) Overlaps() (list []Option) {
	for _, hours := range []int{24, 1, 0, 168} {
		list = append(list, Option{strconv.Itoa(hours), v.T("keys.hours", "Count", hours)})
	}
	return list
}

// TypedOverlap is what was chosen of these.
func (v *Visit) TypedOverlap() (time.Duration, error) {
	hours, err := strconv.Atoi(v.Typed("overlap_hours"))
	if err != nil {
		return 0, apikey.ErrOverlap
	}
	return time.Duration(hours) * time.Hour, nil
}

// Confirmed reports whether the name of what is to end was typed: what uses it stops working at once.
func (v *Visit) Confirmed(name string) bool { return strings.TrimSpace(v.Typed("confirm")) == name }

// MadeKey is a key that is shown this once.
type MadeKey struct {
	Text, Ask string
	At        string // where one goes on
}

// NewMadeKey is that of a text.
func (v *Visit) NewMadeKey(text, at string) MadeKey {
	return MadeKey{text, "curl -H 'Authorization: Bearer " + text + "' " + v.site.App.Config.Web.Base() + "/api/v1/about_me", at}
}
