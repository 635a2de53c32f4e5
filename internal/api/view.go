package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/token"
	people "github.com/admit-dev/admit/internal/user"
	"github.com/admit-dev/admit/internal/web"
)

// User is a person on the wire.
type User struct {
	ID            string     `json:"id" doc:"usr_…"`
	Email         *string    `json:"email" doc:"The primary address, or null."`
	EmailVerified bool       `json:"email_verified"`
	Username      *string    `json:"username"`
	Phone         *string    `json:"phone" doc:"E.164, or null."`
	PhoneVerified bool       `json:"phone_verified"`
	Name          string     `json:"name"`
	Language      *string    `json:"language" doc:"What pages and messages speak to the person, or null: as the browser says."`
	TimeZone      *string    `json:"time_zone" doc:"Which time they are shown, by its name in the IANA database, or null: UTC."`
	IsAnonymous   bool       `json:"is_anonymous" doc:"A guest: nothing is known of them, and they end with their session."`
	IsActive      bool       `json:"is_active" doc:"Whether the person may sign in."`
	Role          string     `json:"role" doc:"The first global role, or user."`
	Roles         []string   `json:"roles" doc:"The global roles."`
	SecondFactors []string   `json:"second_factors" doc:"What is asked beside the first way to sign in, such as totp."`
	MFA           MFA        `json:"mfa"`
	Organizations []string   `json:"organizations" doc:"The ids of the organizations the person is a member of."`
	EraseAt       *time.Time `json:"erase_at,omitempty" doc:"Only of who asked to be deleted: when everything is erased. The account is closed until then."`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

// Actor is who acts in the name of a person.
type Actor struct {
	ID     string    `json:"id" doc:"usr_…"`
	Reason string    `json:"reason" doc:"Why, in their words."`
	Until  time.Time `json:"until"`
}

// Me is who is signed in.
type Me struct {
	User
	Actor *Actor    `json:"actor,omitempty" doc:"Only where somebody else acts in their name: who."`
	Key   *KeyInUse `json:"api_key,omitempty" doc:"Only where an API key was shown: what it is for."`
}

// KeyInUse is the key that somebody asks with.
type KeyInUse struct {
	ID        string    `json:"id" doc:"key_…"`
	Scopes    []string  `json:"scopes"`
	OrgID     *string   `json:"org_id" doc:"The one organization it can be used in, or null."`
	ExpiresAt time.Time `json:"expires_at"`
}

func newKeyInUse(n session.Session) *KeyInUse {
	if n.Transport != session.Key {
		return nil
	}
	return &KeyInUse{n.ID, mapped(n.Ceiling.Patterns, authz.Pattern.String), next(n.Ceiling.Org), n.ExpiresAt}
}

func newActor(n session.Session) *Actor {
	if n.Act == nil {
		return nil
	}
	return &Actor{n.Act.UserID, n.Act.Reason, n.ExpiresAt}
}

// MFA is how it stands with a person and second factors.
type MFA struct {
	Required bool `json:"required" doc:"Whether a second factor is required of them, by this site or by an organization of theirs."`
	Enrolled bool `json:"enrolled" doc:"Whether they have one: an authenticator app, a passkey, or another."`
}

// Entered is who has just signed in.
type Entered struct {
	User
	RecoveryCodes []string `json:"recovery_codes,omitempty" doc:"Where a second factor was set up in this sign-in: what stands in for it, each good once. They are shown this once."`
}

// user is a person with the organizations they belong to now.
func (s *API) user(ctx context.Context, u people.User) (User, error) {
	root, err := s.app.Authz.Root(ctx)
	if err != nil {
		return User{}, err
	}
	return s.userAt(root, u), nil
}

// userAt is user by what holds at a Root.
func (s *API) userAt(root *authz.Root, u people.User) User {
	return newUser(u, root.OrgsOf(u.ID), s.app.MFA.ConcernsAt(root, &u))
}

func newUser(u people.User, orgs []string, required bool) User {
	v := User{ID: u.ID, EmailVerified: u.EmailVerified, PhoneVerified: u.PhoneVerified, Name: u.Name, IsAnonymous: u.Guest, IsActive: u.Active(), Role: u.Role(),
		Roles: u.Roles, SecondFactors: u.Factors, MFA: MFA{required, u.Enrolled()}, Organizations: orgs, EraseAt: u.EraseAt, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt}
	for _, f := range []struct {
		to   **string
		from string
	}{{&v.Email, u.Email}, {&v.Username, u.Username}, {&v.Phone, u.Phone}, {&v.Language, u.Language}, {&v.TimeZone, u.TimeZone}} {
		if f.from != "" {
			*f.to = &f.from
		}
	}
	for _, list := range []*[]string{&v.Roles, &v.SecondFactors, &v.Organizations} {
		if *list == nil {
			*list = []string{}
		}
	}
	return v
}

// Tokens is an access token and, for clients without cookies, the refresh token that renews it (RFC 6749, section 5.1).
type Tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty" doc:"Only where the client asked for it; browsers hold it in a cookie."`
	TokenType    string `json:"token_type" enum:"bearer"`
	ExpiresIn    int64  `json:"expires_in" doc:"Seconds until the access token expires."`

	RecoveryCodes []string `json:"recovery_codes,omitempty" doc:"Where a second factor was set up in this sign-in: what stands in for it, each good once. They are shown this once."`
}

