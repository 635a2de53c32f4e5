package backup

import (
	"context"
	"io"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
)

// Secrets are what a store needs and does not hold.
type Secrets struct {
	RootKey string // SESSION_SECRET_KEY
	Head    string // of the audit log, read before the backup begins; may be empty
}

// Write seals everything in db, as of one moment, and secrets, to w. Servers may write meanwhile. progress may be nil.
func Write(ctx context.Context, db *database.DB, w io.Writer, k Key, secrets Secrets, progress func(done, of int64)) (Summary, error) {
	h := header{format, db.Now(), db.Engine(), database.Newest(), secrets.RootKey, secrets.Head}
	s := Summary{MadeAt: h.MadeAt, Engine: h.Engine, Schema: h.Schema, Head: h.Head}
	out, err := newWriter(w, k, h)
	if err != nil {
		return s, err
	}
	tally := database.Tally{To: out}
	if err := db.Dump(ctx, &tally, progress); err != nil {
		return s, err
	}
	s.count(tally.Counts())
	return s, out.close(s.Tables)
}

// Told notes in the log of db that a backup of it was made.
func Told(ctx context.Context, db *database.DB, s Summary) error {
	return db.Write(ctx, func(tx *database.Tx) error {
		tx.Emit(Created{s.Rows, s.Schema})
		return nil
	})
}

// Restore fills db, all of it or nothing: an empty one, or with replace any.
func (f *File) Restore(ctx context.Context, db *database.DB, replace bool) (s Summary, err error) {
	err = db.Fill(ctx, database.Filling{Schema: f.Schema, Replace: replace,
		From: func(to database.Sink) (err error) {
			s, err = f.Each(to)
			return err
		},
		Finish: func(tx *database.Tx) error {
			tx.Emit(Restored{s.MadeAt, s.Rows, s.Schema})
			return authz.NewLife(tx) // what was told of rights after the backup is of another life
		}})
	return s, err
}

// Move fills an empty store with everything of another. No server runs on either; one that starts on the source waits, in vain.
func Move(ctx context.Context, from, to *database.DB, progress func(done, of int64)) (Summary, error) {
	s := Summary{MadeAt: from.Now(), Engine: from.Engine(), Schema: database.Newest()}
	ctx, cancel := context.WithTimeout(ctx, 24*time.Hour)
	defer cancel()
	err := from.Write(ctx, func(held *database.Tx) error {
		held.Quiet() // it is held so that nobody else writes
		return to.Fill(ctx, database.Filling{Schema: s.Schema,
			From: func(sink database.Sink) error {
				tally := database.Tally{To: sink}
				err := from.Dump(ctx, &tally, progress)
				if err == nil {
					s.count(tally.Counts())
				}
				return err
			},
			Finish: func(tx *database.Tx) error {
				tx.Emit(Moved{from.Engine(), s.Rows})
				return nil
			}})
	})
	return s, err
}
