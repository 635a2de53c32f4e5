// Package theme is how pages look: eight settings, and from them every colour, each corrected until it can be read.
package theme

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Config is how an operator has pages look. A colour is #rrggbb; two with a comma between are for the light and the dark scheme.
type Config struct {
	Accent     string `env:"THEME_ACCENT" default:"#2f5bea" doc:"The colour of the one main button of a page, of links and of focus: #rrggbb, or two for light and dark with a comma between. What cannot be read is corrected."`
	Background string `env:"THEME_BACKGROUND" default:"#fafafa,#0e0f12" doc:"The colour behind everything: #rrggbb for light, and after a comma for dark."`
	Surface    string `env:"THEME_SURFACE" default:"#ffffff,#16181d" doc:"The colour of cards and fields: #rrggbb for light, and after a comma for dark."`
	Text       string `env:"THEME_TEXT" default:"#16181d,#eceef2" doc:"The colour of text: #rrggbb for light, and after a comma for dark. What cannot be read is corrected."`
	Radius     int    `env:"THEME_RADIUS_PX" default:"8" min:"0" max:"24" doc:"How round fields and buttons are, in pixels."`
	Font       string `env:"THEME_FONT" doc:"A font that people have, such as Georgia, serif. Empty is that of their system. None is ever loaded."`
	Logo       string `env:"THEME_LOGO" doc:"File of a logo, SVG or PNG of at most 64 KiB: in the head of pages. Empty draws the first letter of APP_NAME."`
	Icon       string `env:"THEME_ICON" doc:"File of the icon of the tab, SVG or PNG of at most 64 KiB. Empty is the logo, or else the built-in one."`
}

const mostOfAPicture = 64 << 10

