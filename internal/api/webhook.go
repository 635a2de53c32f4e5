package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/webhook"
)

// Webhook is an address that is told of events, on the wire.
type Webhook struct {
	ID             string     `json:"id" doc:"whk_…"`
	URL            string     `json:"url"`
	Description    string     `json:"description"`
	Format         string     `json:"format" enum:"events,set" doc:"What a request holds: the event, or a Security Event Token (RFC 8417, pushed as RFC 8935 has it)."`
	Kinds          []string   `json:"kinds" doc:"The kinds of events it is told of, and groups of them such as member.*; all when empty."`
	Paused         *string    `json:"paused" enum:"paused,gone,failing" nullable:"true" doc:"Why it is told of nothing for the time being: somebody wanted it, it answered 410, or it has taken nothing on for five days. null when it is told."`
	OldSecretUntil *time.Time `json:"old_secret_until" doc:"Until when the secret before is signed with too, or null."`
	Failures       int64      `json:"failures" doc:"Tries since it last took anything on."`
	FailingSince   *time.Time `json:"failing_since"`
	LastError      *string    `json:"last_error" doc:"What went wrong the last time, or null."`
	CreatedBy      *string    `json:"created_by"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// WebhookMade is a webhook with a secret that was made just now.
type WebhookMade struct {
	Webhook
	Secret string `json:"secret" doc:"What requests are signed with, as Standard Webhooks has it. It is shown this once." example:"whsec_…"`
}

// Webhooks is a list of webhooks.
type Webhooks struct {
	Items []Webhook `json:"items"`
}

// WebhookDelivery is one event for one webhook, on the wire.
type WebhookDelivery struct {
	ID           string     `json:"id" doc:"dlv_…"`
	EventID      string     `json:"event_id" doc:"evt_…, which is the Webhook-Id of the request."`
	Kind         string     `json:"kind" example:"member.added"`
	Subject      *string    `json:"subject"`
	At           time.Time  `json:"at" doc:"When the event was."`
	State        string     `json:"state" enum:"waiting,delivered,parked" doc:"waiting is tried, or tried again; delivered was answered with a 2xx; parked was tried ten times."`
	Tries        int64      `json:"tries"`
	Status       *int64     `json:"status" doc:"The status of the last answer, or null where there was none."`
	Milliseconds *int64     `json:"took_ms" doc:"How long the last try took, or null before the first."`
	Error        *string    `json:"error" doc:"What went wrong at the last try, or null."`
	CreatedAt    time.Time  `json:"created_at"`
	TriedAt      *time.Time `json:"tried_at"`
	NextTryAt    *time.Time `json:"next_try_at" doc:"While it waits: when it is tried next, if nothing before it stands in the way."`
	EndedAt      *time.Time `json:"ended_at"`
}

// WebhookDeliveries is a part of the log of a webhook.
type WebhookDeliveries struct {
	Items      []WebhookDelivery `json:"items"`
	NextCursor *string           `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end."`
}

func newWebhook(w webhook.Webhook) Webhook {
	return Webhook{w.ID, w.URL, w.Description, string(w.Format), w.Kinds, next(string(w.Paused)), w.OldUntil, w.Failures, w.FailingSince, next(w.Reply), next(w.CreatedBy), w.CreatedAt, w.UpdatedAt}
}

func newDelivery(d webhook.Delivery) WebhookDelivery {
	v := WebhookDelivery{ID: d.ID, EventID: d.EventID, Kind: d.Kind, Subject: next(d.Subject), At: d.At, State: string(d.State), Tries: d.Tries, Error: next(d.Reply), CreatedAt: d.CreatedAt,
		TriedAt: d.TriedAt, NextTryAt: d.DueAt, EndedAt: d.EndedAt}
	if d.Status != 0 {
		v.Status = &d.Status
	}
	if d.TriedAt != nil {
		v.Milliseconds = new(d.Took.Milliseconds())
	}
	return v
}

type newWebhookIn struct {
	Body struct {
		URL         string   `json:"url" maxLength:"4000" example:"https://example.com/hooks" doc:"Where events are sent. It must be public, unless OUTBOUND_PRIVATE_NETWORKS says otherwise."`
		Description string   `json:"description,omitempty" maxLength:"2000"`
		Format      string   `json:"format,omitempty" enum:"events,set" default:"events" doc:"What a request holds: the event, or a Security Event Token; it stays as it is. With set only ended sessions, changed passwords and accounts that were disabled, enabled or deleted are told of."`
		Kinds       []string `json:"kinds,omitempty" maxItems:"100" doc:"Kinds of events, and groups of them such as member.*; all when left out." example:"[\"member.*\"]"`
	}
}

// WebhookRef names a webhook.
type WebhookRef struct {
	Webhook string `path:"webhook" maxLength:"100" doc:"whk_…"`
}

