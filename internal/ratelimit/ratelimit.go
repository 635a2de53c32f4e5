// Package ratelimit says how often something may happen: GCRA, a leaky bucket that remembers one instant per key.
package ratelimit

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// ErrLimited is the refusal of a caller who has to wait.
var ErrLimited = apperr.New(apperr.TooMany, "rate_limited", "Too many requests. Wait a little and try again.")

// Rule allows Burst takes at once and refills evenly, Limit of them in each Per.
type Rule struct {
	Name  string // printable ASCII; two rules with different names never share a count
	Limit int
	Per   time.Duration
	Burst int // 0 means Limit
}

// Quota is how many takes an untouched key has.
func (r Rule) Quota() int {
	_, window := r.terms()
	if window == 0 {
		return 0
	}
	step, _ := r.terms()
	return int(window / step)
}

// Window is how long a key that has used its whole Quota takes to have all of it again.
func (r Rule) Window() time.Duration {
	_, window := r.terms()
	return time.Duration(window)
}

// Step is how long a key that has used its whole Quota takes to have one again.
func (r Rule) Step() time.Duration {
	step, _ := r.terms()
	return time.Duration(step)
}

// terms gives the cost of one take and of the whole quota, in nanoseconds. A rule without a limit or a time allows nothing:
// a forgotten value must not open the door.
func (r Rule) terms() (step, window int64) {
	if r.Limit <= 0 || r.Per <= 0 || r.Burst < 0 {
		return 0, 0
	}
	// Rounded up, so that a limit that does not divide the time is never exceeded.
	step = (int64(r.Per) + int64(r.Limit) - 1) / int64(r.Limit)
	burst := int64(r.Burst)
	if burst == 0 {
		burst = int64(r.Limit)
	}
	return step, step * max(1, min(burst, math.MaxInt64/8/step))
}

// Result is the answer to one take.
type Result struct {
	Allowed    bool
	Limit      int           // the quota of the rule
	Remaining  int           // takes left at this instant
	ResetAfter time.Duration // until the whole quota is there again
	RetryAfter time.Duration // until the next take can succeed; 0 when this one did
}

// Err is nil when the take was allowed, and ErrLimited with the time to wait when it was not.
func (r Result) Err() error {
	if r.Allowed {
		return nil
	}
	return ErrLimited.Wait(r.RetryAfter)
}

// IPKey is what an address counts as: IPv4 whole (also when mapped into IPv6), IPv6 by its /64, which is what one customer is
// given. Text that is no address counts as itself.
func IPKey(ip string) string {
	if strings.IndexByte(ip, ':') < 0 {
		return ip
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}
