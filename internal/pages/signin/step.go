package signin

import (
	"encoding/json"
	"errors"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/human"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/pages"
)

// stepPage is whatever a sign-in asks next, of any method. It is what the step says on the wire, so that the form can carry it along
// and be drawn again: a method need not ask twice, which may send something twice.
type stepPage struct {
	Prompt struct {
		Method    string          `json:"method"`
		Fields    []login.Field   `json:"fields"`
		Enrol     bool            `json:"enrol"`       // a second factor is set up here
		Wait      int             `json:"retry_after"` // nothing was sent, and can be in so many seconds
		Challenge json.RawMessage `json:"challenge"`
	} `json:"prompt"`
	Methods []string `json:"methods"`
	Trust   int      `json:"trust_days"`

	Challenge struct {
		PublicKey json.RawMessage `json:"publicKey"` // for a passkey to sign, or to make one
		Secret    string          `json:"secret"`    // of an app that is set up
		QR        string          `json:"qr"`
		Kind      string          `json:"kind"` // of what keeps programs out
		SiteKey   string          `json:"site_key"`
	} `json:"-"`
	Captcha *human.Source `json:"-"` // what the page loads for one; nil when it shows none

	Confirm bool   `json:"-"` // somebody who is signed in proves who they are
	To      string `json:"-"` // where that leads
	Carried string `json:"-"` // all of it, as the form has it
}

// QR is the picture of a secret.
func (p stepPage) QR() template.URL {
	if !strings.HasPrefix(p.Challenge.QR, "data:image/png;base64,") {
		return ""
	}
	return template.URL(p.Challenge.QR)
}

// Minutes is how long it takes until a message can be sent.
func (p stepPage) Minutes() int { return (p.Prompt.Wait + 59) / 60 }

// Options is what a passkey signs, for a script.
func (p stepPage) Options() string { return string(p.Challenge.PublicKey) }

// Work is a proof of work to be done, for a script.
func (p stepPage) Work() string {
	if p.Challenge.Kind != human.Work {
		return ""
	}
	return string(p.Prompt.Challenge)
}

// Fields are those that somebody fills in.
func (p stepPage) Fields() []login.Field {
	if p.Prompt.Method == human.Name {
		return nil
	}
	return p.Prompt.Fields
}

// Others are the methods to choose from beside the one that asks.
func (p stepPage) Others() []string {
	return slices.DeleteFunc(slices.Clone(p.Methods), func(m string) bool { return m == p.Prompt.Method })
}

func (s *signin) newStepPage(step any) (p stepPage, err error) {
	text, err := json.Marshal(step)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	_ = json.Unmarshal(p.Prompt.Challenge, &p.Challenge) // of other methods it is something else
	if source, ok := s.app.Config.Human.Source(); ok && p.Challenge.Kind == human.Captcha {
		p.Captcha = &source
	}
	p.Carried = string(text)
	return p, err
}

// attemptLife is longer than an attempt lives; that one decides.
const attemptLife = time.Hour

// ask shows a step of a sign-in. Its id goes into a cookie that no script reads, and into no address.
func (s *signin) ask(v *pages.Visit, step login.Step) error {
	s.attempt.Set(v.W, step.ID, v.Now.Add(attemptLife), v.Now)
	step.ID = ""
	p, err := s.newStepPage(step)
	if err != nil {
		return err
	}
	return s.showStep(v, p)
}

func (s *signin) showStep(v *pages.Visit, p stepPage) error {
	title := "step." + p.Prompt.Method
	switch {
	case p.Confirm:
		title = "step.confirm"
	case p.Prompt.Enrol:
		title = "step.enrol"
	case !slices.Contains(titled, p.Prompt.Method):
		title = "step.title"
	}
	s.widen(v, p)
	return v.Show(s.step, v.T(title), p)
}

// widen lets the page load what a captcha needs, if it shows one.
func (s *signin) widen(v *pages.Visit, p stepPage) {
	if c := p.Captcha; c != nil {
		v.Policy = pages.Captcha(c.Scripts, c.Frames, c.Calls, c.Styles)
	}
}

