package account

import (
	"net/http"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/pages"
)

func (s *account) mountData(mux *http.ServeMux) {
	s.Handle(mux, "GET /account/data", pages.Person, s.showData)
	s.Handle(mux, "GET /account/data/delete", pages.Person|pages.Fresh, s.showData) // where /confirm leads back to
	s.Handle(mux, "POST /account/data/delete", pages.Person|pages.Fresh, s.deleteAccount)
}

func (s *account) showData(v *pages.Visit) error {
	s.shell(v, atData)
	return v.Show(s.data, v.T("account.data"), pages.NameOf(v.Live.User))
}

// deleteAccount wants the name typed: nothing brings the account back.
func (s *account) deleteAccount(v *pages.Visit) error {
	if name := pages.NameOf(v.Live.User); v.Typed("confirm") != name {
		return v.RetryAt("confirm", v.T("data.confirm_wrong", "Name", name), apperr.ErrInvalid, s.showData)
	}
	if err := s.app.Accounts.Leave(v, v.Live.User.ID); err != nil {
		return v.Retry(err, s.showData)
	}
	s.Cookies.ClearSession(v.W)
	return v.Tell("account_deleted", "/signin")
}
