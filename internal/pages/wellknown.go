package pages

import (
	"encoding/json"
	"net/http"
	"time"
)

// expiry is how long a copy of security.txt may be believed (RFC 9116 wants less than a year).
const expiry = 180 * 24 * time.Hour

// wellKnown serves what programs look for at fixed addresses: password managers, browsers, and who found a hole.
func (s *Site) wellKnown(mux *http.ServeMux) {
	origin := s.App.Config.Web.Origin()
	mux.Handle("GET /.well-known/change-password", http.RedirectHandler("/account/security/password", http.StatusFound))
	if s.App.Passkeys.On() {
		mux.HandleFunc("GET /.well-known/passkey-endpoints", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]string{"enroll": origin + "/account/security/passkey", "manage": origin + "/account/security"})
		})
	}
	contact := s.App.Config.Web.SecurityContact
	if contact == "" {
		return
	}
	mux.HandleFunc("GET /.well-known/security.txt", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		until := s.App.DB.Now().Add(expiry).UTC().Truncate(24 * time.Hour).Format(time.RFC3339)
		_, _ = w.Write([]byte("Contact: " + contact + "\nExpires: " + until + "\nCanonical: " + origin + "/.well-known/security.txt\n"))
	})
}
