package revocation

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/revoked"
	"github.com/admit-dev/admit/internal/token"
)

const (
	interval = 500 * time.Millisecond // how often the events are read, if nobody says that there are any
	patience = time.Second            // how old what is told may be
	batch    = 1000
	margin   = time.Minute // what is told is remembered for this long after the last token it is about
	perIP    = 64          // requests of one address that wait
)

// Service keeps what is to be told and tells it.
type Service struct {
	db     *database.DB
	rights *authz.Service
	tokens *token.Service
	issuer string
	keep   time.Duration
	log    *slog.Logger
	wake   chan struct{}
	over   chan struct{} // closed when nobody shall wait any more
	end    func()

	mu      sync.Mutex
	boot    string
	epoch   string // "" until everything was read
	at      database.Cursor
	list    []entry          // the oldest first
	known   map[string]int64 // the revision of every mark in the list
	n       int64
	heard   time.Time     // when the events were read last, by the clock that nobody sets
	asOf    time.Time     // the same by the clock of the house
	news    chan struct{} // closed when there are any
	waiting map[string]int
	last    signed
}

// signed is the message that was signed last: many ask for the same one.
type signed struct {
	since  string
	at     int64
	cursor string
	text   string
}

// NewService tells what is issued by issuer. Load must follow, and Run be under way when anybody asks.
func NewService(db *database.DB, rights *authz.Service, tokens *token.Service, issuer string, log *slog.Logger) *Service {
	s := &Service{db: db, rights: rights, tokens: tokens, issuer: issuer, keep: tokens.Life() + margin, log: log, wake: make(chan struct{}, 1), over: make(chan struct{}),
		news: make(chan struct{}), waiting: map[string]int{}}
	s.end = sync.OnceFunc(func() { close(s.over) })
	return s
}

