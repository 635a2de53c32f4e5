package authz

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
)

// The refusals of asking.
var (
	ErrStale    = apperr.New(apperr.Unavailable, "authorization_stale", "Who may do what cannot be read at the moment, and an old answer is not given. Try again.")
	ErrRevision = apperr.New(apperr.Malformed, "revision_invalid", "This is no revision of this server.").In("at_least")
	ErrBehind   = apperr.New(apperr.Unavailable, "revision_unavailable", "This server has not heard of that revision yet. Try again.")
)

const (
	changesKept = 25 * time.Hour // and so longer than any access token lives
	rootsKept   = 32             // so that a list can be read to its end while others change something
)

type (
	// Changed is told of every change of who may do what: what is other from this revision on.
	Changed struct {
		Revision int64    `json:"revision"`
		Orgs     []string `json:"orgs"` // "" is the platform
	}
)

// Kind names the event.
func (Changed) Kind() string { return "authorization.changed" }

// Subject is the organization, if it is one.
func (e Changed) Subject() string {
	if len(e.Orgs) == 1 {
		return e.Orgs[0]
	}
	return ""
}

// held is a Root and the life of the database it was read from.
type held struct {
	root  *Root
	epoch string
}

// Service answers who may do what from memory, and carries out every change of it.
type Service struct {
	db     *database.DB
	feed   *event.Feed
	policy Policy
	log    *slog.Logger

	turn  chan struct{} // held by the one change of this process that is under way
	mu    sync.Mutex    // held while rows are read again
	now   atomic.Pointer[held]
	past  []held       // the newest last; under mu
	heard atomic.Int64 // the newest revision somebody told of
}

// NewService keeps up with db. Whatever engine the policy names is asked beside the roles.
func NewService(db *database.DB, feed *event.Feed, policy Policy, log *slog.Logger) *Service {
	s := &Service{db: db, feed: feed, policy: policy, log: log, turn: make(chan struct{}, 1)}
	feed.Subscribe(s.hear)
	return s
}

func (s *Service) hear(list []database.Record) {
	for _, r := range list {
		var e Changed
		if r.Kind != e.Kind() {
			continue
		}
		if err := json.Unmarshal(r.Data, &e); err != nil {
			s.log.Error("an event cannot be read", "id", r.ID, "err", err)
			continue
		}
		for {
			was := s.heard.Load()
			if e.Revision <= was || s.heard.CompareAndSwap(was, e.Revision) {
				break
			}
		}
	}
}

// Root is what holds now, as far as this server may trust its memory: it has heard from the database within a second, or
// asks it. It is one revision, for as many questions as are put to it.
func (s *Service) Root(ctx context.Context) (*Root, error) {
	if now := s.now.Load(); now != nil && s.feed.Fresh() && s.heard.Load() <= now.root.rev {
		return now.root, nil
	}
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	return s.now.Load().root, nil
}

// Refresh brings the memory to the revision of the database, all of it read at one moment.
func (s *Service) Refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.db.Read(ctx, database.AllOrgs, func(q database.Querier) error {
		at, err := where(ctx, q)
		if err != nil {
			return err
		}
		old := s.now.Load()
		if old != nil && old.epoch == at.Epoch && old.root.rev == at.Revision {
			return nil
		}
		var root *Root
		if old != nil && old.epoch == at.Epoch && old.root.rev < at.Revision {
			root, err = follow(ctx, q, old.root, at.Revision)
		}
		if root == nil && err == nil {
			root, err = whole(ctx, q, at.Revision)
		}
		if err != nil {
			return err
		}
		s.install(held{root, at.Epoch})
		return nil
	})
	if err != nil {
		return ErrStale.Because(err)
	}
	return nil
}

// install is called under mu.
func (s *Service) install(h held) {
	s.now.Store(&h)
	if len(s.past) == rootsKept {
		s.past = append(s.past[:0], s.past[1:]...)
	}
	s.past = append(s.past, h)
}

func whole(ctx context.Context, q database.Querier, rev int64) (*Root, error) {
	platform, err := readPlatform(ctx, q)
	if err != nil {
		return nil, err
	}
	orgs, err := readOrgs(ctx, q, database.AllOrgs)
	if err != nil {
		return nil, err
	}
	return Compile(rev, platform, orgs)
}

// follow reads only what changed since old; nil when nobody remembers what that is.
func follow(ctx context.Context, q database.Querier, old *Root, rev int64) (*Root, error) {
	list, complete, err := changesSince(ctx, q, old.rev)
	if err != nil || !complete {
		return nil, err
	}
	return old.reread(ctx, q, rev, list, func(string) error { return nil })
}

// reread gives the Root of rev, with what was touched as the store has it now. enter is called before rows of an organization
// are read.
func (r *Root) reread(ctx context.Context, q database.Querier, rev int64, list []touch, enter func(org string) error) (*Root, error) {
	var platform *PlatformRows
	var changed []OrgRows
	var removed []string
	done := map[string]bool{} // read whole
	for _, t := range list {
		if t.User != "" {
			continue
		}
		done[t.Org] = true
		if t.Org == "" {
			p, err := readPlatform(ctx, q)
			if err != nil {
				return nil, err
			}
			platform = &p
			continue
		}
		if err := enter(t.Org); err != nil {
			return nil, err
		}
		org, err := readOrgs(ctx, q, t.Org)
		if err != nil {
			return nil, err
		}
		if changed = append(changed, org...); len(org) == 0 {
			removed = append(removed, t.Org)
		}
	}
	next, err := r.With(rev, platform, changed, removed)
	for _, t := range list {
		if err == nil && t.User != "" && !done[t.Org] {
			next, err = next.rereadMember(ctx, q, rev, t, enter)
		}
	}
	return next, err
}

