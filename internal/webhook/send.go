package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/outbound"
	"github.com/admit-dev/admit/internal/sink"
)

const (
	patience    = 5 * time.Second    // how long one request may take
	together    = 8                  // requests to one webhook at a time
	mostWaiting = 1000               // deliveries of one webhook; whatever comes after them waits as events do
	mostAtOnce  = 32                 // deliveries before a webhook is looked at again: it may be another by then
	batch       = 500                // events that are read at once
	idle        = 10 * time.Second   // how old the place may be of a webhook for which nothing happens
	down        = 5                  // failures in a row after which it was not the one event
	longest     = 5 * 24 * time.Hour // how long a webhook may take nothing on before it is paused
	mostAsked   = time.Hour          // how long it may ask to be left alone
)

// delays stand between the tries of one delivery, as Standard Webhooks proposes. After the last one it is parked.
var delays = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

// lookout is up to where nothing is for a webhook that stands at a place.
type lookout struct{ place, upTo database.Cursor }

// Wake says that there is news. It never waits.
func (s *Service) Wake([]database.Record) {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var all sync.WaitGroup
	sink.Loop(ctx, s.wake, func() bool {
		list, err := working(ctx, s.db, s.db.Now())
		if err != nil && ctx.Err() == nil {
			s.log.Warn("webhooks could not be read from the database; trying again", "err", err)
		}
		for _, b := range list {
			if s.take(b.ID) {
				all.Go(func() { s.work(ctx, b) })
			}
		}
		return false
	})
	all.Wait()
}

// take says that this server works at a webhook, unless it does.
func (s *Service) take(webhookID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[webhookID] {
		return false
	}
	s.busy[webhookID] = true
	return true
}

// work does one round for one webhook.
func (s *Service) work(ctx context.Context, b both) {
	more, err := s.round(ctx, b)
	if err != nil && ctx.Err() == nil && !errors.Is(err, sink.ErrLost) {
		s.log.Warn("events could not be sent to a webhook; trying again", "webhook_id", b.ID, "err", err)
	}
	s.mu.Lock()
	delete(s.busy, b.ID)
	s.mu.Unlock()
	if more && err == nil {
		s.Wake(nil)
	}
}

// round reads what comes next into deliveries, and sends those that are due. more says that there is something to do still.
func (s *Service) round(ctx context.Context, b both) (more bool, err error) {
	turn, err := s.sinks.Look(ctx, b.ID)
	if err != nil || turn == nil || !turn.Free() {
		return false, err
	}
	list, err := waiting(ctx, s.db, b.ID, mostWaiting)
	if err != nil {
		return false, err
	}
	fresh, more, err := s.fill(ctx, turn, b, mostWaiting-len(list))
	if err != nil {
		return false, err
	}
	due := chains(append(list, fresh...), s.db.Now())
	if len(due) == 0 {
		return more, nil
	}
	all, err := s.sendAll(ctx, turn, b, due)
	return more || all, err
}

// fill makes deliveries of what comes next and is for the webhook, at most room.
func (s *Service) fill(ctx context.Context, turn *sink.Turn, b both, room int) (fresh []post, more bool, err error) {
	limit := min(room, batch)
	if limit <= 0 {
		return nil, false, nil
	}
	from := turn.Place
	s.mu.Lock()
	if known := s.seen[b.ID]; known.place == turn.Place && from.Before(known.upTo) {
		from = known.upTo
	}
	s.mu.Unlock()
	list, err := turn.Next(ctx, from, limit)
	if err != nil {
		return nil, false, err
	}
	upTo, now := from, s.db.Now()
	for _, r := range list {
		upTo = r.Cursor
		if wants(strings.Fields(b.Kinds), r.Kind) && b.Format.tells(r.Kind) {
			fresh = append(fresh, post{ID: id.New("dlv"), WebhookID: b.ID, EventID: r.ID, Tx: r.Cursor.Tx, Seq: r.Cursor.Seq, At: r.At, Kind: r.Kind, Subject: r.Subject,
				State: Waiting, DueAt: now, CreatedAt: now})
		}
	}
	if upTo == turn.Place {
		return nil, false, nil
	}
	if len(fresh) == 0 && len(list) < limit && now.Sub(turn.MovedAt()) < idle { // a write for each event that is for somebody else would be many
		s.mu.Lock()
		s.seen[b.ID] = lookout{turn.Place, upTo}
		s.mu.Unlock()
		return nil, false, nil
	}
	if err := turn.Hold(ctx); err != nil {
		return nil, false, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if err := turn.Move(tx, upTo); err != nil {
			return err
		}
		for _, p := range fresh {
			if err := insert(tx, p); err != nil {
				return err
			}
		}
		return nil
	}, database.ReadCommitted) // the affected row of Move decides
	turn.Place = upTo
	return fresh, len(list) == limit, err
}

