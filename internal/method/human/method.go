package human

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/outbound"
	"github.com/admit-dev/admit/internal/secret"
)

const (
	// below is how many numbers there are to try: half of them on average, which takes a phone about a second.
	below    = 1 << 18
	patience = 4 * time.Second
	longest  = 8 << 10          // bytes of a token: those of all three are shorter
	rest     = time.Minute      // how long a service that did not answer is not asked
	grace    = 10 * time.Minute // how long what was asked in its place is taken after that: an attempt lives as long
)

// Method asks for it.
type Method struct {
	cfg  Config
	key  []byte
	at   *service // nil without a captcha
	http *http.Client
	now  func() time.Time
	log  *slog.Logger
	away *atomic.Int64 // until when the service is not asked, in microseconds
}

// NewMethod asks as cfg says, within what out allows.
func NewMethod(cfg Config, out outbound.Config, box *secret.Box, now func() time.Time, log *slog.Logger) Method {
	return Method{cfg: cfg, key: box.Derive("proofs of work", 32), at: serviceOf(cfg.Provider), http: out.Client(patience), now: now, log: log, away: new(atomic.Int64)}
}

// Name is "human".
func (Method) Name() string { return Name }

// Uses are to keep programs out.
func (Method) Uses() login.Use { return login.Check | login.Passes }

// Reads takes a solution, or the token of a captcha.
func (Method) Reads(in login.Answer) bool { return in["solution"] != "" || in["token"] != "" }

// Begin asks for the captcha, or for work.
func (m Method) Begin(_ context.Context, a login.Attempt) (login.Prompt, error) {
	if m.at != nil && !m.resting(0) {
		return login.Prompt{Fields: []login.Field{{Name: "token", Type: "text", Autocomplete: "off"}},
			Challenge: Puzzle{Kind: Captcha, Provider: m.cfg.Provider, SiteKey: m.cfg.SiteKey}}, nil
	}
	salt, n := m.puzzle(a.ID)
	return login.Prompt{Fields: []login.Field{{Name: "solution", Type: "text", Autocomplete: "off"}},
		Challenge: Puzzle{Kind: Work, Salt: salt, Hash: digest(salt, n), Below: below}}, nil
}

// puzzle is what is asked in an attempt. It follows from its id, which is random, known to nobody before, and good once: so no solution can be
// prepared, used twice or in another attempt, and none need be kept.
func (m Method) puzzle(attempt string) (salt string, n int) {
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte(attempt))
	sum := mac.Sum(nil)
	return hex.EncodeToString(sum[:16]), int(binary.BigEndian.Uint32(sum[16:]) % below)
}

func digest(salt string, n int) string {
	sum := sha256.Sum256([]byte(salt + strconv.Itoa(n)))
	return hex.EncodeToString(sum[:])
}

// Verify judges the answer. A service that does not answer lets nobody in and shuts nobody out: from then on work is asked for a while.
func (m Method) Verify(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	if token := in["token"]; m.at != nil && token != "" && len(token) <= longest {
		return login.Proof{}, m.ask(ctx, token)
	}
	if m.at != nil && !m.resting(grace) {
		return login.Proof{}, ErrSolution
	}
	_, n := m.puzzle(a.ID)
	if got, err := strconv.Atoi(in["solution"]); err != nil || got != n {
		return login.Proof{}, ErrSolution
	}
	return login.Proof{}, nil
}

// resting reports whether the service is not asked, or was not until so long ago.
func (m Method) resting(ago time.Duration) bool {
	until := m.away.Load()
	return until != 0 && m.now().Before(time.UnixMicro(until).Add(ago))
}

// ask has the service judge a token. All three speak alike: a form with the secret and the token, and a body with success.
func (m Method) ask(ctx context.Context, token string) error {
	to := m.at.check
	if m.cfg.URL != "" {
		to = m.cfg.URL
	}
	form := url.Values{"secret": {m.cfg.Secret.Reveal()}, "response": {token}, "sitekey": {m.cfg.SiteKey}}
	if ip := database.OriginOf(ctx).IP; ip != "" {
		form.Set("remoteip", ip)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "admit")
	status, _, body, err := outbound.Do(ctx, m.http, r)
	var said struct {
		Success *bool    `json:"success"`
		Errors  []string `json:"error-codes"`
	}
	if err == nil {
		refused := status == http.StatusBadRequest // of what is no token at all
		if status != http.StatusOK && !refused || json.Unmarshal(body, &said) != nil || said.Success == nil || refused && *said.Success {
			err = fmt.Errorf("it answered %d, and not what was expected", status)
		}
	}
	for _, code := range said.Errors { // it is we who are wrong, and not whoever answered
		switch code {
		case "missing-input-secret", "invalid-input-secret", "internal-error":
			err = errors.New(code)
		case "sitekey-secret-mismatch": // or a token of another site, with which nobody shall turn the captcha off
			m.log.Warn("a captcha was answered for another CAPTCHA_SITE_KEY than that of CAPTCHA_SECRET", "provider", m.cfg.Provider)
		}
	}
	if err != nil {
		m.away.Store(m.now().Add(rest).UnixMicro())
		m.log.Warn("the captcha could not be checked; a proof of work is asked in its place for a minute", "provider", m.cfg.Provider, "err", err)
		return ErrAway.Because(err)
	}
	if !*said.Success {
		return ErrSolution
	}
	return nil
}
