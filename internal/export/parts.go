package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/device"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/user"
)

// parts make the files of an export, in this order. None has what is a secret, or what is known of somebody else.
var parts = []func(ctx context.Context, c *copying) error{
	profile, identifiers, waysIn, passkeys, linked, sessions, devices, consents, keys, organizations, messages, events,
}

func profile(ctx context.Context, c *copying) error {
	u := c.user
	origins, err := user.Origins(ctx, c.DB, u.ID)
	if err != nil {
		return err
	}
	return c.file(ctx, "profile.json", map[string]any{
		"site": c.Base, "made_at": c.DB.Now(),
		"id": u.ID, "name": u.Name, "language": u.Language, "time_zone": u.TimeZone, "guest": u.Guest, "roles": list(u.Roles), "created_at": u.CreatedAt, "updated_at": u.UpdatedAt,
		"imported_from": list(origins),
	})
}

func identifiers(ctx context.Context, c *copying) error {
	all, err := c.Users.Identifiers(ctx, c.UserID)
	if err != nil {
		return err
	}
	return c.file(ctx, "identifiers.json", list(all))
}

func waysIn(ctx context.Context, c *copying) error {
	has, err := password.Has(ctx, c.DB, c.UserID)
	if err != nil {
		return err
	}
	codes, err := c.Recovery.Left(ctx, c.UserID)
	if err != nil {
		return err
	}
	return c.file(ctx, "ways_in.json", map[string]any{"password": has, "second_factors": list(c.user.Factors), "recovery_codes_left": codes})
}

type onePasskey struct {
	ID           string     `json:"id"`
	CredentialID []byte     `json:"credential_id"`
	Name         string     `json:"name"`
	Provider     string     `json:"provider,omitempty"`
	Synced       bool       `json:"synced"`
	CreatedAt    time.Time  `json:"created_at"`
	LastUsedAt   *time.Time `json:"last_used_at"`
}

func passkeys(ctx context.Context, c *copying) error {
	all, err := c.Passkeys.List(ctx, c.UserID)
	if err != nil {
		return err
	}
	out := []onePasskey{}
	for _, k := range all {
		out = append(out, onePasskey{k.ID, k.CredentialID, k.Name, k.Provider, k.Synced, k.CreatedAt, k.LastUsedAt})
	}
	return c.file(ctx, "passkeys.json", out)
}

type oneIdentity struct {
	ID         string    `json:"id"`
	Provider   string    `json:"provider"`
	Issuer     string    `json:"issuer"`
	Subject    string    `json:"subject"`
	Email      string    `json:"email,omitempty"`
	Name       string    `json:"name,omitempty"`
	Picture    string    `json:"picture,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
}

func linked(ctx context.Context, c *copying) error {
	all, err := c.Social.List(ctx, c.UserID)
	if err != nil {
		return err
	}
	out := []oneIdentity{}
	for _, i := range all {
		out = append(out, oneIdentity{i.ID, i.Provider, i.Issuer, i.Subject, i.Email, i.Name, i.Picture, i.CreatedAt, i.LastUsedAt})
	}
	return c.file(ctx, "linked_accounts.json", out)
}

type oneSession struct {
	ID        string    `json:"id"`
	Transport string    `json:"transport"`
	Methods   []string  `json:"methods"`
	IP        string    `json:"ip,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Acting    bool      `json:"somebody_acts_in_your_name,omitempty"`
}

func sessions(ctx context.Context, c *copying) error {
	all, err := c.Sessions.List(ctx, c.UserID)
	if err != nil {
		return err
	}
	out := []oneSession{}
	for _, n := range all {
		out = append(out, oneSession{n.ID, string(n.Transport), list(n.AMR), n.IP, n.UserAgent, n.CreatedAt, n.SeenAt, n.ExpiresAt, n.Act != nil})
	}
	return c.file(ctx, "sessions.json", out)
}

type oneDevice struct {
	ID           string     `json:"id"`
	Browser      string     `json:"browser"`
	System       string     `json:"system"`
	IP           string     `json:"ip,omitempty"`
	FirstSeen    time.Time  `json:"first_seen"`
	LastSeen     time.Time  `json:"last_seen"`
	TrustedUntil *time.Time `json:"trusted_until"`
}

func devices(ctx context.Context, c *copying) error {
	all, err := c.Devices.List(ctx, c.UserID)
	if err != nil {
		return err
	}
	out := []oneDevice{}
	for _, d := range all {
		out = append(out, oneDevice{d.ID, d.Browser, d.System, d.IP, d.FirstSeen, d.LastSeen, d.TrustedUntil})
	}
	return c.file(ctx, "devices.json", out)
}

func consents(ctx context.Context, c *copying) error {
	all, err := c.Consents.Of(ctx, c.UserID)
	if err != nil {
		return err
	}
	out := []map[string]any{}
	for _, one := range all {
		out = append(out, map[string]any{"document": one.Document, "version": one.Version, "given_at": one.GivenAt})
	}
	return c.file(ctx, "consents.json", out)
}

