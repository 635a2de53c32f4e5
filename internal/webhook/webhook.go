// Package webhook tells other servers of events: signed requests to addresses that administrators manage, tried again while one does not answer, with a
// log of what became of each.
package webhook

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// Manage is the permission to make, change and delete webhooks, and to see what was sent.
const Manage = "sys:webhooks:manage"

// The refusals of this package.
var (
	ErrNone        = apperr.New(apperr.NotFound, "webhook_not_found", "There is no such webhook.")
	ErrNoDelivery  = apperr.New(apperr.NotFound, "webhook_delivery_not_found", "There is no such delivery of this webhook.")
	ErrURL         = apperr.New(apperr.Invalid, "webhook_url_invalid", "Write the address as https://example.com/hooks, with at most 2,000 characters, without a user and without a fragment.").In("url")
	ErrPlain       = apperr.New(apperr.Invalid, "webhook_url_insecure", "The address is http, and events would cross the network in the clear. Make it https.").In("url")
	ErrKinds       = apperr.New(apperr.Invalid, "webhook_kinds_invalid", "Name at most 100 kinds of events such as member.added, or groups of them such as member.*.").In("kinds")
	ErrDescription = apperr.New(apperr.Invalid, "webhook_description_invalid", "A description has at most 500 characters.").In("description")
	ErrOverlap     = apperr.New(apperr.Invalid, "webhook_overlap_invalid", "The old secret is signed with for 0 to 168 hours more.").In("overlap_hours")
	ErrTooMany     = apperr.New(apperr.Conflict, "webhook_limit", "There are 100 webhooks already. Delete one that is not used any more.")
	ErrWaiting     = apperr.New(apperr.Conflict, "webhook_delivery_waiting", "This delivery has not ended yet: it will be tried again by itself.")
	ErrState       = apperr.New(apperr.Invalid, "webhook_state_invalid", "A delivery is waiting, delivered or parked.").In("state")
	ErrFormat      = apperr.New(apperr.Invalid, "webhook_format_invalid", "The format is events, or set for Security Event Tokens.").In("format")
	ErrShared      = apperr.New(apperr.Conflict, "webhook_format_unsigned", "Security Event Tokens are checked with published keys, and there are none under ACCESS_SECRET, or with tokens in PARTS_OFF.").In("format")
	ErrUnsaid      = apperr.New(apperr.Unavailable, "webhook_secret_unreadable", "The secret of this webhook was sealed with another SESSION_SECRET_KEY. Give it back, or rotate the secret.")
)

// Pause is why a webhook is told of nothing for the time being; "" is told.
type Pause string

// The reasons a webhook is paused for.
const (
	ByHand  Pause = "paused"  // somebody wanted it
	Gone    Pause = "gone"    // it answered 410
	Failing Pause = "failing" // it has taken nothing on for five days
)

// Format is what the body of a request is.
type Format string

// The formats.
const (
	Events Format = "events" // the JSON object of an event
	SET    Format = "set"    // a Security Event Token, pushed as RFC 8935 has it; only what has one is told
)

// Webhook is an address that is told of events.
type Webhook struct {
	ID          string // whk_…
	URL         string
	Description string
	Kinds       []string // kinds and groups of kinds, sorted; none is all of them
	Format      Format
	Paused      Pause
	OldUntil    *time.Time // until when the secret before is signed with too
	CreatedBy   string
	CreatedAt   time.Time
	UpdatedAt   time.Time

	Failures     int64 // tries since it last took anything on
	FailingSince *time.Time
	Reply        string // what went wrong the last time
}

// Edit is what is to be of a webhook; what is nil stays as it is.
type Edit struct {
	URL         *string
	Description *string
	Kinds       *[]string
	Format      *Format // of a new one only
	Paused      *bool
}

// State is what has become of a delivery.
type State string

// The states of a delivery.
const (
	Waiting   State = "waiting"   // it is to be tried, or tried again
	Delivered State = "delivered" // it was answered with a 2xx
	Parked    State = "parked"    // it was tried often enough; it can be replayed
)

// Delivery is one event for one webhook.
type Delivery struct {
	ID        string // dlv_…
	WebhookID string
	EventID   string
	Kind      string
	Subject   string
	At        time.Time // of the event
	State     State
	Tries     int64
	Status    int64         // the status of the last answer; 0 where there was none
	Took      time.Duration // how long that took
	Reply     string        // what went wrong, or what the answer said
	CreatedAt time.Time
	TriedAt   *time.Time
	DueAt     *time.Time // when it is tried next, while it waits
	EndedAt   *time.Time
}

type (
	// Created is told of a new webhook. Of its address there is the host alone: the rest may be a secret.
	Created struct {
		WebhookID string   `json:"webhook_id"`
		Host      string   `json:"host"`
		Kinds     []string `json:"kinds"`
	}
	// Updated is told of a webhook that is another now: the names of the fields, never their values.
	Updated struct {
		WebhookID string   `json:"webhook_id"`
		Fields    []string `json:"fields"`
	}
	// Deleted is told of a webhook that is gone.
	Deleted struct {
		WebhookID string `json:"webhook_id"`
	}
	// Rotated is told of a new secret. The one before is signed with too until then.
	Rotated struct {
		WebhookID string    `json:"webhook_id"`
		Until     time.Time `json:"until"`
	}
	// Rested is told of a webhook that is told of nothing for the time being.
	Rested struct {
		WebhookID string `json:"webhook_id"`
		Reason    Pause  `json:"reason"`
	}
	// Resumed is told of a webhook that goes on where it was paused.
	Resumed struct {
		WebhookID string `json:"webhook_id"`
	}
	// Replayed is told of deliveries that are sent again: one, or all since a time.
	Replayed struct {
		WebhookID  string    `json:"webhook_id"`
		DeliveryID string    `json:"delivery_id,omitempty"`
		Since      time.Time `json:"since,omitzero"`
	}
)

func (Created) Kind() string  { return "webhook.created" }
func (Updated) Kind() string  { return "webhook.updated" }
func (Deleted) Kind() string  { return "webhook.deleted" }
func (Rotated) Kind() string  { return "webhook.secret_rotated" }
func (Rested) Kind() string   { return "webhook.paused" }
func (Resumed) Kind() string  { return "webhook.resumed" }
func (Replayed) Kind() string { return "webhook.replayed" }

func (e Created) Subject() string  { return e.WebhookID }
func (e Updated) Subject() string  { return e.WebhookID }
func (e Deleted) Subject() string  { return e.WebhookID }
func (e Rotated) Subject() string  { return e.WebhookID }
func (e Rested) Subject() string   { return e.WebhookID }
func (e Resumed) Subject() string  { return e.WebhookID }
func (e Replayed) Subject() string { return e.WebhookID }
