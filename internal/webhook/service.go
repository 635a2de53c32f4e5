package webhook

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/outbound"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/sink"
)

const (
	most      = 100                 // webhooks
	retention = 30 * 24 * time.Hour // how long it is known what became of a delivery
)

// Service manages webhooks and sends to them.
type Service struct {
	db     *database.DB
	authz  *authz.Service
	sinks  *sink.Service
	box    *secret.Box
	client *http.Client
	secure bool // only https is called
	issuer string
	sign   func(typ string, payload []byte) (string, error)
	log    *slog.Logger
	wake   chan struct{}

	mu   sync.Mutex
	busy map[string]bool    // being worked at by this server
	seen map[string]lookout // what is known to be for nobody
}

// Deps are what webhooks stand on.
type Deps struct {
	DB       *database.DB
	Authz    *authz.Service
	Sinks    *sink.Service
	Box      *secret.Box
	Outbound outbound.Config
	Secure   bool                                             // refuse addresses without TLS
	Issuer   string                                           // of Security Event Tokens
	Sign     func(typ string, payload []byte) (string, error) // with a key that is published; nil where there is none
	Log      *slog.Logger
}

// NewService sends once Run is called.
func NewService(d Deps) *Service {
	return &Service{db: d.DB, authz: d.Authz, sinks: d.Sinks, box: d.Box, client: d.Outbound.Client(patience), secure: d.Secure, issuer: d.Issuer, sign: d.Sign, log: d.Log, wake: make(chan struct{}, 1),
		busy: map[string]bool{}, seen: map[string]lookout{}}
}

func (s *Service) seal(id string, key []byte) []byte { return s.box.Seal(key, "webhook.secret:"+id) }

// key makes a secret, and how it is shown: as Standard Webhooks has it.
func key() (key []byte, text string) {
	key = secret.Random(32)
	return key, "whsec_" + base64.StdEncoding.EncodeToString(key)
}

var kind = regexp.MustCompile(`^[a-z][a-z0-9_]{0,49}\.(\*|[a-z][a-z0-9_]{0,49})$`)

