package api

import (
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/session"
	people "github.com/admit-dev/admit/internal/user"
	"github.com/admit-dev/admit/internal/web"
)

// Delivery says how the session of a sign-in comes back.
type Delivery struct {
	Transport string `query:"transport" enum:"cookie,token,page" default:"cookie" doc:"cookie sets the session cookie; token answers with an access and a refresh token instead; page answers with an access token and sets the refresh cookie."`
}

// Carrier says how the session of an operation comes back that is for a browser or for an app.
type Carrier struct {
	Transport string `query:"transport" enum:"cookie,token" default:"cookie" doc:"cookie sets the session cookie; token answers with an access and a refresh token instead."`
}

// page is a sign-in whose refresh token no script shall read.
var page = Delivery{"page"}

func (s *API) finish(q *call, t Delivery, remember bool) login.Finish {
	f := login.Finish{Transport: session.Cookie, Remember: remember}
	if t.Transport != string(session.Cookie) {
		f.Transport, f.Cookies = session.Token, t == page
		return f
	}
	f.Replaces, _ = s.cookies.Session(q.r)
	return f
}

// entered answers a complete sign-in with the person and the cookie, or with tokens; one that wants more with the step.
func (s *API) entered(q *call, t Delivery, out login.Outcome, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if out.Step != nil {
		return nil, &stepRequired{Problem: *web.NewProblem(q, errStep), Attempt: *out.Step}
	}
	if out.Session.Transport == session.Token {
		access, err := s.issue(q, out.User, out.Session)
		if err == nil && t == page {
			s.cookies.SetRefresh(q.w, out.Credential, out.Session.ExpiresAt, s.app.DB.Now())
			s.cookies.SetDevice(q.w, out.Device, s.app.DB.Now())
			out.Credential = ""
		}
		return Tokens{access.Token, out.Credential, "bearer", int64(access.ExpiresIn.Seconds()), out.Spares}, err
	}
	s.cookies.Enter(q.w, out, s.app.DB.Now())
	u, err := s.user(q, out.User)
	return Entered{u, out.Spares}, err
}

type signUp struct {
	Delivery
	Body struct {
		Email    string     `json:"email,omitempty" maxLength:"320" doc:"An e-mail address. At least one of email, username and phone is needed." example:"test@example.com"`
		Username string     `json:"username,omitempty" maxLength:"100" doc:"4 to 24 characters."`
		Phone    string     `json:"phone,omitempty" maxLength:"40" doc:"A phone number with its country code."`
		Name     string     `json:"name,omitempty" maxLength:"1000" doc:"What the person is called."`
		Password string     `json:"password" maxLength:"4096" doc:"8 to 128 characters." example:"password123"`
		Invite   string     `json:"invite_token,omitempty" maxLength:"200" doc:"An invitation that was sent to this e-mail address: joins its organization in the same step."`
		Consents []AgreedTo `json:"consents,omitempty" maxItems:"20" doc:"What the person agreed to on your form: it is noted with the account."`
		Given    *given     `json:"challenge,omitempty" doc:"The answer to the step that a sign-up was refused with before (401 step_required). Send everything else again."`
	}
}

// given is the answer to what a sign-up was asked before it goes on.
type given struct {
	Attempt string            `json:"attempt" maxLength:"100" doc:"The attempt of the step."`
	Values  map[string]string `json:"values,omitempty" doc:"The fields of its prompt."`
}

func (in signUp) given() (g login.Given) {
	if in.Body.Given != nil {
		g = login.Given{Attempt: in.Body.Given.Attempt, Answer: in.Body.Given.Values}
	}
	return g
}

func (in signUp) person() people.New {
	return people.New{Email: in.Body.Email, Username: in.Body.Username, Phone: in.Body.Phone, Name: in.Body.Name}
}

type guestIn struct{ Delivery }

