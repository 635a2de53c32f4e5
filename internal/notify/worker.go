package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

const (
	idle      = 15 * time.Second    // the longest a line does not look for messages by itself
	grace     = 5 * time.Second     // for letters under way when the program ends
	mostTries = 8                   // of a letter that the service puts off
	retention = 30 * 24 * time.Hour // of what is over, for people to look at
	batch     = 16
)

// delays are how long a letter waits that was put off, once, twice, …: 13 hours in all.
var delays = [mostTries - 1]time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 8 * time.Hour}

// Wake hears of messages to send. It never waits.
func (s *Service) Wake(list []database.Record) {
	for _, r := range list {
		if r.Kind != (Queued{}).Kind() {
			continue
		}
		var e Queued
		if err := json.Unmarshal(r.Data, &e); err != nil || s.lines[e.Channel] == nil {
			continue
		}
		s.missing(s.lines[e.Channel])
		s.lines[e.Channel].nudge()
	}
}

// missing complains, once, that messages of a channel go nowhere.
func (s *Service) missing(l *line) {
	if l.sender == nil && !s.catching {
		l.missed.Do(func() {
			s.log.Warn("messages are waiting and no service is configured that carries them; they run out after a day", "channel", l.channel, "set", need[l.channel])
		})
	}
}

// need is the first setting of a service.
var need = map[Channel]string{Email: "SMTP_HOST", SMS: "SMS_PROVIDER"}

// Run sends until ctx ends, and then lets what is under way finish for a moment.
func (s *Service) Run(ctx context.Context) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	var all sync.WaitGroup
	for _, l := range s.lines {
		all.Go(func() { s.serve(ctx, work, l) })
	}
	all.Wait()
}