var fontList = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ,-]{0,119}$`)

// Check names every fault in one error.
func (c Config) Check(bool) error {
	var faults []error
	colours := map[string]string{"THEME_ACCENT": c.Accent, "THEME_BACKGROUND": c.Background, "THEME_SURFACE": c.Surface, "THEME_TEXT": c.Text}
	for _, name := range []string{"THEME_ACCENT", "THEME_BACKGROUND", "THEME_SURFACE", "THEME_TEXT"} {
		if _, err := parsePair(colours[name]); err != nil {
			faults = append(faults, fmt.Errorf("%s is no colour: write #rrggbb, or two of them for light and dark with a comma between", name))
		}
	}
	if c.Font != "" && !fontList.MatchString(c.Font) {
		faults = append(faults, errors.New("THEME_FONT is a list of names of fonts with commas between, letters and digits only: write Georgia, serif"))
	}
	if len(faults) == 0 {
		for _, s := range c.schemes() {
			if s.apart() {
				faults = append(faults, errors.New("no text can be read on both THEME_BACKGROUND and THEME_SURFACE: make both light, or both dark"))
				break
			}
		}
	}
	for _, p := range [][2]string{{"THEME_LOGO", c.Logo}, {"THEME_ICON", c.Icon}} {
		if _, err := ReadPicture(p[1]); p[1] != "" && err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p[0], err))
		}
	}
	return errors.Join(faults...)
}

// ReadPicture reads a picture of the settings.
func ReadPicture(path string) ([]byte, error) {
	if ext := strings.ToLower(filepath.Ext(path)); ext != ".svg" && ext != ".png" {
		return nil, errors.New("the file has to be .svg or .png")
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.Size() > mostOfAPicture:
		return nil, errors.New("the file has more than 64 KiB: make it smaller, everybody loads it")
	}
	return os.ReadFile(path)
}

// scheme is what one of light and dark begins with.
type scheme struct{ accent, background, surface, text colour }

// schemes are the light and the dark one. The settings were checked.
func (c Config) schemes() (list [2]scheme) {
	for at, of := range map[*string]func(*scheme) *colour{
		&c.Accent: func(s *scheme) *colour { return &s.accent }, &c.Background: func(s *scheme) *colour { return &s.background },
		&c.Surface: func(s *scheme) *colour { return &s.surface }, &c.Text: func(s *scheme) *colour { return &s.text },
	} {
		pair, err := parsePair(*at)
		if err != nil {
			continue
		}
		for i := range list {
			*of(&list[i]) = pair[i]
		}
	}
	return list
}

// apart reports whether no colour of text can be read on all the grounds of a scheme.
func (s scheme) apart() bool {
	for _, end := range []colour{black, white} {
		if worst(end, []colour{s.background, s.surface, mix(s.background, end, .08), mix(s.surface, end, .08)}) >= readable {
			return false
		}
	}
	return true
}

// How much two colours have to differ (WCAG 2.2, 1.4.3 and 1.4.11).
const (
	strong   = 7.0
	readable = 4.5
	visible  = 3.0
)

// token is one colour of the stylesheet.
type token struct {
	name  string
	value colour
}

// tokens are the colours of a scheme. What stands on something is moved towards black or white until it can be read there.
func (s scheme) tokens() []token {
	toward := black // what this scheme writes with
	if worst(white, []colour{s.background, s.surface}) > worst(black, []colour{s.background, s.surface}) {
		toward = white
	}
	dark := toward == white
	sunken := mix(s.background, toward, .04)
	grounds := []colour{s.background, s.surface, sunken}
	text := legible(s.text, grounds, strong)
	note := func(light, dimmed string) (fg, bg colour) {
		if fg = must(light); dark {
			fg = must(dimmed)
		}
		bg = mix(s.surface, fg, .08)
		return legible(fg, append([]colour{bg}, grounds...), readable), bg
	}
	danger, dangerBG := note("#b42318", "#ff9c90")
	ok, okBG := note("#17603a", "#7ddba4")
	warn, warnBG := note("#7a4a00", "#f4c266")
	brand := legible(s.accent, []colour{s.background, s.surface}, visible) // a button has to be seen
	onBrand := white
	if contrast(black, brand) > contrast(white, brand) && contrast(white, brand) < readable {
		onBrand = must("#16181d")
		brand = legible(brand, []colour{onBrand}, readable)
	}
	chartA, chartB := must("#2f5bea"), must("#c2410c")
	if dark {
		chartA, chartB = must("#7f9cff"), must("#ff9d5c")
	}
	return []token{
		{"bg", s.background}, {"surface", s.surface}, {"sunken", sunken}, {"text", text}, {"muted", legible(mix(text, s.background, .32), grounds, readable)},
		{"line", mix(s.surface, toward, .13)}, {"control-line", legible(mix(text, s.background, .5), grounds, visible)},
		{"brand", brand}, {"brand-hover", mix(brand, opposite(onBrand), .12)}, {"on-brand", onBrand},
		{"brand-text", legible(s.accent, append([]colour{mix(s.surface, s.accent, .08)}, grounds...), readable)}, {"brand-bg", mix(s.surface, s.accent, .08)},
		{"danger", danger}, {"danger-bg", dangerBG}, {"ok", ok}, {"ok-bg", okBG}, {"warn", warn}, {"warn-bg", warnBG},
		{"chart-a", legible(chartA, grounds, visible)}, {"chart-b", legible(chartB, grounds, visible)},
	}
}

// Correction is a colour that could not be read as it was given, and what stands in its place.
type Correction struct {
	Setting string // whose colour it is, such as THEME_ACCENT
	Use     string // what it is for: button, link or text
	Dark    bool   // in the dark scheme
	Given   string // #rrggbb
	Shown   string // #rrggbb
}

// Corrections are the colours that pages do not show as they were given.
func (c Config) Corrections() (list []Correction) {
	for i, s := range c.schemes() {
		shown := map[string]colour{}
		for _, t := range s.tokens() {
			shown[t.name] = t.value
		}
		for _, of := range []struct {
			setting, use, token string
			given               colour
		}{{"THEME_ACCENT", "button", "brand", s.accent}, {"THEME_ACCENT", "link", "brand-text", s.accent}, {"THEME_TEXT", "text", "text", s.text}} {
			if got := shown[of.token]; got != of.given {
				list = append(list, Correction{of.setting, of.use, i == 1, of.given.String(), got.String()})
			}
		}
	}
	return list
}

// Pair is a colour of the settings for light and one for dark, as #rrggbb. The settings were checked.
func Pair(setting string) (light, dark string) {
	pair, _ := parsePair(setting)
	return pair[0].String(), pair[1].String()
}

// CSS is the custom properties of the theme: light, and where a browser knows light-dark(), both.
func (c Config) CSS() string { return c.on(":root") }

// Preview is CSS for what has the class preview, and leaves the rest of the page as it is.
func (c Config) Preview() string { return c.on(".preview") }

func (c Config) on(selector string) string {
	schemes := c.schemes()
	light, dark := schemes[0].tokens(), schemes[1].tokens()
	var flat, both strings.Builder
	for i, t := range light {
		fmt.Fprintf(&flat, "--%s:%s;", t.name, t.value)
		if t.value != dark[i].value {
			fmt.Fprintf(&both, "--%s:light-dark(%s,%s);", t.name, t.value, dark[i].value)
		}
	}
	fmt.Fprintf(&flat, "--radius:%dpx;", c.Radius)
	if c.Font != "" {
		fmt.Fprintf(&flat, "--font:%s;", c.Font)
	}
	return "@layer theme{" + selector + "{" + flat.String() + "}@supports (color:light-dark(#000,#fff)){" + selector + "{" + both.String() + "}}}"
}
