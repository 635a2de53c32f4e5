package social

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/admit-dev/admit/internal/outbound"
)

const (
	mostOfAnAnswer = 512 << 10
	knownFor       = time.Hour       // what a provider says of itself
	downFor        = 5 * time.Second // a provider that did not answer is not asked again for
)

// errSilent is a provider that does not answer, or answers that it cannot.
var errSilent = errors.New("it does not answer")

// errAnother is an answer that says it is somebody else's (RFC 9207).
var errAnother = errors.New("the answer is of another issuer")

// line is one provider that can be asked.
type line struct {
	Provider
	client   *http.Client
	now      func() time.Time
	callback string

	mu    sync.Mutex
	known *place
	until time.Time
	cause error // why it is not known, until then
}

// place is where a provider is asked what.
type place struct {
	Issuer   string   `json:"issuer"`
	Auth     string   `json:"authorization_endpoint"`
	Token    string   `json:"token_endpoint"`
	User     string   `json:"userinfo_endpoint"`
	Keys     string   `json:"jwks_uri"`
	Algs     []string `json:"id_token_signing_alg_values_supported"`
	Secrets  []string `json:"token_endpoint_auth_methods_supported"`
	SaysWho  bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	verifier *oidc.IDTokenVerifier
}

// newLine asks p by way of through, which is nil for the network.
func newLine(p Provider, network outbound.Config, timeout time.Duration, through http.RoundTripper, now func() time.Time, callback string) *line {
	network.Private = append(slices.Clone(network.Private), p.Private...)
	client := network.Client(timeout)
	if through == nil {
		through = client.Transport
	}
	client.Transport = careful{through}
	return &line{Provider: p, client: client, now: now, callback: callback}
}

// Reach asks a provider what it says of itself, as the first sign-in would, and holds it to being who it should be. One that does not
// speak OpenID Connect says nothing.
func (p Provider) Reach(ctx context.Context, network outbound.Config, timeout time.Duration, now func() time.Time) error {
	_, err := newLine(p, network, timeout, nil, now, "").find(ctx)
	return err
}

// careful tells a provider that is ill from one that answers, and reads no answer without an end.
type careful struct{ next http.RoundTripper }

// RoundTrip asks once.
func (c careful) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if errors.Is(err, outbound.ErrPrivate) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSilent, err)
	}
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%w: %s", errSilent, resp.Status)
	}
	resp.Body = &short{resp.Body, mostOfAnAnswer}
	return resp, nil
}

// short is a body that may not be long.
type short struct {
	io.ReadCloser
	left int64
}

// Read reads on, until it is too much.
func (s *short) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	if s.left -= int64(n); s.left < 0 {
		return 0, errors.New("the answer is too long")
	}
	return n, err
}

// refusal is what somebody is told of an error of a provider; the cause is logged.
func refusal(err error) error {
	var said *oauth2.RetrieveError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errSilent), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return ErrDown.Because(err)
	case errors.As(err, &said) && (said.ErrorCode == "invalid_client" || said.ErrorCode == "unauthorized_client"):
		return ErrDown.Because(fmt.Errorf("it does not know us, see that the client id and the secret are right: %s", said.ErrorCode))
	case errors.As(err, &said) && said.ErrorCode != "":
		return ErrRefused.Because(errors.New("the token endpoint said " + said.ErrorCode[:min(len(said.ErrorCode), 100)]))
	case errors.As(err, &said):
		return ErrAnswer.Because(fmt.Errorf("the token endpoint answered %s", said.Response.Status))
	}
	return ErrAnswer.Because(err)
}