// serve is one line, until ctx ends.
func (s *Service) serve(ctx, work context.Context, l *line) {
	for ctx.Err() == nil {
		wait, err := s.step(work, l)
		if err != nil {
			s.log.Warn("messages could not be read from the database; trying again", "channel", l.channel, "err", err)
			wait = time.Second
		}
		if wait < 0 {
			continue
		}
		timer := time.NewTimer(min(max(wait, 10*time.Millisecond), idle))
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	for running, settled := l.state(); running > 0; running, settled = l.state() {
		<-settled
	}
}

// step starts one letter, and says so with a wait below 0; else for how long there is nothing to do.
func (s *Service) step(work context.Context, l *line) (wait time.Duration, err error) {
	if l.sender == nil {
		if !s.catching {
			return idle, nil
		}
		return s.catch(work, l)
	}
	ok, wait := l.begin(s.db.Now())
	if !ok {
		if wait == 0 {
			wait = idle
		}
		return wait, nil
	}
	r, wait, err := s.take(work, l)
	if r == nil || err != nil {
		l.end()
		return wait, err
	}
	go func() {
		s.deliver(work, l, *r)
		l.end()
		l.nudge()
	}()
	return -1, nil
}

// take claims one of the messages that are due first, nil when none is.
func (s *Service) take(ctx context.Context, l *line) (*row, time.Duration, error) {
	list, err := waiting(ctx, s.db, l.channel, batch)
	if err != nil || len(list) == 0 {
		return nil, idle, err
	}
	now := s.db.Now()
	due := slices.DeleteFunc(slices.Clone(list), func(p place) bool { return p.DueAt.After(now) })
	if len(due) == 0 {
		return nil, list[0].DueAt.Sub(now), nil
	}
	for len(due) > 0 {
		i := rand.N(len(due)) // so that servers do not fight for the same one
		var got []row
		err := s.db.Write(ctx, func(tx *database.Tx) (err error) {
			tx.Quiet()
			got, err = claim(tx, due[i], tx.Now.Add(lease(l.sender)))
			return err
		}, database.ReadCommitted) // the affected row decides
		if err != nil {
			return nil, idle, err
		}
		if len(got) == 1 {
			return &got[0], 0, nil
		}
		due = slices.Delete(due, i, i+1)
	}
	return nil, 0, nil // others were quicker; there may be more
}

// lease is how long a claimed message is left to whoever claimed it: longer than a letter can take.
func lease(s Sender) time.Duration { return s.Timeout() + s.Timeout()/2 }

// catch keeps the message that is due first, and shows it to whoever sits at the terminal.
func (s *Service) catch(ctx context.Context, l *line) (time.Duration, error) {
	list, err := waiting(ctx, s.db, l.channel, 1)
	if err != nil || len(list) == 0 {
		return idle, err
	}
	r, err := byID(ctx, s.db, list[0].ID)
	if err != nil {
		return idle, err
	}
	p, _ := s.open(r) // what cannot be read shows in the inbox, or nowhere
	var mine bool
	err = s.db.Write(ctx, func(tx *database.Tx) (err error) {
		tx.Quiet()
		mine, err = keep(tx, r.ID, kept(p.Nobody))
		return err
	}, database.ReadCommitted) // the affected row decides
	if err != nil || !mine || s.terminal == nil || p.Nobody {
		return -1, err
	}
	caught, err := s.Caught(ctx, list[0].ID)
	if err == nil {
		s.show(caught)
	}
	return -1, nil // what cannot be read shows in the inbox, or nowhere
}

// show prints one line: to whom, about what, and what there is to copy.
func (s *Service) show(l Letter) {
	what, mark := "mail", l.Subject
	if l.Channel == SMS {
		what, mark = "sms", ""
	}
	parts := []string{"  " + what + " → " + l.To}
	if mark != "" {
		parts = append(parts, mark)
	}
	for _, code := range l.Codes {
		parts = append(parts, "code "+code)
	}
	parts = append(parts, l.Links...)
	s.printing.Lock()
	defer s.printing.Unlock()
	fmt.Fprintln(s.terminal, strings.Join(parts, "  "))
}

// deliver hands one letter over. The row is closed as soon as the service has it.
func (s *Service) deliver(ctx context.Context, l *line, r row) {
	letter, err := s.letter(r)
	if err != nil { // another server may have the key, or know the kind
		s.later(ctx, r, "", Unreadable, err.Error())
		return
	}
	if p, err := s.open(r); err == nil && p.Nobody {
		s.drop(ctx, r)
		return
	}
	if !s.db.Now().Before(r.GiveUpAt) {
		s.fail(ctx, r, letter.To, RanOut, r.Reply)
		return
	}
	trying, cancel := context.WithTimeout(ctx, l.sender.Timeout())
	err = l.sender.Send(trying, letter)
	cancel()
	if err == nil {
		s.sent(ctx, r)
	}
	refusal, refused := errors.AsType[*Refusal](err)
	delay, putOff := errors.AsType[*Delay](err)
	if err == nil || refused || putOff {
		if l.well() {
			s.log.Info("messages are delivered again", "channel", l.channel)
		}
	}
	switch now := s.db.Now(); {
	case err == nil:
	case refused:
		s.fail(ctx, r, letter.To, Refused, hide(refusal.Reply, letter))
	case putOff:
		s.later(ctx, r, letter.To, PutOff, hide(delay.Reply, letter))
	case ctx.Err() != nil: // the program ends
		s.release(ctx, r, now, r.Reply)
	default:
		pause, news := l.ill(now)
		if news {
			s.log.Warn("messages are not delivered at the moment; they wait until the service answers again", "channel", l.channel, "err", hide(err.Error(), letter))
		}
		s.release(ctx, r, now.Add(pause), hide(err.Error(), letter))
	}
}

// drop closes a message to nobody.
func (s *Service) drop(ctx context.Context, r row) {
	err := s.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		_, err := end(tx, r.ID, void, nil, r.Tries, "")
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.log.Warn("a message to nobody could not be closed; it will be", "message_id", r.ID, "err", err)
	}
}

// sent closes a message. That it was sent is known to nobody else, so a database that does not answer is asked again.
func (s *Service) sent(ctx context.Context, r row) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := s.close(ctx, r, sent, nil, "", Sent{r.ID, r.UserID, r.Channel, r.Template, r.Tries + 1})
		if err == nil {
			return
		}
		s.log.Warn("a message was sent and cannot be marked so; trying again", "message_id", r.ID, "err", err)
		select {
		case <-ctx.Done():
			s.log.Warn("a message was sent and could not be marked so: it will be sent again", "message_id", r.ID)
			return
		case <-time.After(wait):
		}
	}
}

