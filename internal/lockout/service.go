package lockout

import (
	"cmp"
	"context"
	"fmt"
	"net/url"

	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/ratelimit"
	"github.com/admit-dev/admit/internal/user"
)

// Service counts wrong answers: how many at once in memory, and how many in all in the database, where they hold on every server and
// over a restart.
type Service struct {
	Deps
	cfg Config
}

// Deps are what a Service stands on.
type Deps struct {
	DB         *database.DB
	Devices    *knowndevice.Service
	Challenges *challenge.Service
	Notify     *notify.Service
	Limiter    *ratelimit.Limiter // nil when limits are off
	Account    ratelimit.Rule     // for the tries at one account
	Address    ratelimit.Rule     // for wrong answers from one address, at whatever account
	Base       string             // of links
}

// NewService locks as cfg says.
func NewService(cfg Config, d Deps) *Service { return &Service{d, cfg} }

// Whose says at whose secrets somebody tries.
type Whose struct {
	User  *user.User // nil when nobody is known by the name
	Name  string     // what stands for the name that was given, "" when none was
	Email string     // the address that was given, if it was one: a lock of nobody costs as much as one of somebody
}

// about is what tries are counted by: the account, whatever it was called, or the name that nobody has.
func (w Whose) about() string {
	if w.User != nil {
		return w.User.ID
	}
	if w.Name == "" {
		return ""
	}
	return "name " + w.Name
}

// Try is one try at an account, taken before it is judged.
type Try struct {
	s      *Service
	whose  Whose
	device string // that its person is known on: it has tries of its own
	failed int64  // wrong answers before that a right one forgets
	took   []taken
}

type taken struct {
	key  string
	rule ratelimit.Rule
}

// Take takes one try, or says how long to wait. A device that the person is known on has tries of its own, so that nobody locks them out of
// it; from any other they are those of the account, and of the address. Where open is set the answer cannot be guessed, or its
// guesses are counted elsewhere: it passes any lock, and opens none.
func (s *Service) Take(ctx context.Context, w Whose, open bool) (Try, error) {
	t := Try{s: s, whose: w}
	about := w.about()
	if open || s.cfg.After == 0 && s.Limiter == nil {
		return t, nil
	}
	counted := about
	if about != "" {
		hash, since := s.Devices.Shown(ctx)
		device, r, err := standing(ctx, s.DB, about, hash, since)
		if err != nil {
			return t, err
		}
		now := s.DB.Now()
		if r = r.at(now); r.LockedUntil != nil && s.cfg.After > 0 {
			return t, ErrTooMany.Wait(r.LockedUntil.Sub(now))
		}
		t.device, t.failed = device, r.Failures
		counted = fmt.Sprint(cmp.Or(device, about), " ", r.Opened)
	}
	if s.Limiter == nil {
		return t, nil
	}
	var keys []taken
	if about != "" {
		keys = append(keys, taken{"login " + counted, s.Account})
	}
	if t.device == "" {
		keys = append(keys, taken{"guess " + ratelimit.IPKey(database.OriginOf(ctx).IP), s.Address})
	}
	for _, k := range keys {
		if r := s.Limiter.Take(k.key, k.rule); !r.Allowed {
			t.GiveBack()
			return t, ErrTooMany.Wait(r.RetryAfter)
		}
		t.took = append(t.took, k)
	}
	return t, nil
}

// GiveBack gives the try back: a right answer does not count, and gives back no more than its own.
func (t Try) GiveBack() {
	for _, k := range t.took {
		t.s.Limiter.GiveBack(k.key, k.rule)
	}
}

// Wrong counts a wrong answer, in the change that tells of it. What is wrong on a known device counts for the account as well: a stolen
// device buys nobody tries at the door. When the account locks its owner is told, once until it is open again.
func (t Try) Wrong(tx *database.Tx) error {
	about := t.whose.about()
	if about == "" || t.s.cfg.After == 0 {
		return nil
	}
	if t.device != "" {
		if _, err := t.s.count(tx, t.device); err != nil {
			return err
		}
	}
	n, err := t.s.count(tx, about)
	if err != nil || n < int64(t.s.cfg.After) {
		return err
	}
	if u := t.whose.User; u != nil {
		tx.Emit(Locked{u.ID, n, tx.Now.Add(t.s.cfg.wait(n))})
	}
	if n > int64(t.s.cfg.After) {
		return nil
	}
	return t.s.write(tx, t.whose)
}

