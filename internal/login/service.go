package login

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/mfa"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/risk"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

const (
	attemptLife = 10 * time.Minute
	mostTries   = 10 // answers to one attempt
	sweepBatch  = 500
)

// Service is the door.
type Service struct {
	Config Config

	db       *database.DB
	users    *user.Service
	sessions *session.Service
	notices  *notice.Service
	mfa      *mfa.Policy
	devices  *knowndevice.Service
	locks    *lockout.Service
	risk     *risk.Service
	methods  []Method
	hashKey  []byte
}

// NewService makes a door with these methods, the usual one first.
func NewService(cfg Config, db *database.DB, users *user.Service, sessions *session.Service, notices *notice.Service, required *mfa.Policy, devices *knowndevice.Service, locks *lockout.Service, risks *risk.Service, box *secret.Box, methods []Method) *Service {
	return &Service{cfg, db, users, sessions, notices, required, devices, locks, risks, methods, box.Derive("identifier hashes", 32)}
}

// Methods names the methods that open the door.
func (s *Service) Methods() []string {
	return policyOf(s.methods, nil, false).First
}

func (s *Service) method(name string) Method {
	i := slices.IndexFunc(s.methods, func(m Method) bool { return m.Name() == name })
	if i < 0 {
		return nil
	}
	return s.methods[i]
}

// named are the methods of these names that are offered.
func (s *Service) named(names []string) (list []Method) {
	for _, name := range names {
		if m := s.method(name); m != nil {
			list = append(list, m)
		}
	}
	return list
}

// open begins an attempt in memory for whoever the identifier names, or without one for a method that needs none.
func (s *Service) open(ctx context.Context, identifier, method string) (Attempt, error) {
	if strings.TrimSpace(identifier) == "" {
		a := Attempt{Method: method, ExpiresAt: s.db.Now().Add(attemptLife)}
		if !slices.Contains(policyIn(s.methods, a).First, method) {
			return Attempt{}, ErrIdentifier
		}
		return a, nil
	}
	i, err := s.users.ParseIdentifier(identifier)
	if err != nil {
		i = user.Identifier{Kind: "unknown", Value: strings.ToValidUTF8(identifier[:min(len(identifier), 255)], "")} // nobody has it; that is not told
	}
	a := Attempt{Identifier: i, ExpiresAt: s.db.Now().Add(attemptLife)}
	u, err := user.ByIdentifier(ctx, s.db, i)
	switch {
	case err == nil:
		a.User = &u
	case !errors.Is(err, user.ErrNotFound):
		return Attempt{}, err
	}
	p := policyIn(s.methods, a)
	if method != "" && !slices.Contains(p.First, method) {
		return Attempt{}, ErrMethod
	}
	if !slices.Contains(p.sure, method) { // as no lock stops it, nothing that a network does makes it ask for more
		if err := s.greetAtDoor(ctx, &a); err != nil {
			return Attempt{}, err
		}
	}
	a.Method, _, _ = next(policyIn(s.methods, a), nil, method)
	return a, nil
}

// SignIn is a whole sign-in in one request, where a first factor is enough. Where it is not, the outcome holds the next step.
func (s *Service) SignIn(ctx context.Context, identifier, method string, in Answer, f Finish) (Outcome, error) {
	a, err := s.open(ctx, identifier, method)
	if err != nil {
		return Outcome{}, err
	}
	a.Remember = f.Remember
	if a.Method != method && method != "" { // something else comes first
		step, err := s.begin(ctx, a)
		return Outcome{Step: &step}, err
	}
	return s.answer(ctx, a, in, f)
}

// Start begins a sign-in and says what is asked first. Nobody learns from it whether the identifier is known. returnTo is where the
// browser may be led in the end, "" when that is left to whoever asks.
func (s *Service) Start(ctx context.Context, identifier, method, returnTo string) (Step, error) {
	a, err := s.open(ctx, identifier, method)
	if err != nil {
		return Step{}, err
	}
	a.ReturnTo = returnTo
	return s.begin(ctx, a)
}

// begin keeps an attempt, and says what it asks.
func (s *Service) begin(ctx context.Context, a Attempt) (Step, error) {
	a.ID, a.Risk.Began = "att_"+secret.Hex32(), s.risk.Here(ctx)
	err := s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(Begun{UserID: userID(a), Method: a.Method})
		return insert(tx, a)
	})
	if err != nil {
		return Step{}, err
	}
	return s.step(ctx, a)
}

