package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/device"
)

// Device is one that a person has signed in on, on the wire.
type Device struct {
	ID           string     `json:"id" doc:"dev_…"`
	Current      bool       `json:"current" doc:"Whether this request came from it."`
	Name         string     `json:"name" doc:"A guess for people to recognise it by."`
	IP           string     `json:"ip" doc:"Where it was last."`
	FirstSeenAt  time.Time  `json:"first_seen_at"`
	LastSeenAt   time.Time  `json:"last_seen_at" doc:"When somebody signed in on it last."`
	TrustedUntil *time.Time `json:"trusted_until" doc:"Until when no second factor is asked on it; null where it is."`
}

// Devices are those a person is known on.
type Devices struct {
	Items []Device `json:"items"`
}

// Forgotten says how many devices were forgotten.
type Forgotten struct {
	Message   string `json:"message"`
	Forgotten int    `json:"forgotten"`
}

type oneDevice struct {
	ID string `path:"id" maxLength:"100"`
}

func (s *API) devices() {
	tags := []string{"Account"}
	operation(s, huma.Operation{Method: "GET", Path: "/auth/devices", Summary: "The devices you are known on, the one used last first", Tags: tags}, user, func(q *call, _ *struct{}) (Devices, error) {
		list, err := s.app.Devices.List(q, q.live.User.ID)
		out := Devices{Items: []Device{}}
		for _, d := range list {
			out.Items = append(out.Items, Device{d.ID, d.Current, device.Title(d.Browser, d.System), d.IP, d.FirstSeen, d.LastSeen, d.TrustedUntil})
		}
		return out, err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/auth/devices/{id}", Summary: "Forget a device: it is new at the next sign-in, and asked for the second factor", DefaultStatus: http.StatusNoContent, Tags: tags}, user, func(q *call, in *oneDevice) (nothing, error) {
		return nothing{}, s.app.Devices.Forget(q, q.live.User.ID, in.ID)
	})
	operation(s, huma.Operation{Method: "DELETE", Path: "/auth/devices", Summary: "Forget every device", Tags: tags}, user, func(q *call, _ *struct{}) (Forgotten, error) {
		n, err := s.app.Devices.ForgetAll(q, q.live.User.ID)
		return Forgotten{"They are forgotten.", n}, err
	})
}
