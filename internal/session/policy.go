package session

import (
	"slices"
	"time"
)

// verdict is what a refresh token deserves.
type verdict int

const (
	dead   verdict = iota // the session has ended
	rotate                // the token is the current one
	repeat                // its successor was given a moment ago, to the same device: give it again
	reused                // it comes too late, or from elsewhere
)

// judge is the only place that decides about a refresh token whose authenticity is shown.
func judge(s Session, generation int64, userAgent string, now time.Time, grace time.Duration) verdict {
	switch {
	case !now.Before(s.ExpiresAt):
		return dead
	case generation == s.generation:
		return rotate
	case generation == s.generation-1 && s.rotatedAt != nil && now.Sub(*s.rotatedAt) < grace && userAgent == s.UserAgent:
		return repeat
	default:
		return reused
	}
}

// alive reports whether a session may be used now, having been seen last at seen.
func alive(s Session, seen, now time.Time, idle time.Duration) bool {
	return now.Before(s.ExpiresAt) && (idle == 0 || now.Before(seen.Add(idle)))
}

// MFA reports whether a second factor was shown or set up in a session, or was on a device that its person trusts.
func (s Session) MFA() bool { return slices.Contains(s.AMR, "mfa") || slices.Contains(s.AMR, Trusted) }

// FreshAt is when the person last proved that it is them: signing in, or since.
func (s Session) FreshAt() time.Time {
	if s.ProvedAt != nil && s.ProvedAt.After(s.AuthAt) {
		return *s.ProvedAt
	}
	return s.AuthAt
}

// Fresh reports whether that is less than most ago.
func (s Session) Fresh(now time.Time, most time.Duration) bool {
	return now.Before(s.FreshAt().Add(most))
}
