package account

import (
	"io"
	"net/http"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/consent"
	"github.com/admit-dev/admit/internal/export"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/web"
)

func (s *account) mountData(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/data", pages.Person, s.showData)
	s.Handle(mux, "POST /account/data/export", pages.Person|pages.Fresh|pages.Limited, func(v *pages.Visit) error {
		if _, err := s.app.Exports.Ask(v, v.Live.User.ID); err != nil {
			return v.Retry(err, s.showData)
		}
		return v.Tell("export_asked", atData)
	})
	s.Handle(mux, "POST /account/data/consents/{document}/withdraw", pages.Person, func(v *pages.Visit) error {
		if err := s.app.Consents.Withdraw(v, v.Live.User.ID, v.R.PathValue("document")); err != nil {
			return v.Retry(err, s.showData)
		}
		return v.Tell("consent_withdrawn", atData)
	})
	s.Handle(mux, "POST /account/data/download", pages.Person|pages.Fresh, s.download)
	s.Handle(mux, "GET /account/data/delete", pages.Person|pages.Fresh, s.showData) // where /confirm leads back to
	s.Handle(mux, "POST /account/data/delete", pages.Person|pages.Fresh, s.deleteAccount)
}

// dataPage is what somebody may do with everything that is known of them.
type dataPage struct {
	Name   string // to be typed
	Grace  int    // days in which the account can be kept after all, 0 for none
	Export *export.Export
	Agreed []consent.Consent
}

func (s *account) showData(v *pages.Visit) error {
	p := dataPage{Name: pages.NameOf(v.Live.User), Grace: int(s.app.Accounts.Grace(v.Live.User).Hours() / 24)}
	var err error
	if p.Export, err = s.app.Exports.Mine(v, v.Live.User.ID); err != nil {
		return err
	}
	if p.Agreed, err = s.app.Consents.Of(v, v.Live.User.ID); err != nil {
		return err
	}
	s.shell(v, atData)
	return v.Show(s.data, v.T("account.data"), p)
}

func (s *account) download(v *pages.Visit) error {
	e, err := s.app.Exports.Mine(v, v.Live.User.ID)
	if err == nil && e == nil {
		err = export.ErrNotFound
	}
	if err != nil {
		return v.Retry(err, s.showData)
	}
	a, err := s.app.Exports.Open(v, v.Live.User.ID, e.ID)
	if err != nil {
		return v.Retry(err, s.showData)
	}
	web.SendFile(v, v.W, web.File{Name: a.Name, Type: "application/zip", Write: func(to io.Writer) error { return a.Write(v, to) }}, s.app.DB.Now, s.app.Log)
	return nil
}

// deleteAccount wants the name typed: nothing may bring the account back.
func (s *account) deleteAccount(v *pages.Visit) error {
	if name := pages.NameOf(v.Live.User); v.Typed("confirm") != name {
		return v.RetryAt("confirm", v.T("data.confirm_wrong", "Name", name), apperr.ErrInvalid, s.showData)
	}
	until, err := s.app.Accounts.Leave(v, v.Live.User.ID)
	if err != nil {
		return v.Retry(err, s.showData)
	}
	s.Cookies.ClearSession(v.W)
	if until != nil {
		return v.Tell("account_closed", "/signin")
	}
	return v.Tell("account_deleted", "/signin")
}
