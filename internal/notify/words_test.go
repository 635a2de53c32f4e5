package notify

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func newTestWriter(t *testing.T, cfg Config) *writer {
	t.Helper()
	w, err := newWriter(cfg, Site{Base: "https://auth.example.com:8443"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var asked = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

// Every kind of message can be written in every language on every channel, nothing is left blank, and English is only where it was chosen.
func TestEveryMessageInEveryLanguage(t *testing.T) {
	w := newTestWriter(t, Config{App: "Acme Jobs"})
	if got := w.words.Locales(); !slices.Equal(got, []string{"en", "de"}) {
		t.Fatalf("languages %v", got)
	}
	for _, c := range samples() {
		written := map[string]Letter{}
		for _, locale := range w.words.Locales() {
			for _, channel := range []Channel{Email, SMS} {
				l, err := w.write(Letter{ID: "msg_1", Channel: channel, At: asked}, locale, time.UTC, asked.Add(30*time.Minute), c)
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

// Each language has every word English has, and no other: Add refuses one that English lacks.
func TestWordsAreComplete(t *testing.T) {
	c, err := newCatalogue(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, locale := range c.Locales() {
		if list := c.Missing(locale); len(list) > 0 {
			t.Errorf("%s lacks %v", locale, list)
		}
	}
}

// HTML, line breaks and addresses in a name somebody chose stay words: in the mail, in its subject, in a text.
func TestNamesStayNames(t *testing.T) {
	w := newTestWriter(t, Config{App: "Acme <b>Jobs</b>"})
	evil := `<a href="https://evil.example">Win</a>` + "\r\nBcc: eve@evil.example\r\n\r\n{{.Code}} \u202egnp.exe \x00\u200b https://evil.example/win www.evil.example"
	l, err := w.write(Letter{Channel: Email, At: asked}, "en", time.UTC, asked.Add(time.Hour), Invitation{Org: evil, Inviter: evil, Roles: []string{evil}, Link: "https://auth.example.com/invite#t=1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, text string }{{"subject", l.Subject}, {"text", l.Text}, {"html", l.HTML}} {
		for _, bad := range []string{"<a href=\"https://evil", "\nBcc", "\r", "\u202e", "\x00", "\u200b", "evil.example", "://evil", "exe \x00"} {
			if strings.Contains(c.text, bad) {
				t.Errorf("%q in the %s: %s", bad, c.what, c.text)
			}
		}
	}
	if !strings.Contains(l.HTML, "Acme &lt;b&gt;Jobs&lt;/b&gt;") || strings.Contains(l.Subject, "\n") || len([]rune(l.Subject)) > 250 {
		t.Errorf("%s\n%s", l.Subject, l.HTML)
	}
	for given, want := range map[string]string{
		"Acme Inc.": "Acme Inc.", "Ann O'Neil-Müller": "Ann O'Neil-Müller", "ann@example.com": "ann@example.com", "👩\u200d💻 team": "👩\u200d💻 team",
		"acme.com": "acme.\u2060com", "http://x": "http:\u2060/\u2060/\u2060x", " a\tb ": "a b", "مرحبا": "مرحبا",
	} {
		if got := plain(given); got != want {
			t.Errorf("plain(%q) is %q, want %q", given, got, want)
		}
	}
}

// A code stands in the last line of a text, bound to the host of BASE_URL, as phones want it; one text holds it all.
func TestCodeByText(t *testing.T) {
	w := newTestWriter(t, Config{App: "Acme"})
	for locale, want := range map[string]string{
		"en": "415203 is your code for Acme. Never tell it to anybody.\n\n@auth.example.com #415203",
		"de": "415203 ist Ihr Code für Acme. Geben Sie ihn niemandem.\n\n@auth.example.com #415203",
	} {
		l, err := w.write(Letter{Channel: SMS, At: asked}, locale, time.UTC, asked.Add(10*time.Minute), OneTimeCode{Code: "415203"})
		if err != nil || l.Text != want || l.HTML != "" || len([]rune(l.Text)) > 160 {
			t.Errorf("%q, %v", l.Text, err)
		}
	}
}

// A language is found for everybody: their own, one it is a kind of, the default, English.
func TestLanguageIsFound(t *testing.T) {
	for _, c := range []struct {
		standard string
		wishes   []string
		want     string
	}{
		{"en", nil, "en"},
		{"", []string{""}, "en"},
		{"de", nil, "de"},
		{"en", []string{"de-CH"}, "de"},
		{"en", []string{"fr;q=1, de;q=0.5, en;q=0.1"}, "de"},
		{"de", []string{"fr"}, "de"},
		{"en", []string{"", "de-AT,de;q=0.9"}, "de"},
		{"de", []string{"en-GB", "de"}, "en"},
		{"en", []string{"*"}, "en"},
		{"en", []string{"\x00;;;q=9", "de"}, "de"},
		{"en", []string{"xx-not-a-language-at-all"}, "en"},
	} {
		w := newTestWriter(t, Config{Locale: c.standard})
		if got := w.words.Pick(c.wishes...); got != c.want {
			t.Errorf("default %q, wishes %q: %s, want %s", c.standard, c.wishes, got, c.want)
		}
	}
	if err := (Config{Locale: "fr"}).Check(false); err == nil || !strings.Contains(err.Error(), "DEFAULT_LOCALE") {
		t.Errorf("a default without words: %v", err)
	}
}

func own(t *testing.T, files map[string]string) Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Config{App: "Acme", Dir: dir}
}

// An operator's words win over the built-in ones, word by word; a language may be added by halves, and its gaps are filled
// from the default and then from English. A language that is written from right to left is marked so.
func TestOwnWords(t *testing.T) {
	cfg := own(t, map[string]string{
		"en.json":    `{"test": {"subject": "Hello from {{.App}}"}}`,
		"de-AT.json": `{"test": {"title": "Servus"}}`,
		"ar.json":    `{"test": {"title": "مرحبا"}}`,
	})
	cfg.Locale = "de"
	if err := cfg.Check(true); err != nil {
		t.Fatal(err)
	}
	w := newTestWriter(t, cfg)
	for locale, want := range map[string][]string{
		"en":    {"Hello from Acme", "It works", `dir="ltr"`},
		"de":    {"Eine Testnachricht von Acme", "Es funktioniert", `lang="de"`},
		"de-AT": {"Eine Testnachricht von Acme", "Servus", `lang="de-AT"`},
		"ar":    {"Eine Testnachricht von Acme", "مرحبا", `dir="rtl"`},
	} {
		l, err := w.write(Letter{Channel: Email, At: asked}, locale, time.UTC, asked, Test{})
		if err != nil || l.Subject != want[0] || !strings.HasPrefix(l.Text, want[1]+"\n") || !strings.Contains(l.HTML, want[2]) {
			t.Errorf("%s: %v %q %q", locale, err, l.Subject, l.Text)
		}
	}
}

// A fault in an operator's words or layouts shows at the start, with its name, and not when somebody should get a mail.
func TestFaultyWordsAreRefused(t *testing.T) {
	for says, files := range map[string]map[string]string{
		"de.json":              {"de.json": `{"test": `},
		"klingon.json":         {"klingon.json": `{"test": {"title": "x"}}`},
		"test.subjekt":         {"en.json": `{"test": {"subjekt": "x"}}`},
		"test.subject":         {"fr.json": `{"test": {"subject": "{{.Nobody}}"}}`},
		"verify_email.subject": {"en.json": `{"verify_email": {"subject": "{{if .Code}}"}}`},
		"recovery_code_used":   {"en.json": `{"recovery_code_used": {"text": {"one": "x"}}}`},
		"Nothing":              {"message.txt": `{{.Nothing}}`},
		"html":                 {"message.html": `<p>{{.Title}`},
	} {
		err := own(t, files).Check(false)
		if err == nil || !strings.HasPrefix(err.Error(), "MESSAGE_DIR") || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", files, err)
		}
	}
	if err := (Config{Dir: "/nowhere/at/all"}).Check(false); err == nil || !strings.HasPrefix(err.Error(), "MESSAGE_DIR") {
		t.Error(err)
	}
}

// A mail loads nothing from anywhere, tells nobody that it was read, has no script, and is small.
func TestMailLoadsNothing(t *testing.T) {
	w := newTestWriter(t, Config{App: "Acme"})
	for _, c := range samples() {
		l, err := w.write(Letter{Channel: Email, At: asked}, "en", time.UTC, asked.Add(time.Hour), c)
		if err != nil {
			t.Fatal(err)
		}
		low := strings.ToLower(l.HTML)
		for _, bad := range []string{"<img", "<script", "<link", "<iframe", "<form", "src=", "url(", "@import", "http-equiv"} {
			if strings.Contains(low, bad) {
				t.Errorf("%s has %s", c.name(), bad)
			}
		}
		if regexp.MustCompile(`<[^>]* on[a-z]+=`).MatchString(low) {
			t.Errorf("%s has a handler", c.name())
		}
		for _, href := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(l.HTML, -1) {
			if !slices.Contains(l.Links, href[1]) {
				t.Errorf("%s leads to %s", c.name(), href[1])
			}
		}
		if len(l.HTML) > 8<<10 {
			t.Errorf("%s has %d bytes", c.name(), len(l.HTML))
		}
	}
}

// A message goes to one address or number, of its channel.
func TestOneRecipient(t *testing.T) {
	for _, m := range []Message{
		{To: "ann@example.com", Channel: Email}, {To: "jürgen.o'neil+x@xn--mller-kva.example", Channel: Email}, {To: "+491711234567", Channel: SMS},
	} {
		m.Content = Test{}
		if err := m.check(); err != nil {
			t.Errorf("%s: %v", m.To, err)
		}
	}
	for _, m := range []Message{
		{To: "a@v.test,b@v.test", Channel: Email}, {To: "a@v.test;b@v.test", Channel: Email}, {To: "a@v.test b@v.test", Channel: Email}, {To: "a@v.test\r\nBcc: b@v.test", Channel: Email},
		{To: "Ann <ann@v.test>", Channel: Email}, {To: `"a b"@v.test`, Channel: Email}, {To: "a@b@v.test", Channel: Email}, {To: "", Channel: Email}, {To: "ann", Channel: Email},
		{To: "+491711234567", Channel: Email}, {To: "ann@example.com", Channel: SMS}, {To: "01711234567", Channel: SMS}, {To: "+49171 1234567", Channel: SMS}, {To: "+49171123456,+49171123457", Channel: SMS},
		{To: "ann@example.com", Channel: "pigeon"},
	} {
		m.Content = Test{}
		if m.check() == nil {
			t.Errorf("%q by %s is let through", m.To, m.Channel)
		}
	}
}
