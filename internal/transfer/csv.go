package transfer

import "strings"

// csvRow reads a row of a table with these columns, of which all may be missing but one to be found by: id, email, email_verified,
// username, phone, phone_verified, name, language, time_zone, disabled, created_at, password_hash, totp_secret, roles (a,b),
// identities (google:123,github:456), organizations (acme:admin,beta).
func csvRow(b *Batch, r *row) {
	p := &Person{ID: r.text("id"), Email: r.text("email"), EmailVerified: r.truth("email_verified"), Username: r.text("username"), Phone: r.text("phone"),
		PhoneVerified: r.truth("phone_verified"), Name: r.text("name"), Language: r.text("language"), TimeZone: r.text("time_zone"), Disabled: r.truth("disabled"),
		CreatedAt: r.moment("created_at"), PasswordHash: r.text("password_hash"), TOTP: r.text("totp_secret"), Roles: r.texts("roles")}
	p.ID = firstOf(p.ID, strings.ToLower(p.Email), strings.ToLower(p.Username), p.Phone)
	for _, text := range r.texts("identities") {
		provider, subject, ok := strings.Cut(text, ":")
		if !ok {
			r.fail("identities", "a list like google:123,github:456")
		}
		p.Identities = append(p.Identities, Identity{Provider: provider, Subject: subject})
	}
	for _, text := range r.texts("organizations") {
		name, role, _ := strings.Cut(text, ":")
		b.org(&row{place: r.place}, &Organization{ID: name, Name: name})
		p.belongs(name, role)
	}
	b.add(r, p)
}
