// Package export is a copy of everything that is known of a person, for themselves: asked for, made in the background, and kept for a day.
package export

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// The refusals of this package.
var (
	ErrNotFound = apperr.New(apperr.NotFound, "export_not_found", "There is no such export, or its 24 hours are over. Ask for another.")
	ErrNotReady = apperr.New(apperr.Conflict, "export_not_ready", "This export is not ready. Look at its state; if it failed, ask for another.")
)

// Life is how long an export is kept once it is ready.
const Life = 24 * time.Hour

// State is how far an export is.
type State string

// The states.
const (
	Running State = "running"
	Ready   State = "ready"
	Failed  State = "failed"
)

// Export is a copy of what is known of a person.
type Export struct {
	ID        string    `json:"id" doc:"exp_…"`
	State     State     `json:"state" enum:"running,ready,failed"`
	Done      int64     `json:"done" doc:"How many of its parts are made."`
	Total     int64     `json:"total" doc:"How many parts it has."`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at" doc:"When it is deleted."`
}

type (
	// Requested is told of a person who wants a copy of their data.
	Requested struct {
		UserID   string `json:"user_id"`
		ExportID string `json:"export_id"`
	}
	// Made is told of a copy of the data of a person that they can fetch.
	Made struct {
		UserID   string `json:"user_id"`
		ExportID string `json:"export_id"`
	}
	// GaveUp is told of a copy of the data of a person that could not be made.
	GaveUp struct {
		UserID   string `json:"user_id"`
		ExportID string `json:"export_id"`
	}
	// Downloaded is told of a copy of the data of a person that was fetched.
	Downloaded struct {
		UserID   string `json:"user_id"`
		ExportID string `json:"export_id"`
	}
)

func (Requested) Kind() string  { return "export.requested" }
func (Made) Kind() string       { return "export.ready" }
func (GaveUp) Kind() string     { return "export.failed" }
func (Downloaded) Kind() string { return "export.downloaded" }

func (e Requested) Subject() string  { return e.UserID }
func (e Made) Subject() string       { return e.UserID }
func (e GaveUp) Subject() string     { return e.UserID }
func (e Downloaded) Subject() string { return e.UserID }

func (GaveUp) Failed() {}
