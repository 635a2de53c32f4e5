package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit/client"
	"github.com/admit-dev/admit/internal/revoked"
)

const issuer = "https://auth.example.com"

// server is an Admit server that does as the test says, without a network.
type server struct {
	*testing.T
	key *ecdsa.PrivateKey

	mu    sync.Mutex
	away  bool
	since []string // what was asked for
	feed  chan string
}

func newServer(t *testing.T) *server {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &server{T: t, key: key, feed: make(chan string)}
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errors.New("nobody is there")
	}
	resp := &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Request: r}
	if r.URL.Path == "/.well-known/jwks.json" {
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
		resp.Body = io.NopCloser(strings.NewReader(string(set)))
		return resp, err
	}
	s.since = append(s.since, r.URL.Query().Get("since"))
	resp.Body = &stream{ctx: r.Context(), feed: s.feed}
	return resp, nil
}

// asked is every since that was asked for.
func (s *server) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.since, " ")
}

func (s *server) leave(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// stream is the body of an answer that goes on: what is sent to feed, until "" ends it.
type stream struct {
	ctx  context.Context
	feed chan string
	rest string
}

func (b *stream) Read(p []byte) (int, error) {
	if b.rest == "" {
		select {
		case text := <-b.feed:
			if text == "" {
				return 0, io.EOF
			}
			b.rest = text
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (*stream) Close() error { return nil }

// sign makes a token of a type.
func (s *server) sign(typ string, claims any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", "k1"))
	if err != nil {
		s.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		s.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		s.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		s.Fatal(err)
	}
	return text
}

// tell sends a message; change may alter it.
func (s *server) tell(cursor, typ string, change func(*revoked.Message)) {
	m := revoked.Message{Issuer: issuer, At: time.Now().Unix(), Cursor: cursor, Keep: 1000, Epoch: "e"}
	if change != nil {
		change(&m)
	}
	s.feed <- fmt.Sprintf("id: %s\ndata: %s\n\n", cursor, s.sign(typ, m))
	synctest.Wait()
}

// beat says each second that there is nothing to tell.
func (s *server) beat(seconds int) {
	for range seconds {
		time.Sleep(time.Second) // of the bubble's clock
		s.tell("c1", revoked.Type, nil)
	}
}

func (s *server) token(sid string) string {
	now := time.Now()
	return s.sign("at+jwt", map[string]any{"iss": issuer, "aud": issuer, "sub": "usr_1", "sid": sid, "typ": "access", "rev": "az1.e.5", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nbf": now.Unix()})
}

// each runs f with a client of a server, by a clock that stands still while anybody works.
func each(t *testing.T, onStale client.OnStale, f func(s *server, c *client.Client)) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, err := client.New(issuer, client.Options{HTTP: &http.Client{Transport: s}, Log: slog.New(slog.DiscardHandler), OnStale: onStale})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		f(s, c)
	})
}

// Nobody is let in before the feed was heard, while it is silent, and after it ended; it is heard again as soon as it is there, from the place
// that was reached.
func TestSilenceIsNoConsent(t *testing.T) {
	each(t, client.Refuse, func(s *server, c *client.Client) {
		want := func(want error) {
			t.Helper()
			if _, err := c.Verify(t.Context(), s.token("ses_1")); !errors.Is(err, want) {
				t.Fatalf("%v, not %v", err, want)
			}
			if c.Stale() != (want != nil) {
				t.Fatal("Stale does not say so")
			}
		}
		want(client.ErrStale)
		s.tell("c1", revoked.Type, nil)
		want(nil)
		s.beat(60)
		want(nil)
		time.Sleep(client.Patience + time.Millisecond)
		want(client.ErrStale)
		s.tell("c2", revoked.Type, nil)
		want(nil)
		s.leave(true)
		s.feed <- ""
		time.Sleep(client.Patience + time.Millisecond)
		want(client.ErrStale)
		s.leave(false)
		time.Sleep(4 * time.Second) // the longest pause between two tries
		s.tell("c3", revoked.Type, nil)
		want(nil)
		if got := s.asked(); got != " c2" {
			t.Errorf("asked since %q", got)
		}
	})
}

// Where it is said so, a token is good while the server is away; what was heard before goes on to hold.
func TestStaleTokensAreAcceptedWhereItIsSaid(t *testing.T) {
	each(t, client.Accept, func(s *server, c *client.Client) {
		s.tell("c1", revoked.Type, func(m *revoked.Message) { m.Ended = []string{revoked.Session("ses_2")} })
		time.Sleep(time.Minute)
		if _, err := c.Verify(t.Context(), s.token("ses_1")); err != nil || !c.Stale() {
			t.Error(err)
		}
		if _, err := c.Verify(t.Context(), s.token("ses_2")); !errors.Is(err, client.ErrEnded) {
			t.Error(err)
		}
	})
}

// What is no message of this server, or an old one, is not believed: as if nothing had been heard.
func TestMessagesOfOthersAreNotBelieved(t *testing.T) {
	bad := map[string]func(s *server){
		"another type": func(s *server) { s.tell("c2", "at+jwt", nil) },
		"another issuer": func(s *server) {
			s.tell("c2", revoked.Type, func(m *revoked.Message) { m.Issuer = "https://evil.example.com" })
		},
		"an old one":  func(s *server) { s.tell("c2", revoked.Type, func(m *revoked.Message) { m.At -= 31 }) },
		"one to come": func(s *server) { s.tell("c2", revoked.Type, func(m *revoked.Message) { m.At += 31 }) },
		"another key": func(s *server) {
			other := newServer(s.T)
			other.feed = s.feed
			other.tell("c2", revoked.Type, nil)
		},
		"no signature": func(s *server) { s.feed <- "id: c2\ndata: {}\n\n"; synctest.Wait() },
	}
	for name, tell := range bad {
		t.Run(name, func(t *testing.T) {
			each(t, client.Refuse, func(s *server, c *client.Client) {
				tell(s)
				if !c.Stale() {
					t.Error("it is believed")
				}
				time.Sleep(time.Second) // it connects again
				s.tell("c3", revoked.Type, nil)
				if c.Stale() || s.asked() != " " {
					t.Errorf("%v, asked since %q", c.Stale(), s.asked())
				}
			})
		})
	}
}

// Rights are other from a revision on, and only for those whom it is about.
func TestRevisions(t *testing.T) {
	claims := func(s *server, org any, rev string) string {
		now := time.Now().Unix()
		return s.sign("at+jwt", map[string]any{"iss": issuer, "aud": issuer, "sub": "usr_1", "sid": "ses_1", "typ": "access", "org": org, "rev": rev, "exp": now + 3600, "iat": now, "nbf": now})
	}
	each(t, client.Accept, func(s *server, c *client.Client) {
		s.tell("c1", revoked.Type, func(m *revoked.Message) {
			m.Changed = map[string]int64{revoked.Rights("", "usr_1"): 5, revoked.Rights("org_1", "usr_1"): 7, revoked.Rights("org_2", ""): 9, revoked.Rights("org_3", "usr_2"): 99}
		})
		s.tell("c2", revoked.Type, func(m *revoked.Message) { m.Changed = map[string]int64{revoked.Rights("org_1", "usr_1"): 6} })
		for _, ask := range []struct {
			org  any
			rev  string
			want error
		}{
			{nil, "az1.e.4", client.ErrOutdated}, {nil, "az1.e.5", nil}, {"org_1", "az1.e.6", client.ErrOutdated}, {"org_1", "az1.e.7", nil},
			{"org_2", "az1.e.8", client.ErrOutdated}, {"org_2", "az1.e.9", nil}, {"org_3", "az1.e.5", nil},
			{nil, "az1.other.50", client.ErrOutdated}, {nil, "", client.ErrOutdated}, {nil, "az1.e.x", client.ErrOutdated},
		} {
			if _, err := c.Verify(t.Context(), claims(s, ask.org, ask.rev)); !errors.Is(err, ask.want) {
				t.Errorf("%v %s: %v, not %v", ask.org, ask.rev, err, ask.want)
			}
		}
	})
}
