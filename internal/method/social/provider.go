package social

import (
	"cmp"
	"context"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Provider is a service that people have accounts at. A new one is a literal in providers.go, and a function where what it says of
// people is odd.
type Provider struct {
	Name   string // in addresses: /auth/google/login
	Title  string // for people
	Issuer string // of OpenID Connect: everything else is found there

	AuthURL, TokenURL, UserURL string // of OAuth 2.0, which does not say where things are

	Scopes   []string
	Params   map[string]string // what it is asked beside the usual
	Fields   Fields            // where it says what; the claims of OpenID Connect when empty
	Trusted  bool              // an address that it calls verified is believed to be
	Style    oauth2.AuthStyle  // how we show the secret, where it does not say or is known to say wrong
	FormPost bool              // it sends people back with a POST
	NoPKCE   bool              // it refuses a code_verifier
	NoNonce  bool              // it forgets the nonce

	// Issued says whether an ID token of this issuer is its, where it has more than one name.
	Issued func(p Provider, issuer string, said claims) bool
	// Look completes a profile by what is said elsewhere or otherwise.
	Look func(ctx context.Context, ask asking, said claims, p *Profile) error
	// Ask is where it is asked who somebody is, if that is not UserURL as it stands.
	Ask func(p Provider, token string) string
	// Sign makes a client secret that is good for a short time.
	Sign func(now time.Time) (string, error)

	ClientID string
	Secret   string
	Private  []netip.Prefix // networks that are not public and that it may be in
}

// Fields are where an answer says what: names of members, of members of members with a dot between.
type Fields struct {
	Subject  string `json:"subject"`
	Email    string `json:"email"`
	Verified string `json:"email_verified"`
	Name     string `json:"name"`
	Picture  string `json:"picture"`
}

// standard are the claims of OpenID Connect.
var standard = Fields{"sub", "email", "email_verified", "name", "picture"}

// or is f, and usual where f does not say.
func (f Fields) or(usual Fields) Fields {
	return Fields{cmp.Or(f.Subject, usual.Subject), cmp.Or(f.Email, usual.Email), cmp.Or(f.Verified, usual.Verified), cmp.Or(f.Name, usual.Name), cmp.Or(f.Picture, usual.Picture)}
}

// at is the same provider at another address: a server of one's own, or one for tests.
func (p Provider) at(base string) Provider {
	if base == "" {
		return p
	}
	for _, u := range []*string{&p.Issuer, &p.AuthURL, &p.TokenURL, &p.UserURL} {
		*u = rebase(*u, base)
	}
	return p
}

func rebase(address, base string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return address
	}
	to := strings.TrimSuffix(base, "/") + u.EscapedPath()
	if u.RawQuery != "" {
		to += "?" + u.RawQuery
	}
	return to
}

// issuer is the name of the provider where its tokens do not say another.
func (p Provider) issuer() string {
	if p.Issuer != "" {
		return p.Issuer
	}
	u, err := url.Parse(p.AuthURL)
	if err != nil || u.Host == "" {
		return p.AuthURL
	}
	return u.Scheme + "://" + u.Host
}

// profile reads what a provider said of somebody.
func (p Provider) profile(said claims) Profile {
	f := p.Fields
	if f == (Fields{}) {
		f = standard
	}
	out := Profile{Issuer: p.issuer(), Subject: said.text(f.Subject), Email: said.text(f.Email), Name: said.text(f.Name), Picture: said.text(f.Picture)}
	out.Verified = p.Trusted && said.truth(f.Verified)
	return out
}