type signIn struct {
	Delivery
	Body struct {
		Email      string `json:"email,omitempty" maxLength:"320" doc:"Who signs in: one of email, username, phone and identifier." example:"test@example.com"`
		Username   string `json:"username,omitempty" maxLength:"320"`
		Phone      string `json:"phone,omitempty" maxLength:"320"`
		Identifier string `json:"identifier,omitempty" maxLength:"320" doc:"Any of the three."`
		Password   string `json:"password" maxLength:"4096" example:"password123"`
		Remember   bool   `json:"remember,omitempty" doc:"Keep the session for SESSION_REMEMBER_HOURS."`
	}
}

// identifier is the one name that was given. Two could mean two people.
func identifier(given ...string) (string, error) {
	found := ""
	for _, g := range given {
		if g != "" && found != "" {
			return "", login.ErrIdentifier
		}
		if g != "" {
			found = g
		}
	}
	return found, nil
}

func (s *API) auth() {
	tags := []string{"Signing in"}
	operation(s, huma.Operation{Method: "POST", Path: "/auth/signup", Summary: "Make an account and sign in", DefaultStatus: http.StatusCreated, Responses: s.made(Entered{}, Tokens{}), Tags: tags}, limited, s.signUp)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/anonymous", Summary: "Go in as a guest", DefaultStatus: http.StatusCreated, Responses: s.made(Entered{}, Tokens{}), Tags: tags}, limited, func(q *call, in *guestIn) (any, error) {
		out, err := s.app.Guests.SignIn(q, s.finish(q, in.Delivery, true))
		return s.entered(q, in.Delivery, out, err)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/login", Summary: "Sign in with a password", Responses: s.entering(http.StatusOK), Tags: tags}, limited, s.login)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/logout", Summary: "Sign out: the session is dead at once", Tags: tags}, cookied, s.logout)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/owner", Summary: "Become the owner with the printed link", Responses: s.entering(http.StatusOK), Tags: tags}, limited, s.owner)
	raw[Me](s, huma.Operation{Method: "GET", Path: "/auth/me", Summary: "Who is signed in", Tags: []string{"Account"}}, user|keyed, s.me)
	raw[Me](s, huma.Operation{Method: "GET", Path: "/api/v1/about_me", Summary: "Who is signed in", Tags: []string{"Tokens"}}, user|keyed, s.me)
	raw[Protected](s, huma.Operation{Method: "GET", Path: "/protected", Summary: "An example of a route for signed-in people", Tags: []string{"Account"}}, user|keyed, s.protected)
	operation(s, huma.Operation{Method: "PATCH", Path: "/auth/me", Summary: "Change the profile", Tags: []string{"Account"}}, user, s.changeMe)
	operation(s, huma.Operation{Method: "DELETE", Path: "/auth/me", Summary: "Delete the account and everything of it, for good: at once, or after ACCOUNT_DELETION_GRACE_DAYS", DefaultStatus: http.StatusNoContent, Tags: []string{"Account"}}, user|fresh, func(q *call, _ *struct{}) (nothing, error) {
		_, err := s.app.Accounts.Leave(q, q.live.User.ID)
		if err = s.changed(q, err); err == nil {
			s.cookies.ClearSession(q.w)
			s.cookies.ClearRefresh(q.w)
		}
		return nothing{}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/switch-org", Summary: "Work in another organization, without signing in again", Tags: []string{"Account"}}, user|acting, s.switchOrg)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/password/strength", Summary: "How good a password is; nothing is kept of it", Tags: tags}, limited, func(q *call, in *rate) (password.Strength, error) {
		return s.app.Passwords.Rate(q, in.Body.Password, people.New{Email: in.Body.Email, Username: in.Body.Username, Name: in.Body.Name})
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/password/change", Summary: "Change the password; every other session ends", Tags: []string{"Account"}}, user|limited, s.changePassword)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/password", Summary: "Set the first password, for who has none", Tags: []string{"Account"}}, user|fresh|limited, func(q *call, in *firstPassword) (Message, error) {
		return Message{"The password is set."}, s.app.Passwords.First(q, q.live.User.ID, in.Body.New)
	})
}

