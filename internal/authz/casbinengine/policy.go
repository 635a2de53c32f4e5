package casbinengine

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/casbin/casbin/v3/model"

	"github.com/admit-dev/admit/internal/authz"
)

// rule is a line of a policy file.
type rule struct {
	kind   string // p, g, g2
	fields []string
	line   int
}

// readRules reads policy lines and checks each against the model.
func readRules(m model.Model, text, file string) ([]rule, error) {
	var rules []rule
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields, err := fieldsOf(line)
		if err == nil {
			err = fits(m, fields)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", file, i+1, err)
		}
		rules = append(rules, rule{fields[0], fields[1:], i + 1})
	}
	return rules, nil
}

func fieldsOf(line string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(line))
	r.TrimLeadingSpace = true
	fields, err := r.Read()
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields, err
}

func fits(m model.Model, fields []string) error {
	kind := fields[0]
	if kind == "" || m[kind[:1]] == nil || m[kind[:1]][kind] == nil || kind[:1] != "p" && kind[:1] != "g" {
		return fmt.Errorf("the model has no policy %q", kind)
	}
	a := m[kind[:1]][kind]
	want := len(a.Tokens)
	if kind[:1] == "g" {
		want = strings.Count(a.Value, "_")
	}
	if len(fields)-1 != want {
		return fmt.Errorf("%s has %d values, this line has %d", kind, want, len(fields)-1)
	}
	for i, token := range a.Tokens {
		if token == kind+"_eft" && fields[i+1] != "allow" && fields[i+1] != "deny" {
			return fmt.Errorf("the effect is allow or deny, not %q", fields[i+1])
		}
	}
	return nil
}

// Export writes what roles grant without a condition in an organization, or with "" on the platform, as policy lines:
// p, role:KEY, ORG, PATTERN and g, user:ID, role:KEY, ORG.
func Export(w io.Writer, v authz.View, org string, now time.Time) error {
	out := csv.NewWriter(w)
	write := func(name string, r authz.Role) {
		for _, g := range r.Grants {
			if g.Condition == "" {
				_ = out.Write([]string{"p", role(name), org, g.Pattern})
			}
		}
	}
	for _, r := range v.Roles("") {
		if org == "" || r.Reach == authz.ReachAllOrgs {
			write("global:"+r.Key, r)
		}
	}
	var users []string
	if org != "" {
		for _, r := range v.Roles(org) {
			write(r.Key, r)
		}
		for m := range v.Members(org) {
			users = append(users, m.User)
		}
	}
	for m := range v.Members("") {
		users = append(users, m.User)
	}
	slices.Sort(users)
	for _, id := range slices.Compact(users) {
		for _, key := range v.RolesOf(id, org, now) {
			_ = out.Write([]string{"g", user(id), role(key), org})
		}
	}
	out.Flush()
	return out.Error()
}
