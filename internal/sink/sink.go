// Package sink passes events on to other systems. Each sink has a place in the order of events, kept in the database; one server at a time is at
// it. What stands before the place was taken on; what stands after it is sent, again if need be: nothing is skipped, and after a crash some come twice.
package sink

import (
	"context"
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/event"
)

// Target takes events on.
type Target interface {
	// Name is what the place is kept under, and the label of its numbers.
	Name() string
	// Send says how many of the first are kept there when it returns: all of them, or fewer and why. Those of one subject are there in their order.
	// Whatever comes after the first n is sent again.
	Send(ctx context.Context, list []event.Line) (n int, err error)
	// Check finds out whether it can be reached.
	Check(ctx context.Context) error
	// Close ends the connections.
	Close()
}

// ErrLost says that another server is at the sink.
var ErrLost = errors.New("sink: another server is at it")

const (
	interval = 500 * time.Millisecond // how often the order is looked at, if nobody says that there is more
	gather   = 50 * time.Millisecond  // the least between two looks, so that what happens together is sent together
	lease    = 30 * time.Second       // how long a server that says nothing is believed to be at a sink
	patience = 12 * time.Second       // how long one Send may take: less than half a lease
	batch    = 500
)

// pause is how long a sink is left alone that did not take on what it was sent so many times in a row.
func pause(failures int64) time.Duration {
	return min(time.Second<<min(failures-1, 6), time.Minute)
}

// State is how a sink stands.
type State struct {
	Name         string
	Lag          time.Duration // how old the oldest event is that it has not taken on; 0 when there is none
	Failures     int64         // tries since it last took anything on
	FailingSince *time.Time
	Reply        string // what went wrong the last time
}
