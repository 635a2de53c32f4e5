package pages

import (
	"errors"
	"net/http"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/owner"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
	"github.com/admit-dev/admit/internal/web"
)

// errForm is a form that cannot be read.
var errForm = apperr.New(apperr.Malformed, "malformed_form", "This form could not be read. Go back, reload the page and send it again.")

// startForm is the page of the owner link: what was typed, and what is wrong with it. A password is never given back.
type startForm struct {
	Owned     bool // there is an owner already
	Key       string
	Email     string
	MinLength int
	Faults    []fault
}

// fault is one thing that is wrong, for the summary and for the place beside the field.
type fault struct {
	Field   string // "" when it is about no field
	Message string
}

// Fault is what is wrong with a field, "" when nothing is.
func (f startForm) Fault(field string) string {
	for _, one := range f.Faults {
		if one.Field == field {
			return one.Message
		}
	}
	return ""
}

func (p *Pages) showStart(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("done") {
		p.showWelcome(w, r)
		return
	}
	p.form(w, r, http.StatusOK, startForm{})
}

// form shows the form as it stands.
func (p *Pages) form(w http.ResponseWriter, r *http.Request, status int, f startForm) {
	missing, err := p.app.Owner.Missing(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	f.Owned, f.MinLength = !missing, p.app.Config.Password.MinLength
	title := "Make yourself the owner"
	if f.Owned {
		title = "This server has an owner"
	}
	v := p.view(title, f)
	v.Failed = len(f.Faults) > 0
	p.start.show(w, r, status, v)
}

func (p *Pages) showWelcome(w http.ResponseWriter, r *http.Request) {
	live, err := p.guard.Identify(r)
	switch {
	case errors.Is(err, session.ErrUnknown) || err == nil && !live.User.HasRole(user.SuperAdmin):
		http.Redirect(w, r, "/start", http.StatusSeeOther)
	case err != nil:
		p.fail(w, r, err)
	default:
		p.welcome.show(w, r, http.StatusOK, p.view("You are the owner", live.User))
	}
}

// claim spends the key of an owner link.
func (p *Pages) claim(w http.ResponseWriter, r *http.Request) {
	if !p.parse(w, r) {
		return
	}
	f := startForm{Key: posted(r, "key"), Email: posted(r, "email")}
	password := posted(r, "password")
	for _, needed := range []struct{ field, value, ask string }{
		{"key", f.Key, "Enter the key: it stands behind #k= in the link."},
		{"email", f.Email, "Enter your e-mail address."},
		{"password", password, "Enter a password."},
	} {
		if needed.value == "" {
			f.Faults = append(f.Faults, fault{needed.field, needed.ask})
		}
	}
	if len(f.Faults) > 0 {
		p.form(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	finish := login.Finish{Transport: session.Cookie}
	finish.Replaces, _ = p.cookies.Session(r)
	out, err := p.app.Owner.Claim(r.Context(), f.Key, f.Email, password, finish)
	if err != nil {
		no := web.NewProblem(r.Context(), err)
		no.SetHeaders(w.Header())
		f.Faults = faults(no)
		p.form(w, r, no.Status, f)
		return
	}
	if out.Step != nil {
		f.Faults = []fault{{"", "This account owns the server now. It is guarded by a second factor, so sign in with that to go on."}}
		p.form(w, r, http.StatusUnauthorized, f)
		return
	}
	p.cookies.Enter(w, out, p.app.DB.Now())
	http.Redirect(w, r, "/start?done", http.StatusSeeOther)
}

// posted is a field of the form. One that was sent twice could mean two things, and means none.
func posted(r *http.Request, name string) string {
	if v := r.PostForm[name]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// faults says of each refusal which field it is about. Who holds a good key may know that an account is there.
func faults(no *web.Problem) (list []fault) {
	switch no.Code {
	case owner.ErrLink.Code:
		return []fault{{"key", no.Detail}}
	case login.ErrCredentials.Code:
		return []fault{{"password", "There is an account with this address, and this is not its password."}}
	}
	for _, e := range no.Errors {
		list = append(list, fault{e.Field, e.Message})
	}
	if len(list) == 0 {
		list = append(list, fault{"", no.Detail})
	}
	return list
}
