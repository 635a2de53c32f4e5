package user

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// The kinds of identifier.
const (
	KindEmail    = "email"
	KindUsername = "username"
	KindPhone    = "phone"
)

// Identifier is what a person is found by, folded: two that are equal are the same.
type Identifier struct {
	Kind  string
	Value string
}

// idn maps as a browser does (UTS 46, non-transitional) and refuses what DNS could not carry.
var idn = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.ValidateLabels(true), idna.VerifyDNSLength(true), idna.BidiRule(), idna.Transitional(false))

// ParseEmail reads an address (RFC 5321 dot-string, RFC 6531 for letters beyond ASCII) and folds it: NFC, lower case, the
// domain as A-labels. Quoted local parts and address literals are refused: nobody has one, and parsers differ on them.
func ParseEmail(s string) (Identifier, error) {
	s = strings.Trim(s, " ")
	if !utf8.ValidString(s) || len(s) > 255 || strings.Count(s, "@") != 1 {
		return Identifier{}, ErrEmail
	}
	local, domain, _ := strings.Cut(s, "@")
	local = strings.ToLower(norm.NFC.String(local))
	if local == "" || len(local) > 64 || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return Identifier{}, ErrEmail
	}
	for _, r := range local {
		if !localRune(r) {
			return Identifier{}, ErrEmail
		}
	}
	if !isASCII(local) && norm.NFKC.String(local) != local {
		return Identifier{}, ErrEmail // ligatures, full-width and other look-alikes of plain letters
	}
	domain, err := idn.ToASCII(norm.NFC.String(domain))
	if err != nil || !strings.Contains(domain, ".") && domain != "localhost" || strings.HasSuffix(domain, ".") || allDigits(domain[strings.LastIndex(domain, ".")+1:]) {
		return Identifier{}, ErrEmail
	}
	domain = strings.ToLower(domain)
	if len(local)+1+len(domain) > 255 {
		return Identifier{}, ErrEmail
	}
	return Identifier{KindEmail, local + "@" + domain}, nil
}

// localRune reports whether r may stand in the local part: RFC 5321 atext and the dot, or a letter or digit beyond ASCII.
func localRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r)
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r)
}

var username = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9._-]{2,22})[a-z0-9]$`)

// ParseUsername reads a username and folds it to lower case.
func ParseUsername(s string) (Identifier, error) {
	s = strings.Trim(s, " ")
	if !isASCII(s) {
		return Identifier{}, ErrUsername
	}
	s = strings.ToLower(s)
	if !username.MatchString(s) || !strings.ContainsFunc(s, unicode.IsLetter) {
		return Identifier{}, ErrUsername
	}
	return Identifier{KindUsername, s}, nil
}

// ParsePhone reads a phone number in any common way of writing it and gives E.164. A number without a country code is
// read as one of region (ISO 3166-1 alpha-2), when that is not empty.
func ParsePhone(s, region string) (Identifier, error) {
	if len(s) > 40 || !utf8.ValidString(s) {
		return Identifier{}, ErrPhone
	}
	if region == "" {
		region = "ZZ"
	}
	n, err := phonenumbers.Parse(s, region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return Identifier{}, ErrPhone
	}
	return Identifier{KindPhone, phonenumbers.Format(n, phonenumbers.E164)}, nil
}

// ParseIdentifier reads what a person types into a sign-in form. What is none of the three is ErrNoIdentifier.
func ParseIdentifier(s, region string) (Identifier, error) {
	if strings.Contains(s, "@") {
		return ParseEmail(s)
	}
	if id, err := ParseUsername(s); err == nil {
		return id, nil
	}
	if id, err := ParsePhone(s, region); err == nil {
		return id, nil
	}
	return Identifier{}, ErrNoIdentifier
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
