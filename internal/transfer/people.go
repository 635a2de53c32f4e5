package transfer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/account"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

var sourceForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,47}$`)

// plan is somebody who can be made: everything that the files say has been read, and what cannot be taken over is named.
type plan struct {
	item       Item
	past       user.Past
	hash, totp string
	passkeys   []passkey.Credential
	identities []social.Identity
	roles      []string
	members    []member
}

type member struct {
	org       string
	roles     []org.Held
	suspended bool
}

// people makes some of them in one change, and, where that fails for a reason that nobody foresaw, each in one of their own.
func (w *writer) people(ctx context.Context, part []*Person) error {
	plans := make([]*plan, len(part))
	for i, p := range part {
		plans[i] = w.plan(p)
	}
	err := w.write(ctx, plans)
	if err != nil && ctx.Err() == nil && !errors.Is(err, database.ErrUnavailable) {
		for _, p := range plans {
			if err := w.write(ctx, []*plan{p}); err != nil {
				if ctx.Err() != nil || errors.Is(err, database.ErrUnavailable) {
					return err
				}
				p.item.Outcome, p.item.UserID, p.item.Reason = Refused, "", err.Error()
			}
			w.report.add(p.item)
		}
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range plans {
		w.report.add(p.item)
	}
	return nil
}

func (w *writer) write(ctx context.Context, plans []*plan) error {
	if w.order.DryRun {
		for _, p := range plans {
			if err := w.judge(ctx, w.db, p, w.db.Now()); err != nil {
				return err
			}
		}
		return nil
	}
	return w.authz.Write(ctx, authz.System, func(tx *authz.Tx) error {
		tx.Quiet() // nobody may be new
		for _, p := range plans {
			if err := w.judge(tx.Context(), tx.Tx, p, tx.Now); err != nil {
				return err
			}
			if p.item.Outcome == Made {
				if err := w.make(tx, p); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// judge says what becomes of somebody, by what is there now.
func (w *writer) judge(ctx context.Context, q database.Querier, p *plan, now time.Time) error {
	if p.item.Outcome == Refused {
		return nil
	}
	p.item.Outcome, p.item.Reason, p.item.UserID = Made, "", ""
	if w.order.DryRun && p.past.ID != "" {
		p.item.UserID = p.past.ID
	}
	userID, err := user.ImportedAs(ctx, q, w.order.Source, p.item.ID)
	if err != nil || userID != "" {
		p.item.Outcome, p.item.UserID = Already, userID
		return err
	}
	conflict := func(userID, what string) {
		p.item.Outcome, p.item.UserID, p.item.Reason = Conflict, "", "the account "+userID+" has "+what
	}
	for _, i := range p.past.Identifiers {
		owner, err := user.Owner(ctx, q, i, now)
		if err != nil {
			return err
		}
		if owner != "" {
			conflict(owner, "the "+named[i.Kind])
			return nil
		}
	}
	if p.past.ID != "" {
		switch _, err := user.ByID(ctx, q, p.past.ID); {
		case err == nil:
			conflict(p.past.ID, "the id")
			return nil
		case !errors.Is(err, user.ErrNotFound):
			return err
		}
	}
	for _, i := range p.identities {
		owner, err := social.Opens(ctx, q, i.Issuer, i.Subject)
		if err != nil {
			return err
		}
		if owner != "" {
			conflict(owner, "the account at "+i.Provider)
			return nil
		}
	}
	for _, k := range p.passkeys {
		there, err := passkey.Known(ctx, q, k.CredentialID)
		if err != nil {
			return err
		}
		if there {
			conflict("of somebody", "the passkey "+k.Name)
			return nil
		}
	}
	return nil
}

var named = map[string]string{user.KindEmail: "e-mail address", user.KindUsername: "username", user.KindPhone: "phone number"}

// make adds somebody with everything of theirs.
func (w *writer) make(tx *authz.Tx, p *plan) error {
	userID, err := user.Import(tx.Tx, p.past)
	if err != nil {
		return err
	}
	p.item.UserID = userID
	if p.past.Disabled {
		tx.TouchMember("", userID)
	}
	if p.hash != "" {
		if err := password.Import(tx.Tx, userID, p.hash); err != nil {
			return err
		}
	}
	if p.totp != "" {
		if err := w.apps.Import(tx.Tx, userID, p.totp); err != nil {
			return err
		}
	}
	for _, k := range p.passkeys {
		if err := passkey.Import(tx.Tx, userID, k); err != nil {
			return err
		}
	}
	for _, i := range p.identities {
		i.UserID = userID
		if err := social.Import(tx.Tx, i); err != nil {
			return err
		}
	}
	for _, m := range p.members {
		if err := org.AddImported(tx, m.org, userID, m.roles, m.suspended); err != nil {
			return err
		}
	}
	for _, role := range p.roles {
		if err := account.Grant(tx, userID, role); err != nil {
			return err
		}
	}
	return nil
}

// plan reads somebody. What of them cannot be taken over is noted, and they are refused only when nothing is left to find them by.
func (w *writer) plan(p *Person) *plan {
	out := &plan{item: Item{File: p.file, Line: p.line, ID: p.ID, Outcome: Made, Notes: slices.Clone(p.notes)}}
	note := func(format string, args ...any) {
		out.item.Notes = append(out.item.Notes, fmt.Sprintf(format, args...))
	}
	out.past = user.Past{Source: w.order.Source, ExternalID: p.ID, Disabled: p.Disabled, CreatedAt: p.CreatedAt}
	if id.Valid("usr", p.ID) {
		out.past.ID = p.ID
	}
	if err := fit(p.ID); err != nil {
		out.refuse("%s", err)
		return out
	}
	w.names(p, out, note)
	var wrong []error
	out.past.Name, out.past.Language, out.past.TimeZone, wrong = w.users.ParseProfile(p.Name, p.Language, p.TimeZone)
	for _, err := range wrong {
		note("%s", err)
	}
	w.waysIn(p, out, note)
	if len(out.past.Identifiers)+len(out.identities) == 0 {
		out.refuse("there is no e-mail address, username, phone number or account elsewhere that can be taken over")
		return out
	}
	for _, role := range p.Roles {
		if key, ok := w.order.Roles[role]; !ok {
			w.report.UnmappedRoles[role]++
		} else if !slices.Contains(out.roles, key) {
			out.roles = append(out.roles, key)
		}
	}
	w.memberships(p, out, note)
	w.unique(p, out)
	return out
}

// fit tells whether an id of the source can be kept.
func fit(id string) error {
	if len(id) > 255 || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0xFFFD }) {
		return errors.New("the id is too long, or no text")
	}
	return nil
}

func (p *plan) refuse(format string, args ...any) {
	p.item.Outcome, p.item.Reason, p.item.Notes = Refused, fmt.Sprintf(format, args...), nil
}

// names reads what somebody is found by. A username that is an address is taken for one where there is no other.
func (w *writer) names(p *Person, out *plan, note func(string, ...any)) {
	email, username := p.Email, p.Username
	if strings.Contains(username, "@") {
		email, username = firstOf(email, username), ""
	}
	for _, n := range []struct {
		text     string
		parse    func(string) (user.Identifier, error)
		verified bool
	}{{email, user.ParseEmail, p.EmailVerified && p.Email != ""}, {username, user.ParseUsername, false}, {p.Phone, w.users.ParsePhone, p.PhoneVerified}} {
		if n.text == "" {
			continue
		}
		i, err := n.parse(n.text)
		if err != nil {
			note("%q: %s", n.text, err)
			continue
		}
		out.past.Identifiers = append(out.past.Identifiers, i)
		if n.verified {
			out.past.Verified = append(out.past.Verified, i)
		}
	}
}

// waysIn reads passwords, second factors and accounts elsewhere.
func (w *writer) waysIn(p *Person, out *plan, note func(string, ...any)) {
	switch {
	case p.PasswordHash == "":
	case secret.Known(p.PasswordHash):
		out.hash = p.PasswordHash
	default:
		note("the password: its hash is of no kind that is known here, or too costly")
	}
	if p.TOTP != "" {
		var err error
		if out.totp, err = totp.ParseSecret(p.TOTP); err != nil {
			note("the second factor: %s", err)
		}
	}
	for _, k := range p.Passkeys {
		if !k.Sound() || len(out.passkeys) == passkey.Most {
			note("the passkey %s", k.Name)
			continue
		}
		out.passkeys = append(out.passkeys, k)
	}
	for _, i := range p.Identities {
		known := true
		if i.Issuer == "" {
			i.Issuer, known = w.providers.Issuer(i.Provider)
		}
		one := social.Identity{Provider: i.Provider, Issuer: i.Issuer, Subject: i.Subject, Name: i.Name, Picture: i.Picture}
		if err := one.Clean(); err != nil || !known {
			note("the account at %s: nobody can be known again by it here", i.Provider)
			continue
		}
		if address, err := user.ParseEmail(i.Email); err == nil {
			one.Email = address.Value
		}
		if i.CreatedAt != nil {
			one.CreatedAt = *i.CreatedAt
		}
		if i.LastUsedAt != nil {
			one.LastUsedAt = *i.LastUsedAt
		}
		same := func(o social.Identity) bool { return o.Issuer == one.Issuer && o.Subject == one.Subject }
		if !slices.ContainsFunc(out.identities, same) {
			out.identities = append(out.identities, one)
		}
	}
}

// memberships reads where somebody belongs.
func (w *writer) memberships(p *Person, out *plan, note func(string, ...any)) {
	add := func(t target, m Membership) {
		one := member{org: t.id, suspended: m.Suspended}
		for _, h := range m.Roles {
			held, ok := w.role(t, h.Role)
			if !ok {
				note("the role %s in %s: there is none there, and no --org-role that says which is meant", h.Role, m.Org)
				continue
			}
			if held.ExpiresAt = h.ExpiresAt; held.ID == authz.Owner {
				held.ExpiresAt = nil
			}
			if !slices.ContainsFunc(one.roles, func(o org.Held) bool { return o.ID == held.ID && o.Key == held.Key }) {
				one.roles = append(one.roles, held)
			}
		}
		if len(one.roles) == 0 {
			one.roles = []org.Held{t.roles[authz.PlainMember]}
		}
		if !slices.ContainsFunc(out.members, func(o member) bool { return o.org == t.id && t.id != "" }) {
			out.members = append(out.members, one)
		}
	}
	for _, m := range p.Organizations {
		if t, ok := w.at[m.Org]; ok {
			add(t, m)
		} else {
			note("the membership in %s: it is no organization of these files", m.Org)
		}
	}
	if w.order.Org != "" {
		add(w.own, Membership{Org: w.order.Org})
	}
}

// unique refuses somebody who has what only one can have, and somebody before them in the files has it.
func (w *writer) unique(p *Person, out *plan) {
	has := map[string]string{} // what, and how it is called
	for _, i := range out.past.Identifiers {
		has[i.Kind+" "+i.Value] = "the " + named[i.Kind] + " " + i.Value
	}
	for _, i := range out.identities {
		has["identity "+i.Issuer+" "+i.Subject] = "the account at " + i.Provider
	}
	for _, k := range out.passkeys {
		has["passkey "+string(k.CredentialID)] = "the passkey " + k.Name
	}
	for _, what := range slices.Sorted(maps.Keys(has)) {
		if before, taken := w.seen[what]; taken {
			out.refuse("%s stands at %s already", has[what], before)
			return
		}
	}
	for what := range has {
		w.seen[what] = p.place
	}
}