// wants reports whether an event is for who named these kinds and groups of kinds.
func wants(kinds []string, kind string) bool {
	return len(kinds) == 0 || slices.ContainsFunc(kinds, func(k string) bool {
		group, all := strings.CutSuffix(k, "*")
		return k == kind || all && strings.HasPrefix(kind, group)
	})
}

// chains are the deliveries of one subject each, in their order, of which the first is due. What is about nobody waits for nothing else.
func chains(list []post, now time.Time) [][]post {
	var all [][]post
	at := map[string]int{}
	for _, p := range list {
		i, known := at[p.Subject]
		if p.Subject == "" || !known {
			at[p.Subject] = len(all)
			all = append(all, []post{p})
			continue
		}
		all[i] = append(all[i], p)
	}
	return slices.DeleteFunc(all, func(c []post) bool { return c[0].DueAt.After(now) })
}

// sendAll sends chains side by side until one delivery fails, or it was enough for now: more says so.
func (s *Service) sendAll(ctx context.Context, turn *sink.Turn, b both, list [][]post) (more bool, err error) {
	keys, err := s.keys(b.row)
	if err != nil {
		return false, errors.Join(err, s.db.Write(ctx, func(tx *database.Tx) error { return turn.Ill(tx, ErrUnsaid.Message, 0) }, database.ReadCommitted)) // counted by the row itself
	}
	n := together
	if turn.Failures() > 0 {
		n = 1 // to see whether it is well again
	}
	var next, sent atomic.Int64
	var stop atomic.Bool
	var all sync.WaitGroup
	faults := make([]error, n)
	for w := range n {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(list)) && faults[w] == nil; i = next.Add(1) - 1 {
				for _, p := range list[i] {
					if ctx.Err() != nil || stop.Load() || sent.Add(1) > mostAtOnce {
						return
					}
					took, err := s.send(ctx, turn, b, p, keys)
					if err != nil || !took {
						faults[w] = err
						stop.Store(true)
						return
					}
				}
			}
		})
	}
	all.Wait()
	return !stop.Load() && sent.Load() > mostAtOnce, errors.Join(faults...)
}