// Answer judges the answer to what an attempt asks.
func (s *Service) Answer(ctx context.Context, id string, in Answer, f Finish) (Outcome, error) {
	a, err := s.find(ctx, id)
	if err == nil && a.Risk.SignUp {
		err = ErrAttempt
	}
	if err != nil {
		return Outcome{}, err
	}
	if err := s.db.Write(ctx, func(tx *database.Tx) error { tx.Quiet(); return try(tx, id) }); err != nil {
		return Outcome{}, err
	}
	_, choices, _ := next(policyIn(s.methods, a), a.Shown, a.Method)
	if m := meant(s.named(choices), s.method(a.Method), in); m != nil {
		a.Method = m.Name()
	}
	a.Remember = a.Remember || f.Remember
	if first, err := s.turn(ctx, &a, a.Method); err != nil || first != nil {
		return Outcome{Step: first, ReturnTo: a.ReturnTo}, err
	}
	return s.answer(ctx, a, in, f)
}

// Switch asks for another method at the same point.
func (s *Service) Switch(ctx context.Context, id, method string) (Step, error) {
	a, err := s.find(ctx, id)
	if err != nil {
		return Step{}, err
	}
	chosen, _, _ := next(policyIn(s.methods, a), a.Shown, method)
	if chosen != method {
		return Step{}, ErrMethod
	}
	if first, err := s.turn(ctx, &a, method); err != nil || first != nil {
		return *cmp.Or(first, &Step{}), err
	}
	if err := s.db.Write(ctx, func(tx *database.Tx) error { tx.Quiet(); return setMethod(tx, id, method) }); err != nil {
		return Step{}, err
	}
	return s.step(ctx, a)
}

// answer has the method judge, and goes on from there.
func (s *Service) answer(ctx context.Context, a Attempt, in Answer, f Finish) (out Outcome, err error) {
	err = s.judge(ctx, &a, in, func(proof Proof) (err error) {
		out, err = s.prove(ctx, a, proof, f)
		return err
	})
	if wrong(err) || errors.Is(err, ErrDisabled) || errors.Is(err, ErrClosed) {
		return Outcome{}, s.fail(ctx, a, err)
	}
	return s.Continue(ctx, out, err)
}

// wrong reports whether an answer was judged and opens nothing.
func wrong(err error) bool { return errors.Is(err, ErrCredentials) || errors.Is(err, ErrCode) }

// judge has the method judge an answer, and then has spend consume the proof in a change of its own. Only a wrong answer costs a try.
// In an attempt without a name it finds the person.
func (s *Service) judge(ctx context.Context, a *Attempt, in Answer, spend func(Proof) error) error {
	m := s.method(a.Method)
	if m == nil {
		return ErrMethod
	}
	var err error
	if a.try, err = s.locks.Take(ctx, s.whose(*a), m.Uses()&Passes != 0); err != nil {
		return err
	}
	for again := true; ; again = false {
		verify := m.Verify
		if e := s.enroller(*a); e != nil {
			verify = e.Confirm
		}
		proof, err := verify(ctx, *a, in)
		if err == nil && a.Nameless() {
			a.User, err = s.found(ctx, proof.UserID)
		}
		switch {
		case err != nil:
		case a.User == nil && proof.Owns, s.unnamed(*a):
			err = spend(proof)
		case a.User == nil:
			err = errors.New("login: " + m.Name() + " proved nobody")
		case !a.User.Active():
			err = Barred(*a.User)
		default:
			err = spend(proof)
		}
		if !errors.Is(err, ErrChanged) || !again {
			if !wrong(err) {
				a.try.GiveBack()
			}
			return err
		}
	}
}

// found is the person that a proof is of. One who is gone meanwhile was not there.
func (s *Service) found(ctx context.Context, userID string) (*user.User, error) {
	u, err := user.ByID(ctx, s.db, userID)
	if errors.Is(err, user.ErrNotFound) {
		err = ErrCredentials
	}
	if err != nil {
		return nil, err
	}
	return &u, nil
}

