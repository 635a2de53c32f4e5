package sink

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/id"
)

// Service keeps the places of all sinks, and sends to those that the settings name.
type Service struct {
	db      *database.DB
	log     *slog.Logger
	me      string // this server, among those that may be at a sink
	targets []Target
	wakes   []chan struct{}
	held    atomic.Bool // whether it ever was at one
}

// NewService sends to targets once Run is called.
func NewService(db *database.DB, log *slog.Logger, targets ...Target) *Service {
	s := &Service{db: db, log: log, me: id.New("srv"), targets: targets}
	for range targets {
		s.wakes = append(s.wakes, make(chan struct{}, 1))
	}
	return s
}

// Wake says that there is news. It never waits.
func (s *Service) Wake([]database.Record) {
	for _, wake := range s.wakes {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// Run sends until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var all sync.WaitGroup
	for i, t := range s.targets {
		all.Go(func() { Loop(ctx, s.wakes[i], func() bool { return s.round(ctx, t) }) })
	}
	all.Wait()
}

// Loop calls round again and again until ctx ends: at once while it says that there is more, else when it is woken, or after a while.
func Loop(ctx context.Context, wake <-chan struct{}, round func() (more bool)) {
	for {
		if !round() {
			select {
			case <-ctx.Done():
			case <-wake:
			case <-time.After(interval):
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
	}
}

// Release lets others have every sink that this server is at.
func (s *Service) Release(ctx context.Context) {
	if !s.held.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := s.db.Write(ctx, func(tx *database.Tx) error { tx.Quiet(); return release(tx, s.me) }, database.ReadCommitted) // one conditional write
	if err != nil {
		s.log.Warn("the sinks of events could not be let go of; other servers wait until this one is forgotten", "err", err)
	}
}

// round sends what comes next to a target, and says whether there is more.
func (s *Service) round(ctx context.Context, t Target) (more bool) {
	more, err := s.send(ctx, t)
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrLost) {
		s.log.Warn("events could not be passed on; trying again", "sink", t.Name(), "err", err)
	}
	return more
}

func (s *Service) send(ctx context.Context, t Target) (more bool, err error) {
	turn, err := s.Look(ctx, t.Name())
	if err == nil && turn == nil {
		if err := s.begin(ctx, t.Name()); err != nil {
			return false, err
		}
		turn, err = s.Look(ctx, t.Name())
	}
	if err != nil || turn == nil || !turn.Free() {
		return false, err
	}
	list, err := turn.Next(ctx, turn.Place, batch)
	if err != nil || len(list) == 0 {
		return false, err
	}
	if err := turn.Hold(ctx); err != nil {
		return false, err
	}
	lines := make([]event.Line, len(list))
	for i, r := range list {
		lines[i] = event.NewLine(r)
	}
	sending, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	n, err := t.Send(sending, lines)
	if n > 0 {
		if err := s.took(ctx, turn, list[n-1].Cursor); err != nil {
			return false, err
		}
		return n < len(list) || n == batch, nil // what went wrong after those shows at the next try, if it is wrong still
	}
	if ctx.Err() != nil {
		return false, nil // the program ends
	}
	return false, errors.Join(err, s.db.Write(ctx, func(tx *database.Tx) error { return turn.Ill(tx, err.Error(), 0) }, database.ReadCommitted)) // counted by the row itself
}

// took notes that everything up to a place was taken on, also when the program ends just now.
func (s *Service) took(ctx context.Context, turn *Turn, to database.Cursor) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := s.db.Write(ctx, func(tx *database.Tx) error {
		if err := turn.Move(tx, to); err != nil {
			return err
		}
		return Well(tx, turn.row.Name)
	}, database.ReadCommitted) // the affected row decides
	if err == nil && turn.row.Failures > 0 {
		s.log.Info("events are passed on again", "sink", turn.row.Name)
	}
	return err
}

// begin makes the place of a sink that has none: before the first event.
func (s *Service) begin(ctx context.Context, name string) error {
	return s.db.Write(ctx, func(tx *database.Tx) error { tx.Quiet(); return Add(tx, name, database.Cursor{}) }, database.ReadCommitted) // one conditional write
}

// States is how the sinks stand that the settings name.
func (s *Service) States(ctx context.Context) ([]State, error) {
	var list []State
	for _, t := range s.targets {
		state, err := s.State(ctx, t.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, state)
	}
	return list, nil
}

// State is how one sink stands.
func (s *Service) State(ctx context.Context, name string) (State, error) {
	r, _, err := byName(ctx, s.db, name)
	if err != nil {
		return State{}, err
	}
	state := State{Name: name, Failures: r.Failures, FailingSince: r.FailingSince, Reply: r.Reply}
	state.Lag, err = s.Behind(ctx, r.place())
	return state, err
}

// Behind is how old the first event is that stands after a place.
func (s *Service) Behind(ctx context.Context, place database.Cursor) (time.Duration, error) {
	next, err := s.db.Events(ctx, place, 1)
	if err != nil || len(next) == 0 {
		return 0, err
	}
	return max(s.db.Now().Sub(next[0].At), 0), nil
}

// Targets are the sinks that the settings name.
func (s *Service) Targets() []Target { return s.targets }

// Close ends every connection.
func (s *Service) Close() {
	if s == nil {
		return
	}
	for _, t := range s.targets {
		t.Close()
	}
}