// find is where the provider is asked what, from memory for an hour.
func (l *line) find(ctx context.Context) (*place, error) {
	if l.Issuer == "" {
		return &place{Issuer: l.issuer(), Auth: l.AuthURL, Token: l.TokenURL, User: l.UserURL}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now().Before(l.until) {
		return l.known, l.cause
	}
	l.known, l.cause = l.discover(context.WithoutCancel(ctx)) // others wait for it
	l.until = l.now().Add(knownFor)
	if l.cause != nil {
		l.until = l.now().Add(downFor)
	}
	return l.known, l.cause
}

func (l *line) discover(ctx context.Context) (*place, error) {
	var p place
	if err := (asking{l, ""}).into(ctx, strings.TrimSuffix(l.Issuer, "/")+"/.well-known/openid-configuration", &p); err != nil {
		return nil, err
	}
	if p.Issuer != l.Issuer && l.Issued == nil {
		return nil, errors.New("it calls itself by the name of another")
	}
	for _, address := range []string{p.Auth, p.Token, p.Keys} {
		if !l.reachable(address) {
			return nil, errors.New("it is at addresses that cannot be used")
		}
	}
	if p.User != "" && !l.reachable(p.User) {
		p.User = ""
	}
	algorithms := slices.DeleteFunc(p.Algs, func(a string) bool { return !slices.Contains(signatures, a) })
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), l.client), p.Keys)
	p.verifier = oidc.NewVerifier(p.Issuer, keySet{keys}, &oidc.Config{ClientID: l.ClientID, SupportedSigningAlgs: algorithms, Now: l.now, SkipIssuerCheck: true}) // issued does
	return &p, nil
}

// signatures are the algorithms an ID token may be signed with: those with a public key.
var signatures = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// reachable holds that an address is one of the web, and encrypted if that of the issuer is.
func (l *line) reachable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(l.Issuer, "http://"))
}

// keySet keeps for the caller that keys could not be read because nobody answered: the verifier above drops the cause.
type keySet struct{ oidc.KeySet }

type silentKey struct{}

// VerifySignature checks the signature of a token.
func (k keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	if into, ok := ctx.Value(silentKey{}).(*error); ok && (errors.Is(err, errSilent) || errors.Is(err, context.DeadlineExceeded)) {
		*into = err
	}
	return payload, err
}

// config is the provider as x/oauth2 knows it.
func (l *line) config(p *place) (*oauth2.Config, error) {
	secret := l.Secret
	if l.Sign != nil {
		var err error
		if secret, err = l.Sign(l.now()); err != nil {
			return nil, err
		}
	}
	style := l.Style
	if style == oauth2.AuthStyleAutoDetect { // its own detection would show a code twice
		style = oauth2.AuthStyleInHeader
		if secret == "" || len(p.Secrets) > 0 && !slices.Contains(p.Secrets, "client_secret_basic") {
			style = oauth2.AuthStyleInParams
		}
	}
	return &oauth2.Config{ClientID: l.ClientID, ClientSecret: secret, RedirectURL: l.callback, Scopes: l.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: p.Auth, TokenURL: p.Token, AuthStyle: style}}, nil
}

// address is where somebody is sent to show the provider who they are.
func (l *line) address(ctx context.Context, state string, t leg) (string, error) {
	p, err := l.find(ctx)
	if err != nil {
		return "", refusal(err)
	}
	c, err := l.config(p)
	if err != nil {
		return "", err
	}
	var more []oauth2.AuthCodeOption
	if !l.NoPKCE {
		more = append(more, oauth2.S256ChallengeOption(t.Verifier))
	}
	if l.Issuer != "" {
		more = append(more, oauth2.SetAuthURLParam("nonce", t.Nonce))
	}
	for name, value := range l.Params {
		more = append(more, oauth2.SetAuthURLParam(name, value))
	}
	return c.AuthCodeURL(state, more...), nil
}

// exchange asks the provider who came back with a code.
func (l *line) exchange(ctx context.Context, code, issuer string, t leg) (Profile, *oauth2.Token, error) {
	p, err := l.find(ctx)
	if err != nil {
		return Profile{}, nil, refusal(err)
	}
	one := l.Issuer != "" && p.Issuer == l.Issuer // it is known before which of its names it says
	if one && (issuer != "" || p.SaysWho) && issuer != p.Issuer && (l.Issued == nil || !l.Issued(l.Provider, issuer, nil)) {
		return Profile{}, nil, ErrAnswer.Because(errAnother)
	}
	c, err := l.config(p)
	if err != nil {
		return Profile{}, nil, err
	}
	var more []oauth2.AuthCodeOption
	if !l.NoPKCE {
		more = append(more, oauth2.VerifierOption(t.Verifier))
	}
	token, err := c.Exchange(context.WithValue(ctx, oauth2.HTTPClient, l.client), code, more...)
	if err != nil {
		return Profile{}, nil, refusal(err)
	}
	out, err := l.read(ctx, p, token, t.Nonce)
	if err == nil && l.Issuer != "" && !one && issuer != "" && issuer != out.Issuer {
		err = errAnother
	}
	if err == nil {
		err = out.clean()
	}
	return out, token, refusal(err)
}
