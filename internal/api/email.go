package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/apperr"
)

var errProofs = apperr.New(apperr.Invalid, "token_or_code", "Give the token of the link or the code of the mail, and not both.").In("token")

type verifyEmail struct {
	Body struct {
		Token string `json:"token,omitempty" maxLength:"200" doc:"What stands behind token= in the link of the mail."`
		Code  string `json:"code,omitempty" maxLength:"100" doc:"The six digits of the mail, from the person who is signed in." example:"123456"`
	}
}

type newEmail struct {
	Body struct {
		Email string `json:"email" maxLength:"320" doc:"The new address." example:"new@example.com"`
	}
}

// EmailVerified is whose address is known now.
type EmailVerified struct {
	Message string `json:"message"`
	Email   string `json:"email"`
}

func (s *API) emails() {
	tags := []string{"E-mail address"}
	operation(s, huma.Operation{Method: "POST", Path: "/auth/email/verify", Summary: "Show that an address is one's own, with the link or the code that was sent there", Tags: tags}, limited, s.verifyEmail)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/email/verify/resend", Summary: "Send the mail again", DefaultStatus: http.StatusAccepted, Tags: tags}, user|limited, func(q *call, _ *struct{}) (Message, error) {
		return Message{"The mail is on its way. The one before is worth nothing now."}, s.app.Addresses.Ask(q, q.live.User.ID)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/email/change", Summary: "Take another address; it counts once it is shown to be one's own", DefaultStatus: http.StatusAccepted, Tags: tags}, user|fresh|limited, func(q *call, in *newEmail) (Message, error) {
		return Message{"A mail is on its way to the new address. Confirm there that it is yours."}, s.app.Addresses.Change(q, q.live.User, in.Body.Email)
	})
}

func (s *API) verifyEmail(q *call, in *verifyEmail) (out EmailVerified, err error) {
	if (in.Body.Token == "") == (in.Body.Code == "") {
		return out, errProofs
	}
	if in.Body.Token != "" {
		u, err := s.app.Addresses.Confirm(q, in.Body.Token)
		return EmailVerified{"The address is verified.", u.Email}, err
	}
	live, err := s.guard.Identify(q.r)
	if err != nil {
		return out, err
	}
	u, err := s.app.Addresses.ConfirmCode(q, live.User.ID, in.Body.Code)
	return EmailVerified{"The address is verified.", u.Email}, err
}
