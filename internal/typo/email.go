package typo

import (
	"slices"
	"strings"
)

// known is the domains that most people have their mail at, and that slips are guessed for.
var known = []string{"gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com", "protonmail.com", "web.de", "gmx.de", "gmx.net", "t-online.de", "freenet.de"}

// near is real domains that are a slip away from one of those, or from each other: nobody is asked about them.
var near = []string{"mail.com", "email.com", "ymail.com", "gmail.de", "email.de", "hotmail.co", "hotmail.ca", "outlook.de", "yahoo.ca", "yahoo.co", "cloud.com"}

// Email is the address that one with a slip in a well-known domain was probably meant to be, "" where there is none: one slip of the finger,
// in a domain long enough that another one is unlikely to be meant.
func Email(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return ""
	}
	domain := strings.ToLower(address[at+1:])
	if len(domain) < 7 || slices.Contains(known, domain) || slices.Contains(near, domain) {
		return ""
	}
	if best, slips := Closest(domain, known); slips == 1 && len(best) > 7 {
		return address[:at+1] + best
	}
	return ""
}
