package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

const (
	pause = time.Second     // how long news may wait for its seal
	batch = 1000            // events under one checkpoint
	slack = time.Minute     // how much the clocks of servers may differ
	last  = 2 * time.Second // what an ending server has for its last seal
	day   = 24 * time.Hour  // what retention is counted in
)

// beginning is before every event that anybody could put there, and end after.
var (
	beginning = database.Cursor{Tx: math.MinInt64, Seq: math.MinInt64}
	end       = database.Cursor{Tx: math.MaxInt64, Seq: math.MaxInt64}
)

// errHead is a database that is not the one whose head was kept: older, or another.
var errHead = apperr.New(apperr.Unavailable, "audit_head_mismatch", "The audit log in the database is not the one this server sealed last.")

// Wake tells the service that there is news. It never waits.
func (s *Service) Wake([]database.Record) {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run seals what happens until ctx ends. It is quiet while nothing does.
func (s *Service) Run(ctx context.Context) {
	for {
		rest, err := s.Seal(ctx)
		if err != nil && ctx.Err() == nil {
			s.complain(err)
		}
		news := s.wake
		if rest || err != nil {
			news = nil // come again in any case
		}
		if news != nil {
			select {
			case <-news:
			case <-ctx.Done():
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), last)
			defer cancel()
			_, _ = s.Seal(ctx)
			return
		}
	}
}

func (s *Service) complain(err error) {
	if apperr.Of(err) != errHead {
		s.log.Warn("the audit log could not be sealed; trying again", "err", err)
		return
	}
	if !s.warned {
		s.warned = true
		s.log.Error("the audit log is not sealed any more: run admit audit verify; after restoring a backup on purpose, delete the file of the head", "file", s.file)
	}
}

// Seal seals everything that is settled, and forgets who was deleted. It says whether there is more that is not settled.
func (s *Service) Seal(ctx context.Context) (rest bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		n, err := s.sealOne(ctx)
		if err != nil {
			return true, err
		}
		if n > 0 {
			continue
		}
		if n, err = s.forget(ctx); err != nil || n == 0 {
			break
		}
	}
	if err != nil {
		return true, err
	}
	c, err := s.store(s.db).newest(ctx)
	if err != nil {
		return true, err
	}
	n, err := s.store(s.db).count(ctx, c.last())
	return n > 0, err
}

// sealOne makes one checkpoint, and says how many events came under it. Whoever loses the turn to another server comes again.
func (s *Service) sealOne(ctx context.Context) (n int, err error) {
	st := s.store(s.db)
	for {
		f, err := st.floor(ctx)
		if err != nil {
			return 0, err
		}
		before, err := st.newest(ctx)
		if err == nil {
			err = s.known(ctx, &before)
		}
		if err != nil {
			return 0, err
		}
		rows, err := st.settled(ctx, before.last(), batch)
		if err != nil || len(rows) == 0 {
			return 0, err
		}
		salts, fresh := saltsOf(rows)
		c := s.seal.next(&before, rows, salts)
		won := false
		err = s.db.Write(ctx, func(tx *database.Tx) (err error) {
			tx.Quiet() // it is told by the checkpoint
			if won, err = take(tx, f.Turn); !won {
				return err
			}
			c.At = tx.Now
			s.seal.sign(&c)
			return record(tx, &c, rows, salts, fresh)
		}, database.ReadCommitted) // the turn decides
		if err != nil {
			return 0, err
		}
		if won {
			s.keep(c.head())
			return len(rows), nil
		}
	}
}

// saltsOf is the salts of the people in rows; fresh names those who have none yet, and get one.
func saltsOf(rows []row) (salts map[string][]byte, fresh []string) {
	salts = map[string][]byte{}
	for i := range rows {
		r := &rows[i]
		who := personOf(r)
		if who == "" || !personal(r) || salts[who] != nil {
			continue
		}
		if salts[who] = r.Salt; r.Salt == nil {
			salts[who] = secret.Random(32)
			fresh = append(fresh, who)
		}
	}
	return salts, fresh
}

func record(tx *database.Tx, c *checkpoint, rows []row, salts map[string][]byte, fresh []string) error {
	for _, who := range fresh {
		if err := insertPerson(tx, who, salts[who]); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if r.Kind == (user.Deleted{}).Kind() {
			if err := markGone(tx, r.Subject); err != nil {
				return err
			}
		}
	}
	if err := database.Insert(tx, "audit_checkpoints", *c); err != nil {
		return err
	}
	return index(tx, c.Number, rows)
}

// index has a search find the rows under a checkpoint.
func index(tx *database.Tx, number int64, rows []row) error {
	var words []string
	for i := range rows {
		words = append(words, wordsOf(&rows[i])...)
	}
	slices.Sort(words)
	return insertWords(tx, number, slices.Compact(words))
}

// known holds that the database goes on where the head that is kept outside ends.
func (s *Service) known(ctx context.Context, newest *checkpoint) error {
	if s.head == nil {
		h, err := s.Head()
		if err != nil {
			return err
		}
		if s.head = h; h == nil {
			return nil
		}
	}
	c := *newest
	if c.Number > s.head.Number {
		var err error
		if c, err = s.store(s.db).checkpoint(ctx, s.head.Number); err != nil {
			return err
		}
		if c.Number == 0 {
			return s.pruned(ctx, s.head.Number)
		}
	}
	if c.head() != *s.head {
		return errHead
	}
	s.keep(newest.head())
	return nil
}

