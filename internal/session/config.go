package session

import (
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/secret"
)

// Config says how long sessions live and what renews them.
type Config struct {
	ExpireHours    int           `env:"SESSION_EXPIRE_HOURS" default:"24" min:"1" max:"8760" doc:"Hours a cookie session lives, however much it is used."`
	RememberHours  int           `env:"SESSION_REMEMBER_HOURS" default:"720" min:"1" max:"17520" doc:"Hours it lives when the person asked to be remembered."`
	IdleMinutes    int           `env:"SESSION_IDLE_MINUTES" default:"0" min:"0" max:"525600" doc:"Minutes without a request after which a session ends. 0 is never."`
	Cache          int           `env:"SESSION_CACHE_ENTRIES" default:"100000" min:"0" max:"10000000" doc:"Most sessions kept in memory, checked without the database. 0 keeps none."`
	RefreshMinutes int           `env:"REFRESH_TOKEN_EXPIRE_M" default:"43200" min:"1" max:"1051200" doc:"Minutes a refresh token lives. Each use gives a new one."`
	RefreshMaxDays int           `env:"REFRESH_MAX_DAYS" default:"180" min:"1" max:"3650" doc:"Days after which a session with refresh tokens ends, however often they were renewed."`
	GraceSeconds   int           `env:"REFRESH_GRACE_SECONDS" default:"30" min:"0" max:"300" doc:"Seconds in which the refresh token used last gets the same successor again: two tabs, a lost answer. 0 is strict one-time use."`
	RefreshSecret  secret.String `env:"REFRESH_SECRET" secret:"true" doc:"Key that refresh tokens are derived from, 32 characters or more. Empty derives it from SESSION_SECRET_KEY."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	if n := len(c.RefreshSecret.Reveal()); n > 0 && n < 32 {
		return errors.New("REFRESH_SECRET has fewer than 32 characters: make one with admit keygen, or leave it out")
	}
	return nil
}

// idle is how long a session is kept alive without a request. A key waits for its next use as long as it lives.
func (c Config) idle(t Transport) time.Duration {
	if t == Key {
		return 0
	}
	return time.Duration(c.IdleMinutes) * time.Minute
}

// lifetime is how long a new session lives.
func (c Config) lifetime(t Transport, remember bool) time.Duration {
	switch {
	case t == Token:
		return time.Duration(c.RefreshMinutes) * time.Minute
	case remember:
		return time.Duration(c.RememberHours) * time.Hour
	default:
		return time.Duration(c.ExpireHours) * time.Hour
	}
}

// renewed is when a session ends whose refresh token is used now. One in which somebody acts in the name of another is not prolonged.
func (c Config) renewed(s Session, now time.Time) time.Time {
	if s.Act != nil {
		return s.ExpiresAt
	}
	last := s.CreatedAt.Add(time.Duration(c.RefreshMaxDays) * 24 * time.Hour)
	if end := now.Add(time.Duration(c.RefreshMinutes) * time.Minute); end.Before(last) {
		return end
	}
	return last
}
