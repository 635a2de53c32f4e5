// Package risk says what is unusual about an attempt to get in, why, and what it leads to. Its signals are pure functions of what is known;
// it decides nothing about who somebody is, and asks nothing: package login does.
package risk

import (
	"errors"

	"github.com/admit-dev/admit/internal/apperr"
)

// ErrBlocked is the refusal of what an operator has said is to be refused. It is the same whoever was named.
var ErrBlocked = apperr.New(apperr.Forbidden, "risk_blocked", "This looks too much like an attack to go on. Try from a device or a network that you used before, or with a link or a code by mail.")

// Config is what an operator may say of risks.
type Config struct {
	NewDevice Outcome `env:"RISK_NEW_DEVICE" default:"off" oneof:"off,notify,challenge,step_up,block" doc:"Where somebody signs in on a device they are not known on. Needs KNOWN_DEVICE_DAYS."`
	Travel    Outcome `env:"RISK_IMPOSSIBLE_TRAVEL" default:"off" oneof:"off,notify,challenge,step_up,block" doc:"Where somebody signs in so far from their last sign-in that nobody travels that fast. Needs GEOIP_DATABASE and KNOWN_DEVICE_DAYS."`
	Velocity  Outcome `env:"RISK_VELOCITY" default:"off" oneof:"off,notify,challenge,step_up,block" doc:"Where more wrong answers or sign-ups come from one network than RISK_FAILURES_PER_HOUR and RISK_SIGNUPS_PER_HOUR say. RATE_LIMIT=off counts none."`
	Stuffing  Outcome `env:"RISK_STUFFING" default:"off" oneof:"off,notify,challenge,step_up,block" doc:"Where wrong answers of one address are for more different accounts than RISK_NAMES_PER_HOUR says, whether they exist or not: a list is tried. RATE_LIMIT=off counts none."`
	Bot       Outcome `env:"RISK_BOT" default:"off" oneof:"off,notify,challenge,step_up,block" doc:"Where a client says itself that it is a crawler, a scanner or a browser without a window."`
	Fixation  Outcome `env:"RISK_FIXATION" default:"off" oneof:"off,notify,challenge,step_up,block" doc:"Where a sign-in goes on in another kind of browser and in another network than it began in: somebody may have planted it."`

	Failures int `env:"RISK_FAILURES_PER_HOUR" default:"30" min:"1" max:"1000000" doc:"Wrong answers from one address (IPv6: one /64) in an hour before RISK_VELOCITY holds: five times as many from its /24 (IPv6: /48), fifty times as many from its provider, where GEOIP_DATABASE knows it."`
	SignUps  int `env:"RISK_SIGNUPS_PER_HOUR" default:"20" min:"1" max:"1000000" doc:"The same of sign-ups."`
	Names    int `env:"RISK_NAMES_PER_HOUR" default:"15" min:"2" max:"64" doc:"Different accounts that wrong answers from one address are for in an hour before RISK_STUFFING holds."`

	GeoIP []string `env:"GEOIP_DATABASE" doc:"Files of where addresses are and whose, in the format of MaxMind (GeoLite2-City.mmdb, GeoLite2-ASN.mmdb), with commas between them. They are read anew when they change. Nothing is asked of anybody."`
}

// Check finds what is wrong with the settings. The files are opened by Open.
func (c Config) Check(bool) error {
	if c.Travel != Off && c.Travel != "" && len(c.GeoIP) == 0 {
		return errors.New("RISK_IMPOSSIBLE_TRAVEL needs GEOIP_DATABASE: without it nobody is ever found to travel")
	}
	return nil
}

// Outcome is what a signal leads to.
type Outcome string

// The outcomes, from nothing to no.
const (
	Off       Outcome = "off" // it is not looked at
	Allow     Outcome = "allow"
	Notify    Outcome = "notify"    // it goes on; the log, the metrics and, where it may concern them, its person hear of it
	Challenge Outcome = "challenge" // a program is kept out: a proof of work, or the captcha that is configured
	StepUp    Outcome = "step_up"   // more is asked of the person: their second factor, or a code to their address
	Block     Outcome = "block"
)

// rank orders outcomes. What is unknown ranks lowest.
var rank = map[Outcome]int{Allow: 1, Notify: 2, Challenge: 3, StepUp: 4, Block: 5}

// Signal is a kind of thing that is unusual.
type Signal string

// The signals.
const (
	NewDevice Signal = "new_device"
	Travel    Signal = "impossible_travel"
	Velocity  Signal = "velocity"
	Stuffing  Signal = "credential_stuffing"
	Bot       Signal = "bot"
	Fixation  Signal = "session_fixation"
)

// Signals are all of them.
var Signals = []Signal{NewDevice, Travel, Velocity, Stuffing, Bot, Fixation}

// Reason is a signal that was seen, and why, in bounded words.
type Reason struct {
	Signal Signal `json:"signal"`
	Why    string `json:"why"`
}

// Verdict is what was seen of an attempt, and the strongest of what it leads to.
type Verdict struct {
	Outcome Outcome
	Reasons []Reason
	wants   []Outcome // of each reason
}

// add is v with one more reason.
func (v Verdict) add(wants Outcome, s Signal, why string) Verdict {
	if why == "" || wants == Off {
		return v
	}
	v.Reasons, v.wants = append(v.Reasons, Reason{s, why}), append(v.wants, wants)
	if rank[wants] > rank[v.Outcome] {
		v.Outcome = wants
	}
	return v
}

// AtMost is v where no more than o may come of it.
func (v Verdict) AtMost(o Outcome) Verdict {
	if rank[v.Outcome] > rank[o] {
		v.Outcome = o
	}
	return v
}

// Any reports whether anything was seen.
func (v Verdict) Any() bool { return len(v.Reasons) > 0 }

// Asks reports whether o is asked by any of the reasons, within what may come of all.
func (v Verdict) Asks(o Outcome) bool {
	for _, w := range v.wants {
		if w == o && rank[o] <= rank[v.Outcome] {
			return true
		}
	}
	return v.Outcome == o
}

// Has reports whether a signal was seen.
func (v Verdict) Has(s Signal) bool {
	for _, r := range v.Reasons {
		if r.Signal == s {
			return true
		}
	}
	return false
}

// Events.
type (
	// Detected is told of an attempt that is unusual: why, and what came of it.
	Detected struct {
		UserID         string   `json:"user_id,omitempty"`
		Outcome        Outcome  `json:"outcome"`
		Reasons        []Reason `json:"reasons"`                   // each a signal, and why it was seen
		IdentifierHash string   `json:"identifier_hash,omitempty"` // of the name that was typed, keyed
		Country        string   `json:"country,omitempty"`         // ISO 3166, where GEOIP_DATABASE knows it
		ASN            int64    `json:"asn,omitempty"`             // of the provider, likewise
	}
)

// Kind is "risk.detected".
func (Detected) Kind() string { return "risk.detected" }

func (e Detected) Subject() string { return e.UserID }

func (Detected) Failed() {}