// prove spends a proof and either completes the sign-in or keeps what was shown for the next step. One transaction.
func (s *Service) prove(ctx context.Context, a Attempt, proof Proof, f Finish) (out Outcome, err error) {
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		now := a // the change may be tried again
		now.Shown = append(slices.Clone(a.Shown), Shown{a.Method, proof.AMR, proof.Whole})
		if a.ID != "" { // before the proof: what a second caller shows counts for nothing, and against nobody
			if err := remove(tx, a.ID); err != nil {
				return err
			}
		}
		enrols := s.enroller(a) != nil
		if enrols {
			if u, err := current(tx, a.User.ID); err != nil || u.Enrolled() { // somebody was quicker
				return cmp.Or(err, error(ErrChanged))
			}
		}
		if proof.Consume != nil {
			if err := proof.Consume(tx); err != nil {
				return err
			}
		}
		if s.unnamed(a) {
			method, _, _ := next(policyIn(s.methods, now), now.Shown, "")
			out, err = s.goOn(tx, now, method)
			return err
		}
		var spares []string
		if enrols {
			if spares, err = s.Enrol(tx, a.User.ID, "", a.Method); err != nil {
				return err
			}
		}
		if proof.Owns {
			now.User, err = s.own(tx, a)
		} else {
			now.User, err = current(tx, a.User.ID)
		}
		if err != nil {
			return err
		}
		out, err = s.advance(tx, now, f)
		out.Spares = spares
		return err
	})
	return out, err
}

// current is the person as they are in the change that lets them in: since they were looked up they may have been suspended,
// and a session made now would outlive that.
func current(tx *database.Tx, userID string) (*user.User, error) {
	u, err := user.ByID(tx.Context(), tx, userID)
	if errors.Is(err, user.ErrNotFound) {
		err = ErrChanged
	}
	return &u, err
}

// advance asks next, and makes the session or the attempt of the next step. The prompt is made after the change.
// What is asked is what is asked of the person as they are in it.
func (s *Service) advance(tx *database.Tx, a Attempt, f Finish) (Outcome, error) {
	if a.RequireMFA = false; len(a.User.Factors) == 0 { // of who has some, they are asked anyway
		var err error
		if a.RequireMFA, err = s.mfa.ConcernsIn(tx, a.User); err != nil {
			return Outcome{}, err
		}
	}
	if err := s.assess(tx, &a, f); err != nil {
		return Outcome{}, err
	}
	p := policyIn(s.methods, a)
	if len(p.Second) > 0 {
		var err error
		if p.Trusted, err = s.devices.Trusts(tx, a.User.ID); err != nil {
			return Outcome{}, err
		}
	}
	method, _, done := next(p, a.Shown, "")
	if !done {
		return s.goOn(tx, a, method)
	}
	if !a.User.Active() {
		return Outcome{}, Barred(*a.User)
	}
	how := amr(a.Shown)
	if p.Trusted && !p.StepUp {
		how = append(how, session.Trusted)
	}
	return s.enter(tx, a, how, f)
}

// goOn makes the attempt of the next step.
func (s *Service) goOn(tx *database.Tx, a Attempt, method string) (Outcome, error) {
	a.ID, a.Method, a.ExpiresAt, a.Risk.Began = "att_"+secret.Hex32(), method, tx.Now.Add(attemptLife), s.risk.Here(tx.Context())
	tx.Emit(Begun{UserID: userID(a), Method: method})
	return Outcome{ReturnTo: a.ReturnTo, then: a}, insert(tx, a)
}

// enter begins the session of a sign-in that is complete. how says in which way it was (RFC 8176).
func (s *Service) enter(tx *database.Tx, a Attempt, how []string, f Finish) (Outcome, error) {
	var methods []string
	for _, sh := range a.Shown {
		methods = append(methods, sh.Method)
	}
	from := database.OriginOf(tx.Context())
	from.Actor = a.User.ID
	n, credential, err := s.sessions.Begin(tx, session.Start{UserID: a.User.ID, AMR: how, Transport: f.Transport, Remember: a.Remember, Replaces: f.Replaces})
	if err != nil {
		return Outcome{}, err
	}
	from.Session = n.ID
	if err := a.try.Right(tx); err != nil {
		return Outcome{}, err
	}
	tx.Emit(Succeeded{UserID: a.User.ID, SessionID: n.ID, Methods: methods})
	device, err := s.greet(tx, *a.User, f, n, a.Risk.Tell)
	return Outcome{User: *a.User, Session: n, Credential: credential, Device: device, ReturnTo: a.ReturnTo}, err
}

// greet meets the device of a sign-in. Of one that was not known its person is told, and of any where tell is set.
func (s *Service) greet(tx *database.Tx, u user.User, f Finish, n session.Session, tell bool) (knowndevice.Arrival, error) {
	if u.Guest {
		return knowndevice.Arrival{}, nil // they have no other
	}
	d, err := s.devices.Greet(tx, u.ID, f.Cookies || f.Transport == session.Cookie, f.Trust && slices.Contains(n.AMR, "mfa"))
	if err != nil || !d.Tell && !tell {
		return d, err
	}
	return d, s.notices.Tell(tx, u, u.Email, notice.Change{What: notice.SignedIn, ID: d.ID}, func(notMe string, w notify.Where) notify.Content {
		return notify.NewSignIn{NotMe: notMe, Where: w}
	})
}