// Wake has the events read at once where one of them is to be told. It never waits.
func (s *Service) Wake(list []database.Record) {
	for _, r := range list {
		if ended, revision, _ := marksOf(r); ended == "" && revision == 0 {
			continue
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
		return
	}
}

// Run reads the events until ctx ends.
func (s *Service) Run(ctx context.Context) {
	defer s.Drain()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	ill := false
	for {
		err := s.Load(ctx)
		if err != nil && ctx.Err() == nil && !ill {
			s.log.Warn("the revocation feed cannot read the events; verifiers are told so", "err", err)
		}
		ill = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// Drain lets nobody wait any more: the server is about to end.
func (s *Service) Drain() { s.end() }

// Over reports whether Drain was called.
func (s *Service) Over() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// Load reads what there is to tell since it was read last, at first of as long as tokens live.
func (s *Service) Load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*patience)
	defer cancel()
	began, now := time.Now(), s.db.Now()
	s.mu.Lock()
	at, epoch := s.at, s.epoch
	s.mu.Unlock()
	var list, before []entry
	if current := s.rights.Epoch(); epoch == "" || current != "" && current != epoch {
		var err error
		if epoch, at, before, err = s.everything(ctx, now); err != nil {
			return err
		}
	}
	settled := true // nothing that is earlier can appear still
	for next := at; ; {
		records, err := s.db.Events(ctx, next, batch)
		if err != nil {
			return err
		}
		for _, r := range records {
			more, err := s.entries(ctx, r)
			if err != nil {
				return err
			}
			list = append(list, more...)
			next = r.Cursor
			if settled = settled && !r.Unsettled; settled {
				at = r.Cursor
			}
		}
		if len(records) < batch {
			break
		}
	}
	list = append(list, before...) // what is in both has the place that the event says
	s.keepAll(epoch, at, list, began, now)
	return nil
}

// everything is what a server that starts has to tell.
func (s *Service) everything(ctx context.Context, now time.Time) (epoch string, at database.Cursor, list []entry, err error) {
	if at, err = s.db.LastEvent(ctx); err != nil {
		return
	}
	since := now.Add(-s.keep)
	data, err := endedSince(ctx, s.db, since)
	if err != nil {
		return
	}
	for _, text := range data {
		mark, _, err := marksOf(database.Record{Kind: sessionEnded, Data: json.RawMessage(text)})
		if err != nil {
			return "", at, nil, err
		}
		list = append(list, entry{mark: mark, at: at})
	}
	epoch, touched, err := s.rights.Touched(ctx, since)
	return epoch, at, append(list, rights(touched, at)...), err
}

// entries is what one event has to be told of.
func (s *Service) entries(ctx context.Context, r database.Record) ([]entry, error) {
	ended, revision, err := marksOf(r)
	switch {
	case err != nil:
		s.log.Error("an event cannot be read", "id", r.ID, "err", err)
		return nil, nil
	case ended != "":
		return []entry{{mark: ended, at: r.Cursor}}, nil
	case revision == 0:
		return nil, nil
	}
	touched, err := s.rights.TouchedBy(ctx, revision)
	return rights(touched, r.Cursor), err
}

// rights is what a change has to be told of. One of the platform as a whole leaves every token true: a role that somebody holds stays, and
// what it permits is in no token.
func rights(touched []authz.Touched, at database.Cursor) []entry {
	var list []entry
	for _, t := range touched {
		if t.Org+t.User != "" {
			list = append(list, entry{mark: revoked.Rights(t.Org, t.User), revision: t.Revision, at: at})
		}
	}
	return list
}

// keepAll takes in what was read, lets go of what no token is left of, and tells whoever waits.
func (s *Service) keepAll(epoch string, at database.Cursor, list []entry, began, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if epoch != s.epoch {
		s.epoch, s.list, s.known, s.boot = epoch, nil, map[string]int64{}, id.New("bt")
	}
	before := s.n
	for _, e := range list {
		if revision, known := s.known[e.mark]; known && revision >= e.revision {
			continue
		}
		s.n++
		e.n, e.until = s.n, now.Add(s.keep)
		s.known[e.mark] = e.revision
		s.list = append(s.list, e)
	}
	gone := 0
	for gone < len(s.list) && now.After(s.list[gone].until) {
		if e := s.list[gone]; s.known[e.mark] == e.revision {
			delete(s.known, e.mark)
		}
		gone++
	}
	s.list = s.list[gone:]
	s.at, s.heard, s.asOf = at, began, now
	if s.n != before {
		close(s.news)
		s.news = make(chan struct{})
	}
}

// Next is the message for who has heard of everything up to since, "" for who has heard of nothing: at once where there is something to
// tell, else as soon as there is, and when they have waited for long enough one that says only that nothing was to be told. cursor is what they
// say in since the next time.
func (s *Service) Next(ctx context.Context, since string, wait time.Duration) (text, cursor string, err error) {
	var from place
	if since != "" {
		if from, err = parsePlace(since); err != nil {
			return "", "", err
		}
	}
	leave, err := s.enter(database.OriginOf(ctx).IP)
	if err != nil {
		return "", "", err
	}
	defer leave()
	enough := time.NewTimer(wait)
	defer enough.Stop()
	for waited := wait <= 0; ; {
		m, news, err := s.message(since, from)
		if err != nil {
			return "", "", err
		}
		if waited || m.Whole || len(m.Ended)+len(m.Changed) > 0 {
			return s.sign(since, m)
		}
		select {
		case <-ctx.Done():
			return "", "", ctx.Err()
		case <-s.over:
			waited = true
		case <-enough.C:
			waited = true
		case <-news:
		}
	}
}

// enter counts who waits.
func (s *Service) enter(ip string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting[ip] >= perIP {
		return nil, ErrBusy.Wait(time.Second)
	}
	s.waiting[ip]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.waiting[ip]--; s.waiting[ip] == 0 {
			delete(s.waiting, ip)
		}
	}, nil
}

// message is what is to be told now, and what is closed when there is more.
func (s *Service) message(since string, from place) (revoked.Message, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == "" || time.Since(s.heard) > 2*patience {
		return revoked.Message{}, nil, ErrStale.Wait(time.Second)
	}
	m := revoked.Message{Issuer: s.issuer, At: s.asOf.Unix(), Cursor: place{s.epoch, s.boot, s.n, s.at}.String(), Whole: since == "" || from.epoch != s.epoch,
		Keep: int64(s.keep.Seconds()), Epoch: s.epoch, Ended: []string{}, Changed: map[string]int64{}}
	for i := len(s.list) - 1; i >= 0; i-- {
		e := s.list[i]
		if !m.Whole {
			if from.boot == s.boot && e.n <= from.n {
				break
			}
			if from.boot != s.boot && !from.at.Before(e.at) {
				continue
			}
		}
		if e.revision == 0 {
			m.Ended = append(m.Ended, e.mark)
		} else {
			m.Changed[e.mark] = max(e.revision, m.Changed[e.mark])
		}
	}
	return m, s.news, nil
}

// sign makes the text of a message, or gives the one that others were given a moment ago.
func (s *Service) sign(since string, m revoked.Message) (text, cursor string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.since == since && s.last.at == m.At && s.last.cursor == m.Cursor {
		return s.last.text, m.Cursor, nil
	}
	payload, err := json.Marshal(m)
	if err != nil {
		return "", "", err
	}
	if text, err = s.tokens.Sign(revoked.Type, payload); err == nil {
		s.last = signed{since, m.At, m.Cursor, text}
	}
	return text, m.Cursor, err
}