// Message says how something ended, for people.
type Message struct {
	Message string `json:"message"`
}

// stepRequired is a sign-in that wants more: a problem with the attempt to go on with.
type stepRequired struct {
	web.Problem
	Attempt login.Step `json:"attempt"`
}

// accepted answers 202 where nothing may be told: the request was taken, and mail says how it goes on.
type accepted struct {
	Message string `json:"message"`
}

func newAccepted() *accepted {
	return &accepted{"Thank you. If this is a new address, the account is ready: sign in."}
}

func (*accepted) Error() string             { return "accepted" }
func (*accepted) GetStatus() int            { return http.StatusAccepted }
func (*accepted) ContentType(string) string { return "application/json" }

// issue makes the access token of a session: of one revision of the rights, so that verifiers know by the next that it is of an old one.
func (s *API) issue(ctx context.Context, u people.User, n session.Session) (token.Issued, error) {
	root, err := s.app.Authz.Root(ctx)
	if err != nil {
		return token.Issued{}, err
	}
	org, roles := s.active(root, u, n)
	held := root.GlobalRoleKeys(u.ID, s.app.DB.Now())
	u.Roles = slices.DeleteFunc(slices.Clone(u.Roles), func(role string) bool { return !slices.Contains(held, role) })
	g := token.Grant{User: u, SessionID: n.ID, AMR: n.AMR, AuthAt: n.FreshAt(), Org: org, OrgRoles: roles, Revision: s.app.Authz.Revision(root)}
	if n.Act != nil {
		g.Actor = n.Act.UserID
	}
	return s.app.Tokens.Issue(g)
}

// active is the organization a session works in, and the roles of its person there: the one it was switched to, or else the
// only one they belong to. It is none once they no longer do.
func (s *API) active(root *authz.Root, u people.User, n session.Session) (*string, []string) {
	org := n.OrgID
	if mine := root.OrgsOf(u.ID); org == "" && len(mine) == 1 {
		org = mine[0]
	}
	roles := root.RoleKeys(org, u.ID, s.app.DB.Now())
	if roles == nil {
		return nil, []string{}
	}
	return &org, roles
}

// answer is a person's JSON, made once for each Live and sent as it is.
type answer struct {
	body   []byte
	length []string
}

var jsonType = []string{"application/json"}

func (a *answer) write(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = a.length
	_, _ = w.Write(a.body)
}

func newAnswer(v any) *answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types
	}
	body = append(body, '\n')
	return &answer{body, []string{itoa(len(body))}}
}

func itoa(n int) string { return strconv.Itoa(n) }
