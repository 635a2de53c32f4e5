// Package breach asks whether a password is in known leaks, by the range API of Have I Been Pwned: five hexadecimal digits of its SHA-1
// leave this server, and nothing else does (k-anonymity; haveibeenpwned.com/API/v3, PwnedPasswords).
package breach

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/outbound"
)

// ErrUnavailable is a service that does not answer, where a password may not be taken without its word.
var ErrUnavailable = apperr.New(apperr.Unavailable, "breach_check_unavailable", "Whether this password is in known leaks cannot be found out at the moment, and here it must be. Nothing was changed. Try again in a minute.")

const (
	patience = 3 * time.Second
	most     = 1 << 20 // of an answer
)

// Config is what an operator may say of the check.
type Config struct {
	Mode string `env:"PASSWORD_BREACH_CHECK" default:"off" oneof:"off,open,closed" doc:"Ask a service whether a new password is in known leaks. open takes the password when the service does not answer; closed refuses it."`
	URL  string `env:"PASSWORD_BREACH_URL" default:"https://api.pwnedpasswords.com/range/" doc:"Where to ask: the range API of Have I Been Pwned, or a copy of it. Five hexadecimal digits are added."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(bool) error {
	u, err := url.Parse(c.URL)
	if c.Mode != "off" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return errors.New("PASSWORD_BREACH_URL is no address: write https://host/range/")
	}
	return nil
}

// Service asks.
type Service struct {
	cfg    Config
	client *http.Client
}

// NewService asks as cfg says, within what out allows.
func NewService(cfg Config, out outbound.Config) *Service {
	return &Service{cfg, out.Client(patience)}
}

// On reports whether anything is asked.
func (s *Service) On() bool { return s.cfg.Mode != "off" }

// Leaked reports whether a password is in known leaks. err says that it could not be found out; Must then decides.
func (s *Service) Leaked(ctx context.Context, password string) (bool, error) {
	sum := sha1.Sum([]byte(password))
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.cfg.URL+digits[:5], nil)
	if err != nil {
		return false, err
	}
	r.Header.Set("Add-Padding", "true") // the length of the answer tells nothing
	r.Header.Set("User-Agent", "admit")
	status, _, body, err := outbound.DoUpTo(ctx, s.client, r, most)
	if err != nil {
		return false, err
	}
	if status != http.StatusOK {
		return false, fmt.Errorf("%s answered %d", r.URL.Host, status)
	}
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		suffix, count, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		if strings.EqualFold(suffix, digits[5:]) {
			return count != "0", nil // padding counts 0
		}
	}
	return false, nil
}

// Must is what an answer that did not come means: nothing, or a refusal.
func (s *Service) Must(err error) error {
	if s.cfg.Mode == "closed" {
		return ErrUnavailable.Because(err).Wait(time.Minute)
	}
	return nil
}