func (r *Root) rereadMember(ctx context.Context, q database.Querier, rev int64, t touch, enter func(org string) error) (*Root, error) {
	if t.Org == "" {
		users, err := readUsers(ctx, q, t.User)
		if err != nil {
			return nil, err
		}
		if len(users) == 0 {
			return r.WithMembers(rev, "", nil, []string{t.User})
		}
		return r.WithMembers(rev, "", []Member{{users[0].User, users[0].Disabled, users[0].Roles}}, nil)
	}
	if err := enter(t.Org); err != nil {
		return nil, err
	}
	m, err := readMember(ctx, q, t.Org, t.User)
	switch {
	case err != nil:
		return nil, err
	case m == nil:
		return r.WithMembers(rev, t.Org, nil, []string{t.User})
	default:
		return r.WithMembers(rev, t.Org, []Member{*m}, nil)
	}
}

// RootAtLeast is Root, and not older than a revision that a change answered with. "" asks for nothing.
func (s *Service) RootAtLeast(ctx context.Context, token string) (*Root, error) {
	root, err := s.Root(ctx)
	if err != nil || token == "" {
		return root, err
	}
	epoch, rev, err := parseRevision(token)
	if err != nil {
		return nil, err
	}
	if now := s.now.Load(); now.epoch == epoch && now.root.rev >= rev {
		return now.root, nil
	}
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	switch now := s.now.Load(); {
	case now.epoch != epoch:
		return nil, ErrRevision
	case now.root.rev < rev:
		return nil, ErrBehind.Wait(time.Second)
	default:
		return now.root, nil
	}
}

// RootOf is the Root that a list was begun at, or what holds now for a list that begins.
func (s *Service) RootOf(ctx context.Context, cursor string) (*Root, error) {
	root, err := s.Root(ctx)
	if err != nil || cursor == "" {
		return root, err
	}
	rev, err := CursorRev(cursor)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.past {
		if h.root.rev == rev {
			return h.root, nil
		}
	}
	return nil, ErrCursor
}

// OrgID is Root.OrgID of what holds now.
func (s *Service) OrgID(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	root, err := s.Root(ctx)
	if err != nil {
		return "", err
	}
	return root.OrgID(strings.ToLower(ref)), nil
}

// Revision is the token of a Root: whoever passes it as at_least is answered from that revision or a later one.
func (s *Service) Revision(r *Root) string {
	return fmt.Sprintf("az1.%s.%d", s.now.Load().epoch, r.rev)
}

func parseRevision(token string) (epoch string, rev int64, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] != "az1" {
		return "", 0, ErrRevision
	}
	rev, err = strconv.ParseInt(parts[2], 10, 64)
	if err != nil || rev < 0 {
		return "", 0, ErrRevision
	}
	return parts[1], rev, nil
}

// Check answers one question at a Root, and asks the policy engine if there is one.
func (s *Service) Check(ctx context.Context, r *Root, q Query) (Decision, error) {
	q.Now = s.db.Now()
	d, err := s.policy.Check(ctx, r, q)
	if d.Code == EngineError {
		s.log.WarnContext(ctx, "the policy engine gave no answer, so the answer is no", "err", err)
		err = nil
	}
	return d, err
}

// Require refuses a caller without a permission; ErrOrg where they may not know of the organization.
func (s *Service) Require(ctx context.Context, c Caller, permission, org string) error {
	return s.require(ctx, c, permission, org, true)
}

// RequireOpenly is Require for the routes of an app: the refusal names the permission, also to a stranger.
func (s *Service) RequireOpenly(ctx context.Context, c Caller, permission, org string) error {
	return s.require(ctx, c, permission, org, false)
}

func (s *Service) require(ctx context.Context, c Caller, permission, org string, hide bool) error {
	if c.system {
		return nil
	}
	root, err := s.Root(ctx)
	if err != nil {
		return err
	}
	return s.requireAt(ctx, root, c, permission, org, hide)
}

// RequireAt is Require by what held at a Root.
func (s *Service) RequireAt(ctx context.Context, r *Root, c Caller, permission, org string) error {
	if c.system {
		return nil
	}
	return s.requireAt(ctx, r, c, permission, org, true)
}

func (s *Service) requireAt(ctx context.Context, root *Root, c Caller, permission, org string, hide bool) error {
	q := c.query(permission, org)
	q.Now = s.db.Now()
	d, err := s.Check(ctx, root, q)
	if err != nil || d.Allowed {
		return err
	}
	return root.Refusal(q, d.Code, hide)
}

// Sweep forgets old changes, a few at a time.
func (s *Service) Sweep(ctx context.Context) error { return s.db.Sweep(ctx, 500, removeChanges) }
