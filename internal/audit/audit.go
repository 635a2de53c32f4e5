// Package audit is the log of everything that happened: the events, sealed after the fact so that a change of one is found,
// searched, and kept no longer than is asked for.
package audit

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

// The permissions that are asked for, of the platform or of an organization.
const (
	MayRead   = "sys:audit:read"
	MayExport = "sys:audit:export"
)

// The refusals of this package.
var (
	ErrCursor = apperr.New(apperr.Malformed, "audit_cursor_invalid", "This cursor was not given by this list. Begin without one.").In("cursor")
	ErrHead   = apperr.New(apperr.Invalid, "head_invalid", "A head is a number, a colon and 64 hexadecimal characters, as admit audit verify prints it.").In("head")
)

type (
	// Erased is told of events whose address and user agent were forgotten, because their person was deleted.
	Erased struct {
		UserID  string `json:"user_id"`
		Records int    `json:"records"`
	}
	// Pruned is told of the beginning of the log that was removed, because it was older than it is to be kept.
	Pruned struct {
		Through int64     `json:"through"` // the last checkpoint that is gone
		Records int       `json:"records"`
		Before  time.Time `json:"before"` // what was sealed before this time
	}
)

func (Erased) Kind() string { return "audit.erased" }
func (Pruned) Kind() string { return "audit.pruned" }

func (e Erased) Subject() string { return e.UserID }
func (Pruned) Subject() string   { return "" }

// Record is an event of the log.
type Record struct {
	event.Line
	Erased bool `json:"erased,omitempty" doc:"Its address and user agent were forgotten, because its person was deleted."`
}

// SeenBy is the record as a person may see it to whose account it belongs, and by whom it was: you, operator, or somebody who was a stranger or
// not signed in. Where those are who look after the site is not told.
func (r Record) SeenBy(me string) (own Record, by string) {
	switch r.Actor {
	case me:
		return r, "you"
	case "":
		return r, "somebody"
	}
	r.SessionID, r.IP, r.UserAgent = "", "", ""
	return r, "operator"
}

// Service seals the log and reads it.
type Service struct {
	db     *database.DB
	cfg    Config
	authz  *authz.Service
	orgs   *org.Service
	users  *user.Service
	seal   seal
	log    *slog.Logger
	wake   chan struct{}
	file   string // keeps the head outside the database
	mu     sync.Mutex
	head   *Head
	warned bool
}

// NewService seals with a key from outside the database, and keeps the head of the log in file.
func NewService(db *database.DB, cfg Config, az *authz.Service, orgs *org.Service, users *user.Service, box *secret.Box, file string, log *slog.Logger) *Service {
	return &Service{db: db, cfg: cfg, authz: az, orgs: orgs, users: users, seal: newSeal(box), log: log, wake: make(chan struct{}, 1), file: file}
}

// personOf is whose address and user agent a row has: of who acted or, where that is nobody known, of whom it is about.
func personOf(r *row) string {
	for _, who := range []string{r.Actor, r.Subject} {
		if strings.HasPrefix(who, "usr_") {
			return who
		}
	}
	return ""
}

// personal reports whether a row has something that may have to be forgotten.
func personal(r *row) bool { return r.IP != "" || r.UserAgent != "" }

func newRecord(r row) Record {
	out := r.EventRow.Record()
	out.Cursor = r.place()
	return Record{event.NewLine(out), r.Erased != nil}
}
