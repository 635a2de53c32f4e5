package user

import (
	"errors"
	"strings"
	"testing"
)

// SGN-01, SGN-02: an address is read in one way only. Two spellings of one address are one; what could be read as two is none.
func TestParseEmail(t *testing.T) {
	for in, want := range map[string]string{
		"test@example.com":              "test@example.com",
		" Test.User+Tag@EXAMPLE.Com ":   "test.user+tag@example.com",
		"o'brien@example.co.uk":         "o'brien@example.co.uk",
		"ann@localhost":                 "ann@localhost",
		"jürgen@münchen.example":        "jürgen@xn--mnchen-3ya.example",
		"ju\u0308rgen@mu\u0308nchen.de": "jürgen@xn--mnchen-3ya.de", // NFD is the same person
		"ann@example。com":               "ann@example.com",          // an ideographic full stop is a dot, as browsers have it
		"用户@例子.广告":                      "用户@xn--fsqu00a.xn--4rr70v",
	} {
		got, err := ParseEmail(in)
		if err != nil || got.Value != want {
			t.Errorf("%q: got %q %v, want %q", in, got.Value, err, want)
		}
	}
	for _, in := range []string{
		"", "ann", "@example.com", "ann@", "ann@@example.com", "a@b@example.com", "ann@example", "ann@example..com", ".ann@example.com", "ann.@example.com",
		"a..b@example.com", "victim@v.test,attacker@a.test", "victim@v.test;attacker@a.test", "victim@v.test attacker@a.test", "victim@v.test\nattacker@a.test",
		"ann\uff20example.com", "ann\ufe6bexample.com", "\ufb01nn@example.com", "ann\u200d@example.com", "ann\u202e@example.com", "ann@exa\u200bmple.com\x00",
		`"quoted local"@example.com`, "ann@[127.0.0.1]", "ann@127.0.0.1", "Ann <ann@example.com>", "ann@example.com.", "ann@-example.com", "an\x00n@example.com",
		"ann@exam_ple.com", "\xff@example.com", strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 63) + ".com",
	} {
		if got, err := ParseEmail(in); !errors.Is(err, ErrEmail) {
			t.Errorf("%q was read as %q (%v)", in, got.Value, err)
		}
	}
}

// A username is 4 to 24 plain characters, the same in upper and lower case.
func TestParseUsername(t *testing.T) {
	for in, want := range map[string]string{"john_doe": "john_doe", "John.Doe-1": "john.doe-1", "a234": "a234", strings.Repeat("a", 24): strings.Repeat("a", 24)} {
		if got, err := ParseUsername(in); err != nil || got.Value != want {
			t.Errorf("%q: %q %v", in, got.Value, err)
		}
	}
	for _, in := range []string{"", "abc", strings.Repeat("a", 25), "_john", "john_", "jo hn", "jöhn", "1234", "john@doe", "john\x00doe", "+49123", "..."} {
		if got, err := ParseUsername(in); !errors.Is(err, ErrUsername) {
			t.Errorf("%q was read as %q (%v)", in, got.Value, err)
		}
	}
}

// A phone number is the same however it is written.
func TestParsePhone(t *testing.T) {
	for in, region := range map[string]string{"+49 171 1234567": "", "0171/1234567": "DE", "(0171) 123-45-67": "DE", "+49 (0) 171 1234567": ""} {
		if got, err := ParsePhone(in, region); err != nil || got.Value != "+491711234567" {
			t.Errorf("%q: %q %v", in, got.Value, err)
		}
	}
	for _, in := range []string{"", "12", "0171 1234567", "+1", "+49 171", "hello", "+999 1234567", strings.Repeat("1", 50)} {
		if got, err := ParsePhone(in, ""); !errors.Is(err, ErrPhone) {
			t.Errorf("%q was read as %q (%v)", in, got.Value, err)
		}
	}
}

// What is typed into a sign-in form is one of the three, or nothing.
func TestParseIdentifier(t *testing.T) {
	for in, kind := range map[string]string{"ann@example.com": KindEmail, "john_doe": KindUsername, "+49 171 1234567": KindPhone} {
		if got, err := ParseIdentifier(in, ""); err != nil || got.Kind != kind {
			t.Errorf("%q: %v %v", in, got, err)
		}
	}
	if _, err := ParseIdentifier("??", ""); !errors.Is(err, ErrNoIdentifier) {
		t.Error(err)
	}
}

// Folding twice is folding once, and nothing folded is refused.
func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"test@example.com", "ju\u0308rgen@mu\u0308nchen.de", "A@B.C", "İ@example.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := ParseEmail(s)
		if err != nil {
			return
		}
		if twice, err := ParseEmail(once.Value); err != nil || twice != once || len(once.Value) > 255 {
			t.Fatalf("%q → %q → %q (%v)", s, once.Value, twice.Value, err)
		}
	})
}
