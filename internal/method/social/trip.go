package social

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"time"

	"golang.org/x/oauth2"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
)

// TripLife is how long somebody may take at a provider.
const TripLife = 10 * time.Minute

const (
	handoffLife = time.Minute
	sweepBatch  = 500
)

// Trip is what somebody wants who is sent to a provider.
type Trip struct {
	ReturnTo  string `json:"return_to"` // where they want to be afterwards; allowed by whoever asks
	Browser   string `json:"-"`         // the secret of the browser they leave from and must come back to
	Challenge string `json:"challenge"` // of an app that wants tokens (RFC 7636, S256); "" ends with a cookie
	Remember  bool   `json:"remember"`
	UserID    string `json:"user_id"` // whose account the identity shall open from now on; "" to sign in
	SessionID string `json:"session_id"`
}

// leg is a trip under way, as it is sealed.
type leg struct {
	Trip
	Provider string `json:"provider"`
	Nonce    string `json:"nonce,omitempty"`
	Verifier string `json:"verifier,omitempty"`

	Profile Profile `json:"profile,omitzero"` // on the way from here to an app
	Tokens  []byte  `json:"tokens,omitempty"`
}

// Return is what somebody came back with.
type Return struct {
	State, Code, Error, Issuer string
	Name                       string // Apple's, who says it once and to the browser
	Browser                    string
}

// Arrival is somebody who came back.
type Arrival struct {
	ReturnTo string        // where they wanted to be; for an app with the code it redeems
	Outcome  login.Outcome // the session or the next step, if they signed in here
	Linked   *Identity     // what opens their account now, if that was asked for
	ToApp    bool          // nothing has happened yet: the app at ReturnTo redeems the code
	Again    string        // where to begin anew, if they were let in nowhere and it is known what they wanted
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Begin gives the address of the provider to which the browser is to be sent.
func (s *Service) Begin(ctx context.Context, provider string, t Trip) (string, error) {
	l := s.lines[provider]
	if l == nil {
		return "", ErrProvider
	}
	if t.Challenge != "" && !challengeForm.MatchString(t.Challenge) {
		return "", ErrChallenge
	}
	state := secret.Hex32()
	under := leg{Trip: t, Provider: provider, Nonce: secret.Hex32(), Verifier: oauth2.GenerateVerifier()}
	to, err := l.address(ctx, state, under)
	if err != nil {
		return "", err
	}
	return to, s.keep(ctx, state, browserBound(provider, t.Browser), under, TripLife)
}

// browserBound is what a trip to a provider is bound to. One that an app began for somebody signed in there is bound to no
// browser: it ends at the app, which redeems it with its session and its verifier.
func browserBound(provider, browser string) []byte {
	return secret.Sum("browser " + provider + " " + browser)
}

func appBound(challenge string) []byte { return secret.Sum("app " + challenge) }

func (s *Service) keep(ctx context.Context, key string, bound []byte, under leg, life time.Duration) error {
	plain, err := json.Marshal(under)
	if err != nil {
		return err
	}
	hash := secret.Sum(key)
	sealed := s.box.Seal(plain, aboutTrip(hash))
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		return database.Insert(tx, "social_trips", tripRow{hash, bound, sealed, tx.Now.Add(life)})
	})
}

func aboutTrip(hash []byte) string {
	return "social_trips.sealed:" + base64.RawURLEncoding.EncodeToString(hash)
}

// takeOut ends a trip, for the one who comes first with its secret and from where it was bound to.
func (s *Service) takeOut(ctx context.Context, key string, bound, elsewhere []byte, none error) (under leg, err error) {
	hash := secret.Sum(key)
	var row tripRow
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		row, err = take(tx, hash, bound, elsewhere)
		return err
	})
	if errors.Is(err, database.ErrNone) {
		return under, none
	}
	if err != nil {
		return under, err
	}
	plain, err := s.box.Open(row.Sealed, aboutTrip(hash))
	if err != nil {
		return under, none // a trip from before the root key was changed
	}
	return under, json.Unmarshal(plain, &under)
}

