package notify

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"io/fs"
	"os"
	"strings"
	text "text/template"
	"time"

	"github.com/admit-dev/admit/internal/words"
)

//go:embed templates/message.html templates/message.txt words/*.json
var builtIn embed.FS

// writer turns a message into a letter: its words from the catalogue, in one layout of text and one of HTML.
type writer struct {
	site  Site
	app   string
	words *words.Catalogue
	text  *text.Template
	html  *html.Template
}

// view is what the words of a message may name, and what the layouts show beside them.
type view struct {
	App, Org, Inviter, Roles, Address, Factor, Label, Life, Subject, Browser, System, Code string
	Count                                                                                  int

	counted    bool
	code, link string
	factor     Factor
	label      string
	notMe      string
	where      Where
	until      time.Time
	warns      bool // says what to do if it was somebody else
}

func (v *view) notice(notMe string, w Where) { v.warns, v.notMe, v.where = true, notMe, w }

// page is a letter in its parts, for the layouts.
type page struct {
	Lang, Dir, App, Subject, Title   string
	Paragraphs                       []string
	Code, CodeLabel                  string
	Link, Button, LinkHint           string
	Facts                            []fact
	Warning, NotMe, NotMeButton, End string
}

type fact struct{ Label, Value string }

func newWriter(cfg Config, site Site) (*writer, error) {
	said, err := newCatalogue(cfg)
	if err != nil {
		return nil, err
	}
	w := &writer{site: site, app: cmp.Or(cfg.App, site.host()), words: said}
	source, err := layout(cfg.Dir, "message.txt")
	if err != nil {
		return nil, err
	}
	if w.text, err = text.New("message.txt").Option("missingkey=error").Parse(source); err != nil {
		return nil, fmt.Errorf("MESSAGE_DIR: %w", err)
	}
	if source, err = layout(cfg.Dir, "message.html"); err != nil {
		return nil, err
	}
	if w.html, err = html.New("message.html").Option("missingkey=error").Parse(source); err != nil {
		return nil, fmt.Errorf("MESSAGE_DIR: %w", err)
	}
	if cfg.Dir == "" {
		return w, nil // tests have tried what is built in
	}
	return w, w.try()
}

// newCatalogue is every word of every message: the built-in ones, and those of MESSAGE_DIR, which win.
func newCatalogue(cfg Config) (*words.Catalogue, error) {
	files, err := fs.Sub(builtIn, "words")
	if err != nil {
		return nil, err
	}
	c, err := words.New(files)
	if err == nil && cfg.Dir != "" {
		if err = c.Overlay(os.DirFS(cfg.Dir)); err != nil {
			err = fmt.Errorf("MESSAGE_DIR: %w", err)
		}
	}
	if err == nil && cfg.Locale != "" {
		if err = c.Prefer(cfg.Locale); err != nil {
			err = fmt.Errorf("DEFAULT_LOCALE is no language there are words in: use one of %s, or add its file to MESSAGE_DIR", strings.Join(c.Locales(), ", "))
		}
	}
	return c, err
}

func layout(dir, name string) (string, error) {
	if dir != "" {
		own, err := os.ReadFile(dir + "/" + name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return string(own), err
		}
	}
	source, err := builtIn.ReadFile("templates/" + name)
	return string(source), err
}

// try writes one letter of each kind in each language, so that a fault in somebody's own words shows at the start.
func (w *writer) try() error {
	at := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, locale := range w.words.Locales() {
		for _, c := range samples() {
			for _, channel := range []Channel{Email, SMS} {
				if _, err := w.write(Letter{Channel: channel, At: at}, locale, time.UTC, at.Add(time.Hour), c); err != nil {
					return fmt.Errorf("MESSAGE_DIR: %s in %s: %w", c.name(), locale, err)
				}
			}
		}
	}
	return nil
}

// write fills in what a letter says.
func (w *writer) write(l Letter, locale string, zone *time.Location, expires time.Time, c Content) (Letter, error) {
	v := &view{App: w.app}
	c.fill(v)
	s := &speaker{words: w.words, locale: locale, zone: zone, kind: c.name(), v: v}
	v.Code, v.Life = v.code, s.life(expires.Sub(l.At))
	v.Factor = s.factor()
	l.Subject = oneLine(s.must("subject"))
	v.Subject = l.Subject
	for _, link := range []string{v.link, v.notMe} {
		if link != "" {
			l.Links = append(l.Links, link)
		}
	}
	if v.code != "" {
		l.Codes = append(l.Codes, v.code)
	}
	if l.Channel == SMS {
		l.Text, l.Subject = w.short(s), ""
		return l, s.err
	}
	p := w.page(s)
	p.Subject = l.Subject
	var plainText, markup bytes.Buffer
	err := errors.Join(s.err, w.text.Execute(&plainText, p), w.html.Execute(&markup, p))
	l.Text, l.HTML = strings.TrimSpace(plainText.String())+"\n", markup.String()
	return l, err
}

// page puts the parts of a mail together.
func (w *writer) page(s *speaker) page {
	v := s.v
	p := page{Lang: s.locale, Dir: words.Direction(s.locale), App: v.App, Title: s.must("title"), Code: v.code, Link: v.link, NotMe: v.notMe}
	p.Paragraphs = strings.Split(s.must("text"), "\n")
	if v.code != "" {
		p.CodeLabel = s.common("code.label")
	}
	if v.link != "" {
		p.Button, p.LinkHint = s.must("button"), s.common("link.hint")
	}
	if v.Life != "" && (v.link != "" || v.code != "") {
		key := "life.both"
		switch {
		case v.code == "":
			key = "life.link"
		case v.link == "":
			key = "life.code"
		}
		p.Paragraphs = append(p.Paragraphs, s.common(key))
	}
	p.Facts = s.facts()
	if v.warns {
		key := "not_me.without"
		if v.notMe != "" {
			key, p.NotMeButton = "not_me.with", s.common("not_me.button")
		}
		p.Warning = s.common(key)
	}
	p.End, _ = s.maybe("end")
	return p
}

// short is a text message. A code stands in its last line bound to the site, so that phones offer it there and nowhere else
// (WICG, Origin-bound one-time codes).
func (w *writer) short(s *speaker) string {
	out, ok := s.maybe("sms")
	if !ok {
		out = s.common("sms")
		if s.v.link != "" {
			out += " " + s.v.link
		}
	}
	if s.v.code != "" {
		out += "\n\n@" + w.site.host() + " #" + s.v.code
	}
	return out
}
