package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/session"
	people "github.com/admit-dev/admit/internal/user"
)

// Person is what those who look after people see of one.
type Person struct {
	User
	FailedAttempts int64      `json:"failed_attempts" doc:"Wrong answers at the account since the last right one, of the last day."`
	LockedUntil    *time.Time `json:"locked_until" doc:"Until when nobody may try, but for the devices the person is known on; null when it is open."`
}

func newPerson(u User, l lockout.Lock) Person { return Person{u, l.Failures, l.Until} }

// Users is a part of the list of people.
type Users struct {
	Items      []Person `json:"items"`
	NextCursor *string  `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end."`
}

type listUsersIn struct {
	Part
	Text  string `query:"q" maxLength:"320" doc:"What a name or an identifier begins with."`
	State string `query:"state" enum:"active,disabled,locked" doc:"How it stands with the account. Who is locked is active too."`
	Role  string `query:"role" maxLength:"100" doc:"A global role they hold, by key."`
}

// UserRef names a person.
type UserRef struct {
	User string `path:"user" maxLength:"320" doc:"usr_…"`
}

type newUserIn struct {
	Body struct {
		Email    string `json:"email,omitempty" maxLength:"1000"`
		Username string `json:"username,omitempty" maxLength:"100"`
		Phone    string `json:"phone,omitempty" maxLength:"100"`
		Name     string `json:"name,omitempty" maxLength:"1000"`
		Password string `json:"password,omitempty" maxLength:"4096" doc:"Without one they set it by a link: see reset-password."`
	}
}

// UserSessionRef names a session of a person.
type UserSessionRef struct {
	UserRef
	ID string `path:"id" maxLength:"100" doc:"ses_…"`
}

type editUserIn struct {
	UserRef
	Body struct {
		Name     *string `json:"name,omitempty" maxLength:"1000"`
		Username *string `json:"username,omitempty" maxLength:"100" doc:"Empty takes it away."`
	}
}

type userRolesIn struct {
	UserRef
	Body struct {
		Roles []string `json:"roles" maxItems:"100" doc:"Exactly these global roles, by key."`
	}
}

func (s *API) people() {
	tags := []string{"Users"}
	at := "/api/v1/users"
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "Everybody, newest first", Tags: tags}, user|keyed, s.listUsers)
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Make an account for somebody", DefaultStatus: http.StatusCreated, Tags: tags}, user|keyed, func(q *call, in *newUserIn) (Person, error) {
		b := in.Body
		u, err := s.app.Passwords.Create(q, q.caller(), people.New{Email: b.Email, Username: b.Username, Phone: b.Phone, Name: b.Name}, b.Password)
		return s.person(q, u, err)
	})
	operation(s, huma.Operation{Method: "GET", Path: at + "/{user}", Summary: "A person", Tags: tags}, user|keyed, func(q *call, in *UserRef) (Person, error) {
		u, err := s.app.Accounts.Get(q, q.caller(), in.User)
		return s.person(q, u, err)
	})
	operation(s, huma.Operation{Method: "PATCH", Path: at + "/{user}", Summary: "Change a profile", Tags: tags}, user|keyed, func(q *call, in *editUserIn) (Person, error) {
		u, err := s.app.Accounts.Update(q, q.caller(), in.User, people.Change{Name: in.Body.Name, Username: in.Body.Username})
		return s.person(q, u, err)
	})
	operation(s, huma.Operation{Method: "DELETE", Path: at + "/{user}", Summary: "Delete a person and everything of theirs", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *UserRef) (nothing, error) {
		return nothing{}, s.changed(q, s.app.Accounts.Delete(q, q.caller(), in.User))
	})
	operation(s, huma.Operation{Method: "PUT", Path: at + "/{user}/roles", Summary: "Give a person exactly these global roles", Tags: tags}, user|keyed, func(q *call, in *userRolesIn) (Person, error) {
		u, err := s.app.Accounts.SetRoles(q, q.caller(), in.User, in.Body.Roles)
		return s.person(q, u, s.changed(q, err))
	})
	for verb, do := range map[string]struct {
		summary string
		f       func(context.Context, authz.Caller, string) error
	}{
		"disable": {"Keep a person from signing in, and end their sessions", s.app.Accounts.Disable},
		"enable":  {"Let a person sign in again", s.app.Accounts.Enable},
		"unlock":  {"Let a person sign in again at whose account somebody guessed", s.app.Accounts.Unlock},
	} {
		operation(s, huma.Operation{Method: "POST", Path: at + "/{user}/" + verb, Summary: do.summary, Tags: tags}, user|keyed, func(q *call, in *UserRef) (Person, error) {
			if err := s.changed(q, do.f(q, q.caller(), in.User)); err != nil {
				return Person{}, err
			}
			u, err := s.app.Users.Get(q, in.User)
			return s.person(q, u, err)
		})
	}
	operation(s, huma.Operation{Method: "POST", Path: at + "/{user}/reset-password", Summary: "Send a person a link to set a new password", DefaultStatus: http.StatusAccepted, Tags: tags}, user|keyed, func(q *call, in *UserRef) (Message, error) {
		return Message{"A link is on its way to their address."}, s.changed(q, s.app.Resets.Send(q, q.caller(), in.User))
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "/{user}/reset-mfa", Summary: "Take the second factors from a person who lost them, and end their sessions", Tags: tags}, user|keyed, func(q *call, in *UserRef) (Message, error) {
		return Message{"They are asked for none of their second factors any more, and are signed out everywhere."}, s.changed(q, s.app.Resets.DropFactors(q, q.caller(), in.User))
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "/{user}/logout-all", Summary: "End every session of a person", Tags: tags}, user|keyed, func(q *call, in *UserRef) (Ended, error) {
		n, err := s.app.Accounts.SignOut(q, q.caller(), in.User)
		return Ended{"They are signed out.", n}, err
	})
	operation(s, huma.Operation{Method: "GET", Path: at + "/{user}/sessions", Summary: "Where a person is signed in, newest first", Tags: tags}, user|keyed, func(q *call, in *UserRef) (Sessions, error) {
		list, err := s.app.Accounts.Sessions(q, q.caller(), in.User)
		return Sessions{Items: mapped(list, func(n session.Session) Session { return newSession(n, q.live.Session.ID) })}, err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: at + "/{user}/sessions/{id}", Summary: "Sign a person out on one device", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *UserSessionRef) (nothing, error) {
		return nothing{}, s.app.Accounts.EndSession(q, q.caller(), in.User, in.ID)
	})
}

func (s *API) person(q *call, u people.User, err error) (Person, error) {
	if err != nil {
		return Person{}, err
	}
	v, err := s.user(q, u)
	if err != nil {
		return Person{}, err
	}
	locks, err := s.app.Locks.Of(q, u)
	return newPerson(v, locks[u.ID]), err
}

func (s *API) listUsers(q *call, in *listUsersIn) (Users, error) {
	if in.Cursor != "" && !id.Valid("usr", in.Cursor) {
		return Users{}, ErrCursor
	}
	p, err := s.app.Accounts.List(q, q.caller(), people.Filter{Text: in.Text, State: people.State(in.State), Role: in.Role}, in.Cursor, in.Limit)
	if err != nil {
		return Users{}, err
	}
	root, err := s.app.Authz.Root(q)
	if err != nil {
		return Users{}, err
	}
	locks, err := s.app.Locks.Of(q, p.Users...)
	return Users{mapped(p.Users, func(u people.User) Person { return newPerson(s.userAt(root, u), locks[u.ID]) }), next(p.Next)}, err
}
