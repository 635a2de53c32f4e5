package pages

import (
	"encoding/json"
	"net/http"
)

// wellKnown serves what password managers and browsers look for at fixed addresses.
func (s *Site) wellKnown(mux *http.ServeMux) {
	base := s.App.Config.Web.Base()
	mux.Handle("GET /.well-known/change-password", http.RedirectHandler("/account/security/password", http.StatusFound))
	if s.App.Passkeys.On() {
		mux.HandleFunc("GET /.well-known/passkey-endpoints", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]string{"enroll": base + "/account/security/passkey", "manage": base + "/account/security"})
		})
	}
}
