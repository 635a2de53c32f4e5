// Package knowndevice knows the devices that people sign in on: by a secret in a cookie, of which only a hash is kept.
package knowndevice

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// ErrNone is a device that somebody is not known on.
var ErrNone = apperr.New(apperr.NotFound, "device_not_found", "There is no such device.")

// Config is what an operator may say of devices.
type Config struct {
	Days      int  `env:"KNOWN_DEVICE_DAYS" default:"400" min:"0" max:"400" doc:"Days a device stays known after its last sign-in. 0 knows none: no cookie, no mail about new ones, no trust."`
	Mail      bool `env:"NEW_DEVICE_MAIL" default:"true" doc:"Whether people get a mail about a sign-in on a device they are not known on."`
	TrustDays int  `env:"TRUSTED_BROWSER_DAYS" default:"30" min:"0" max:"400" doc:"Days a browser that its person trusts is asked for no second factor. 0 asks always."`
}

// Device is one that a person has signed in on.
type Device struct {
	ID           string
	Browser      string
	System       string
	IP           string // where it was last
	FirstSeen    time.Time
	LastSeen     time.Time
	TrustedUntil *time.Time // until when it is asked for no second factor
	Current      bool       // it is the one that asks
}

// Arrival is a device that somebody has just signed in on.
type Arrival struct {
	ID      string
	Cookie  string // the secret to give to the device, "" when it keeps none
	Expires time.Time
	Tell    bool // it was not known, is not the first, and its person is to hear of it
}

type (
	// Added is told of a device that somebody signed in on for the first time.
	Added struct {
		UserID   string `json:"user_id"`
		DeviceID string `json:"device_id"`
		Browser  string `json:"browser"`
		System   string `json:"system"`
	}
	// Trusted is told of a device that is asked for no second factor for a while.
	Trusted struct {
		UserID   string    `json:"user_id"`
		DeviceID string    `json:"device_id"`
		Until    time.Time `json:"until"`
	}
	// Distrusted is told of somebody none of whose devices is trusted any more.
	Distrusted struct {
		UserID string `json:"user_id"`
	}
	// Forgotten is told of a device that is known no more.
	Forgotten struct {
		UserID   string `json:"user_id"`
		DeviceID string `json:"device_id"`
	}
)

func (Added) Kind() string      { return "device.added" }
func (Trusted) Kind() string    { return "device.trusted" }
func (Distrusted) Kind() string { return "device.distrusted" }
func (Forgotten) Kind() string  { return "device.forgotten" }

func (e Added) Subject() string      { return e.UserID }
func (e Trusted) Subject() string    { return e.UserID }
func (e Distrusted) Subject() string { return e.UserID }
func (e Forgotten) Subject() string  { return e.UserID }
