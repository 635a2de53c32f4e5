package social

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
)

var openID = []string{"openid", "profile", "email"}

// google is believed about addresses that it gives out itself: others were verified once, and may have another owner since.
var google = Provider{Name: "google", Title: "Google", Issuer: "https://accounts.google.com", Scopes: openID, Trusted: true,
	Issued: func(_ Provider, issuer string, _ claims) bool { return issuer == "accounts.google.com" },
	Look: func(_ context.Context, _ asking, said claims, p *Profile) error {
		mail := strings.ToLower(p.Email)
		p.Verified = p.Verified && (strings.HasSuffix(mail, "@gmail.com") || strings.HasSuffix(mail, "@googlemail.com") || said.text("hd") != "")
		return nil
	}}

// github says an address in the profile only if it is public; what it verified is in a list.
var github = Provider{Name: "github", Title: "GitHub", AuthURL: "https://github.com/login/oauth/authorize", TokenURL: "https://github.com/login/oauth/access_token",
	UserURL: "https://api.github.com/user", Scopes: []string{"read:user", "user:email"}, Trusted: true, Style: oauth2.AuthStyleInParams,
	Fields: Fields{Subject: "id", Name: "name", Picture: "avatar_url"},
	Look: func(ctx context.Context, ask asking, said claims, p *Profile) error {
		p.Name = cmp.Or(p.Name, said.text("login"))
		var list []struct {
			Email    string `json:"email"`
			Primary  bool   `json:"primary"`
			Verified bool   `json:"verified"`
		}
		err := ask.into(ctx, ask.provider.UserURL+"/emails", &list)
		for _, e := range list {
			if e.Primary {
				p.Email, p.Verified = e.Email, e.Verified
			}
		}
		return err
	}}

// linkedin refuses a code_verifier of a client with a secret, and leaves the nonce out of its tokens.
var linkedin = Provider{Name: "linkedin", Title: "LinkedIn", Issuer: "https://www.linkedin.com/oauth", Scopes: openID, Trusted: true, Style: oauth2.AuthStyleInParams,
	NoPKCE: true, NoNonce: true, Issued: func(_ Provider, issuer string, _ claims) bool { return issuer == "https://www.linkedin.com" }}

// facebook does not say whether an address is verified.
var facebook = Provider{Name: "facebook", Title: "Facebook", AuthURL: "https://www.facebook.com/v23.0/dialog/oauth", TokenURL: "https://graph.facebook.com/v23.0/oauth/access_token",
	UserURL: "https://graph.facebook.com/v23.0/me?fields=id,name,email,picture", Scopes: []string{"public_profile", "email"}, Style: oauth2.AuthStyleInParams,
	Fields: Fields{Subject: "id", Email: "email", Name: "name", Picture: "picture.data.url"}, Ask: facebookProof}

// facebookProof shows with each question that we are the app the token was given to.
func facebookProof(p Provider, token string) string {
	mac := hmac.New(sha256.New, []byte(p.Secret))
	mac.Write([]byte(token))
	return p.UserURL + "&appsecret_proof=" + hex.EncodeToString(mac.Sum(nil))
}

const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

var tenantID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// microsoft is a provider for each tenant: the issuer of a token is the tenant it says it is of. An address is what an administrator
// of any tenant wrote, unless its domain was verified.
func microsoft(tenant string) Provider {
	const base = "https://login.microsoftonline.com/"
	return Provider{Name: "microsoft", Title: "Microsoft", Issuer: base + tenant + "/v2.0", Scopes: openID, Trusted: true, Params: map[string]string{"prompt": "select_account"},
		Fields: Fields{"sub", "email", "xms_edov", "name", ""},
		Issued: func(p Provider, issuer string, said claims) bool {
			tid := said.text("tid")
			here, many := strings.CutSuffix(p.Issuer, tenant+"/v2.0")
			if !many || !tenantID.MatchString(tid) || issuer != here+tid+"/v2.0" {
				return false
			}
			personal := tid == personalTenant
			return tenant == "common" || tenant == "organizations" && !personal || tenant == "consumers" && personal
		},
		Look: func(_ context.Context, _ asking, said claims, p *Profile) error {
			p.Issuer = said.text("iss")
			return nil
		}}
}

// apple wants a secret that we sign ourselves, posts its answer when it is asked for a name, and says that name the first time only.
var apple = Provider{Name: "apple", Title: "Apple", Issuer: "https://appleid.apple.com", Scopes: []string{"openid", "name", "email"}, Trusted: true,
	Style: oauth2.AuthStyleInParams, FormPost: true, Params: map[string]string{"response_mode": "form_post"}, Fields: Fields{"sub", "email", "email_verified", "", ""}}

const appleSecretLife = 5 * time.Minute

// appleSecret is the client secret of Apple: a short JWT of the team, signed with the key that Apple gave out.
func appleSecret(team, clientID, keyID string, key *ecdsa.PrivateKey, issuer string) func(time.Time) (string, error) {
	return func(now time.Time) (string, error) {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: keyID}}, nil)
		if err != nil {
			return "", err
		}
		return jwt.Signed(signer).Claims(jwt.Claims{Issuer: team, Subject: clientID, Audience: jwt.Audience{issuer}, IssuedAt: jwt.NewNumericDate(now),
			Expiry: jwt.NewNumericDate(now.Add(appleSecretLife))}).Serialize()
	}
}

// appleKey reads the .p8 file that Apple gives out once.
func appleKey(text string) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return nil, errors.New("it is no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it is no PKCS #8 key")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve.Params().BitSize != 256 {
		return nil, errors.New("it is no key of the curve P-256")
	}
	return key, nil
}

var discord = Provider{Name: "discord", Title: "Discord", AuthURL: "https://discord.com/oauth2/authorize", TokenURL: "https://discord.com/api/oauth2/token",
	UserURL: "https://discord.com/api/users/@me", Scopes: []string{"identify", "email"}, Trusted: true, Style: oauth2.AuthStyleInParams,
	Fields: Fields{Subject: "id", Email: "email", Verified: "verified", Name: "global_name"},
	Look: func(_ context.Context, _ asking, said claims, p *Profile) error {
		p.Name = cmp.Or(p.Name, said.text("username"))
		if hash := said.text("avatar"); hash != "" {
			p.Picture = "https://cdn.discordapp.com/avatars/" + url.PathEscape(p.Subject) + "/" + url.PathEscape(hash) + ".png"
		}
		return nil
	}}

var gitlab = Provider{Name: "gitlab", Title: "GitLab", Issuer: "https://gitlab.com", Scopes: openID, Trusted: true}

// slack lets whoever runs a workspace write the addresses of its members.
var slack = Provider{Name: "slack", Title: "Slack", Issuer: "https://slack.com", Scopes: openID, Style: oauth2.AuthStyleInParams}

// x says an address if the app may ask for it, and then one that was confirmed; whether it still is, it does not say.
var x = Provider{Name: "x", Title: "X", AuthURL: "https://x.com/i/oauth2/authorize", TokenURL: "https://api.x.com/2/oauth2/token",
	UserURL: "https://api.x.com/2/users/me?user.fields=profile_image_url,confirmed_email", Scopes: []string{"users.read", "tweet.read", "users.email"}, Style: oauth2.AuthStyleInHeader,
	Fields: Fields{Subject: "data.id", Email: "data.confirmed_email", Name: "data.name", Picture: "data.profile_image_url"}}
