package export

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/consent"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/recoverycode"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

const (
	idle      = 15 * time.Second // the longest that exports are not looked for
	lease     = 2 * time.Minute  // how long an export is left to whoever claimed it, counted anew with each file
	mostTries = 5                // by then it is the export, and not the servers
	batch     = 16
)

// Deps are where what is known of a person is found.
type Deps struct {
	DB       *database.DB
	Box      *secret.Box
	Users    *user.Service
	Sessions *session.Service
	Devices  *knowndevice.Service
	Consents *consent.Service
	Keys     *apikey.Service
	Passkeys *passkey.Service
	Social   *social.Service
	Recovery recoverycode.Method
	Authz    *authz.Service
	Orgs     *org.Service
	Audit    *audit.Service
	Notify   *notify.Service
	Base     string
	Log      *slog.Logger
}

// Service makes exports.
type Service struct {
	Deps
	wake chan struct{}
	busy sync.Mutex // one export at a time on each server: they are work, and nobody waits for one
}

// NewService makes exports of what d knows.
func NewService(d Deps) *Service { return &Service{Deps: d, wake: make(chan struct{}, 1)} }

// Ask has an export of what is known of a person be made. There is one for each person: asked again while it is being made it is that
// one, and later another takes its place.
func (s *Service) Ask(ctx context.Context, userID string) (out Export, err error) {
	err = s.DB.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet() // asked again
		if _, err := user.ByID(ctx, tx, userID); err != nil {
			return err
		}
		r, err := of(ctx, tx, userID, tx.Now)
		if err == nil && r.State == Running {
			out = r.export()
			return nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		r = row{ID: id.New("exp"), UserID: userID, State: Running, Total: int64(len(parts)), DueAt: tx.Now, CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(Life)}
		out = r.export()
		tx.Emit(Requested{userID, r.ID})
		return begin(tx, r)
	})
	if database.Taken(err) { // asked twice at once
		r, err := of(ctx, s.DB, userID, s.DB.Now())
		return r.export(), err
	}
	return out, err
}

// Mine is the export of a person, if there is one.
func (s *Service) Mine(ctx context.Context, userID string) (*Export, error) {
	r, err := of(ctx, s.DB, userID, s.DB.Now())
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := r.export()
	return &out, nil
}

// Get is an export of a person by its id.
func (s *Service) Get(ctx context.Context, userID, exportID string) (Export, error) {
	r, err := of(ctx, s.DB, userID, s.DB.Now())
	if err == nil && r.ID != exportID {
		err = ErrNotFound
	}
	return r.export(), err
}

// Archive is an export as one file.
type Archive struct {
	Name string

	s     *Service
	of    Export
	files []string
}

// Open finds the file of an export that is ready, for its person to fetch.
func (s *Service) Open(ctx context.Context, userID, exportID string) (*Archive, error) {
	e, err := s.Get(ctx, userID, exportID)
	if err == nil && e.State != Ready {
		err = ErrNotReady
	}
	if err != nil {
		return nil, err
	}
	list, err := names(ctx, s.DB, e.ID)
	if err != nil {
		return nil, err
	}
	err = s.DB.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(Downloaded{userID, e.ID})
		return nil
	})
	return &Archive{"export-" + e.CreatedAt.Format(time.DateOnly) + ".zip", s, e, list}, err
}

// Write writes the file, a ZIP archive, one of its files in memory at a time.
func (a *Archive) Write(ctx context.Context, to io.Writer) error {
	z := zip.NewWriter(to)
	for _, name := range a.files {
		sealed, err := content(ctx, a.s.DB, a.of.ID, name)
		if err != nil {
			return err
		}
		plain, err := a.s.Box.Open(sealed, about(a.of.ID, name))
		if err != nil {
			return err
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.of.CreatedAt})
		if err != nil {
			return err
		}
		if _, err := w.Write(plain); err != nil {
			return err
		}
	}
	return z.Close()
}

func about(exportID, name string) string { return "export_files.content:" + exportID + "/" + name }