// apply is a row with what an Edit says, and the names of the fields that are other now.
func (s *Service) apply(r row, in Edit) (row, []string, error) {
	before := r
	if in.URL != nil {
		u, err := url.Parse(*in.URL)
		switch {
		case err != nil || len(*in.URL) > 2000 || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
			return r, nil, ErrURL
		case s.secure && u.Scheme != "https":
			return r, nil, ErrPlain
		}
		r.URL = u.String()
	}
	if in.Description != nil {
		r.Description = strings.TrimSpace(*in.Description)
		if !utf8.ValidString(r.Description) || utf8.RuneCountInString(r.Description) > 500 || strings.ContainsFunc(r.Description, unicode.IsControl) {
			return r, nil, ErrDescription
		}
	}
	if in.Kinds != nil {
		list := slices.Clone(*in.Kinds)
		slices.Sort(list)
		list = slices.Compact(list)
		if len(list) > 100 || slices.ContainsFunc(list, func(k string) bool { return !kind.MatchString(k) }) {
			return r, nil, ErrKinds
		}
		r.Kinds = strings.Join(list, " ")
	}
	if in.Format != nil {
		switch {
		case *in.Format != Events && *in.Format != SET:
			return r, nil, ErrFormat
		case *in.Format == SET && s.sign == nil:
			return r, nil, ErrShared
		}
		r.Format = *in.Format
	}
	var fields []string
	for name, other := range map[string]bool{"url": r.URL != before.URL, "description": r.Description != before.Description, "kinds": r.Kinds != before.Kinds} {
		if other {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return r, fields, nil
}

// Create makes a webhook that is told of what happens from now on, and gives its secret. It is shown this once.
func (s *Service) Create(ctx context.Context, c authz.Caller, in Edit) (w Webhook, text string, err error) {
	if err := s.authz.Require(ctx, c, Manage, ""); err != nil {
		return w, "", err
	}
	r := row{ID: id.New("whk"), Format: Events, CreatedBy: database.OriginOf(ctx).Actor}
	if in.URL == nil {
		return w, "", ErrURL
	}
	if r, _, err = s.apply(r, in); err != nil {
		return w, "", err
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return w, "", ErrURL
	}
	raw, text := key()
	r.Secret = s.seal(r.ID, raw)
	from, err := s.db.LastEvent(ctx) // whatever is not settled yet comes after it
	if err != nil {
		return w, "", err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		n, err := count(tx)
		if err == nil && n >= most {
			err = ErrTooMany
		}
		if err != nil {
			return err
		}
		r.CreatedAt, r.UpdatedAt = tx.Now, tx.Now
		tx.Emit(Created{r.ID, u.Hostname(), strings.Fields(r.Kinds)})
		if err := database.Insert(tx, "webhooks", r); err != nil {
			return err
		}
		return sink.Add(tx, r.ID, from)
	})
	return both{row: r}.webhook(), text, err
}

// List is every webhook, newest first.
func (s *Service) List(ctx context.Context, c authz.Caller) ([]Webhook, error) {
	if err := s.authz.Require(ctx, c, Manage, ""); err != nil {
		return nil, err
	}
	rows, err := all(ctx, s.db)
	list := make([]Webhook, len(rows))
	for i, b := range rows {
		list[i] = b.webhook()
	}
	return list, err
}

// Get is one webhook.
func (s *Service) Get(ctx context.Context, c authz.Caller, webhookID string) (Webhook, error) {
	if err := s.authz.Require(ctx, c, Manage, ""); err != nil {
		return Webhook{}, err
	}
	b, err := byID(ctx, s.db, webhookID)
	if err != nil {
		return Webhook{}, err
	}
	return b.webhook(), nil
}

// change reads a webhook and has f change it, in one transaction.
func (s *Service) change(ctx context.Context, c authz.Caller, webhookID string, f func(tx *database.Tx, r *row) error) (Webhook, error) {
	if err := s.authz.Require(ctx, c, Manage, ""); err != nil {
		return Webhook{}, err
	}
	var b both
	err := s.db.Write(ctx, func(tx *database.Tx) (err error) {
		if b, err = byID(ctx, tx, webhookID); err != nil {
			return err
		}
		tx.Quiet() // where nothing is other afterwards
		if err := f(tx, &b.row); err != nil {
			return err
		}
		b.UpdatedAt = tx.Now
		return save(tx, b.row)
	})
	if err != nil {
		return Webhook{}, err
	}
	return b.webhook(), nil
}

// Update changes what a webhook is, pauses it, or has it go on.
func (s *Service) Update(ctx context.Context, c authz.Caller, webhookID string, in Edit) (Webhook, error) {
	return s.change(ctx, c, webhookID, func(tx *database.Tx, r *row) error {
		next, fields, err := s.apply(*r, in)
		if err != nil {
			return err
		}
		if len(fields) > 0 {
			tx.Emit(Updated{r.ID, fields})
		}
		switch {
		case in.Paused == nil || *in.Paused == (r.Paused != ""):
		case *in.Paused:
			next.Paused = ByHand
			tx.Emit(Rested{r.ID, ByHand})
		default:
			next.Paused = ""
			tx.Emit(Resumed{r.ID})
		}
		if r.Paused != "" && next.Paused == "" || next.URL != r.URL { // it may be well again
			if err := sink.Well(tx, r.ID); err != nil {
				return err
			}
			if err := hurry(tx, r.ID); err != nil {
				return err
			}
		}
		*r = next
		return nil
	})
}

// Rotate gives a webhook another secret. For a while what is sent is signed with the one before, too.
func (s *Service) Rotate(ctx context.Context, c authz.Caller, webhookID string, overlap time.Duration) (w Webhook, text string, err error) {
	if overlap < 0 || overlap > 7*24*time.Hour {
		return w, "", ErrOverlap
	}
	raw, text := key()
	w, err = s.change(ctx, c, webhookID, func(tx *database.Tx, r *row) error {
		until := tx.Now.Add(overlap)
		tx.Emit(Rotated{r.ID, until})
		r.OldSecret, r.OldUntil = r.Secret, &until
		if overlap == 0 {
			r.OldSecret, r.OldUntil = nil, nil
		}
		r.Secret = s.seal(r.ID, raw)
		return nil
	})
	return w, text, err
}

// Delete forgets a webhook and what was sent to it.
func (s *Service) Delete(ctx context.Context, c authz.Caller, webhookID string) error {
	if err := s.authz.Require(ctx, c, Manage, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error {
		if err := sink.Remove(tx, webhookID); err != nil { // first, as whoever writes deliveries begins with it
			return err
		}
		there, err := remove(tx, webhookID)
		if err == nil && !there {
			err = ErrNone
		}
		tx.Emit(Deleted{webhookID})
		return err
	})
}

// Deliveries is what was sent to a webhook or waits to be, newest first: only those in a state unless it is "". next is after which to go on.
func (s *Service) Deliveries(ctx context.Context, c authz.Caller, webhookID string, only State, after string, limit int) (list []Delivery, next string, err error) {
	if only != "" && only != Waiting && only != Delivered && only != Parked {
		return nil, "", ErrState
	}
	if _, err := s.Get(ctx, c, webhookID); err != nil {
		return nil, "", err
	}
	posts, err := history(ctx, s.db, webhookID, only, after, limit+1)
	if len(posts) > limit {
		posts = posts[:limit]
		next = posts[limit-1].ID
	}
	for _, p := range posts {
		list = append(list, p.delivery())
	}
	return list, next, err
}

// Replay has one delivery that has ended sent again, whether it was taken on or not.
func (s *Service) Replay(ctx context.Context, c authz.Caller, webhookID, deliveryID string) (d Delivery, err error) {
	if _, err := s.Get(ctx, c, webhookID); err != nil {
		return d, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		ended, err := again(tx, webhookID, deliveryID)
		if err != nil {
			return err
		}
		p, err := deliveryByID(ctx, tx, webhookID, deliveryID)
		if err != nil {
			return err
		}
		if !ended {
			return ErrWaiting
		}
		tx.Emit(Replayed{WebhookID: webhookID, DeliveryID: deliveryID})
		d = p.delivery()
		return nil
	})
	return d, err
}