func (s *API) signUp(q *call, in *signUp) (any, error) {
	f := s.finish(q, in.Delivery, false)
	f.Given = in.given()
	consents := agreed(in.Body.Consents)
	if in.Body.Invite != "" {
		out, err := s.app.Passwords.SignUpInvited(q, in.person(), in.Body.Password, in.Body.Invite, f, consents...)
		return s.entered(q, in.Delivery, out, err)
	}
	if live, err := s.guard.Recognize(q.r); err == nil && live.User.Guest {
		out, err := s.app.Passwords.Settle(q, live.User.ID, in.person(), in.Body.Password, f, consents...)
		if err == nil && out.Step == nil && out.Session.ID == "" {
			return nil, newAccepted()
		}
		return s.entered(q, in.Delivery, out, err)
	}
	out, err := s.app.Passwords.SignUp(q, in.person(), in.Body.Password, f, consents...)
	if err == nil && out.Step == nil && out.Session.ID == "" { // nothing may be told
		return nil, newAccepted()
	}
	return s.entered(q, in.Delivery, out, err)
}

func (s *API) login(q *call, in *signIn) (any, error) {
	who, err := identifier(in.Body.Email, in.Body.Username, in.Body.Phone, in.Body.Identifier)
	if err != nil {
		return nil, err
	}
	out, err := s.app.Door.SignIn(q, who, "password", login.Answer{"password": in.Body.Password}, s.finish(q, in.Delivery, in.Body.Remember))
	return s.entered(q, in.Delivery, out, err)
}

func (s *API) logout(q *call, _ *struct{}) (Message, error) {
	live, err := s.guard.Recognize(q.r)
	if err == nil {
		err = s.app.Sessions.Revoke(q, live.User.ID, live.Session.ID, session.SignedOut)
	}
	_, bearer, _ := web.Bearer(q.r)
	ended := errors.Is(err, session.ErrUnknown) || errors.Is(err, session.ErrNone) // there is nothing left to end
	if err != nil && (!ended || bearer) {
		return Message{}, err
	}
	s.cookies.ClearSession(q.w)
	q.w.Header().Set("Clear-Site-Data", `"cache"`)
	return Message{"You are signed out."}, nil
}

// Protected is the answer of the example route.
type Protected struct {
	Message   string  `json:"message"`
	UserID    string  `json:"user_id"`
	UserEmail *string `json:"user_email"`
}

// me answers also who has to show a second factor first: a page asks here what it is to lead them to.
func (s *API) me(w http.ResponseWriter, r *http.Request) {
	live, err := s.guard.Whoever(r)
	if err != nil {
		web.WriteError(w, r, err)
		return
	}
	root, err := s.app.Authz.Root(r.Context())
	if err != nil {
		web.WriteError(w, r, err)
		return
	}
	required := s.app.MFA.ConcernsAt(root, &live.User)
	live.Memo(required, func() any {
		orgs := root.OrgsOf(live.User.ID)
		if c := s.guard.CallerOf(r, live); c.Ceiling != nil {
			orgs = slices.DeleteFunc(slices.Clone(orgs), func(org string) bool { return !c.Within(org) })
		}
		return newAnswer(Me{newUser(live.User, orgs, required), newActor(live.Session), newKeyInUse(live.Session)})
	}).(*answer).write(w)
}

func (s *API) protected(w http.ResponseWriter, r *http.Request) {
	live, err := s.guard.Keyed(r, false)
	if err != nil {
		web.WriteError(w, r, err)
		return
	}
	u := newUser(live.User, nil, false)
	newAnswer(Protected{"You are signed in.", u.ID, u.Email}).write(w)
}