func (s *Service) count(tx *database.Tx, about string) (int64, error) {
	n, err := count(tx, about, tx.Now.Add(-memory))
	if wait := s.cfg.wait(n); err == nil && wait > 0 {
		err = lock(tx, about, tx.Now.Add(wait))
	}
	return n, err
}

// write sends the owner of an account a link that lets them in. To an address that nobody has it takes as long, and nothing is sent.
func (s *Service) write(tx *database.Tx, w Whose) error {
	c := challenge.Challenge{Purpose: challenge.Unlock, About: w.about(), Target: w.Email, ExpiresAt: tx.Now.Add(linkLife)}
	if w.User != nil {
		c.UserID, c.Target = w.User.ID, w.User.Email
	}
	if c.Target == "" {
		return nil
	}
	sent, err := s.Challenges.Issue(tx, c, challenge.Link)
	if err != nil {
		return err
	}
	return s.Notify.Send(tx, notify.Message{To: c.Target, UserID: c.UserID, Nobody: w.User == nil || !w.User.Active(), Expires: c.ExpiresAt,
		Content: notify.AccountLocked{Link: s.Base + "/unlock?token=" + url.QueryEscape(sent.Token), Where: notify.Here(tx)}})
}

// Right forgets the wrong answers before a right one that completed a sign-in, in its change: those on the device where its person is
// known, or else those at the account. It gives nothing back at any other account, nor to the address.
func (t Try) Right(tx *database.Tx) error {
	if t.failed == 0 {
		return nil
	}
	return forget(tx, cmp.Or(t.device, t.whose.about()))
}

// Open forgets every wrong answer at an account and on its devices, as part of a change that shows who its owner is. It says so if there was one.
func Open(tx *database.Tx, userID string, by By) error {
	was, err := open(tx, userID)
	if was {
		tx.Emit(Unlocked{userID, by})
	}
	return err
}

// Show finds whose account a link unlocks. Nothing is spent.
func (s *Service) Show(ctx context.Context, token string) (email string, err error) {
	c, err := s.Challenges.ByLink(ctx, s.DB, challenge.Unlock, token)
	return c.Target, err
}

// Unlock opens an account with the link of a mail, and has its owner be known on the device that it was opened on: whoever goes on
// guessing does not lock them out of it again.
func (s *Service) Unlock(ctx context.Context, token string) (d knowndevice.Arrival, err error) {
	err = s.DB.Write(ctx, func(tx *database.Tx) error {
		u, err := s.Challenges.TakeLinkOf(tx, challenge.Unlock, token)
		if err != nil {
			return err
		}
		tx.Quiet() // it may be open again by itself
		if err := Open(tx, u.ID, Link); err != nil {
			return err
		}
		d, err = s.Devices.Greet(tx, u.ID, true, false)
		return err
	})
	return d, err
}

// Of is how the accounts of people stand, by their id. Who is not in it is not guessed at.
func (s *Service) Of(ctx context.Context, people ...user.User) (map[string]Lock, error) {
	out := map[string]Lock{}
	if len(people) == 0 {
		return out, nil
	}
	least, most := people[0].ID, people[0].ID
	for _, u := range people {
		least, most = min(least, u.ID), max(most, u.ID)
	}
	rows, err := between(ctx, s.DB, least, most)
	for _, r := range rows {
		if r = r.at(s.DB.Now()); r.Failures > 0 {
			out[r.About] = Lock{r.Failures, r.LockedUntil}
		}
	}
	return out, err
}

// Sweep forgets wrong answers that are old, a few at a time.
func (s *Service) Sweep(ctx context.Context) error {
	return s.DB.Sweep(ctx, sweepBatch, removeOld)
}