type editWebhookIn struct {
	WebhookRef
	Body struct {
		URL         *string   `json:"url,omitempty" maxLength:"4000"`
		Description *string   `json:"description,omitempty" maxLength:"2000"`
		Kinds       *[]string `json:"kinds,omitempty" maxItems:"100"`
		Paused      *bool     `json:"paused,omitempty" doc:"true has it told of nothing; with false it goes on where it was paused."`
	}
}

type rotateSecretIn struct {
	WebhookRef
	Body *struct {
		OverlapHours *int `json:"overlap_hours,omitempty" minimum:"0" maximum:"168" doc:"For how long the old secret is signed with too: 0 to 168; 24 when left out."`
	}
}

type listDeliveriesIn struct {
	WebhookRef
	Part
	State string `query:"state" enum:"waiting,delivered,parked" doc:"Only those in this state."`
}

type deliveryRef struct {
	WebhookRef
	ID string `path:"id" maxLength:"100" doc:"dlv_…"`
}

type replayIn struct {
	WebhookRef
	Body struct {
		Since time.Time `json:"since" doc:"Everything that happened at this time or later is sent again."`
	}
}

func (s *API) webhooks() {
	tags := []string{"Webhooks"}
	at := "/api/v1/webhooks"
	one := at + "/{webhook}"
	hooks := s.app.Webhooks
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "Every webhook, newest first", Tags: tags}, user|keyed, func(q *call, in *struct{}) (Webhooks, error) {
		list, err := hooks.List(q, q.caller())
		return Webhooks{mapped(list, newWebhook)}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Make a webhook: it is told of what happens from now on", DefaultStatus: http.StatusCreated, Tags: tags}, user|fresh, func(q *call, in *newWebhookIn) (WebhookMade, error) {
		b := in.Body
		w, secret, err := hooks.Create(q, q.caller(), webhook.Edit{URL: &b.URL, Description: &b.Description, Kinds: &b.Kinds, Format: new(webhook.Format(b.Format))})
		return WebhookMade{newWebhook(w), secret}, err
	})
	operation(s, huma.Operation{Method: "GET", Path: one, Summary: "A webhook", Tags: tags}, user|keyed, func(q *call, in *WebhookRef) (Webhook, error) {
		w, err := hooks.Get(q, q.caller(), in.Webhook)
		return newWebhook(w), err
	})
	operation(s, huma.Operation{Method: "PATCH", Path: one, Summary: "Change it, pause it, or have it go on", Tags: tags}, user|fresh, func(q *call, in *editWebhookIn) (Webhook, error) {
		b := in.Body
		w, err := hooks.Update(q, q.caller(), in.Webhook, webhook.Edit{URL: b.URL, Description: b.Description, Kinds: b.Kinds, Paused: b.Paused})
		return newWebhook(w), err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: one, Summary: "Delete it with its log", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *WebhookRef) (nothing, error) {
		return nothing{}, hooks.Delete(q, q.caller(), in.Webhook)
	})
	operation(s, huma.Operation{Method: "POST", Path: one + "/rotate", Summary: "Give it another secret; the old one is signed with too for a while", Tags: tags}, user|fresh, func(q *call, in *rotateSecretIn) (WebhookMade, error) {
		overlap := 24 * time.Hour
		if in.Body != nil && in.Body.OverlapHours != nil {
			overlap = time.Duration(*in.Body.OverlapHours) * time.Hour
		}
		w, secret, err := hooks.Rotate(q, q.caller(), in.Webhook, overlap)
		return WebhookMade{newWebhook(w), secret}, err
	})
	operation(s, huma.Operation{Method: "GET", Path: one + "/deliveries", Summary: "What was sent to it or waits to be, newest first, of the last 30 days", Tags: tags}, user|keyed, func(q *call, in *listDeliveriesIn) (WebhookDeliveries, error) {
		if in.Cursor != "" && !id.Valid("dlv", in.Cursor) {
			return WebhookDeliveries{}, ErrCursor
		}
		list, after, err := hooks.Deliveries(q, q.caller(), in.Webhook, webhook.State(in.State), in.Cursor, in.Limit)
		return WebhookDeliveries{mapped(list, newDelivery), next(after)}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: one + "/deliveries/{id}/replay", Summary: "Send a delivery that has ended again", Tags: tags}, user|keyed, func(q *call, in *deliveryRef) (WebhookDelivery, error) {
		d, err := hooks.Replay(q, q.caller(), in.Webhook, in.ID)
		return newDelivery(d), err
	})
	operation(s, huma.Operation{Method: "POST", Path: one + "/replay", Summary: "Send everything since a time again", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *replayIn) (nothing, error) {
		return nothing{}, hooks.ReplaySince(q, q.caller(), in.Webhook, in.Body.Since)
	})
}
