package authz

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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
