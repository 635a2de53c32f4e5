package authz

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/admit-dev/admit/internal/apperr"
)

const (
	reserved    = "sys:" // the permissions of the server itself
	maxSegments = 3
	maxSegment  = 48
)

// Pattern is what roles and guards hold: a permission, or all that begin with the same parts. The zero Pattern covers nothing.
type Pattern struct{ text string }

// String is the pattern as it is written.
func (p Pattern) String() string { return p.text }

// MarshalText writes the pattern as it is written.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePattern(string(text))
	return err
}

// wide reports whether the pattern ends in a star.
func (p Pattern) wide() bool { return strings.HasSuffix(p.text, "*") }

// ParseName reads a permission as a check names it.
func ParseName(s string) (string, error) {
	if !isName(s) {
		return "", ErrPermission
	}
	return s, nil
}

// ParsePattern reads what a role may hold.
func ParsePattern(s string) (Pattern, error) {
	if s == "*" || isName(s) {
		return Pattern{s}, nil
	}
	prefix, ok := strings.CutSuffix(s, ":*")
	if !ok || !isName(prefix) || strings.Count(prefix, ":") > maxSegments-2 {
		return Pattern{}, ErrPattern
	}
	return Pattern{s}, nil
}

// Covers reports whether every permission that narrow matches is matched by wide. The star alone leaves out sys:.
func Covers(wide, narrow Pattern) bool {
	switch {
	case wide.text == "" || narrow.text == "":
		return false
	case wide.text == narrow.text:
		return true
	case wide.text == "*":
		return !strings.HasPrefix(narrow.text, reserved)
	case wide.wide():
		return strings.HasPrefix(narrow.text, wide.text[:len(wide.text)-1])
	default:
		return false
	}
}

func isName(s string) bool {
	if len(s) > maxSegments*(maxSegment+1) {
		return false
	}
	n := 0
	for segment := range strings.SplitSeq(s, ":") {
		if n++; n > maxSegments || !isSegment(segment) {
			return false
		}
	}
	return true
}

func isSegment(s string) bool {
	if s == "" || len(s) > maxSegment || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// RoleKey folds the name of a custom role to what must be unique in its scope: NFKC, lower case, one dash for each space.
func RoleKey(name string) (string, error) {
	if !utf8.ValidString(name) || len(name) > 4*maxSegment {
		return "", ErrRoleName
	}
	key := strings.ToLower(norm.NFKC.String(strings.ToLower(norm.NFKC.String(name))))
	key = strings.Join(strings.Fields(key), "-")
	if n := utf8.RuneCountInString(key); n < 1 || n > maxSegment {
		return "", ErrRoleName
	}
	for i, r := range key {
		if i == 0 && !unicode.IsLetter(r) || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '_' && r != '-' {
			return "", ErrRoleName
		}
	}
	if slices.Contains([]string{"owner", "admin", "member", "super_admin", "super-admin", "system", "anonymous"}, key) {
		return "", ErrRoleReserved
	}
	return key, nil
}

// ParseGrant reads a grant as people write it: a pattern, and after the word if the condition under which it counts.
func ParseGrant(s string) (Grant, error) {
	pattern, condition, conditional := strings.Cut(strings.TrimSpace(s), " if ")
	p, err := ParsePattern(strings.TrimSpace(pattern))
	if err != nil {
		return Grant{}, ErrPattern.Say(ErrPattern.Message + " This is none: " + shown(pattern) + ".")
	}
	condition = strings.TrimSpace(condition)
	if conditional && condition == "" {
		return Grant{}, ErrCondition.Say("A condition is missing after if.")
	}
	return Grant{p.text, condition}, nil
}

// shown is what somebody typed, as far as it looks like a pattern at all: nothing else is repeated.
func shown(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxSegments*(maxSegment+1) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`<>"'&`, r) }) {
		return "what was sent"
	}
	return s
}

// String is the grant as ParseGrant reads it.
func (g Grant) String() string {
	if g.Condition == "" {
		return g.Pattern
	}
	return g.Pattern + " if " + g.Condition
}

// ParseGrants reads what a role is to give, each once and sorted, and holds that every condition can be used.
func (r *Root) ParseGrants(list []string) ([]Grant, error) {
	if len(list) > maxGrants {
		return nil, ErrPattern.Say("A role holds at most 500 patterns. One that ends in a star stands for many.")
	}
	grants := make([]Grant, 0, len(list))
	for _, text := range list {
		g, err := ParseGrant(text)
		if err != nil {
			return nil, err
		}
		if g.Condition != "" {
			if err := r.CheckCondition(g.Condition); err != nil {
				return nil, err
			}
		}
		if err := r.declared(g.Pattern); err != nil {
			return nil, err
		}
		grants = append(grants, g)
	}
	slices.SortFunc(grants, func(a, b Grant) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(grants), nil
}

// declared refuses a permission that was never declared. A star may be ahead of what it will cover.
func (r *Root) declared(pattern string) error {
	if _, ok := r.cat.bit[pattern]; ok || strings.HasSuffix(pattern, "*") {
		return nil
	}
	return r.cat.unknown(pattern)
}

const maxGrants = 500

// ParseGuard reads a guard and holds that its pattern and its condition can be used.
func (r *Root) ParseGuard(g Guard) (Guard, error) {
	p, err := ParsePattern(strings.TrimSpace(g.Pattern))
	if err != nil {
		return g, err
	}
	if err := r.declared(p.text); err != nil {
		return g, err
	}
	g.Pattern, g.Condition, g.Message = p.text, strings.TrimSpace(g.Condition), strings.TrimSpace(g.Message)
	if len(g.Message) > 500 || strings.ContainsFunc(g.Message, unicode.IsControl) {
		return g, ErrCondition.Say("A message has at most 500 characters.").In("message")
	}
	return g, r.CheckCondition(g.Condition)
}

// ParseScopes reads what a key is to be good for, each once and sorted. A key has no conditions: those of its owner's roles hold for it.
func (r *Root) ParseScopes(list []string) ([]string, error) {
	scopes := make([]string, 0, len(list))
	for _, text := range list {
		p, err := ParsePattern(strings.TrimSpace(text))
		if err != nil {
			return nil, ErrPattern.Say(ErrPattern.Message + " This is none: " + shown(text) + ".").In("scopes")
		}
		if err := r.declared(p.text); err != nil {
			return nil, apperr.Of(err).In("scopes")
		}
		scopes = append(scopes, p.text)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes), nil
}