// Wake hears of exports to make. It never waits.
func (s *Service) Wake(list []database.Record) {
	if !slices.ContainsFunc(list, func(r database.Record) bool { return r.Kind == (Requested{}).Kind() }) {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run makes exports until ctx ends. What is under way then is gone on with by another server, or by this one after its start.
func (s *Service) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := s.Work(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("exports could not be read from the database; trying again", "err", err)
			wait = time.Second
		}
		timer := time.NewTimer(min(max(wait, 10*time.Millisecond), idle))
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Work makes every export that is due, and says for how long there is none.
func (s *Service) Work(ctx context.Context) (time.Duration, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	for {
		r, wait, err := s.take(ctx)
		if r == nil || err != nil {
			return wait, err
		}
		err = s.carry(ctx, *r)
		if err != nil && !errors.Is(err, errLost) && !errors.Is(err, user.ErrNotFound) && ctx.Err() == nil {
			s.Log.Warn("an export of somebody's data could not be made; it is tried again when its claim has run out", "export_id", r.ID, "tries", r.Tries, "err", err)
		}
	}
}

// take claims one of the exports that are due, nil when none is.
func (s *Service) take(ctx context.Context) (*row, time.Duration, error) {
	for {
		list, err := waiting(ctx, s.DB, batch)
		if err != nil || len(list) == 0 {
			return nil, idle, err
		}
		now := s.DB.Now()
		due := slices.DeleteFunc(slices.Clone(list), func(p place) bool { return p.DueAt.After(now) })
		if len(due) == 0 {
			return nil, list[0].DueAt.Sub(now), nil
		}
		var got []row
		err = s.DB.Write(ctx, func(tx *database.Tx) (err error) {
			tx.Quiet()
			got, err = claim(tx, due[rand.N(len(due))], tx.Now.Add(lease)) // any, so that servers do not fight for the same one
			return err
		}, database.ReadCommitted) // the affected row decides
		if err != nil || len(got) == 1 {
			return first(got), 0, err
		}
	}
}

func first(list []row) *row {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// errLost is a claim that ran out, or a person who is gone meanwhile.
var errLost = errors.New("the export is somebody else's now, or its person is gone")

// carry makes what is not made of an export yet, and closes it.
func (s *Service) carry(ctx context.Context, r row) error {
	if r.Tries > mostTries {
		return s.close(ctx, r, Failed, GaveUp{r.UserID, r.ID})
	}
	u, err := s.Users.Get(ctx, r.UserID)
	if err != nil {
		return err
	}
	c := &copying{Service: s, row: r, user: u}
	for c.Total = int64(len(parts)); c.Done < c.Total; {
		if err := parts[c.Done](ctx, c); err != nil {
			return err
		}
		c.Done++
		if err := c.hold(ctx, nil); err != nil {
			return err
		}
	}
	return s.close(ctx, c.row, Ready, Made{r.UserID, r.ID})
}

// close ends an export, and writes to its person when it is there.
func (s *Service) close(ctx context.Context, r row, as State, told database.Event) error {
	return s.DB.Write(ctx, func(tx *database.Tx) error {
		until := tx.Now.Add(Life)
		ok, err := end(tx, r, as, until)
		if err == nil && !ok {
			err = errLost
		}
		if err != nil {
			return err
		}
		tx.Emit(told)
		u, err := user.ByID(ctx, tx, r.UserID)
		if err != nil || as != Ready || u.Email == "" {
			return err
		}
		return s.Notify.Send(tx, notify.Message{To: u.Email, UserID: u.ID, Expires: until, Content: notify.ExportReady{Link: s.Base + "/account/data"}})
	})
}

// copying is an export that this server makes.
type copying struct {
	*Service
	row
	user user.User
}

// hold keeps the claim, with a file that was made.
func (c *copying) hold(ctx context.Context, f *fileRow) error {
	var until time.Time
	err := c.DB.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet()
		until = tx.Now.Add(lease)
		ok, err := hold(tx, c.row, until)
		if err == nil && !ok {
			err = errLost
		}
		if err != nil || f == nil {
			return err
		}
		return put(tx, *f)
	}, database.ReadCommitted) // the affected row decides
	if err == nil {
		c.DueAt = until
	}
	return err
}

// file adds a file.
func (c *copying) file(ctx context.Context, name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return c.hold(ctx, &fileRow{c.ID, name, c.Box.Seal(append(text, '\n'), about(c.ID, name))})
}

// Sweep deletes exports whose time is over.
func (s *Service) Sweep(ctx context.Context) error {
	return s.DB.Sweep(ctx, 10, removeExpired)
}
