// Package revoked is what a verifier of access tokens knows beyond the tokens themselves: which sessions have ended, and whose rights have
// changed, for as long as a token lives. The server writes its messages, package client reads them, and neither needs the other.
package revoked

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Type is the typ header of a message (RFC 7515, section 4.1.9): it can pass for no access token, and none can pass for it.
const Type = "revocations+jwt"

// Message is one message of the feed, the payload of a JSON Web Signature by a key that signs access tokens.
type Message struct {
	Issuer  string           `json:"iss"`
	At      int64            `json:"iat"`     // seconds since 1970 UTC: everything that was done by then is told, by this message or those before it
	Cursor  string           `json:"cursor"`  // what the next request says in since
	Whole   bool             `json:"whole"`   // it tells everything: what was heard before it is forgotten
	Keep    int64            `json:"keep"`    // seconds to remember what it tells; every token it is about has expired then
	Epoch   string           `json:"epoch"`   // the life of the database that the revisions are of
	Ended   []string         `json:"ended"`   // marks of sessions
	Changed map[string]int64 `json:"changed"` // marks of rights, and the revision since which they are other
}

// Session is the mark of a session, by the sid claim of its tokens. Who does not hold the session learns nothing from it.
func Session(sid string) string { return mark("session", sid) }

// Rights is the mark of what a person holds in an organization, with no organization of their global roles, and with no person of what everybody
// holds there.
func Rights(org, user string) string { return mark("rights", org, user) }

func mark(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Set is everything a verifier remembers. It is not safe for use by several goroutines at once.
type Set struct {
	epoch   string
	ended   map[string]time.Time // until when it is remembered
	changed map[string]change
	swept   time.Time
}

type change struct {
	revision int64
	until    time.Time
}

// Add remembers what a message tells.
func (s *Set) Add(m Message, now time.Time) {
	if m.Whole || s.ended == nil {
		s.ended, s.changed, s.swept = map[string]time.Time{}, map[string]change{}, now
	}
	s.epoch = m.Epoch
	until := now.Add(time.Duration(m.Keep) * time.Second)
	for _, mark := range m.Ended {
		s.ended[mark] = until
	}
	for mark, revision := range m.Changed {
		s.changed[mark] = change{max(revision, s.changed[mark].revision), until}
	}
	if now.Sub(s.swept) < time.Minute {
		return
	}
	s.swept = now
	for mark, until := range s.ended {
		if now.After(until) {
			delete(s.ended, mark)
		}
	}
	for mark, c := range s.changed {
		if now.After(c.until) {
			delete(s.changed, mark)
		}
	}
}

// Len is how much is remembered.
func (s *Set) Len() int { return len(s.ended) + len(s.changed) }

// Ended reports whether a session has ended.
func (s *Set) Ended(sid string) bool {
	_, ended := s.ended[Session(sid)]
	return ended
}

// Outdated reports whether the rights of a person have changed since a token was issued that works in an organization, "" for none, and was
// made at a revision. Its bearer refreshes it.
func (s *Set) Outdated(user, org, revision string) bool {
	at := s.number(revision)
	about := []string{Rights("", user)}
	if org != "" {
		about = append(about, Rights(org, ""), Rights(org, user))
	}
	for _, mark := range about {
		if c, ok := s.changed[mark]; ok && at < c.revision {
			return true
		}
	}
	return false
}

// number is the place of a revision, which is before all others when it is of another life of the database.
func (s *Set) number(revision string) int64 {
	number, ok := strings.CutPrefix(revision, "az1."+s.epoch+".")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return -1
	}
	return n
}
