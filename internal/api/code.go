package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/otp"
)

type sendLink struct {
	Body struct {
		Email    string `json:"email" maxLength:"320" doc:"Where the link goes." example:"test@example.com"`
		ReturnTo string `json:"return_to,omitempty" maxLength:"2000" doc:"Where the page of the link leads in the end: a path, or an address of a known origin."`
	}
}

type followLink struct {
	Delivery
	Body struct {
		Token    string `json:"token" maxLength:"200" doc:"What stands behind token= in the link of the mail."`
		Attempt  string `json:"attempt,omitempty" maxLength:"100" doc:"The attempt that asked for the link, of a client without its cookie."`
		Code     string `json:"code,omitempty" maxLength:"100" doc:"The six digits of the mail, from anywhere else." example:"123456"`
		Remember bool   `json:"remember,omitempty" doc:"Keep the session for SESSION_REMEMBER_HOURS."`
	}
}

type sendCode struct {
	Body struct {
		Email string `json:"email,omitempty" maxLength:"320" doc:"Where the code goes: an e-mail address" example:"test@example.com"`
		Phone string `json:"phone,omitempty" maxLength:"40" doc:"or a phone number." example:"+49 171 1234567"`
	}
}

type answerCode struct {
	Delivery
	Body struct {
		Attempt  string `json:"attempt" maxLength:"100" doc:"The attempt that asked for the code."`
		Code     string `json:"code" maxLength:"100" doc:"The six digits that were sent." example:"123456"`
		Remember bool   `json:"remember,omitempty" doc:"Keep the session for SESSION_REMEMBER_HOURS."`
	}
}

type newPhone struct {
	Body struct {
		Phone string `json:"phone" maxLength:"40" doc:"The new number." example:"+49 171 1234567"`
	}
}

// SignInSent is a sign-in that waits for what was sent, if anything was.
type SignInSent struct {
	Message string `json:"message"`
	Attempt string `json:"attempt" doc:"The attempt. Keep it secret."`
}

func newSignInSent(message string, step login.Step) SignInSent { return SignInSent{message, step.ID} }

func (s *API) codes() {
	s.waiting = s.cookies.Named("sign_in", "/").Crossing()
	in, account, factors := []string{"Signing in"}, []string{"Phone number"}, []string{"Second factors"}
	operation(s, huma.Operation{Method: "POST", Path: "/auth/magic-link", Summary: "Be sent a link to sign in with", DefaultStatus: http.StatusAccepted, Tags: in}, limited, s.sendLink)
	s.browsed("/auth/magic-link", "Where a link leads: a page with a button, which spends nothing", http.StatusOK, "token")
	operation(s, huma.Operation{Method: "POST", Path: "/auth/magic-link/verify", Summary: "Sign in with the link that was sent", Responses: s.entering(http.StatusOK), Tags: in}, limited, s.followLink)
	operation(s, huma.Operation{Method: "POST", Path: "/auth/otp", Summary: "Be sent a code to sign in with", DefaultStatus: http.StatusAccepted, Tags: in}, limited, func(q *call, in *sendCode) (SignInSent, error) {
		step, err := s.app.Codes.SendCode(q, in.Body.Email, in.Body.Phone)
		return newSignInSent("If you can sign in with this, a code is on its way.", step), err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/otp/verify", Summary: "Sign in with the code that was sent", Responses: s.entering(http.StatusOK), Tags: in}, limited, func(q *call, in *answerCode) (any, error) {
		out, err := s.app.Door.Answer(q, in.Body.Attempt, login.Answer{"code": in.Body.Code}, s.finish(q, in.Delivery, in.Body.Remember))
		return s.entered(q, in.Delivery, out, err)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/phone", Summary: "Take a phone number; it counts once it is shown to be one's own", DefaultStatus: http.StatusAccepted, Tags: account}, user|fresh|limited, func(q *call, in *newPhone) (Message, error) {
		return Message{"A text is on its way to the number. Enter its code."}, s.app.Codes.AskNumber(q, q.live.User, in.Body.Phone)
	})
	operation(s, huma.Operation{Method: "POST", Path: "/auth/phone/verify", Summary: "Show that a number is one's own, with the code that was sent there", Tags: account}, user|limited, func(q *call, in *codeIn) (User, error) {
		u, err := s.app.Codes.ConfirmNumber(q, q.live.User.ID, in.Body.Code)
		if err != nil {
			return User{}, err
		}
		return s.user(q, u)
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/auth/phone", Summary: "Have no phone number any more", DefaultStatus: http.StatusNoContent, Tags: account}, user|fresh, func(q *call, _ *struct{}) (nothing, error) {
		return nothing{}, s.app.Codes.RemoveNumber(q, q.live.User.ID)
	})
	for _, f := range []struct{ method, what string }{{otp.Email, "by mail"}, {otp.Phone, "by text message"}} {
		operation(s, huma.Operation{Method: "POST", Path: "/auth/mfa/" + f.method, Summary: "Begin to have codes " + f.what + " be a second factor", DefaultStatus: http.StatusAccepted, Tags: factors}, user|fresh|limited, func(q *call, _ *struct{}) (Message, error) {
			return Message{"A code is on its way. Confirm that it arrives."}, s.app.Codes.SetUp(q, q.live.User, q.live.Session.ID, f.method)
		})
		operation(s, huma.Operation{Method: "POST", Path: "/auth/mfa/" + f.method + "/confirm", Summary: "Show that codes " + f.what + " arrive; they are asked for from now on", Tags: factors}, user|limited, func(q *call, in *codeIn) (RecoveryCodes, error) {
			codes, err := s.app.Codes.Confirm(q, q.live.User, q.live.Session.ID, f.method, in.Body.Code)
			return newRecoveryCodes(codes), err
		})
		operation(s, huma.Operation{Method: "DELETE", Path: "/auth/mfa/" + f.method, Summary: "Have codes " + f.what + " be asked for no more", DefaultStatus: http.StatusNoContent, Tags: factors}, user|fresh, func(q *call, _ *struct{}) (nothing, error) {
			return nothing{}, s.app.Codes.Remove(q, q.live.User.ID, f.method)
		})
	}
}

func (s *API) sendLink(q *call, in *sendLink) (SignInSent, error) {
	returnTo, err := s.app.Config.Web.ReturnTo(in.Body.ReturnTo)
	if err != nil {
		return SignInSent{}, err
	}
	step, err := s.app.Codes.SendLink(q, in.Body.Email, returnTo)
	if err == nil {
		now := s.app.DB.Now()
		s.waiting.Set(q.w, step.ID, now.Add(otp.Life), now)
	}
	return newSignInSent("If you can sign in with this address, a mail with a link and a code is on its way.", step), err
}

func (s *API) followLink(q *call, in *followLink) (any, error) {
	attempt := in.Body.Attempt
	if attempt == "" {
		attempt, _ = s.waiting.Get(q.r)
	}
	out, err := s.app.Codes.Follow(q, attempt, in.Body.Token, in.Body.Code, s.finish(q, in.Delivery, in.Body.Remember))
	if err == nil {
		s.waiting.Clear(q.w)
	}
	return s.entered(q, in.Delivery, out, err)
}
