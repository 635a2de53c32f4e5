// Package revocation tells verifiers of access tokens, who ask no database and nobody else, which tokens count no more: those of sessions
// that have ended, and those whose person holds other rights now. It reads the events, so that whatever ends a session is told.
package revocation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/revoked"
)

// The refusals of the feed.
var (
	ErrSince = apperr.New(apperr.Malformed, "revocation_cursor_invalid", "This is no cursor of the revocation feed. Leave since out to hear everything.").In("since")
	ErrStale = apperr.New(apperr.Unavailable, "revocations_stale", "What has ended cannot be read at the moment, and an old answer is not given. Try again.")
	ErrBusy  = apperr.New(apperr.TooMany, "too_many_waiting", "Too many requests from this address wait for revocations. Let them end first.")
)

// entry is one thing to tell.
type entry struct {
	mark     string
	revision int64 // 0 where a session ended
	at       database.Cursor
	n        int64 // the order in which this server heard of it
	until    time.Time
}

// place is up to where somebody has heard of everything. The number is of the server that gave it; the cursor is of all servers.
type place struct {
	epoch, boot string
	n           int64
	at          database.Cursor
}

func (p place) String() string { return fmt.Sprintf("rv1.%s.%s.%d.%s", p.epoch, p.boot, p.n, p.at) }

func parsePlace(text string) (place, error) {
	parts := strings.SplitN(text, ".", 5)
	if len(parts) != 5 || parts[0] != "rv1" {
		return place{}, ErrSince
	}
	n, err1 := strconv.ParseInt(parts[3], 10, 64)
	at, err2 := database.ParseCursor(parts[4])
	if err1 != nil || err2 != nil {
		return place{}, ErrSince
	}
	return place{parts[1], parts[2], n, at}, nil
}

// The events of what a token ends with. The index events_ended is about the same.
const (
	sessionEnded = "session.revoked"
	keyEnded     = "api_key.revoked"
)

// marksOf is what one event has to be told of: its session, if one ended, and the revision of the rights, if they changed.
func marksOf(r database.Record) (ended string, revision int64, err error) {
	var e struct {
		Session  string `json:"session_id"`
		Key      string `json:"key_id"` // of a service account: its tokens name it in the place of a session
		Revision int64  `json:"revision"`
	}
	switch r.Kind {
	case sessionEnded, keyEnded:
		err = json.Unmarshal(r.Data, &e)
		return revoked.Session(cmp.Or(e.Session, e.Key)), 0, err
	case "authorization.changed":
		err = json.Unmarshal(r.Data, &e)
		return "", e.Revision, err
	}
	return "", 0, nil
}