// Return is called when somebody comes back from a provider. Whatever goes wrong, who comes back is let in nowhere.
func (s *Service) Return(ctx context.Context, provider string, in Return, f login.Finish) (Arrival, error) {
	l := s.lines[provider]
	if l == nil {
		return Arrival{}, ErrProvider
	}
	under, err := s.takeOut(ctx, in.State, browserBound(provider, in.Browser), browserBound(provider, ""), ErrTrip)
	if err != nil {
		return Arrival{}, err
	}
	out, err := s.arrive(ctx, l, under, in, f)
	if err != nil {
		return Arrival{Again: under.again()}, err
	}
	return out, nil
}

// again is where somebody begins anew: at the provider with all that they wanted, or where they were when they wanted to link.
func (t leg) again() string {
	if t.UserID != "" {
		if t.Challenge != "" {
			return "" // in their app
		}
		return t.ReturnTo
	}
	q := url.Values{}
	if t.ReturnTo != "/" {
		q.Set("return_to", t.ReturnTo)
	}
	if t.Remember {
		q.Set("remember", "true")
	}
	if t.Challenge != "" {
		q.Set("transport", string(session.Token))
		q.Set("code_challenge", t.Challenge)
	}
	to := url.URL{Path: "/auth/" + t.Provider + "/login", RawQuery: q.Encode()}
	return to.String()
}

// arrive finds out who came back, and lets them in, links them, or leads them on to their app.
func (s *Service) arrive(ctx context.Context, l *line, under leg, in Return, f login.Finish) (Arrival, error) {
	switch {
	case in.Error == "access_denied" || in.Error == "user_cancelled_login" || in.Error == "user_cancelled_authorize":
		return Arrival{}, s.fail(ctx, under, ErrCancelled)
	case in.Error != "" || in.Code == "":
		return Arrival{}, s.fail(ctx, under, ErrRefused)
	}
	profile, token, err := l.exchange(ctx, in.Code, in.Issuer, under)
	if err != nil {
		return Arrival{}, s.fail(ctx, under, err)
	}
	if l.FormPost && profile.Name == "" {
		profile.Name = in.Name
		_ = profile.clean() // who it is was read already
	}
	under.Profile = profile
	if s.cfg.KeepTokens {
		if under.Tokens, err = json.Marshal(token); err != nil {
			return Arrival{}, err
		}
	}
	if under.Challenge != "" {
		code := secret.Hex32()
		to, err := withCode(under.ReturnTo, code)
		if err == nil {
			err = s.keep(ctx, code, appBound(under.Challenge), under, handoffLife)
		}
		return Arrival{ReturnTo: to, ToApp: true}, err
	}
	f.Remember = under.Remember
	out, err := s.settle(ctx, under, f)
	out.ReturnTo = under.ReturnTo
	return out, err
}

// Redeem gives an app what its user came back with, for the code in the address and the verifier that it kept. userID and
// sessionID are who asks, if that is somebody.
func (s *Service) Redeem(ctx context.Context, code, verifier, userID, sessionID string, f login.Finish) (Arrival, error) {
	sum := sha256.Sum256([]byte(verifier))
	bound := appBound(base64.RawURLEncoding.EncodeToString(sum[:]))
	under, err := s.takeOut(ctx, code, bound, bound, ErrHandoff)
	if err != nil {
		return Arrival{}, err
	}
	if s.lines[under.Provider] == nil {
		return Arrival{}, ErrProvider
	}
	if under.UserID != "" && (under.UserID != userID || under.SessionID != sessionID) {
		return Arrival{}, s.fail(ctx, under, ErrHandoff)
	}
	f.Remember = under.Remember
	return s.settle(ctx, under, f)
}

// withCode is an address with the code that an app redeems.
func withCode(address, code string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("code", code)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Sweep deletes trips from which nobody came back, a few at a time.
func (s *Service) Sweep(ctx context.Context) error { return s.db.Sweep(ctx, sweepBatch, removeExpired) }
