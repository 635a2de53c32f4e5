package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/notify"
)

// Letter is a message of the development inbox, on the wire.
type Letter struct {
	ID      string    `json:"id" doc:"msg_…"`
	Channel string    `json:"channel" enum:"email,sms"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	Links   []string  `json:"links"`
	Codes   []string  `json:"codes"`
	At      time.Time `json:"at"`
}

// Letters is what the development inbox holds, newest first.
type Letters struct {
	Items []Letter `json:"items"`
}

type inbox struct {
	To string `query:"to" maxLength:"320" doc:"Only what goes to this address or number."`
}

// development declares what production does not have. The document, which is the same everywhere, leaves it out.
func (s *API) development() {
	if !s.app.Notify.Catches() {
		return
	}
	operation(s, huma.Operation{Method: "GET", Path: "/dev/inbox.json", Summary: "What would have been sent", Hidden: true}, public, s.inbox)
}

func (s *API) inbox(q *call, in *inbox) (Letters, error) {
	if !s.app.Config.Web.Inside(q.r) {
		return Letters{}, notify.ErrNotFound
	}
	list, err := s.app.Notify.Inbox(q, in.To)
	out := Letters{Items: make([]Letter, len(list))}
	for i, l := range list {
		out.Items[i] = newLetter(l)
	}
	return out, err
}

func newLetter(l notify.Letter) Letter {
	return Letter{l.ID, string(l.Channel), l.To, l.Subject, l.Text, l.HTML, full(l.Links), full(l.Codes), l.At}
}

// full is a list that is written [] when it is empty.
func full(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
