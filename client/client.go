// Package client lets a service written in Go know who sends a request and what they may do, with an Admit server elsewhere. Access tokens are
// verified here, with the server's public keys (RFC 9068, RFC 7517) and without asking it; its feed of revocations tells within a second which of
// them count no more. Only a permission is asked of the server, each time, so that it holds by what is true now.
//
//	admit, err := client.New("https://auth.example.com", client.Options{})
//	…
//	mux.Handle("GET /me", admit.RequireUser(me))
//	mux.Handle("POST /orgs/{org}/jobs", admit.RequirePermission("post_job", client.OrgFromPath("org"))(postJob))
package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit/internal/revoked"
)

// Options change what New makes. The zero value is good.
type Options struct {
	Audience string           // the aud of the tokens; the issuer when empty
	Server   string           // where the server is reached, when not at its issuer: http://admit:8000
	Secret   string           // ACCESS_SECRET, where the server signs with it instead of keys
	HTTP     *http.Client     // how the server is reached; it may have no Timeout. One of its own when nil
	Log      *slog.Logger     // slog.Default() when nil
	Now      func() time.Time // time.Now when nil
	OnStale  OnStale          // what holds while it is not known which sessions have ended
}

// OnStale is what holds while the server has not been heard from for longer than Patience: a session may have ended meanwhile.
type OnStale int

// What holds then.
const (
	Refuse OnStale = iota // nobody is let in: 503, try again
	Accept                // a token is good until it expires, ACCESS_TOKEN_EXPIRE_M at the most
)

// Patience is how long the feed may be silent. The server says something every second.
const Patience = 3 * time.Second

// The reasons a token is refused for.
var (
	ErrToken    = errors.New("The access token is not valid or has expired. Refresh it, or sign in again.")               //nolint:staticcheck // it is said to people
	ErrEnded    = errors.New("The session of this access token has ended. Sign in again.")                                //nolint:staticcheck
	ErrOutdated = errors.New("Your rights have changed since this access token was issued. Refresh it.")                  //nolint:staticcheck
	ErrStale    = errors.New("Whether this session has ended cannot be known at the moment. Try again in a few seconds.") //nolint:staticcheck
)

// Client verifies access tokens. It is for as many requests at the same time as come.
type Client struct {
	opt    Options
	issuer string
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu    sync.RWMutex
	keys  map[string]jose.JSONWebKey
	asked time.Time // when the keys were asked for last
	set   revoked.Set
	heard time.Time // when the feed said something last
	ready chan struct{}

	fetching sync.Mutex
}

// New follows the server that issues tokens as issuer, its BASE_URL. It does not wait for it: requests are refused with 503 until it was heard
// from; see Ready.
func New(issuer string, opt Options) (*Client, error) {
	if opt.Server == "" {
		opt.Server = issuer
	}
	for _, text := range []string{issuer, opt.Server} {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("client: %q is no address of a server, such as https://auth.example.com", text)
		}
	}
	issuer, opt.Server = strings.TrimSuffix(issuer, "/"), strings.TrimSuffix(opt.Server, "/")
	if opt.Audience == "" {
		opt.Audience = issuer
	}
	if opt.HTTP == nil {
		opt.HTTP = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	if opt.HTTP.Timeout != 0 {
		return nil, errors.New("client: Options.HTTP has a Timeout, which would break off the feed")
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Client{opt: opt, issuer: issuer, stop: stop, keys: map[string]jose.JSONWebKey{}, ready: make(chan struct{})}
	c.done.Go(func() { c.follow(ctx) })
	return c, nil
}

// Close ends what New began.
func (c *Client) Close() {
	c.stop()
	c.done.Wait()
}

// Ready waits until the server was heard from.
func (c *Client) Ready(ctx context.Context) error {
	select {
	case <-c.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("client: nothing was heard of %s: %w", c.opt.Server, ctx.Err())
	}
}

// Stale reports whether the server has not been heard from for longer than Patience, so that a session may have ended without this client
// knowing.
func (c *Client) Stale() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.stale()
}

func (c *Client) stale() bool { return c.heard.IsZero() || time.Since(c.heard) > Patience }

// get asks the server for something small.
func (c *Client) get(ctx context.Context, path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.opt.Server+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.opt.HTTP.Do(r)
	if err == nil && resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		err = &statusError{resp.StatusCode, fmt.Sprintf("client: %s answered %s", r.URL, resp.Status)}
	}
	return resp, err
}

// statusError is an answer that is none.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }
