package transfer

import "strings"

// auth0Providers are the connections of Auth0 to services that Admit knows too.
var auth0Providers = map[string]string{"google-oauth2": "google", "windowslive": "microsoft", "waad": "microsoft", "twitter": "x"}

// auth0Row reads a line of Auth0: a user of the bulk export (or of the form it imports), a line of the export of password hashes, or an
// organization with its members as the Management API gives them.
func auth0Row(b *Batch, r *row) {
	switch {
	case r.has("passwordHash") && r.has("_id"):
		auth0Hash(b, r)
	case strings.HasPrefix(r.text("id"), "org_"):
		auth0Org(b, r)
	default:
		auth0User(b, r)
	}
}

func auth0User(b *Batch, r *row) {
	p := &Person{ID: r.text("user_id"), Email: r.text("email"), EmailVerified: r.truth("email_verified"), Username: r.text("username"),
		Phone: r.text("phone_number"), PhoneVerified: r.truth("phone_verified"), Disabled: r.truth("blocked"), CreatedAt: r.moment("created_at")}
	p.Name = firstOf(r.text("name"), strings.TrimSpace(r.text("given_name")+" "+r.text("family_name")), r.text("nickname"))
	if strings.EqualFold(p.Name, p.Email) {
		p.Name = ""
	}
	if p.ID != "" && !strings.Contains(p.ID, "|") {
		p.ID = "auth0|" + p.ID // as it is written where it is imported from
	}
	app := r.sub("app_metadata")
	p.Roles = append(append(r.texts("roles"), app.texts("roles")...), app.sub("authorization").texts("roles")...)
	r.adopt(app)
	p.PasswordHash = firstOf(r.text("password_hash"), r.text("passwordHash"), r.sub("custom_password_hash").sub("hash").text("value"))
	for _, i := range r.subs("identities") {
		provider, data := i.text("provider"), i.sub("profileData")
		if provider == "auth0" || provider == "email" || provider == "sms" {
			continue
		}
		p.Identities = append(p.Identities, Identity{Provider: firstOf(auth0Providers[provider], provider), Subject: i.text("user_id"), Email: data.text("email"),
			Name: data.text("name"), Picture: data.text("picture")})
		r.adopt(i)
	}
	for _, f := range r.subs("mfa_factors") {
		if totp := f.sub("totp"); totp.has("secret") {
			p.TOTP = totp.text("secret")
		}
	}
	b.add(r, p)
}

func auth0Hash(b *Batch, r *row) {
	id := firstOf(r.sub2("_id", "$oid"))
	hash := r.text("passwordHash")
	b.join(r, "a password hash", "auth0|"+strings.TrimPrefix(id, "auth0|"), func(p *Person) { p.PasswordHash = hash })
}

// sub2 is a member of a member, or the member itself where it is text.
func (r *row) sub2(name, inner string) string {
	if _, ok := r.members[plain(name)].(map[string]any); ok {
		return r.sub(name).text(inner)
	}
	return r.text(name)
}

func auth0Org(b *Batch, r *row) {
	o := &Organization{ID: r.text("id"), Slug: r.text("name"), Name: firstOf(r.text("display_name"), r.text("name"))}
	b.org(r, o)
	for _, m := range r.subs("members") {
		var roles []string
		for _, v := range m.list("roles") {
			if role, ok := v.(map[string]any); ok {
				roles = append(roles, rowOf(role, r.place).text("name"))
			} else if role, ok := v.(string); ok {
				roles = append(roles, role)
			}
		}
		b.join(r, "a member of "+o.Name, m.text("user_id"), func(p *Person) {
			p.belongs(o.ID, "")
			for _, role := range roles {
				p.belongs(o.ID, role)
			}
		})
	}
}