type oneKey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint"`
	Scopes     []string   `json:"scopes"`
	OrgID      string     `json:"org_id,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func keys(ctx context.Context, c *copying) error {
	all, err := c.Keys.List(ctx, c.UserID)
	if err != nil {
		return err
	}
	out := []oneKey{}
	for _, k := range all {
		out = append(out, oneKey{k.ID, k.Name, k.Hint, list(k.Scopes), k.OrgID, k.CreatedAt, k.ExpiresAt, k.SeenAt})
	}
	return c.file(ctx, "api_keys.json", out)
}

type oneOrg struct {
	ID       string    `json:"id"`
	Slug     string    `json:"slug"`
	Name     string    `json:"name"`
	Roles    []string  `json:"roles"`
	JoinedAt time.Time `json:"joined_at"`
}

func organizations(ctx context.Context, c *copying) error {
	root, err := c.Authz.Root(ctx)
	if err != nil {
		return err
	}
	out := []oneOrg{}
	for _, orgID := range root.OrgsOf(c.UserID) {
		o, err := c.Orgs.Find(ctx, authz.System, orgID)
		var m org.Member
		if err == nil {
			m, err = c.Orgs.Member(ctx, authz.Caller{User: c.UserID}, orgID, c.UserID)
		}
		if errors.Is(err, org.ErrNotFound) || errors.Is(err, org.ErrMember) {
			continue // it, or their membership, is gone since
		}
		if err != nil {
			return err
		}
		out = append(out, oneOrg{o.ID, o.Slug, o.Name, list(root.RoleKeys(orgID, c.UserID, c.DB.Now())), m.CreatedAt})
	}
	return c.file(ctx, "organizations.json", out)
}

type oneMessage struct {
	ID        string     `json:"id"`
	Channel   string     `json:"channel"`
	Kind      string     `json:"kind"`
	State     string     `json:"state"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

func messages(ctx context.Context, c *copying) error {
	all, err := c.Notify.To(ctx, c.UserID)
	if err != nil {
		return err
	}
	out := []oneMessage{}
	for _, d := range all {
		out = append(out, oneMessage{d.ID, string(d.Channel), d.Template, d.State, d.CreatedAt, d.EndedAt})
	}
	return c.file(ctx, "messages.json", out)
}

const (
	eventsAtOnce = 500
	eventsInFile = 5_000
)

type oneEvent struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Kind      string          `json:"kind"`
	Outcome   string          `json:"outcome"`
	By        string          `json:"by"`    // you, operator, or somebody: a stranger, or not signed in
	About     string          `json:"about"` // you, an id of what is no person, or somebody else
	OrgID     string          `json:"org_id,omitempty"`
	SessionID string          `json:"session_id,omitempty"`
	IP        string          `json:"ip,omitempty"`
	UserAgent string          `json:"user_agent,omitempty"`
	Device    string          `json:"device,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
}

// events are what the person did and what was done to them, newest first, a file for each few thousand.
func events(ctx context.Context, c *copying) error {
	out, cursor := []oneEvent{}, ""
	for number := 1; ; {
		page, err := c.Audit.Of(ctx, c.UserID, cursor, eventsAtOnce)
		if err != nil {
			return err
		}
		for _, r := range page.Items {
			out = append(out, newEvent(r, c.UserID))
		}
		if page.Next != "" && len(out) < eventsInFile {
			if err := c.hold(ctx, nil); err != nil { // much may be read of which nothing is theirs
				return err
			}
		} else if err := c.file(ctx, fmt.Sprintf("events-%03d.json", number), out); err != nil {
			return err
		} else {
			number, out = number+1, out[:0]
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
}

// newEvent leaves out who else was there, and from where they were.
func newEvent(r audit.Record, me string) oneEvent {
	r, by := r.SeenBy(me)
	e := oneEvent{ID: r.ID, At: r.At, Kind: r.Kind, Outcome: r.Outcome, By: by, About: r.Subject, OrgID: r.OrgID, SessionID: r.SessionID, IP: r.IP, UserAgent: r.UserAgent}
	switch {
	case r.Subject == me:
		e.About = "you"
	case strings.HasPrefix(r.Subject, "usr_"):
		e.About = "somebody else"
	}
	if r.UserAgent != "" {
		e.Device = device.Name(r.UserAgent)
	}
	if by != "operator" && r.Subject == me && !slices.ContainsFunc(person.FindAllString(string(r.Data), -1), func(who string) bool { return who != me }) {
		e.Data = r.Data
	}
	return e
}

var person = regexp.MustCompile(`usr_[0-9a-zA-Z-]+`)

// list is a list also where there is nothing.
func list[T any](some []T) []T { return append([]T{}, some...) }
