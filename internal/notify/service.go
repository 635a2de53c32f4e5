package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/words"
)

// lifetime is how long a message is tried that does not run out sooner.
const lifetime = 24 * time.Hour

// Service keeps messages until they are sent.
type Service struct {
	db       *database.DB
	box      *secret.Box
	log      *slog.Logger
	writer   *writer
	lines    map[Channel]*line
	catching bool // what no service carries stays here, for the development inbox
	terminal io.Writer
	printing sync.Mutex
}

// Options are what a Service needs beside the store.
type Options struct {
	Site     Site
	Senders  []Sender
	Catch    bool      // keep what no Sender carries, for the development inbox
	Terminal io.Writer // gets a line for each message that is kept; may be nil
	Log      *slog.Logger
}

// NewService works on db. It fails when the words of MESSAGE_DIR have a fault.
func NewService(db *database.DB, cfg Config, box *secret.Box, opt Options) (*Service, error) {
	w, err := newWriter(cfg, opt.Site)
	if err != nil {
		return nil, err
	}
	s := &Service{db: db, box: box, log: opt.Log, writer: w, lines: map[Channel]*line{}, catching: opt.Catch, terminal: opt.Terminal}
	for _, channel := range []Channel{Email, SMS} {
		s.lines[channel] = newLine(channel)
	}
	for _, sender := range opt.Senders {
		s.lines[sender.Channel()].sender = sender
	}
	return s, nil
}

// Languages are those that messages are written in, the default first.
func (s *Service) Languages() []string { return s.writer.words.Locales() }

// payload is what is sealed of a message: everything the database need not know.
type payload struct {
	To      string          `json:"to"`
	Nobody  bool            `json:"nobody,omitempty"`
	Zone    string          `json:"zone,omitempty"` // of its reader
	Expires time.Time       `json:"expires,omitzero"`
	Content json.RawMessage `json:"content"`
}

func about(messageID string) string { return "deliveries.payload:" + messageID }

// Send has a message sent once the change is committed: its row is part of the change. Nothing is sent by a change that fails.
func (s *Service) Send(tx *database.Tx, m Message) error {
	m.Channel = cmp.Or(m.Channel, Email)
	if err := m.check(); err != nil {
		return err
	}
	content, err := json.Marshal(m.Content)
	if err != nil {
		return err
	}
	reader, err := voiceOf(tx, m.UserID)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(payload{m.To, m.Nobody, cmp.Or(m.Zone, reader.TimeZone), m.Expires, content})
	if err != nil {
		return err
	}
	r := row{ID: id.New("msg"), Channel: m.Channel, Template: m.Content.name(), UserID: m.UserID, State: queued, DueAt: tx.Now, CreatedAt: tx.Now}
	r.Locale = s.writer.words.Pick(m.Locale, reader.Language, database.OriginOf(tx.Context()).Language)
	r.Payload = s.box.Seal(plain, about(r.ID))
	r.GiveUpAt = tx.Now.Add(lifetime)
	if !m.Expires.IsZero() && m.Expires.Before(r.GiveUpAt) {
		r.GiveUpAt = m.Expires
	}
	if s.caught(m.Channel) && s.terminal == nil { // nobody sits there to be shown it
		r.State, r.EndedAt = kept(m.Nobody), &tx.Now
	}
	tx.Emit(Queued{r.ID, r.UserID, r.Channel, r.Template})
	return database.Insert(tx, "deliveries", r)
}

// letter opens what is sealed and writes it out.
func (s *Service) letter(r row) (Letter, error) {
	p, err := s.open(r)
	if err != nil {
		return Letter{}, err
	}
	c, err := decode(r.Template, p.Content)
	if err != nil {
		return Letter{}, err
	}
	return s.writer.write(Letter{ID: r.ID, Channel: r.Channel, To: p.To, At: r.CreatedAt}, r.Locale, words.Zone(p.Zone), p.Expires, c)
}

func (s *Service) open(r row) (p payload, err error) {
	plain, err := s.box.Open(r.Payload, about(r.ID))
	if err == nil {
		err = json.Unmarshal(plain, &p)
	}
	return p, err
}

// decode reads content of the kind that has this name.
func decode(name string, raw json.RawMessage) (Content, error) {
	for _, c := range samples() {
		if c.name() != name {
			continue
		}
		into := reflect.New(reflect.TypeOf(c))
		err := json.Unmarshal(raw, into.Interface())
		return into.Elem().Interface().(Content), err
	}
	return nil, fmt.Errorf("notify: there is no message %q: a newer Admit wrote it", name)
}

