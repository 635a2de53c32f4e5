// Package transfer is how people, their organizations and their ways in come from another service, and go to another: one reader for
// each service, one form between, one writer.
package transfer

import (
	"fmt"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/method/passkey"
)

// Person is somebody as the file tells of them, whatever service it is of. In the file of an export each line is one, or one of the
// other things, with its type beside it.
type Person struct {
	ID            string     `json:"id"`
	Email         string     `json:"email,omitempty"`
	EmailVerified bool       `json:"email_verified,omitempty"`
	Username      string     `json:"username,omitempty"`
	Phone         string     `json:"phone,omitempty"`
	PhoneVerified bool       `json:"phone_verified,omitempty"`
	Name          string     `json:"name,omitempty"`
	Language      string     `json:"language,omitempty"`
	TimeZone      string     `json:"time_zone,omitempty"`
	Disabled      bool       `json:"disabled,omitempty"`
	CreatedAt     *time.Time `json:"created_at,omitempty"`

	PasswordHash  string               `json:"password_hash,omitempty"` // in a form that secret.Known accepts
	TOTP          string               `json:"totp_secret,omitempty"`   // base 32
	Factors       []string             `json:"factors,omitempty"`       // second factors that are set up
	Passkeys      []passkey.Credential `json:"passkeys,omitempty"`
	Identities    []Identity           `json:"identities,omitempty"`
	Roles         []string             `json:"roles,omitempty"` // that hold everywhere
	Organizations []Membership         `json:"organizations,omitempty"`

	place
	notes []string // what of them cannot be taken over, known while reading
}

// Identity is an account at another service that opens the account.
type Identity struct {
	Provider   string     `json:"provider"`
	Issuer     string     `json:"issuer,omitempty"` // "" is that of the provider
	Subject    string     `json:"subject"`
	Email      string     `json:"email,omitempty"`
	Name       string     `json:"name,omitempty"`
	Picture    string     `json:"picture,omitempty"`
	CreatedAt  *time.Time `json:"created_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
}

// Membership is a place in an organization.
type Membership struct {
	Org       string `json:"organization"` // the id of one in the files
	Roles     []Held `json:"roles,omitempty"`
	Suspended bool   `json:"suspended,omitempty"`
}

// Held is a role that somebody holds in an organization.
type Held struct {
	Role      string     `json:"role"` // its key
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Organization is one as the file tells of it.
type Organization struct {
	ID         string     `json:"id"`
	Slug       string     `json:"slug,omitempty"`
	Name       string     `json:"name"`
	RequireMFA bool       `json:"require_mfa,omitempty"`
	Suspended  bool       `json:"suspended,omitempty"`
	CreatedAt  *time.Time `json:"created_at,omitempty"`
	Roles      []Role     `json:"roles,omitempty"`
	Guards     []Guard    `json:"guards,omitempty"`

	place
}

// Role is a role of an organization, or one that holds everywhere.
type Role struct {
	Key         string   `json:"key"`
	Name        string   `json:"name"`
	Base        string   `json:"base,omitempty"`  // of an organization's
	Reach       string   `json:"reach,omitempty"` // of one that holds everywhere
	Permissions []string `json:"permissions"`
}

// Guard is a condition on what may be done.
type Guard struct {
	Pattern   string `json:"pattern"`
	Condition string `json:"condition"`
	Message   string `json:"message,omitempty"`
}

// Permission is an entry of the catalogue.
type Permission struct {
	Name        string `json:"name"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	App         string `json:"app"`
	Sensitive   bool   `json:"sensitive,omitempty"`
	Deprecated  bool   `json:"deprecated,omitempty"`
	AliasOf     string `json:"alias_of,omitempty"`
}

// place is where something stands.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s, line %d", p.file, p.line) }

// Outcome is what came of somebody in a file.
type Outcome string

// The outcomes. Whoever was read has exactly one of them.
const (
	Made     Outcome = "created"
	Already  Outcome = "already_there" // an earlier run made them; nothing was changed
	Conflict Outcome = "conflict"      // an account that is not of this source is in the way; nothing was changed
	Refused  Outcome = "refused"       // cannot be an account; nothing was changed
)

