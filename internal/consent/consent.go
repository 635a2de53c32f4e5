// Package consent is what people agreed to, by document and version, and since when: what Article 7(1) of the GDPR asks to be shown. What
// they agreed to before, and what they took back, is in the audit log.
package consent

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
)

// Config is what people are asked to agree to when they make an account.
type Config struct {
	Terms   string `env:"TERMS_URL" doc:"Where your terms of use are. The page that makes an account leads there, and says that making one agrees to them. Empty asks for nothing."`
	Privacy string `env:"PRIVACY_URL" doc:"Where your privacy policy is. The page that makes an account leads there."`
	Version string `env:"TERMS_VERSION" default:"1" doc:"Which version of TERMS_URL an account that is made on that page agrees to, such as 2026-11-01."`
}

// Check refuses what is no address.
func (c Config) Check(bool) error {
	var faults []error
	for name, text := range map[string]string{"TERMS_URL": c.Terms, "PRIVACY_URL": c.Privacy} {
		if u, err := url.Parse(text); err != nil || text != "" && u.Scheme != "https" && u.Scheme != "http" && !strings.HasPrefix(text, "/") {
			faults = append(faults, fmt.Errorf("%s is no address of a page; write it as https://example.com/terms", name))
		}
	}
	if !printed.MatchString(c.Version) {
		faults = append(faults, errors.New("TERMS_VERSION has 1 to 64 printable characters; write it as 2026-11-01"))
	}
	return errors.Join(faults...)
}

// Consent is something that somebody agrees to: a name that you choose, such as terms or newsletter, and which version of it.
type Consent struct {
	Document string    `db:"document"`
	Version  string    `db:"version"`
	GivenAt  time.Time `db:"given_at"`
}

// Terms is the document of Config.
const Terms = "terms"

// Refusals.
var (
	ErrDocument = apperr.New(apperr.Invalid, "consent_document_invalid", "A document is called by 1 to 64 small letters, digits and -, the first of them a letter.").In("document")
	ErrVersion  = apperr.New(apperr.Invalid, "consent_version_invalid", "A version has 1 to 64 printable characters.").In("version")
	ErrTooMany  = apperr.New(apperr.Conflict, "consents_too_many", "Somebody agrees to at most 100 documents.")
	ErrNotFound = apperr.New(apperr.NotFound, "consent_not_found", "That was not agreed to.")
)

// most is how many documents one person agrees to.
const most = 100

var (
	name    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	printed = regexp.MustCompile(`^[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?$`)
)

func (c Consent) check() error {
	var d, v error
	if !name.MatchString(c.Document) {
		d = ErrDocument
	}
	if !printed.MatchString(c.Version) {
		v = ErrVersion
	}
	return apperr.Fields(d, v)
}

// What is told.
type (
	// Given is told of somebody who agreed to a version of a document.
	Given struct {
		UserID   string `json:"-"`
		Document string `json:"document"`
		Version  string `json:"version"`
	}
	// Withdrawn is told of somebody who agrees to a document no longer.
	Withdrawn struct {
		UserID   string `json:"-"`
		Document string `json:"document"`
		Version  string `json:"version"`
	}
)

// Kind names the event.
func (Given) Kind() string { return "consent.given" }

// Kind names the event.
func (Withdrawn) Kind() string { return "consent.withdrawn" }

// Subject is whose it is.
func (e Given) Subject() string { return e.UserID }

// Subject is whose it is.
func (e Withdrawn) Subject() string { return e.UserID }
