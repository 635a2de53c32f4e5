package transfer

import "strings"

var supabaseProviders = map[string]string{"azure": "microsoft", "twitter": "x", "linkedin_oidc": "linkedin", "slack_oidc": "slack"}

// supabaseRow reads a row of the tables users, identities and mfa_factors of the schema auth.
func supabaseRow(b *Batch, r *row) {
	switch {
	case r.table == "users" || r.table == "" && (r.column("encrypted_password") || r.column("raw_user_meta_data")):
		supabaseUser(b, r)
	case r.table == "identities" || r.table == "" && r.column("identity_data"):
		provider, data := r.text("provider"), r.sub("identity_data")
		if provider == "email" || provider == "phone" {
			return
		}
		i := Identity{Provider: firstOf(supabaseProviders[provider], provider), Subject: firstOf(r.text("provider_id"), data.text("sub")), Email: data.text("email"),
			Name: firstOf(data.text("full_name"), data.text("name")), Picture: data.text("avatar_url"), CreatedAt: r.moment("created_at"), LastUsedAt: r.moment("last_sign_in_at")}
		b.join(r, "an identity", r.text("user_id"), func(p *Person) { p.Identities = append(p.Identities, i) })
	case r.table == "mfa_factors" || r.table == "" && r.column("factor_type"):
		kind, status, secret := r.text("factor_type"), r.text("status"), r.text("secret")
		if status != "verified" {
			return
		}
		b.join(r, "a second factor", r.text("user_id"), func(p *Person) {
			if kind != "totp" {
				p.note("the second factor of kind %s", kind)
				return
			}
			p.TOTP = secret
		})
	case r.table == "":
		b.fault(r.place, r.text("id"), "this is no row of the tables users, identities or mfa_factors of the schema auth")
	}
}

func supabaseUser(b *Batch, r *row) {
	if r.has("deleted_at") {
		b.note("%s: %s was left out: they are deleted", r.place, r.text("id"))
		return
	}
	if r.truth("is_anonymous") {
		b.note("%s: %s was left out: they are a guest", r.place, r.text("id"))
		return
	}
	meta, app := r.sub("raw_user_meta_data"), r.sub("raw_app_meta_data")
	p := &Person{ID: r.text("id"), Email: r.text("email"), EmailVerified: r.has("email_confirmed_at"), Phone: r.text("phone"), PhoneVerified: r.has("phone_confirmed_at"),
		Name: firstOf(meta.text("full_name"), meta.text("name")), CreatedAt: r.moment("created_at"), PasswordHash: r.text("encrypted_password")}
	if p.Phone != "" && !strings.HasPrefix(p.Phone, "+") {
		p.Phone = "+" + p.Phone // as E.164 has it
	}
	if until := r.moment("banned_until"); until != nil {
		p.Disabled = true
		p.note("banned until %s: they are disabled until somebody enables them", until.Format("2006-01-02"))
	}
	p.Roles = append(app.texts("roles"), app.texts("role")...)
	b.add(r, p)
}