// Item is one of those who were read, or one line that nobody could be read from.
type Item struct {
	File    string   `json:"file"`
	Line    int      `json:"line"`
	ID      string   `json:"id,omitempty"` // in the file
	Outcome Outcome  `json:"outcome"`
	UserID  string   `json:"user_id,omitempty"` // here
	Reason  string   `json:"reason,omitempty"`
	Notes   []string `json:"notes,omitempty"` // what of them could not be taken over
}

// Report is what an import did, or would do. Read is the sum of the four outcomes.
type Report struct {
	Source        string         `json:"source"`
	DryRun        bool           `json:"dry_run"`
	Read          int            `json:"read"`
	Created       int            `json:"created"`
	AlreadyThere  int            `json:"already_there"`
	Conflicts     int            `json:"conflicts"`
	Refused       int            `json:"refused"`
	Noted         int            `json:"noted"` // of those created, how many were not taken over whole
	Organizations OrgCount       `json:"organizations"`
	UnmappedRoles map[string]int `json:"unmapped_roles"` // roles of the source that no --role names, and how many held them
	Items         []Item         `json:"items"`
	Notes         []string       `json:"notes"` // what else could not be taken over
}

// OrgCount is what came of organizations.
type OrgCount struct {
	Read         int `json:"read"`
	Created      int `json:"created"`
	AlreadyThere int `json:"already_there"`
	Refused      int `json:"refused"`
}

func (r *Report) add(i Item) {
	r.Read++
	switch i.Outcome {
	case Made:
		r.Created++
		if len(i.Notes) > 0 {
			r.Noted++
		}
	case Already:
		r.AlreadyThere++
	case Conflict:
		r.Conflicts++
	default:
		r.Refused++
	}
	r.Items = append(r.Items, i)
}

// Batch is what was read from the files of one source.
type Batch struct {
	People      []*Person
	Orgs        []*Organization
	Roles       []Role // that hold everywhere
	Guards      []Guard
	Permissions []Permission
	Faults      []Item // lines that nobody could be read from

	notes []string
	byID  map[string]*Person
	orgs  map[string]*Organization
	later []func() // joins what stands apart, once all is read
	keep  map[string]string
}

// add takes somebody in. r is what they were read from.
func (b *Batch) add(r *row, p *Person) {
	p.place = r.place
	switch {
	case r.wrong != "":
		b.fault(r.place, p.ID, r.wrong)
	case p.ID == "":
		b.fault(r.place, "", "there is no id")
	case b.byID[p.ID] != nil:
		b.fault(r.place, p.ID, fmt.Sprintf("the id stands in line %d already", b.byID[p.ID].line))
	default:
		b.byID[p.ID] = p
		b.People = append(b.People, p)
	}
}

func (b *Batch) fault(at place, id, reason string) {
	b.Faults = append(b.Faults, Item{File: at.file, Line: at.line, ID: id, Outcome: Refused, Reason: reason})
}

// org takes an organization in, once.
func (b *Batch) org(r *row, o *Organization) {
	o.place = r.place
	switch {
	case r.wrong != "" || o.ID == "":
		b.note("%s: the organization was left out: %s", r.place, firstOf(r.wrong, "there is no id"))
	case b.orgs[o.ID] == nil:
		b.orgs[o.ID] = o
		b.Orgs = append(b.Orgs, o)
	}
}

func (b *Batch) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

// join has f complete the person with an id, wherever in the files they stand.
func (b *Batch) join(r *row, what, id string, f func(p *Person)) {
	b.joinBy(r, what, func() string { return id }, f)
}

// joinBy is join of a person whose id is known once all is read.
func (b *Batch) joinBy(r *row, what string, id func() string, f func(p *Person)) {
	at, wrong := r.place, r.wrong
	b.later = append(b.later, func() {
		switch p := b.byID[id()]; {
		case wrong != "":
			b.note("%s: %s was left out: %s", at, what, wrong)
		case p == nil:
			b.note("%s: %s was left out: it is of nobody in these files", at, what)
		default:
			f(p)
		}
	})
}

// belongs makes somebody a member with a role, "" for none.
func (p *Person) belongs(org, role string) {
	var held []Held
	if role != "" {
		held = []Held{{Role: role}}
	}
	for i, m := range p.Organizations {
		if m.Org == org {
			p.Organizations[i].Roles = append(m.Roles, held...)
			return
		}
	}
	p.Organizations = append(p.Organizations, Membership{Org: org, Roles: held})
}

func (p *Person) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}
