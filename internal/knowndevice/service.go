package knowndevice

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/device"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/ratelimit"
	"github.com/admit-dev/admit/internal/secret"
)

const (
	day        = 24 * time.Hour
	sweepBatch = 500
	secretLen  = 64 // 32 random bytes in hex
)

// Service knows devices.
type Service struct {
	db  *database.DB
	cfg Config
}

// NewService works on db as cfg says.
func NewService(db *database.DB, cfg Config) *Service { return &Service{db, cfg} }

// Trust is how many days a browser may be trusted, 0 when none may.
func (s *Service) Trust() int { return min(s.cfg.TrustDays, s.cfg.Days) }

// since is when a device that is still known was seen, at the latest.
func (s *Service) since(now time.Time) time.Time { return now.Add(-time.Duration(s.cfg.Days) * day) }

// Shown is what a request shows of the device it comes from, for the places $2 and $3 of Join. The hash is nil when it shows nothing.
func (s *Service) Shown(ctx context.Context) (hash []byte, since time.Time) {
	return hashOf(database.OriginOf(ctx).Device), s.since(s.db.Now())
}

// hashOf is what is kept of a secret, nil for what is none of ours: what a client without cookies is known by can be told from one.
func hashOf(cookie string) []byte {
	if len(cookie) != secretLen {
		return nil
	}
	return secret.Sum(cookie)
}

// Greet meets the device of a sign-in in its own change. One that keeps cookies is known by a secret, always a new one for whoever is
// new on it: nobody can plant theirs, and whoever was known there goes on with the new one. One that keeps none is known by its kind and
// its network, which anybody may share: that saves a mail each time, and opens nothing.
func (s *Service) Greet(tx *database.Tx, userID string, keeps, trust bool) (Arrival, error) {
	if s.cfg.Days == 0 {
		return Arrival{}, nil
	}
	from := database.OriginOf(tx.Context())
	n := row{ID: id.New("dev"), UserID: userID, Hash: hashOf(from.Device), IP: from.IP, FirstSeen: tx.Now, LastSeen: tx.Now}
	n.Browser, n.System = device.Parse(from.UserAgent)
	if trust && keeps && s.Trust() > 0 {
		until := tx.Now.Add(time.Duration(s.Trust()) * day)
		n.TrustedUntil = &until
	}
	a := Arrival{Cookie: from.Device, Expires: tx.Now.Add(time.Duration(s.cfg.Days) * day)}
	found, err := s.see(tx, &a, n)
	if err != nil || found {
		return a, err
	}
	before := n.Hash
	if a.Cookie = ""; keeps {
		a.Cookie = secret.Hex32()
		n.Hash = secret.Sum(a.Cookie)
	} else {
		n.Hash = clientHash(n.Browser, n.System, from.IP)
		if found, err := s.see(tx, &a, n); err != nil || found {
			return a, err
		}
	}
	if keeps && before != nil {
		if err := move(tx, before, n.Hash, userID); err != nil {
			return a, err
		}
	}
	if err := insert(tx, n); err != nil {
		return a, err
	}
	a.ID = n.ID
	tx.Emit(Added{userID, n.ID, n.Browser, n.System})
	trusted(tx, n)
	first, err := first(tx, userID)
	a.Tell = s.cfg.Mail && !first
	return a, err
}

// see notes that somebody is on a device again, if they are known on it.
func (s *Service) see(tx *database.Tx, a *Arrival, n row) (found bool, err error) {
	if n.Hash == nil {
		return false, nil
	}
	n.ID, found, err = see(tx, n, s.since(tx.Now))
	if a.ID = n.ID; found {
		trusted(tx, n)
	}
	return found, err
}

func trusted(tx *database.Tx, n row) {
	if n.TrustedUntil != nil {
		tx.Emit(Trusted{n.UserID, n.ID, *n.TrustedUntil})
	}
}

// Standing is what is known of somebody who signs in: whether it is on a device of theirs, whether they had before, and where they did last.
type Standing struct {
	Known, Before bool
	LastIP        string
	LastAt        time.Time
}

// Stand finds how a person stands on the device that a change comes from. keeps says whether that keeps cookies.
func (s *Service) Stand(tx *database.Tx, userID string, keeps bool) (st Standing, err error) {
	if s.cfg.Days == 0 {
		return st, nil
	}
	from := database.OriginOf(tx.Context())
	hash := hashOf(from.Device)
	if hash == nil && !keeps {
		browser, system := device.Parse(from.UserAgent)
		hash = clientHash(browser, system, from.IP)
	}
	last, known, err := lastOf(tx, userID, hash, s.since(tx.Now))
	if err != nil {
		return st, err
	}
	st = Standing{Known: known, Before: true, LastIP: last.IP, LastAt: last.LastSeen}
	if !known {
		st.Before, err = hasBefore(tx, userID)
	}
	return st, err
}

// clientHash is what a client without cookies is known by.
func clientHash(browser, system, ip string) []byte {
	return secret.Sum("client " + browser + " " + system + " " + ratelimit.IPKey(ip))
}

// Knows reports whether a person is known on the device that a request comes from, by its secret.
func (s *Service) Knows(ctx context.Context, userID string) (bool, error) {
	hash, since := s.Shown(ctx)
	if hash == nil || s.cfg.Days == 0 {
		return false, nil
	}
	return isKnown(ctx, s.db, userID, hash, since)
}

// Trusts reports whether a person trusts the device that a change comes from.
func (s *Service) Trusts(tx *database.Tx, userID string) (bool, error) {
	hash, since := s.Shown(tx.Context())
	if hash == nil || s.Trust() == 0 {
		return false, nil
	}
	return isTrusted(tx, userID, hash, since)
}

// List is every device that a person is known on, the one that was used last first.
func (s *Service) List(ctx context.Context, userID string) ([]Device, error) {
	hash, since := s.Shown(ctx)
	rows, err := list(ctx, s.db, userID, since)
	devices := make([]Device, len(rows))
	for i, r := range rows {
		devices[i] = r.device(hash, s.db.Now())
	}
	return devices, err
}

// Forget has a person be known on a device no more.
func (s *Service) Forget(ctx context.Context, userID, deviceID string) error {
	return s.db.Write(ctx, func(tx *database.Tx) error {
		gone, err := remove(tx, userID, deviceID)
		if err == nil && len(gone) == 0 {
			return ErrNone
		}
		tell(tx, userID, gone)
		return err
	})
}

// ForgetAll has a person be known on no device any more, and says on how many they were.
func (s *Service) ForgetAll(ctx context.Context, userID string) (n int, err error) {
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet() // where there was none
		n, err = ForgetAll(tx, userID)
		return err
	})
	return n, err
}

// ForgetAll is part of a change that shows that somebody else used one of the devices.
func ForgetAll(tx *database.Tx, userID string) (int, error) {
	gone, err := removeOf(tx, userID)
	tell(tx, userID, gone)
	return len(gone), err
}

func tell(tx *database.Tx, userID string, gone []string) {
	for _, deviceID := range gone {
		tx.Emit(Forgotten{userID, deviceID})
	}
}

// Distrust has every device of a person be asked for the second factor again, as part of a change after which what was shown on them
// does not count.
func Distrust(tx *database.Tx, userID string) error {
	n, err := distrust(tx, userID)
	if n > 0 {
		tx.Emit(Distrusted{userID})
	}
	return err
}

// Sweep forgets devices that were not used for long, a few at a time.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Sweep(ctx, sweepBatch, func(tx *database.Tx, limit int) (int64, error) {
		return removeOld(tx, s.since(tx.Now), limit)
	})
}
