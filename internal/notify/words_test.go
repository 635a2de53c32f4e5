package notify

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func newTestWriter(t *testing.T, cfg Config) *writer {
	t.Helper()
	w, err := newWriter(cfg, Site{Origin: "https://auth.example.com:8443"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var asked = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

// Every kind of message can be written in every language on every channel, nothing is left blank, and English is only where it was chosen.
func TestEveryMessageInEveryLanguage(t *testing.T) {
	w := newTestWriter(t, Config{App: "Acme Jobs"})
	if got := w.words.locales(); !slices.Equal(got, []string{"en", "de"}) {
		t.Fatalf("languages %v", got)
	}
	for _, c := range samples() {
		written := map[string]Letter{}
		for _, locale := range w.words.locales() {
			for _, channel := range []Channel{Email, SMS} {
				l, err := w.write(Letter{ID: "msg_1", Channel: channel, At: asked}, locale, asked.Add(30*time.Minute), c)
				if err != nil {
					t.Fatalf("%s, %s, %s: %v", c.name(), locale, channel, err)
				}
				all := l.Subject + l.Text + l.HTML
				if strings.Contains(all, "<no value>") || strings.Contains(all, "{{") || strings.Contains(all, "ZgotmplZ") {
					t.Errorf("%s, %s, %s has a gap:\n%s", c.name(), locale, channel, all)
				}
				if strings.ContainsAny(l.Subject, "\r\n") || l.Text == "" || (channel == Email) != (l.HTML != "" && l.Subject != "") {
					t.Errorf("%s, %s, %s: subject %q, text %q", c.name(), locale, channel, l.Subject, l.Text)
				}
				for _, part := range append(slices.Clone(l.Links), l.Codes...) {
					if !strings.Contains(l.Text, part) && !(channel == SMS && strings.Contains(part, "://")) {
						t.Errorf("%s, %s, %s lacks %s in its text:\n%s", c.name(), locale, channel, part, l.Text)
					}
					if channel == Email && !strings.Contains(l.HTML, part) {
						t.Errorf("%s, %s lacks %s in its HTML", c.name(), locale, part)
					}
				}
				if channel == Email {
					written[locale] = l
				}
			}
		}
		if en, de := written["en"], written["de"]; en.Subject == de.Subject || en.Text == de.Text || !strings.Contains(de.HTML, `lang="de"`) {
			t.Errorf("%s reads the same in English and German: %q", c.name(), de.Subject)
		}
	}
}

// Each language has every word English has, and no other.
func TestWordsAreComplete(t *testing.T) {
	c, err := newCatalogue(Config{})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := builtIn.ReadDir("words")
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		raw, _ := builtIn.ReadFile("words/" + e.Name())
		file, err := c.bundle.ParseMessageFileBytes(raw, e.Name())
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]bool{}
		for _, m := range file.Messages {
			have[m.ID] = true
		}
		for key := range c.keys {
			if !have[key] {
				t.Errorf("%s lacks %s", e.Name(), key)
			}
		}
		if len(have) != len(c.keys) {
			t.Errorf("%s has %v, English has %v", e.Name(), slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(c.keys)))
		}
	}
}
