package transfer

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// firebaseRow reads a user of `firebase auth:export users.json`.
func firebaseRow(b *Batch, r *row) {
	if r.table != "users" && r.table != "" {
		return
	}
	p := &Person{ID: r.text("localId"), Email: r.text("email"), EmailVerified: r.truth("emailVerified"), Name: r.text("displayName"),
		Phone: r.text("phoneNumber"), Disabled: r.truth("disabled"), CreatedAt: r.moment("createdAt")}
	p.PhoneVerified = p.Phone != "" // there is no other way to have one
	for _, i := range r.subs("providerUserInfo") {
		provider, title := i.text("providerId"), i.text("rawId")
		switch provider {
		case "password", "phone", "":
			continue
		case "twitter.com":
			provider = "x"
		}
		p.Identities = append(p.Identities, Identity{Provider: strings.TrimSuffix(provider, ".com"), Subject: firstOf(title, i.text("federatedId")), Email: i.text("email"),
			Name: i.text("displayName"), Picture: i.text("photoUrl")})
		r.adopt(i)
	}
	claims := r.sub("customAttributes")
	p.Roles = append(claims.texts("roles"), claims.texts("role")...)
	for name, v := range claims.given {
		if v == true {
			p.Roles = append(p.Roles, name)
		}
	}
	if r.has("mfaInfo") {
		p.note("second factors: Firebase does not export what they need; they have to be set up anew")
	}
	if hash, salt := r.text("passwordHash"), r.text("salt"); hash != "" {
		p.PasswordHash = "$fbscrypt$" + salt + "$" + hash // until the parameters of the project are known
	}
	b.add(r, p)
}

var hashConfig = regexp.MustCompile(`([a-z0-9_]+)\s*:\s*"?([A-Za-z0-9+/=_-]+)`)

// firebaseHashConfig reads the password hash parameters as the console of Firebase shows them.
func firebaseHashConfig(b *Batch, text []byte) error {
	for _, m := range hashConfig.FindAllStringSubmatch(string(text), -1) {
		b.keep[m[1]] = m[2]
	}
	memory, err := strconv.Atoi(b.keep["mem_cost"])
	rounds, err2 := strconv.Atoi(b.keep["rounds"])
	switch {
	case b.keep["algorithm"] != "SCRYPT" || b.keep["base64_signer_key"] == "":
		return errors.New("this is neither an export of Firebase nor its hash_config, which has algorithm: SCRYPT and base64_signer_key")
	case errors.Join(err, err2) != nil || memory < 1 || rounds < 1:
		return errors.New("hash_config has no rounds and mem_cost that are numbers")
	}
	b.keep["head"] = fmt.Sprintf("$fbscrypt$v=1,n=%d,r=%d,p=1,ss=%s,sk=%s$", memory, rounds, b.keep["base64_salt_separator"], b.keep["base64_signer_key"])
	return nil
}

// firebaseEnd gives the hashes the parameters of their project.
func firebaseEnd(b *Batch) {
	for _, p := range b.People {
		rest, ok := strings.CutPrefix(p.PasswordHash, "$fbscrypt$")
		switch {
		case !ok:
		case b.keep["head"] == "":
			p.PasswordHash = ""
			p.note("the password: give the hash_config of the project as another file")
		default:
			p.PasswordHash = b.keep["head"] + rest
		}
	}
}