type changeMe struct {
	Body struct {
		Name     *string `json:"name,omitempty" maxLength:"1000" doc:"What the person is called."`
		Username *string `json:"username,omitempty" maxLength:"100" doc:"A new username; empty takes it away."`
		Language *string `json:"language,omitempty" maxLength:"100" doc:"What pages and messages are to speak; empty goes by the browser." example:"de"`
		TimeZone *string `json:"time_zone,omitempty" maxLength:"100" doc:"Which time to show, by its name in the IANA database; empty is UTC." example:"Europe/Berlin"`
	}
}

func (s *API) changeMe(q *call, in *changeMe) (User, error) {
	u, err := s.app.Users.Update(q, q.live.User.ID, people.Change{Name: in.Body.Name, Username: in.Body.Username, Language: in.Body.Language, TimeZone: in.Body.TimeZone})
	if err != nil {
		return User{}, err
	}
	return s.user(q, u)
}

type switchOrg struct {
	Body struct {
		OrgID *string `json:"org_id" maxLength:"100" doc:"The id or the slug of an organization you belong to; null for none."`
	}
}

// Switched is the organization a session works in now.
type Switched struct {
	OrgID       *string  `json:"org_id"`
	Roles       []string `json:"roles" doc:"The keys of your roles there."`
	AccessToken string   `json:"access_token,omitempty" doc:"A new one that names the organization, where the session has no cookie."`
	TokenType   string   `json:"token_type,omitempty"`
	ExpiresIn   int64    `json:"expires_in,omitempty"`
}

func (s *API) switchOrg(q *call, in *switchOrg) (Switched, error) {
	u, n := q.live.User, q.live.Session
	n.OrgID = ""
	if in.Body.OrgID != nil && *in.Body.OrgID != "" {
		o, err := s.app.Orgs.Belong(q, u.ID, *in.Body.OrgID)
		if err != nil {
			return Switched{}, err
		}
		n.OrgID = o.ID
	}
	if err := s.app.Sessions.Switch(q, u.ID, n.ID, n.OrgID); err != nil {
		return Switched{}, err
	}
	root, err := s.app.Authz.Root(q)
	if err != nil {
		return Switched{}, err
	}
	orgID, roles := s.active(root, u, n)
	out := Switched{OrgID: orgID, Roles: roles}
	if n.Transport == session.Token {
		access, err := s.issue(q, u, n)
		if err != nil {
			return Switched{}, err
		}
		out.AccessToken, out.TokenType, out.ExpiresIn = access.Token, "bearer", int64(access.ExpiresIn.Seconds())
	}
	return out, nil
}

type rate struct {
	Body struct {
		Password string `json:"password" maxLength:"4096"`
		Email    string `json:"email,omitempty" maxLength:"320" doc:"Of whom it is to be: what is about a person is guessed first."`
		Username string `json:"username,omitempty" maxLength:"100"`
		Name     string `json:"name,omitempty" maxLength:"1000"`
	}
}

type firstPassword struct {
	Body struct {
		New string `json:"new_password" maxLength:"4096" doc:"8 to 128 characters."`
	}
}

type changePassword struct {
	Body struct {
		Current string `json:"current_password" maxLength:"4096"`
		New     string `json:"new_password" maxLength:"4096" doc:"8 to 128 characters."`
	}
}

func (s *API) changePassword(q *call, in *changePassword) (Message, error) {
	err := s.app.Passwords.Change(q, q.live.User.ID, q.live.Session.ID, in.Body.Current, in.Body.New)
	return Message{"The password is changed. Every other session has ended."}, err
}

type claim struct {
	Delivery
	Body struct {
		Key      string `json:"key" maxLength:"200" doc:"What stands behind #k= in the printed link."`
		Email    string `json:"email" maxLength:"320"`
		Password string `json:"password" maxLength:"4096" doc:"A new password, or that of the account there is."`
	}
}

func (s *API) owner(q *call, in *claim) (any, error) {
	out, err := s.app.Owner.Claim(q, in.Body.Key, in.Body.Email, in.Body.Password, s.finish(q, in.Delivery, false))
	return s.entered(q, in.Delivery, out, err)
}
