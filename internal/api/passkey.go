package api

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/passkey"
)

// credential is PublicKeyCredential.toJSON(): the method that asked for it reads it.
type credential map[string]any

// text is a credential as JSON, "" when there is none.
func (c credential) text() string {
	if c == nil {
		return ""
	}
	text, err := json.Marshal(c)
	if err != nil {
		return "{}" // JSON was what it was read from
	}
	return string(text)
}

type registerPasskey struct {
	Body struct {
		Credential credential `json:"credential" doc:"PublicKeyCredential.toJSON() of navigator.credentials.create()."`
		Name       string     `json:"name,omitempty" maxLength:"200" doc:"What to call it; empty names it after what keeps it."`
	}
}

type passkeyOptions struct {
	Body *struct { // a pointer: there may be none
		Identifier string `json:"identifier,omitempty" maxLength:"320" doc:"Who signs in, if that was typed. The answer does not depend on it; only a passkey of theirs opens the door then."`
	}
}

// PasskeyAttempt is a sign-in that waits for a passkey.
type PasskeyAttempt struct {
	Attempt string `json:"attempt" doc:"The attempt. Keep it secret."`
	passkey.Options
}

type passkeyIn struct {
	Delivery
	Body struct {
		Attempt    string     `json:"attempt" maxLength:"100" doc:"The attempt of the options."`
		Credential credential `json:"credential" doc:"PublicKeyCredential.toJSON() of navigator.credentials.get()."`
		Remember   bool       `json:"remember,omitempty" doc:"Keep the session for SESSION_REMEMBER_HOURS."`
	}
}

type onePasskey struct {
	ID string `path:"id" maxLength:"100"`
}

type renamePasskey struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Name string `json:"name" maxLength:"200" doc:"1 to 60 characters."`
	}
}

// Passkey is one of a person's passkeys, on the wire.
type Passkey struct {
	ID           string     `json:"id" doc:"pky_…"`
	CredentialID string     `json:"credential_id" doc:"The id that browsers know it by, in base64url."`
	Name         string     `json:"name"`
	Provider     *string    `json:"provider" doc:"What keeps it, such as 1Password; null when that is not known. It is a label: nobody vouches for it."`
	Synced       bool       `json:"synced" doc:"Whether its provider has a copy, so that it is on other devices too."`
	DeviceBound  bool       `json:"device_bound" doc:"Whether it never leaves its device."`
	UserVerified bool       `json:"user_verified" doc:"Whether its device has asked for a fingerprint, a face or a PIN. One that has not is a second factor only."`
	CreatedAt    time.Time  `json:"created_at"`
	LastUsedAt   *time.Time `json:"last_used_at"`
	SuspectedAt  *time.Time `json:"suspected_at" doc:"When it last looked as if somebody had a copy of it; null if never. Remove it then."`
}

// Passkeys is every passkey of a person.
type Passkeys struct {
	Items []Passkey `json:"items"`
}

func newPasskey(p passkey.Passkey) Passkey {
	v := Passkey{p.ID, base64.RawURLEncoding.EncodeToString(p.CredentialID), p.Name, nil, p.Synced, p.DeviceBound, p.UserVerified, p.CreatedAt, p.LastUsedAt, p.SuspectedAt}
	if p.Provider != "" {
		v.Provider = &p.Provider
	}
	return v
}

func (s *API) passkeys() {
	tags := []string{"Passkeys"}
	operation(s, huma.Operation{Method: "POST", Path: "/auth/passkeys/register/options", Summary: "Begin to add a passkey", Tags: tags}, user|fresh|enrolling, func(q *call, _ *struct{}) (passkey.Options, error) {
		return s.app.Passkeys.RegisterOptions(q, q.live.User, q.live.Session.ID)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/passkeys/register", Summary: "Add the passkey that was made", DefaultStatus: http.StatusCreated, Tags: tags}, user|limited|enrolling, func(q *call, in *registerPasskey) (Passkey, error) {
		p, err := s.app.Passkeys.Register(q, q.live.User, q.live.Session.ID, in.Body.Credential.text(), in.Body.Name)
		return newPasskey(p), err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/passkeys/login/options", Summary: "Begin to sign in with a passkey", Tags: tags}, limited, func(q *call, in *passkeyOptions) (PasskeyAttempt, error) {
		who := ""
		if in.Body != nil {
			who = in.Body.Identifier
		}
		step, err := s.app.Door.Start(q, who, passkey.Name, "")
		options, _ := step.Prompt.Challenge.(passkey.Options)
		return PasskeyAttempt{step.ID, options}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/passkeys/login", Summary: "Sign in with a passkey", Responses: s.entering(http.StatusOK), Tags: tags}, limited, func(q *call, in *passkeyIn) (any, error) {
		out, err := s.app.Door.Answer(q, in.Body.Attempt, login.Answer{"credential": in.Body.Credential.text()}, s.finish(q, in.Delivery, in.Body.Remember))
		return s.entered(q, in.Delivery, out, err)
	})
	operation(s, huma.Operation{Method: "GET", Path: "/auth/passkeys", Summary: "Your passkeys, the oldest first", Tags: tags}, user, func(q *call, _ *struct{}) (Passkeys, error) {
		list, err := s.app.Passkeys.List(q, q.live.User.ID)
		out := Passkeys{Items: []Passkey{}}
		for _, p := range list {
			out.Items = append(out.Items, newPasskey(p))
		}
		return out, err
	})
	operation(s, huma.Operation{Method: "PATCH", Path: "/auth/passkeys/{id}", Summary: "Call a passkey something else", Tags: tags}, user, func(q *call, in *renamePasskey) (Passkey, error) {
		p, err := s.app.Passkeys.Rename(q, q.live.User.ID, in.ID, in.Body.Name)
		return newPasskey(p), err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/auth/passkeys/{id}", Summary: "Remove a passkey", DefaultStatus: http.StatusNoContent, Tags: tags}, user|fresh, func(q *call, in *onePasskey) (nothing, error) {
		return nothing{}, s.app.Passkeys.Remove(q, q.live.User.ID, in.ID)
	})
}