// keys are what is signed with, the newest first.
func (s *Service) keys(r row) ([][]byte, error) {
	sealed := [][]byte{r.Secret}
	if r.OldUntil != nil && s.db.Now().Before(*r.OldUntil) {
		sealed = append(sealed, r.OldSecret)
	}
	var keys [][]byte
	for _, one := range sealed {
		key, err := s.box.Open(one, "webhook.secret:"+r.ID)
		if err != nil {
			return nil, ErrUnsaid.Because(err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// answer is what came of a request.
type answer struct {
	status int
	wait   time.Duration // how long it asks to be left alone
	reply  string        // what is wrong
}

func (a answer) took() bool { return a.status >= 200 && a.status <= 299 }

// send sends one delivery, and says whether the next one may follow.
func (s *Service) send(ctx context.Context, turn *sink.Turn, b both, p post, keys [][]byte) (took bool, err error) {
	if err := turn.Hold(ctx); err != nil {
		return false, err
	}
	found, err := s.db.Events(ctx, database.Cursor{Tx: p.Tx, Seq: p.Seq - 1}, 1)
	if err != nil {
		return false, err
	}
	if len(found) == 0 || found[0].ID != p.EventID {
		p.Reply = "the event is not kept any more: AUDIT_RETENTION_DAYS"
		return true, s.db.Write(ctx, func(tx *database.Tx) error { tx.Quiet(); return tried(tx, ended(p, Parked, tx.Now)) }, database.ReadCommitted) // one conditional write
	}
	began := s.db.Now()
	a, err := s.ask(ctx, b.row, found[0], keys)
	if err != nil || ctx.Err() != nil && !a.took() { // the program ends, and that is not the fault of the other side
		return false, err
	}
	return a.took(), s.note(ctx, turn, judged(p, a, s.db.Now()), a, s.db.Now().Sub(began))
}

// ask is one request. What goes wrong on the way is part of the answer.
func (s *Service) ask(ctx context.Context, to row, r database.Record, keys [][]byte) (answer, error) {
	body, media, err := s.body(to, r)
	if err != nil {
		return answer{reply: sink.Plain(err.Error())}, nil // it is the one event, or the format
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return answer{reply: "the address cannot be used"}, nil
	}
	q.Header.Set("Content-Type", media)
	q.Header.Set("User-Agent", "admit")
	outbound.Sign(q.Header, r.ID, s.db.Now(), body, keys...)
	status, header, said, err := outbound.Do(ctx, s.client, q)
	a := answer{status: status}
	switch {
	case a.took():
	case err != nil:
		a.reply = sink.Plain(err.Error())
	case status >= 300 && status <= 399:
		a.reply = "redirects are not followed: give the address that it leads to"
	default:
		a.reply = sink.Plain(string(bytes.ToValidUTF8(said, nil)))
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		if n, err := strconv.Atoi(header.Get("Retry-After")); err == nil && n > 0 {
			a.wait = min(time.Duration(min(n, 86400))*time.Second, mostAsked)
		}
	}
	return a, nil
}

// body is an event in the format of a webhook, and its media type.
func (s *Service) body(to row, r database.Record) (body []byte, media string, err error) {
	if to.Format == SET {
		body, err = s.set(r, to.URL)
		return body, setMedia, err
	}
	body, err = json.Marshal(event.NewLine(r))
	return body, "application/json", err
}

// judged is a delivery after a try.
func judged(p post, a answer, now time.Time) post {
	p.Tries++
	switch {
	case a.took():
		return ended(p, Delivered, now)
	case a.status == http.StatusGone:
		p.DueAt = now // it is the webhook that ends
	case p.Tries > int64(len(delays)):
		return ended(p, Parked, now)
	default:
		wait := delays[p.Tries-1]
		p.DueAt = now.Add(max(wait+rand.N(wait/10), a.wait))
	}
	return p
}

func ended(p post, as State, now time.Time) post {
	p.State, p.EndedAt = as, &now
	return p
}

// note keeps what became of a try, also when the program ends just now: else it would be sent again.
func (s *Service) note(ctx context.Context, turn *sink.Turn, p post, a answer, took time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	p.Status, p.TookMs, p.Reply = int64(a.status), took.Milliseconds(), a.reply
	wrong := a.reply
	if a.status != 0 {
		wrong = strings.TrimSpace(fmt.Sprintf("%d %s", a.status, a.reply))
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet() // the log of deliveries is told, not that of events, which would be sent in turn
		if err := tried(tx, p); err != nil {
			return err
		}
		if a.took() {
			if turn.Failures() >= down {
				if err := hurry(tx, p.WebhookID); err != nil {
					return err
				}
			}
			return sink.Well(tx, p.WebhookID)
		}
		if err := turn.Ill(tx, wrong, a.wait); err != nil {
			return err
		}
		switch {
		case a.status == http.StatusGone:
			return pause(tx, p.WebhookID, Gone)
		case turn.FailingSince() != nil && tx.Now.Sub(*turn.FailingSince()) > longest:
			return pause(tx, p.WebhookID, Failing)
		}
		return nil
	}, database.ReadCommitted) // each is one conditional write
}

// pause has a webhook that takes nothing on be told of nothing more.
func pause(tx *database.Tx, webhookID string, why Pause) error {
	now, err := rest(tx, webhookID, why)
	if err == nil && now {
		tx.Emit(Rested{webhookID, why})
	}
	return err
}
