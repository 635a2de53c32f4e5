package main

import (
	"cmp"
	"time"

	"github.com/admit-dev/admit/internal/user"
)

// userView is a person as the API shows one.
type userView struct {
	ID            string    `json:"id"`
	Email         *string   `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	Username      *string   `json:"username"`
	Phone         *string   `json:"phone"`
	PhoneVerified bool      `json:"phone_verified"`
	Name          string    `json:"name"`
	IsActive      bool      `json:"is_active"`
	Role          string    `json:"role"`
	Roles         []string  `json:"roles"`
	Organizations []string  `json:"organizations"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

func viewOf(u user.User) userView {
	return userView{u.ID, orNull(u.Email), u.EmailVerified, orNull(u.Username), orNull(u.Phone), u.PhoneVerified, u.Name, u.Active(),
		u.Role(), append([]string{}, u.Roles...), []string{}, u.CreatedAt, u.UpdatedAt}
}

// sessionView is a session as the API shows one.
type sessionView struct {
	ID         string    `json:"id"`
	Transport  string    `json:"transport"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent"`
	Methods    []string  `json:"methods"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// label is the shortest name a person is found by.
func label(u user.User) string { return cmp.Or(u.Email, u.Username, u.Phone, u.ID) }

func state(u user.User) string {
	if u.Active() {
		return "active"
	}
	return "disabled"
}
