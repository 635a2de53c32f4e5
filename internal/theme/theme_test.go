package theme

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var standard = Config{Accent: "#2f5bea", Background: "#fafafa,#0e0f12", Surface: "#ffffff,#16181d", Text: "#16181d,#eceef2", Radius: 8}

// held is every pair of colours that pages put on each other, with how much they have to differ.
var held = []struct {
	of, on string
	enough float64
}{
	{"text", "bg", readable}, {"text", "surface", readable}, {"text", "sunken", readable},
	{"muted", "bg", readable}, {"muted", "surface", readable}, {"muted", "sunken", readable},
	{"brand-text", "bg", readable}, {"brand-text", "surface", readable}, {"brand-text", "sunken", readable}, {"brand-text", "brand-bg", readable},
	{"on-brand", "brand", readable}, {"on-brand", "brand-hover", readable},
	{"danger", "bg", readable}, {"danger", "surface", readable}, {"danger", "danger-bg", readable},
	{"ok", "surface", readable}, {"ok", "ok-bg", readable}, {"warn", "surface", readable}, {"warn", "warn-bg", readable}, {"warn", "bg", readable},
	{"control-line", "bg", visible}, {"control-line", "surface", visible}, {"chart-a", "surface", visible}, {"chart-b", "surface", visible},
}

func hold(t *testing.T, c Config) {
	t.Helper()
	for i, s := range c.schemes() {
		value := map[string]colour{}
		for _, token := range s.tokens() {
			value[token.name] = token.value
		}
		for _, h := range held {
			if got := contrast(value[h.of], value[h.on]); got < h.enough {
				t.Errorf("%+v, scheme %d: %s %s on %s %s is %.2f, want %.1f", c, i, h.of, value[h.of], h.on, value[h.on], got, h.enough)
			}
		}
	}
}

// Whatever an operator chooses, what stands on a page can be read: the five brands of the design, and many that nobody would choose.
func TestEveryThemeCanBeRead(t *testing.T) {
	hold(t, standard)
	for _, accent := range []string{"#ffd400", "#ff6b6b", "#00c2a8", "#7c3aed", "#111111", "#ffffff", "#808080", "#767676"} {
		c := standard
		c.Accent = accent
		hold(t, c)
	}
	r := rand.New(rand.NewPCG(1, 2))
	any := func() colour { return colour{uint8(r.UintN(256)), uint8(r.UintN(256)), uint8(r.UintN(256))} }
	pair := func(end func(colour) colour) string { return end(any()).String() + "," + end(any()).String() }
	tried := 0
	for range 500 {
		c := standard
		c.Accent, c.Text = pair(func(c colour) colour { return c }), pair(func(c colour) colour { return c })
		ground := any()
		near := func(c colour) colour { return mix(ground, c, .04) }
		c.Background, c.Surface = pair(near), pair(near)
		if c.Check(true) == nil {
			tried++
			hold(t, c)
		}
	}
	if tried < 250 {
		t.Errorf("only %d of 500 are let through", tried)
	}
}

// What cannot work is refused at the start, with what to write.
func TestThemesThatCannotBe(t *testing.T) {
	big := filepath.Join(t.TempDir(), "logo.svg")
	if err := os.WriteFile(big, make([]byte, mostOfAPicture+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*Config){
		"THEME_ACCENT is no colour":      func(c *Config) { c.Accent = "blue" },
		"THEME_TEXT is no colour":        func(c *Config) { c.Text = "#fff" },
		"THEME_SURFACE is no colour":     func(c *Config) { c.Surface = "#ffffff,url(x)" },
		"no text can be read on both":    func(c *Config) { c.Background, c.Surface = "#ffffff", "#000000" },
		"THEME_FONT is a list":           func(c *Config) { c.Font = "x;}body{display:none" },
		"THEME_LOGO: the file has to be": func(c *Config) { c.Logo = "logo.gif" },
		"THEME_ICON: the file has more":  func(c *Config) { c.Icon = big },
	} {
		c := standard
		change(&c)
		if err := c.Check(true); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	if err := standard.Check(true); err != nil {
		t.Error(err)
	}
	if css := standard.CSS(); !strings.Contains(css, "--bg:light-dark(#fafafa,#0e0f12)") || strings.Contains(css, "--font") {
		t.Error(css)
	}
}
