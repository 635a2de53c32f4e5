// Package serviceaccount is programs that act for themselves: they belong to an organization or to the site, hold roles as people do, have
// keys, and no way to sign in.
package serviceaccount

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// Manage is the permission to make, change and delete service accounts, of an organization or of the site.
const Manage = "sys:service-accounts:manage"

// The refusals of this package.
var (
	ErrNone        = apperr.New(apperr.NotFound, "service_account_not_found", "There is no such service account.")
	ErrDescription = apperr.New(apperr.Invalid, "service_account_description_invalid", "A description has at most 500 characters.").In("description")
	ErrClient      = apperr.New(apperr.Unauthenticated, "client_invalid", "The service account and its key do not belong together, or the key is not valid.")
	ErrScope       = apperr.New(apperr.Malformed, "scope_invalid", "The scope names something that the key is not for.")
)

// Account is a program that acts for itself.
type Account struct {
	ID          string // svc_…
	OrgID       string // whose it is; "" is the site
	Name        string
	Description string
	CreatedBy   string
	CreatedAt   time.Time
	DisabledAt  *time.Time
}

// New is a service account to be.
type New struct {
	Org         string // the id or the slug of an organization; "" is the site
	Name        string
	Description string
	Roles       []string // of the organization, or global ones
}

type (
	// Created is told of a new service account.
	Created struct {
		AccountID string `json:"account_id"`
		OrgID     string `json:"org_id,omitempty"`
	}
	// Updated is told of a service account with another name or description: the names of the fields, never their values.
	Updated struct {
		AccountID string   `json:"account_id"`
		Fields    []string `json:"fields"`
	}
)

func (Created) Kind() string { return "service_account.created" }
func (Updated) Kind() string { return "service_account.updated" }

func (e Created) Subject() string { return e.AccountID }
func (e Updated) Subject() string { return e.AccountID }