// ReplaySince has everything that happened since a time sent again. What is known of it still is sent beside what the log says of the first time.
func (s *Service) ReplaySince(ctx context.Context, c authz.Caller, webhookID string, at time.Time) error {
	if err := s.authz.Require(ctx, c, Manage, ""); err != nil {
		return err
	}
	place, err := s.db.PlaceBefore(ctx, at)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, c, webhookID, func(tx *database.Tx, r *row) error {
		tx.Emit(Replayed{WebhookID: r.ID, Since: at.UTC()})
		if err := sink.PutBack(tx, r.ID, place); err != nil {
			return err
		}
		return drop(tx, r.ID, place)
	})
	return err
}

// Sweep forgets what became of deliveries that ended long ago.
func (s *Service) Sweep(ctx context.Context) error {
	before := s.db.Now().Add(-retention)
	return s.db.Sweep(ctx, 500, func(tx *database.Tx, limit int) (int64, error) { return removeEnded(tx, before, limit) })
}

// Backlog is how the webhooks stand as a whole.
type Backlog struct {
	Waiting int64         // deliveries that have not ended
	Parked  int64         // those given up within a day
	Failing int64         // webhooks that did not take on what they were sent last
	Stopped int64         // those that are paused since they failed
	Lag     time.Duration // how old the oldest event is that one has not been told of
}

// Backlog counts what waits and what is wrong.
func (s *Service) Backlog(ctx context.Context) (Backlog, error) {
	now := s.db.Now()
	r, err := backlog(ctx, s.db, now.Add(-24*time.Hour))
	if err != nil {
		return Backlog{}, err
	}
	b := Backlog{Waiting: r.Waiting, Parked: r.Parked, Failing: r.Failing, Stopped: r.Stopped}
	if r.Oldest != nil {
		b.Lag = now.Sub(*r.Oldest)
	}
	place, any, err := earliest(ctx, s.db)
	if err != nil || !any {
		return b, err
	}
	behind, err := s.sinks.Behind(ctx, place)
	b.Lag = max(b.Lag, behind)
	return b, err
}
