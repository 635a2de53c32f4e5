package transfer

import (
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

var djangoProviders = map[string]string{"twitter_oauth2": "x", "linkedin_oauth2": "linkedin"}

// djangoRow reads an object of `manage.py dumpdata`: of django.contrib.auth or a model of one's own named User, and of
// django-allauth, django-otp and django-organizations beside them.
func djangoRow(b *Batch, r *row) {
	f := r.sub("fields")
	pk := r.text("pk")
	model := strings.ToLower(r.text("model"))
	switch model {
	case "auth.group":
		b.keep["group:"+pk] = f.text("name")
	case "account.emailaddress":
		email, verified, primary := f.text("email"), f.truth("verified"), f.truth("primary")
		b.joinDjango(f, "an address", func(p *Person) {
			if primary || p.Email == "" {
				p.Email = email
			}
			if strings.EqualFold(p.Email, email) {
				p.EmailVerified = verified
			}
		})
	case "socialaccount.socialaccount":
		provider := f.text("provider")
		i := Identity{Provider: firstOf(djangoProviders[provider], provider), Subject: f.text("uid"), CreatedAt: f.moment("date_joined"), LastUsedAt: f.moment("last_login")}
		b.joinDjango(f, "an identity", func(p *Person) { p.Identities = append(p.Identities, i) })
	case "otp_totp.totpdevice", "mfa.authenticator":
		djangoFactor(b, f, model)
	case "organizations.organization", "organizations.organizationuser", "organizations.organizationowner":
		djangoOrg(b, f, model, pk)
	default:
		if strings.HasSuffix(model, "user") && f.has("password") {
			djangoUser(b, r, f, pk)
		} else if model == "" {
			b.fault(r.place, "", "this is no object of dumpdata, which has a model")
		}
	}
}

// ref is what a foreign key names: a number, text, or the parts of a natural key.
func ref(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case json.Number:
		return t.String()
	case []any:
		if len(t) > 0 {
			return ref(t[0])
		}
	}
	return ""
}

// joinDjango is join by the foreign key user, which may be a natural key.
func (b *Batch) joinDjango(f *row, what string, do func(p *Person)) {
	user := ref(f.members["user"])
	b.joinBy(f, what, func() string { return firstOf(b.keep["user:"+user], user) }, do)
}

func djangoUser(b *Batch, r, f *row, pk string) {
	p := &Person{ID: pk, Email: f.text("email"), Username: f.text("username"), Name: strings.TrimSpace(f.text("first_name") + " " + f.text("last_name")),
		Phone: firstOf(f.text("phone_number"), f.text("phone")), Disabled: f.has("is_active") && !f.truth("is_active"), CreatedAt: f.moment("date_joined"),
		PasswordHash: djangoHash(f.text("password"))}
	p.Name = firstOf(p.Name, f.text("name"))
	p.ID = firstOf(p.ID, p.Username, p.Email)
	if p.Username != "" {
		b.keep["user:"+p.Username] = p.ID
	}
	for role, flag := range map[string]string{"superuser": "is_superuser", "staff": "is_staff"} {
		if f.truth(flag) {
			p.Roles = append(p.Roles, role)
		}
	}
	groups := f.list("groups")
	b.later = append(b.later, func() {
		for _, g := range groups {
			p.Roles = append(p.Roles, firstOf(b.keep["group:"+ref(g)], ref(g)))
		}
	})
	r.adopt(f)
	b.add(r, p)
}

// djangoHash writes a hash of Django in a form that is verified here. Those that begin with ! are of nobody's password.
func djangoHash(encoded string) string {
	part := strings.Split(encoded, "$")
	switch {
	case strings.HasPrefix(encoded, "!"):
		return ""
	case part[0] == "pbkdf2_sha1" && len(part) == 4:
		return fmt.Sprintf("$pbkdf2$%s$%s$%s", part[1], strings.ReplaceAll(unpadded([]byte(part[2])), "+", "."), strings.ReplaceAll(strings.TrimRight(part[3], "="), "+", "."))
	case part[0] == "scrypt" && len(part) == 6: // scrypt$N$salt$r$p$hash
		if n, err := strconv.ParseUint(part[1], 10, 32); err == nil && bits.OnesCount64(n) == 1 {
			return fmt.Sprintf("$scrypt$ln=%d,r=%s,p=%s$%s$%s", bits.TrailingZeros64(n), part[3], part[4], unpadded([]byte(part[2])), strings.TrimRight(part[5], "="))
		}
	}
	return encoded
}

func djangoFactor(b *Batch, f *row, model string) {
	if model == "mfa.authenticator" {
		kind, secret := f.text("type"), f.sub("data").text("secret")
		b.joinDjango(f, "a second factor", func(p *Person) {
			switch kind {
			case "totp":
				p.TOTP = secret
			default:
				p.note("the second factor of kind %s", kind)
			}
		})
		return
	}
	key, err := hex.DecodeString(f.text("key"))
	usual := err == nil && f.number("step", 30) == 30 && f.number("digits", 6) == 6 && f.number("t0", 0) == 0
	if f.has("confirmed") && !f.truth("confirmed") {
		return
	}
	b.joinDjango(f, "a second factor", func(p *Person) {
		if !usual {
			p.note("the second factor: its codes have not six digits that change every 30 seconds")
			return
		}
		p.TOTP = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key)
	})
}

func djangoOrg(b *Batch, f *row, model, pk string) {
	switch model {
	case "organizations.organization":
		b.org(f, &Organization{ID: pk, Slug: f.text("slug"), Name: f.text("name"), Suspended: f.has("is_active") && !f.truth("is_active"), CreatedAt: f.moment("created")})
	case "organizations.organizationuser":
		org, role := ref(f.members["organization"]), ""
		if f.truth("is_admin") {
			role = "admin"
		}
		b.keep["member:"+pk] = ref(f.members["user"])
		b.joinDjango(f, "a membership", func(p *Person) { p.belongs(org, role) })
	default:
		org, member := ref(f.members["organization"]), ref(f.members[plain("organization_user")])
		b.joinBy(f, "an owner", func() string {
			user := b.keep["member:"+member]
			return firstOf(b.keep["user:"+user], user)
		}, func(p *Person) { p.belongs(org, "owner") })
	}
}
