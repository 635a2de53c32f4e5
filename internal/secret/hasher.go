package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zitadel/passwap"

	"github.com/admit-dev/admit/internal/apperr"
)

// ErrMismatch says that the password is not the one that was hashed.
var ErrMismatch = apperr.New(apperr.Unauthenticated, "password_mismatch", "The password is not right.")

// ErrFormat says that a stored hash is of no format Known accepts.
var ErrFormat = errors.New("secret: the stored password hash is of an unknown format or too costly; its owner has to reset the password")

// Hasher hashes and verifies passwords on a few threads of low priority, with bounded memory and a bounded queue.
type Hasher struct {
	queue   *queue
	current *argon2id // the one new hashes are made with
	swapper *passwap.Swapper
	formats formats
}

// NewHasher starts the workers; Close ends them. A worker at work holds one of the program's processors (GOMAXPROCS), so
// a program that serves beside it lends it some: see OnBusy.
func NewHasher(c Config) *Hasher {
	c = c.filled()
	current := newArgon2id(c)
	all := newFormats(max(maxMemory, c.MemoryKiB), max(maxWork, c.MemoryKiB*c.Iterations))
	return &Hasher{
		queue:   newQueue(c.Workers, c.Queue, c.timeout()),
		current: current,
		swapper: passwap.NewSwapper(current, all.verifiers...),
		formats: all,
	}
}

// Close sends the callers in the queue away with ErrBusy and waits for the hashes under way.
func (h *Hasher) Close() { h.queue.close() }

// OnBusy has tell called with true before passwords are hashed, and with false when none was for a second. It is set before
// the first hash. With as many processors more as Stats().Workers meanwhile, which thread runs is the kernel's choice, and
// what is served goes before hashing; without hashing they would only be in each other's way.
func (h *Hasher) OnBusy(tell func(busy bool)) {
	h.queue.mu.Lock()
	defer h.queue.mu.Unlock()
	h.queue.tell = tell
}

// Hash gives the argon2id hash (RFC 9106) of a password in the PHC string format.
func (h *Hasher) Hash(ctx context.Context, password string) (phc string, err error) {
	var made string // the worker may still write it when the caller has gone
	err = h.queue.do(ctx, func() (err error) {
		made, err = h.current.Hash(password)
		return err
	})
	if err != nil {
		return "", err
	}
	return made, nil
}

// Verify checks a password against a stored hash; when upgraded is not empty it is to be stored in place of encoded.
func (h *Hasher) Verify(ctx context.Context, encoded, password string) (upgraded string, err error) {
	var made string
	err = h.queue.do(ctx, func() (err error) {
		made, err = h.verify(encoded, password)
		return err
	})
	if err != nil {
		return "", err
	}
	return made, nil
}

// VerifyNothing costs what a Verify of a current hash costs and gives ErrMismatch, so that an unknown user takes as long as a known one.
func (h *Hasher) VerifyNothing(ctx context.Context, password string) error {
	return h.queue.do(ctx, func() error { return h.mismatch(password, ErrMismatch) })
}

// Waiting is how many callers are in the queue.
func (h *Hasher) Waiting() int { return h.Stats().Waiting }

// Stats is what the workers are doing.
func (h *Hasher) Stats() Stats { return h.queue.snapshot() }

func (h *Hasher) verify(encoded, password string) (string, error) {
	stored := plain(encoded)
	if !h.formats.known(stored) {
		return "", h.mismatch(password, ErrFormat)
	}
	if !suits(stored, password) {
		return "", h.mismatch(password, ErrMismatch)
	}
	upgraded, err := h.swapper.Verify(stored, password)
	switch {
	case errors.Is(err, passwap.ErrPasswordMismatch) && strings.HasPrefix(stored, h.current.prefix()):
		return "", ErrMismatch
	case errors.Is(err, passwap.ErrPasswordMismatch):
		// A right password is hashed anew here; a wrong one has to take as long.
		return "", h.mismatch(password, ErrMismatch)
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if upgraded == "" && stored != encoded {
		return stored, nil // only the outer spelling was foreign
	}
	return upgraded, nil
}

// mismatch spends one current hash before it gives the refusal.
func (h *Hasher) mismatch(password string, refusal error) error {
	if _, err := h.current.Hash(password); err != nil {
		return err
	}
	return refusal
}
