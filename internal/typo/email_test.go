package typo

import "testing"

// A slip in a well-known domain is found; what is a domain of its own is let be.
func TestEmail(t *testing.T) {
	for address, want := range map[string]string{
		"ann@gmial.com": "ann@gmail.com", "ann@gmail.con": "ann@gmail.com", "Ann@GMAI.com": "Ann@gmail.com", "a@b@hotmial.com": "a@b@hotmail.com", "ann@outlok.com": "ann@outlook.com", "ann@yaho.com": "ann@yahoo.com",
		"ann@iclod.com": "ann@icloud.com", "ann@t-onlin.de": "ann@t-online.de",
		"ann@gmail.com": "", "ann@mail.com": "", "ann@ymail.com": "", "ann@gmx.net": "", "ann@gmx.com": "", "ann@web.de": "", "ann@wob.de": "", "ann@me.com": "", "ann@yahoo.de": "", "ann@hotmail.de": "",
		"ann@live.de": "", "ann@example.com": "", "ann@": "", "@gmial.com": "", "": "", "gmial.com": "", "ann@googel.com": "", "ann@love.com": "",
	} {
		if got := Email(address); got != want {
			t.Errorf("%s is meant to be %q, want %q", address, got, want)
		}
	}
	for _, list := range [][]string{known, near} {
		for _, domain := range list {
			if got := Email("ann@" + domain); got != "" {
				t.Errorf("%s is asked about: %s", domain, got)
			}
		}
	}
}