// pruned holds that the log begins after a checkpoint, because what was before is older than it is kept.
func (s *Service) pruned(ctx context.Context, number int64) error {
	f, err := s.store(s.db).floor(ctx)
	if err == nil && f.Number <= number {
		err = errHead
	}
	return err
}

// Head is what the file outside the database says, nil when there is none.
func (s *Service) Head() (*Head, error) {
	text, err := os.ReadFile(s.file)
	if os.IsNotExist(err) || err == nil && len(text) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h, err := ParseHead(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s holds no head of an audit log; if nobody changed it, delete it: %w", s.file, err)
	}
	return &h, nil
}

// keep writes the head where no change of the database reaches it.
func (s *Service) keep(h Head) {
	if s.head != nil && *s.head == h {
		return
	}
	s.head = &h
	if err := replace(s.file, h.String()+"\n"); err != nil {
		s.log.Warn("the head of the audit log could not be kept outside the database", "file", s.file, "err", err)
	}
}

// replace writes a whole file or leaves the old one, also where two servers share the directory.
func replace(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = temp.WriteString(text)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}

// forgetAtOnce is how many checkpoints of one person are gone through in one change.
const forgetAtOnce = 20

// forget erases the addresses and user agents of people who were deleted, and then the salts. It says how many events it was.
func (s *Service) forget(ctx context.Context) (n int, err error) {
	people, err := s.store(s.db).gone(ctx)
	for _, who := range people {
		for after, more := int64(0), true; more && err == nil; {
			var records int
			if records, after, err = s.forgetSome(ctx, who, after); err != nil {
				return n, err
			}
			n += records
			more = after > 0
		}
	}
	return n, err
}

// forgetSome goes through some checkpoints of a person, and says where to go on: 0 at the end, when the salt is gone, too.
func (s *Service) forgetSome(ctx context.Context, who string, after int64) (n int, next int64, err error) {
	f, err := s.store(s.db).floor(ctx)
	if err != nil {
		return 0, 0, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		n, next = 0, after
		tx.Quiet()
		if won, err := take(tx, f.Turn); err != nil || !won {
			return err
		}
		st := s.store(tx)
		list, err := st.holding(ctx, who, after, forgetAtOnce)
		if err != nil {
			return err
		}
		for _, c := range list {
			erased, err := s.eraseUnder(ctx, tx, who, c)
			if err != nil {
				return err
			}
			n, next = n+erased, c.Number
		}
		if n > 0 {
			tx.Emit(Erased{who, n})
		}
		if len(list) == forgetAtOnce {
			return nil
		}
		next = 0
		return removePerson(tx, who)
	}, database.ReadCommitted) // the turn decides
	return n, next, err
}

func (s *Service) eraseUnder(ctx context.Context, tx *database.Tx, who string, c stretch) (n int, err error) {
	rows, err := s.store(tx).events(ctx, c.after(), c.last(), batch, false)
	if err != nil {
		return 0, err
	}
	var words []string // the addresses were words, too
	for i := range rows {
		r := &rows[i]
		if personOf(r) != who || !personal(r) || r.Salt == nil {
			continue
		}
		if err := erase(tx, r.Seq, sealed(r, r.Salt)); err != nil {
			return 0, err
		}
		words = append(words, strings.ToLower(r.IP))
		r.IP, r.UserAgent = "", ""
		n++
	}
	slices.Sort(words)
	for _, w := range slices.Compact(words) {
		if slices.ContainsFunc(rows, func(r row) bool { return strings.ToLower(r.IP) == w }) {
			continue
		}
		if err := removeWord(tx, c.Number, w); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Bounds of one change that prunes.
const (
	pruneCheckpoints = 100
	pruneRecords     = 2000
)

// Prune removes what is older than it is to be kept, whole checkpoints and whole days at a time.
func (s *Service) Prune(ctx context.Context) error {
	if s.cfg.RetentionDays == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.db.Now().Truncate(day).Add(-time.Duration(s.cfg.RetentionDays) * day)
	for {
		more, err := s.pruneSome(ctx, before)
		if err != nil || !more {
			return err
		}
	}
}

func (s *Service) pruneSome(ctx context.Context, before time.Time) (more bool, err error) {
	st := s.store(s.db)
	f, err := st.floor(ctx)
	if err != nil {
		return false, err
	}
	list, err := st.checkpoints(ctx, f.Number+1, pruneCheckpoints+1)
	if err != nil {
		return false, err
	}
	through, records := -1, 0
	for i := range list[:max(len(list)-1, 0)] { // the newest stays, whatever its age
		n := len(list[i].Entries) / entrySize
		if !list[i].At.Before(before) || i > 0 && records+n > pruneRecords {
			break
		}
		through, records = i, records+n
	}
	if through < 0 {
		return false, nil
	}
	c := &list[through]
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		if won, err := take(tx, f.Turn); err != nil || !won {
			tx.Quiet()
			return err
		}
		tx.Emit(Pruned{c.Number, records, before})
		return s.store(tx).prune(tx, c, s.seal.floor(c))
	}, database.ReadCommitted) // the turn decides
	return err == nil, err
}