// Welcome signs in somebody who showed who they are without an attempt, as part of the change that knows it: who has just been
// made, or came back from another service. That is their first proof; what is asked of everybody is asked of them too. Continue
// with the outcome after the change.
func (s *Service) Welcome(tx *database.Tx, u user.User, shown Shown, f Finish) (Outcome, error) {
	return s.advance(tx, Attempt{User: &u, Shown: []Shown{shown}, Remember: f.Remember}, f)
}

// Guest signs in somebody of whom nothing is known, as part of the change that makes them. Nothing is asked of nobody.
func (s *Service) Guest(tx *database.Tx, u user.User, f Finish) (Outcome, error) {
	if !u.Guest {
		return Outcome{}, user.ErrNotGuest
	}
	return s.enter(tx, Attempt{User: &u, Shown: []Shown{{Method: "anonymous"}}, Remember: true}, []string{"anon"}, f)
}

// Continue completes the outcome of a change with what is asked next, if anything is. A method may be slow to ask.
func (s *Service) Continue(ctx context.Context, out Outcome, err error) (Outcome, error) {
	if err != nil || out.then.ID == "" {
		return out, err
	}
	step, err := s.step(ctx, out.then)
	return Outcome{Step: &step, ReturnTo: out.ReturnTo}, err
}

// enroller is the method of an attempt, when what it asks is to be set up in it; nil when it is not.
func (s *Service) enroller(a Attempt) Enroller {
	if e, ok := s.method(a.Method).(Enroller); ok && a.SessionID == "" && enrols(policyIn(s.methods, a), a.Shown) {
		return e
	}
	return nil
}

func (s *Service) step(ctx context.Context, a Attempt) (Step, error) {
	p := policyIn(s.methods, a)
	_, choices, _ := next(p, a.Shown, a.Method)
	m := s.method(a.Method)
	if m == nil {
		return Step{}, ErrMethod
	}
	begin, e := m.Begin, s.enroller(a)
	if e != nil {
		begin = e.Offer
	}
	prompt, err := begin(ctx, a)
	prompt.Method, prompt.Enrol = a.Method, e != nil
	out := Step{ID: a.ID, Prompt: prompt, Methods: choices}
	if slices.Contains(p.Second, a.Method) {
		out.Trust = s.devices.Trust()
	}
	return out, err
}

// fail tells of an answer that opens nothing and says no.
func (s *Service) fail(ctx context.Context, a Attempt, no error) error {
	reason := "wrong_answer"
	switch {
	case errors.Is(no, ErrDisabled), errors.Is(no, ErrClosed):
		if reason = "user_disabled"; s.Config.Strict() {
			no = ErrCredentials
		}
	case a.User == nil && !a.Nameless():
		reason = "unknown_user"
	}
	s.risk.Failed(ctx, s.hash(a.Identifier))
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(Failed{UserID: userID(a), Method: a.Method, Reason: reason, IdentifierHash: s.hash(a.Identifier)})
		if err := a.try.Wrong(tx); err != nil {
			return err
		}
		return tx.Refuse(no)
	})
}

func (s *Service) hash(i user.Identifier) string {
	if i.Kind == "" {
		return ""
	}
	mac := hmac.New(sha256.New, s.hashKey)
	mac.Write([]byte(i.Kind + " " + i.Value))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// whose says at whose secrets an attempt tries, by whatever name they were called.
func (s *Service) whose(a Attempt) lockout.Whose {
	w := lockout.Whose{User: a.User, Name: s.hash(a.Identifier)}
	if a.Identifier.Kind == user.KindEmail {
		w.Email = a.Identifier.Value
	}
	return w
}

// Guess takes one try from an account for whoever asks for its secrets elsewhere than at the door, so that a guess costs the
// same everywhere.
func (s *Service) Guess(ctx context.Context, userID string) (lockout.Try, error) {
	u, err := user.ByID(ctx, s.db, userID)
	if err != nil {
		return lockout.Try{}, err
	}
	return s.locks.Take(ctx, lockout.Whose{User: &u}, false)
}

// Sweep deletes attempts that have run out, a few at a time.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Sweep(ctx, sweepBatch, removeExpired)
}

func userID(a Attempt) string {
	if a.User == nil {
		return ""
	}
	return a.User.ID
}
