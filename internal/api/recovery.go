package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type forgot struct {
	Body struct {
		Email string `json:"email" maxLength:"320" example:"test@example.com"`
	}
}

type reset struct {
	Body struct {
		Token    string `json:"token" maxLength:"200" doc:"What stands behind token= in the link of the mail."`
		Password string `json:"password" maxLength:"4096" doc:"The new password: 8 to 128 characters."`
	}
}

type unlock struct {
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"What stands behind token= in the link of the mail."`
	}
}

type keep struct {
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"What stands behind token= in the link of the mail."`
	}
}

type disown struct {
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"What stands behind token= in the link of the mail."`
	}
}

func (s *API) recovery() {
	tags := []string{"Recovery"}
	operation(s, huma.Operation{Method: "POST", Path: "/auth/password/forgot", Summary: "Get a link to set a new password", DefaultStatus: http.StatusAccepted, Tags: tags}, limited, func(q *call, in *forgot) (Message, error) {
		return Message{"If this address has an account, a mail is on its way to it."}, s.app.Resets.Forgot(q, in.Body.Email)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/password/reset", Summary: "Set a new password with the link; every session ends", Tags: tags}, limited, func(q *call, in *reset) (Message, error) {
		d, err := s.app.Resets.Reset(q, in.Body.Token, in.Body.Password)
		s.cookies.SetDevice(q.w, d, s.app.DB.Now())
		return Message{"The password is changed, and every session has ended. Sign in with the new password."}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/unlock", Summary: "Open a locked account with the link, and be known on this device", Tags: tags}, limited, func(q *call, in *unlock) (Message, error) {
		d, err := s.app.Locks.Unlock(q, in.Body.Token)
		s.cookies.SetDevice(q.w, d, s.app.DB.Now())
		return Message{"The account is open again. Sign in."}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/keep", Summary: "Keep an account that was to be deleted, with the link", Tags: tags}, limited, func(q *call, in *keep) (Message, error) {
		return Message{"The account is open again. Sign in."}, s.app.Accounts.Keep(q, in.Body.Token)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/not-me", Summary: "Say that a change one was told of was not one's own: it is undone, and the account is closed to whoever made it", Tags: tags}, limited, func(q *call, in *disown) (Message, error) {
		return Message{"It is undone, every session has ended and the old password is worth nothing. A mail with a link to set a new one is on its way."}, s.app.Resets.NotMe(q, in.Body.Token)
	})
}
