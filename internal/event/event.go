// Package event reads what the house has told: a feed that hears of every change within a moment, and sinks that pass it on.
package event

import (
	"encoding/json"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

// Config says where events go.
type Config struct {
	File string `env:"EVENT_FILE" doc:"File that every event is appended to, one JSON object a line. Empty is events.jsonl in DATA_DIR; off writes none."`
}

// Line is an event as the outside sees it.
type Line struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Kind      string          `json:"kind"`
	Outcome   string          `json:"outcome"`
	Subject   string          `json:"subject,omitempty"`
	Actor     string          `json:"actor,omitempty"`
	SessionID string          `json:"session_id,omitempty"`
	OrgID     string          `json:"org_id,omitempty"`
	IP        string          `json:"ip,omitempty"`
	UserAgent string          `json:"user_agent,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	Data      json.RawMessage `json:"data"`
	Cursor    string          `json:"cursor"`
}

// NewLine is the line of a record.
func NewLine(r database.Record) Line {
	o := r.Origin
	return Line{r.ID, r.At, r.Kind, r.Outcome, r.Subject, o.Actor, o.Session, o.Org, o.IP, o.UserAgent, o.RequestID, r.Data, r.Cursor.String()}
}
