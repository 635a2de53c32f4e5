package e2e_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

func choosy(c *admit.Config) {
	c.Password.Common = "refuse"
	c.Notify.App = "Jobsite"
}

const good = "a quiet green lamp"

// PWD-04: where it is refused, a password that is guessed early is refused on every path that sets one, with the reason, and is not lost.
func TestGuessedEarly(t *testing.T) {
	testkit.Each(t, choosy, func(s *testkit.Server) {
		bad := map[string]string{
			"password123": "password_common", "12345678": "password_common", "PASSWORD123": "password_common", "iloveyou1": "password_common",
			"qzqzqzqzqzqz": "password_repeats", "wqzjwqzjwqzj": "password_repeats",
			"sunshine2024": "password_is_a_word", "P@ssw0rd!": "password_is_a_word", "chocolate!!": "password_is_a_word",
			"brigitta99": "password_about_you", "jobsite2026": "password_about_you", "Localhost1": "password_about_you", "wintergarden": "password_about_you",
		}
		email := "brigitta@wintergarden.example"
		owner := link(s)
		invite := s.Client()
		invite.Post("/auth/signup", m{"email": "host@example.com", "password": good}).Want(201)
		org := organization(invite, "Acme")
		invite.Post("/api/v1/orgs/"+org+"/invitations", m{"email": email}).Want(201)
		invited := invitation(s, org, email)
		for p, code := range bad {
			s.Client().Post("/auth/signup", m{"email": email, "password": p}).Want(422, code)
			s.Client().Post("/auth/signup", m{"email": email, "password": p, "invite_token": invited}).Want(422, code)
			s.Client().Post("/api/v1/register", m{"username": "brigitta", "email": email, "password": p}).Want(422, code)
			s.Client().Post("/auth/owner", m{"key": owner, "email": email, "password": p}).Want(422, code)
		}
		c := s.Client()
		c.Post("/auth/signup", m{"email": email, "password": good, "invite_token": invited}).Want(201)
		reset := forgotten(s, email)
		for p, code := range bad {
			c.Post("/auth/password/change", m{"current_password": good, "new_password": p}).Want(422, code)
			s.Client().Post("/auth/password/reset", m{"token": reset, "password": p}).Want(422, code)
		}
		for _, p := range []string{"correct horse battery", "wintergarden in the rain", "Xk3$9vQp2!", "brigitta likes green tea", "日本語のパスワードです"} {
			a := s.Client().Post("/auth/password/strength", m{"password": p, "email": email}).Want(200)
			if a.JSON["acceptable"] != true || a.JSON["score"].(float64) < 1 {
				t.Errorf("%s: %s", p, a.Body)
			}
		}
		a := s.Client().Post("/auth/password/strength", m{"password": "brigitta99", "email": email}).Want(200)
		if a.JSON["acceptable"] != false || a.Text("reason") != "password_about_you" || a.JSON["score"].(float64) != 0 {
			t.Errorf("%s", a.Body)
		}
	})
}

// PWD-04: development takes what production refuses, and says so in the log. The default follows the environment.
func TestDevelopmentWarns(t *testing.T) {
	var said bytes.Buffer
	var mu sync.Mutex
	log := slog.New(slog.NewTextHandler(writer(func(p []byte) { mu.Lock(); said.Write(p); mu.Unlock() }), nil))
	srv, err := admit.New(t.Context(), testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), admit.WithLogger(log))
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	if srv.App().Config.Password.Common != "warn" {
		t.Error(srv.App().Config.Password.Common)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/auth/signup", strings.NewReader(`{"email":"ann@example.com","password":"password123"}`))
	r.Header.Set("Content-Type", "application/json")
	srv.ServeHTTP(w, r)
	mu.Lock()
	defer mu.Unlock()
	if w.Code != 201 || strings.Count(said.String(), "guessed early") != 1 || strings.Contains(said.String(), "password123") {
		t.Errorf("%d %s %s", w.Code, w.Body, said.String())
	}
}

type writer func(p []byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// Who has such a password from before still gets in, and it is told.
func TestGuessedEarlyStillOpens(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg, clock := testkit.Config(t, testkit.DatabaseURL(t, engine)), testkit.NewClock()
			testkit.Start(t, cfg, clock).Client().Post("/auth/signup", m{"email": "ann@example.com", "password": "password123"}).Want(201)
			choosy(&cfg)
			s := testkit.Start(t, cfg, clock)
			signIn(s, "ann@example.com", "wrong password").Want(401)
			s.Records()
			signIn(s, "ann@example.com", "password123").Want(200)
			s.Events("password.guessed_early", "session.created", "login.succeeded")
		})
	}
}

// Five digits of a hash are all that the service of known leaks is told. When it does not answer the password is taken or refused, as
// configured.
func TestKnownLeaks(t *testing.T) {
	for mode, unknown := range map[string]int{"open": 201, "closed": 503} {
		var ill atomic.Bool
		leaks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Add-Padding") != "true" || len(r.URL.Path) != len("/range/")+5 || r.URL.RawQuery != "" {
				t.Errorf("it was told %s %v", r.URL, r.Header)
			}
			if ill.Load() {
				http.Error(w, "ill", http.StatusInternalServerError)
				return
			}
			sum := sha1.Sum([]byte("tower of old letters"))
			digits := strings.ToUpper(hex.EncodeToString(sum[:]))
			fmt.Fprintf(w, "0018A45C4D1DEF81644B54AB7F969B88D65:0\r\n%s:17\r\n", digits[5:])
		}))
		t.Cleanup(leaks.Close)
		cfg := testkit.Config(t, testkit.DatabaseURL(t, "sqlite"))
		cfg.Breach.Mode, cfg.Breach.URL = mode, leaks.URL+"/range/"
		cfg.Outbound.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		s := testkit.Start(t, cfg, testkit.NewClock())
		s.Client().Post("/auth/signup", m{"email": "a@example.com", "password": "tower of old letters"}).Want(422, "password_leaked")
		s.Client().Post("/auth/signup", m{"email": "a@example.com", "password": good}).Want(201)
		ill.Store(true)
		a := s.Client().Post("/auth/signup", m{"email": "b@example.com", "password": good}).Want(unknown)
		if unknown == 503 && a.Header.Get("Retry-After") == "" {
			t.Error(a.Header)
		}
	}
}
