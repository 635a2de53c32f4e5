// Package lockout makes who guesses wait, longer each time, and lets the owner of an account pass.
package lockout

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// ErrTooMany is the refusal of somebody who has to wait.
var ErrTooMany = apperr.New(apperr.TooMany, "too_many_attempts", "Too many tries. Wait a little, then try again.")

const (
	firstWait  = time.Minute
	memory     = 24 * time.Hour // after the last wrong answer
	linkLife   = 24 * time.Hour
	sweepBatch = 500
)

// Config is what an operator may say of lockouts.
type Config struct {
	After      int `env:"LOCKOUT_AFTER" default:"10" min:"0" max:"1000" doc:"Wrong answers after which an account is locked for a minute; each further one doubles that. A known device, a passkey and a link by mail pass. 0 locks nothing."`
	MaxMinutes int `env:"LOCKOUT_MAX_MINUTES" default:"60" min:"1" max:"1440" doc:"The longest that one wrong answer locks an account."`
}

// wait is how long so many wrong answers lock an account.
func (c Config) wait(failures int64) time.Duration {
	over := failures - int64(c.After)
	if c.After == 0 || over < 0 {
		return 0
	}
	longest := time.Duration(c.MaxMinutes) * time.Minute
	return min(firstWait<<min(over, 12), longest)
}

// Lock is how an account stands.
type Lock struct {
	Failures int64      // wrong answers since the last right one
	Until    *time.Time // nil when it is not locked
}

type (
	// Locked is told of an account at which somebody guesses.
	Locked struct {
		UserID   string    `json:"user_id"`
		Failures int64     `json:"failures"`
		Until    time.Time `json:"until"`
	}
	// Unlocked is told of an account at which the wrong answers are forgotten, so that nobody has to wait.
	Unlocked struct {
		UserID string `json:"user_id"`
		By     By     `json:"by"`
	}
)

// By is what opens an account that is locked.
type By string

// What opens one.
const (
	Link     By = "link"     // of the mail
	Password By = "password" // a new one
	Operator By = "operator"
)

func (Locked) Kind() string   { return "account.locked" }
func (Unlocked) Kind() string { return "account.unlocked" }

func (e Locked) Subject() string   { return e.UserID }
func (e Unlocked) Subject() string { return e.UserID }

func (Locked) Failed() {}
