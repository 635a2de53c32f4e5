// Package backup is a sealed file of everything a store holds and of the key without which much of it cannot be read, and the way
// from one store into another.
package backup

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
)

// The refusals of this package.
var (
	ErrKey     = apperr.New(apperr.Invalid, "backup_key_wrong", "The key does not open this backup, or its beginning is damaged.")
	ErrNoKey   = apperr.New(apperr.Invalid, "backup_key_invalid", "A key is what admit backup key prints, its public half (age1…) where a backup is made, or a passphrase of at least 12 characters.")
	ErrDamaged = apperr.New(apperr.Conflict, "backup_damaged", "The backup is damaged, or not whole. Nothing was restored.")
	ErrFormat  = apperr.New(apperr.Invalid, "backup_unknown", "The file is no backup of Admit, or of a newer Admit.")
)

// Summary is what a backup is of. It shows no secret.
type Summary struct {
	MadeAt time.Time        `json:"made_at"`
	Engine string           `json:"engine"`     // sqlite or postgres
	Schema int64            `json:"schema"`     // the newest step of the tables
	Head   string           `json:"audit_head"` // of the audit log when it was made, or empty
	Rows   int64            `json:"rows"`
	Tables []database.Count `json:"tables"`
}

func (s *Summary) count(list []database.Count) {
	s.Tables, s.Rows = list, 0
	for _, c := range list {
		s.Rows += c.Rows
	}
}

type (
	// Created is told of a copy of everything that was sealed into a file.
	Created struct {
		Rows   int64 `json:"rows"`
		Schema int64 `json:"schema"` // the newest step of the tables
	}
	// Restored is told of a store that was filled from a backup. Everything before it in the log is as the backup has it.
	Restored struct {
		MadeAt time.Time `json:"made_at"` // when the backup was made
		Rows   int64     `json:"rows"`
		Schema int64     `json:"schema"` // the newest step of its tables
	}
	// Moved is told of a store that was filled with everything of another, in the new one.
	Moved struct {
		From string `json:"from"` // sqlite
		Rows int64  `json:"rows"`
	}
)

func (Created) Kind() string  { return "backup.created" }
func (Restored) Kind() string { return "backup.restored" }
func (Moved) Kind() string    { return "store.moved" }

func (Created) Subject() string  { return "" }
func (Restored) Subject() string { return "" }
func (Moved) Subject() string    { return "" }