// titled are the methods whose step has a title of its own: step.METHOD.
var titled = []string{"totp", "passkey", "recoverycode", "verify_email", "password", "email", "phone", "magiclink", "human", "mail_check"}

// again draws the step that a form was made from.
func (s *signin) again(v *pages.Visit) error {
	var step json.RawMessage = []byte(v.Typed("step"))
	if !json.Valid(step) {
		return v.Redirect("/signin")
	}
	p, err := s.newStepPage(step)
	if err != nil {
		return v.Redirect("/signin")
	}
	p.Confirm, p.To = v.R.URL.Path == "/confirm", v.Typed("return_to")
	return s.showStep(v, p)
}

// given is what was filled in for a step. What a captcha says stands under a name of its own.
func (s *signin) given(v *pages.Visit) login.Answer {
	a := login.Answer{}
	if c, ok := s.app.Config.Human.Source(); ok && v.Typed(c.Field) != "" {
		a["token"] = v.Typed(c.Field)
	}
	for name := range maps.Keys(v.Form.Values) {
		if !slices.Contains([]string{"form_token", "step", "trust", "return_to", "method"}, name) && v.Typed(name) != "" {
			a[name] = v.Typed(name)
		}
	}
	return a
}

// answer judges what was filled in for a step, or changes to another method.
func (s *signin) answer(v *pages.Visit) error {
	id, _ := s.attempt.Get(v.R)
	if method := v.Typed("method"); method != "" {
		step, err := s.app.Door.Switch(v, id, method)
		if errors.Is(err, login.ErrAttempt) {
			return s.onward(v, "", login.Outcome{}, err, s.showDoor)
		}
		if err != nil {
			return v.Retry(err, s.again)
		}
		return s.ask(v, step)
	}
	f := s.finish(v, false)
	f.Trust = v.Typed("trust") != ""
	out, err := s.app.Door.Answer(v, id, s.given(v), f)
	if errors.Is(err, human.ErrAway) { // something else is asked in its place
		if step, again := s.app.Door.Switch(v, id, human.Name); again == nil {
			return s.ask(v, step)
		}
	}
	last, _ := s.last.Get(v.R)
	return s.onward(v, last, out, err, s.again)
}

// showConfirm asks somebody who is signed in to show again that it is them. A message is sent when they choose that way, and not because a
// page was looked at.
func (s *signin) showConfirm(v *pages.Visit) error {
	to, err := s.app.Config.Web.ReturnTo(v.R.URL.Query().Get("return_to"))
	if err != nil {
		return err
	}
	choices, sends, err := s.app.Door.Offers(v, v.Live.User)
	if err != nil {
		return err
	}
	if sends {
		return s.showStep(v, stepPage{Methods: choices, Confirm: true, To: to})
	}
	return s.askAgain(v, to, "")
}

func (s *signin) askAgain(v *pages.Visit, to, method string) error {
	prompt, methods, err := s.app.Door.Ask(v, v.Live.User, v.Live.Session.ID, method)
	if err != nil {
		return err
	}
	p, err := s.newStepPage(login.Step{Prompt: prompt, Methods: methods})
	p.Confirm, p.To = true, to
	if err != nil {
		return err
	}
	return s.showStep(v, p)
}

func (s *signin) confirm(v *pages.Visit) error {
	to, err := s.app.Config.Web.ReturnTo(v.Typed("return_to"))
	if err != nil {
		return err
	}
	if method := v.Typed("method"); method != "" {
		return s.askAgain(v, to, method)
	}
	asked, err := s.newStepPage(json.RawMessage(v.Typed("step")))
	if err != nil {
		return pages.ErrForm.Because(err)
	}
	of := asked.Prompt.Method
	if of == totp.Name {
		of = "" // its form tells it from a recovery code
	}
	err = s.app.Door.Reauthenticate(v, v.Live.User, v.Live.Session.ID, of, s.given(v))
	if errors.Is(err, authz.ErrStepUp) {
		return err
	}
	if err != nil {
		return v.Retry(err, s.again)
	}
	return v.Redirect(to)
}