// later puts a message off, or gives it up when that has happened too often.
func (s *Service) later(ctx context.Context, r row, to string, why Reason, reply string) {
	if r.Tries++; r.Tries < mostTries {
		wait := delays[r.Tries-1]
		if due := s.db.Now().Add(wait + rand.N(wait/5)); due.Before(r.GiveUpAt) {
			s.release(ctx, r, due, reply)
			return
		}
	}
	s.fail(ctx, r, to, why, reply)
}

// release lets go of a message until it is due again. When that fails, it is free as soon as the claim has run out.
func (s *Service) release(ctx context.Context, r row, due time.Time, reply string) {
	err := s.db.Write(context.WithoutCancel(ctx), func(tx *database.Tx) error {
		tx.Quiet()
		return giveBack(tx, place{r.ID, r.DueAt}, due, r.Tries, reply)
	}, database.ReadCommitted) // the row is changed by whoever holds the claim
	if err != nil {
		s.log.Warn("a message that was not sent could not be given back; it waits for its claim to run out", "message_id", r.ID, "err", err)
	}
}

// fail closes a message that will not be sent. Of what it was, only the recipient is kept.
func (s *Service) fail(ctx context.Context, r row, to string, why Reason, reply string) {
	if p, err := s.open(r); err == nil && p.Nobody {
		s.drop(ctx, r)
		return
	}
	var rest []byte
	if plain, err := json.Marshal(payload{To: to}); err == nil && to != "" {
		rest = s.box.Seal(plain, about(r.ID))
	}
	e := GaveUp{r.ID, r.UserID, r.Channel, r.Template, why, r.Tries}
	if err := s.close(ctx, r, failed, rest, reply, e); err != nil {
		s.log.Warn("a message that cannot be sent could not be closed; it will be tried again", "message_id", r.ID, "err", err)
		return
	}
	s.log.Warn("a message will not be sent", "message_id", r.ID, "channel", r.Channel, "template", r.Template, "reason", why, "reply", reply)
}

func (s *Service) close(ctx context.Context, r row, into state, rest []byte, reply string, told database.Event) error {
	return s.db.Write(context.WithoutCancel(ctx), func(tx *database.Tx) error {
		ok, err := end(tx, r.ID, into, rest, r.Tries, reply)
		if err == nil && ok {
			tx.Emit(told)
		}
		return err
	}, database.ReadCommitted) // the affected row decides
}

// longestReply is how much is kept of what a service said.
const longestReply = 300

// hide takes what is nobody else's business out of what a service said: some repeat what they were given, and it goes into the log.
func hide(reply string, l Letter) string {
	for _, private := range append(append([]string{l.To, l.Text}, l.Links...), l.Codes...) {
		reply = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(private)).ReplaceAllString(reply, "…")
	}
	return cut(oneLine(reply), longestReply)
}

// Deliver sends what is due, and returns when nothing is under way any more. It is for tests and for commands: a server does
// so by itself.
func (s *Service) Deliver(ctx context.Context) error {
	for _, l := range s.lines {
		for {
			wait, err := s.step(ctx, l)
			if err != nil {
				return err
			}
			if wait <= 0 {
				continue
			}
			running, settled := l.state()
			if running == 0 {
				break
			}
			select {
			case <-settled:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// Sweep gives up what has run out, and deletes what ended long ago.
func (s *Service) Sweep(ctx context.Context) error {
	rows, err := overdue(ctx, s.db, s.db.Now(), batch)
	for _, r := range rows {
		p, _ := s.open(r)
		s.fail(ctx, r, p.To, RanOut, r.Reply)
	}
	before := s.db.Now().Add(-retention)
	return errors.Join(err, s.db.Sweep(ctx, 500, func(tx *database.Tx, limit int) (int64, error) { return removeEnded(tx, before, limit) }))
}
