package transfer

import (
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
)

// keycloakRow reads a user or an organization of a realm export. A group at the top is an organization, and one below it a role there.
func keycloakRow(b *Batch, r *row) {
	switch r.table {
	case "users":
		keycloakUser(b, r)
	case "organizations":
		keycloakOrg(b, r)
	case "":
		b.fault(r.place, r.text("id"), "this is no export of a realm, which is one object with users in it")
	}
}

func keycloakUser(b *Batch, r *row) {
	name := r.text("username")
	if r.has("serviceAccountClientId") {
		b.note("%s: %s was left out: it is the service account of a client", r.place, name)
		return
	}
	more := r.sub("attributes")
	p := &Person{ID: firstOf(r.text("id"), name), Email: r.text("email"), EmailVerified: r.truth("emailVerified"), Username: name,
		Name: strings.TrimSpace(r.text("firstName") + " " + r.text("lastName")), Phone: firstOf(one(more, "phoneNumber"), one(more, "phone_number")),
		Language: one(more, "locale"), Disabled: r.has("enabled") && !r.truth("enabled"), CreatedAt: r.moment("createdTimestamp"), Roles: r.texts("realmRoles")}
	p.PhoneVerified = p.Phone != "" && one(more, "phoneNumberVerified") == "true"
	for _, c := range r.subs("credentials") {
		keycloakCredential(p, c)
		r.adopt(c)
	}
	for _, i := range r.subs("federatedIdentities") {
		p.Identities = append(p.Identities, Identity{Provider: i.text("identityProvider"), Subject: i.text("userId"), Name: i.text("userName")})
		r.adopt(i)
	}
	for _, path := range r.texts("groups") {
		parts := words(path, "/")
		if len(parts) == 0 {
			continue
		}
		id := "/" + parts[0]
		b.org(&row{place: r.place}, &Organization{ID: id, Name: parts[0]})
		p.belongs(id, strings.Join(parts[1:], "/"))
	}
	b.keep["user:"+name] = p.ID
	b.add(r, p)
}

// one is the first value of an attribute, which may have many.
func one(attributes *row, name string) string {
	if list := attributes.texts(name); len(list) > 0 {
		return list[0]
	}
	return ""
}

func keycloakCredential(p *Person, c *row) {
	secret, how := c.sub("secretData"), c.sub("credentialData")
	switch kind := c.text("type"); kind {
	case "password":
		value, salt := firstOf(secret.text("value"), c.text("hashedSaltedValue")), firstOf(secret.text("salt"), c.text("salt"))
		rounds := how.number("hashIterations", c.number("hashIterations", 1))
		p.PasswordHash = keycloakHash(firstOf(how.text("algorithm"), c.text("algorithm")), salt, value, rounds, how.sub("additionalParameters"))
	case "otp", "totp":
		value := secret.text("value")
		if how.text("secretEncoding") != "BASE32" {
			value = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(value))
		}
		if how.text("subType") == "hotp" || how.number("digits", 6) != 6 || how.number("period", 30) != 30 || firstOf(how.text("algorithm"), "HmacSHA1") != "HmacSHA1" {
			p.note("the second factor: its codes have not six digits of SHA-1 that change every 30 seconds")
			return
		}
		p.TOTP = value
	default:
		p.note("the credential of kind %s", kind)
	}
	c.adopt(secret)
	c.adopt(how)
}

// keycloakHash writes a hash of Keycloak in its usual form: PHC for argon2, that of passlib for PBKDF2.
func keycloakHash(algorithm, salt, value string, rounds int64, more *row) string {
	bare := func(s string) string { return strings.TrimRight(s, "=") }
	if algorithm == "argon2" {
		version := map[string]string{"1.0": "16"}[one(more, "version")]
		return fmt.Sprintf("$argon2%s$v=%s$m=%s,t=%d,p=%s$%s$%s", firstOf(one(more, "type"), "id"), firstOf(version, "19"), one(more, "memory"), rounds,
			firstOf(one(more, "parallelism"), "1"), bare(salt), bare(value))
	}
	return fmt.Sprintf("$%s$%d$%s$%s", algorithm, rounds, strings.ReplaceAll(bare(salt), "+", "."), strings.ReplaceAll(bare(value), "+", "."))
}

func keycloakOrg(b *Batch, r *row) {
	o := &Organization{ID: firstOf(r.text("id"), r.text("alias")), Slug: r.text("alias"), Name: firstOf(r.text("name"), r.text("alias")),
		Suspended: r.has("enabled") && !r.truth("enabled")}
	b.org(r, o)
	for _, m := range r.subs("members") {
		id, name := m.text("id"), m.text("username")
		b.joinBy(r, "a member of "+o.Name, func() string { return firstOf(b.keep["user:"+name], id) }, func(p *Person) { p.belongs(o.ID, "") })
	}
}

// unpadded is the base 64 of raw bytes without padding.
func unpadded(raw []byte) string { return base64.RawStdEncoding.EncodeToString(raw) }
