package transfer

import (
	"encoding/base32"

	"github.com/admit-dev/admit/internal/secret"
)

var betterAuthProviders = map[string]string{"twitter": "x"}

// betterAuthRow reads a row of the tables user, account, organization, member and twoFactor.
func betterAuthRow(b *Batch, r *row) {
	switch betterAuthTable(r) {
	case "user":
		betterAuthUser(b, r)
	case "account":
		betterAuthAccount(b, r)
	case "organization":
		b.org(r, &Organization{ID: r.text("id"), Slug: r.text("slug"), Name: r.text("name"), CreatedAt: r.moment("createdAt")})
	case "member":
		org, roles := r.text("organizationId"), r.texts("role")
		b.join(r, "a membership", r.text("userId"), func(p *Person) {
			p.belongs(org, "")
			for _, role := range roles {
				p.belongs(org, role)
			}
		})
	case "twofactor":
		sealed, verified := r.text("secret"), !r.has("verified") || r.truth("verified")
		b.join(r, "a second factor", r.text("userId"), func(p *Person) {
			if verified {
				b.betterAuthFactor(p, sealed)
			}
		})
	case "":
		b.fault(r.place, r.text("id"), "this is no row of the tables user, account, organization, member or twoFactor")
	}
}

// betterAuthTable is the table a row is of: the name it stands under, or what its columns say. Rows of other tables are "other".
func betterAuthTable(r *row) string {
	names := map[string]string{"users": "user", "accounts": "account", "organizations": "organization", "members": "member", "twofactors": "twofactor"}
	name := plain(r.table)
	name = firstOf(names[name], name)
	switch {
	case name == "user" || name == "account" || name == "organization" || name == "member" || name == "twofactor":
		return name
	case name != "":
		return "other"
	case r.column("providerId"):
		return "account"
	case r.column("secret") && r.column("userId"):
		return "twofactor"
	case r.column("organizationId") && r.column("userId"):
		return "member"
	case r.column("emailVerified") || r.column("email") && !r.column("organizationId"):
		return "user"
	case r.column("slug"):
		return "organization"
	}
	return ""
}

func betterAuthUser(b *Batch, r *row) {
	if r.truth("isAnonymous") {
		b.note("%s: %s was left out: they are a guest", r.place, r.text("id"))
		return
	}
	b.add(r, &Person{ID: r.text("id"), Email: r.text("email"), EmailVerified: r.truth("emailVerified"), Username: r.text("username"), Phone: r.text("phoneNumber"),
		PhoneVerified: r.truth("phoneNumberVerified"), Name: r.text("name"), Disabled: r.truth("banned"), CreatedAt: r.moment("createdAt"), Roles: r.texts("role")})
}

func betterAuthAccount(b *Batch, r *row) {
	provider, subject, hash, at := r.text("providerId"), r.text("accountId"), r.text("password"), r.moment("createdAt")
	b.join(r, "an account", r.text("userId"), func(p *Person) {
		if provider == "credential" {
			p.PasswordHash = hash
			return
		}
		p.Identities = append(p.Identities, Identity{Provider: firstOf(betterAuthProviders[provider], provider), Subject: subject, CreatedAt: at})
	})
}

// betterAuthFactor opens the secret of an app. better-auth gives apps the base 32 of the text that it keeps.
func (b *Batch) betterAuthFactor(p *Person, sealed string) {
	if b.keep["key"] == "" {
		p.note("the second factor: it is sealed; give the secret of better-auth with --key-file")
		return
	}
	text, err := secret.OpenBetterAuth(b.keep["key"], sealed)
	if err != nil {
		p.note("the second factor: it was not sealed with the secret that was given")
		return
	}
	p.TOTP = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(text))
}
