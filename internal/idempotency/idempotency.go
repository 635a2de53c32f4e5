// Package idempotency lets a client send the same request again without its being done again: the first answer is kept and
// repeated (the Idempotency-Key header, draft-ietf-httpapi-idempotency-key-header).
package idempotency

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/secret"
)

// The refusals of this package.
var (
	ErrKey        = apperr.New(apperr.Malformed, "idempotency_key_invalid", "An Idempotency-Key has 1 to 255 printable characters.")
	ErrReused     = apperr.New(apperr.Invalid, "idempotency_key_reused", "This Idempotency-Key was used for another request. Use a new one for each thing that is to be done.")
	ErrInProgress = apperr.New(apperr.Conflict, "idempotency_key_in_progress", "The first request with this Idempotency-Key is still under way. Try again in a moment.")
)

const (
	kept       = 24 * time.Hour
	abandoned  = time.Minute // after which a request that never ended no longer holds its key
	sweepBatch = 500
)

// Answer is what was answered.
type Answer struct {
	Status int                 `json:"status"`
	Header map[string][]string `json:"header"`
	Body   []byte              `json:"body"`
}

// Request is who asks for what. Everything that identifies the caller belongs to Caller, so that nobody is answered with
// what another was given.
type Request struct {
	Key, Caller, Method, Path string
	Body                      []byte
}

func (r Request) scope() []byte {
	h := sha256.New()
	for _, part := range []string{r.Key, r.Caller, r.Method, r.Path} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	return h.Sum(nil)
}

// Check refuses a key that is no key.
func (r Request) Check() error {
	if len(r.Key) == 0 || len(r.Key) > 255 {
		return ErrKey
	}
	for i := range len(r.Key) {
		if r.Key[i] < ' ' || r.Key[i] > '~' {
			return ErrKey
		}
	}
	return nil
}

// Service keeps answers for a day, sealed: they may hold cookies and tokens.
type Service struct {
	db      *database.DB
	box     *secret.Box
	bodyKey []byte
}

// NewService works on db.
func NewService(db *database.DB, box *secret.Box) *Service {
	return &Service{db, box, box.Derive("idempotency bodies", 32)}
}

// sum tells bodies apart. They hold passwords: without a key from outside the database it would be a hash that is quick to guess.
func (s *Service) sum(body []byte) []byte {
	mac := hmac.New(sha256.New, s.bodyKey)
	mac.Write(body)
	return mac.Sum(nil)
}

// Begin takes the key for a request, or gives the answer that was given before. Of several requests at once, one begins.
func (s *Service) Begin(ctx context.Context, r Request) (before *Answer, err error) {
	sum := s.sum(r.Body)
	var found row
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet() // that something is being asked is not that it happened
		taken, err := take(tx, row{ScopeHash: r.scope(), BodyHash: sum, CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(kept)}, tx.Now.Add(-abandoned))
		if err != nil || taken {
			found = row{}
			return err
		}
		found, err = find(tx, r.scope())
		return err
	})
	switch {
	case err != nil || found.ScopeHash == nil:
		return nil, err
	case !secret.Equal(found.BodyHash, sum):
		return nil, ErrReused
	case found.Answer == nil:
		return nil, ErrInProgress.Wait(time.Second)
	}
	text, err := s.box.Open(found.Answer, about(r))
	if err != nil {
		return nil, err
	}
	before = &Answer{}
	return before, json.Unmarshal(text, before)
}

// End keeps the answer of a request that has begun.
func (s *Service) End(ctx context.Context, r Request, a Answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		return keep(tx, r.scope(), s.box.Seal(text, about(r)))
	})
}

// Forget gives the key back: nothing was done that a second request would repeat.
func (s *Service) Forget(ctx context.Context, r Request) error {
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		return remove(tx, r.scope())
	})
}

// Sweep deletes what is older than a day, a few at a time.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Sweep(ctx, sweepBatch, removeExpired)
}

func about(r Request) string { return "idempotency_keys/answer/" + hex.EncodeToString(r.scope()) }