// caught reports whether messages of a channel stay here.
func (s *Service) caught(c Channel) bool { return s.catching && s.lines[c].sender == nil }

// Carries reports whether messages of a channel get anywhere, and be it the development inbox.
func (s *Service) Carries(c Channel) bool { return s.catching || s.lines[c].sender != nil }

// Catches reports whether there is a development inbox.
func (s *Service) Catches() bool { return s.catching }

// most is how many messages the inbox shows.
const most = 500

// Inbox is what no service carries and is kept instead, newest first: of everybody, or of one recipient. It is empty outside
// development.
func (s *Service) Inbox(ctx context.Context, to string) ([]Letter, error) {
	rows, err := s.inbox(ctx)
	var list []Letter
	for _, r := range rows {
		p, err := s.open(r)
		if err != nil || to != "" && !strings.EqualFold(p.To, to) {
			continue // sealed with another key: nobody's to read any more
		}
		l, err := s.letter(r)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, err
}

// Caught is one message of the inbox.
func (s *Service) Caught(ctx context.Context, messageID string) (Letter, error) {
	r, err := byID(ctx, s.db, messageID)
	if err == nil && (!s.caught(r.Channel) || len(r.Payload) == 0) {
		err = database.ErrNone
	}
	if errors.Is(err, database.ErrNone) {
		return Letter{}, ErrNotFound
	}
	if err != nil {
		return Letter{}, err
	}
	return s.letter(r)
}

func (s *Service) inbox(ctx context.Context) (list []row, err error) {
	if !s.catching {
		return nil, nil
	}
	rows, err := newest(ctx, s.db, "", most)
	for _, r := range rows {
		if s.caught(r.Channel) && len(r.Payload) > 0 {
			list = append(list, r)
		}
	}
	return list, err
}

// Sender is the service that carries a channel, nil when none does.
func (s *Service) Sender(c Channel) Sender { return s.lines[c].sender }

// Delivery is what has become of a message, for an operator.
type Delivery struct {
	ID, Template, UserID, State, Reply string
	Channel                            Channel
	To                                 string // "" once it was sent: the user has it
	Tries                              int64
	CreatedAt, DueAt                   time.Time
	EndedAt                            *time.Time
}

// History is what has become of the newest messages: of all, or of those in one state.
func (s *Service) History(ctx context.Context, only string, limit int) ([]Delivery, error) {
	rows, err := newest(ctx, s.db, state(only), limit)
	list := make([]Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
		if p, err := s.open(r); err == nil {
			list[i].To = p.To
		}
	}
	return list, err
}

// To is what was sent to a person, or is to be, newest first: of the last days, for no more is kept.
func (s *Service) To(ctx context.Context, userID string) ([]Delivery, error) {
	rows, err := toUser(ctx, s.db, userID)
	list := make([]Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
	}
	return list, err
}

func (r row) delivery() Delivery {
	return Delivery{r.ID, r.Template, r.UserID, string(r.State), r.Reply, r.Channel, "", r.Tries, r.CreatedAt, r.DueAt, r.EndedAt}
}

// Backlog is how many messages wait, since when, and how many were given up within the last day.
type Backlog struct {
	Waiting, Failed int64
	Oldest          time.Duration
}

// Backlog says whether messages get through.
func (s *Service) Backlog(ctx context.Context) (b Backlog, err error) {
	now := s.db.Now()
	r, err := backlog(ctx, s.db, now.Add(-24*time.Hour))
	if b.Waiting, b.Failed = r.Waiting, r.Failed; r.Oldest != nil {
		b.Oldest = now.Sub(*r.Oldest)
	}
	return b, err
}

// Try has a test message carried at once and once, and says what the service answers. There must be a Sender.
func (s *Service) Try(ctx context.Context, c Channel, to string) error {
	m := Message{To: to, Channel: c, Content: Test{}}
	if err := m.check(); err != nil {
		return err
	}
	sender := s.lines[c].sender
	l, err := s.writer.write(Letter{ID: id.New("msg"), Channel: c, To: to, At: s.db.Now()}, s.writer.words.Pick(), time.UTC, time.Time{}, m.Content)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sender.Timeout())
	defer cancel()
	return sender.Send(ctx, l)
}
