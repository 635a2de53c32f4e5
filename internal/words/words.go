// Package words is what Admit says to people, by key and in each language: of mails and texts, and of pages.
package words

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// source is the language every word is there in.
var source = language.English

// Catalogue is every word of one thing that speaks, in every language.
type Catalogue struct {
	bundle  *i18n.Bundle
	tags    []language.Tag // what there are words in, the default first
	matcher language.Matcher
	keys    map[string]bool // of the source
}

// New is a catalogue of the words in files: en.json, which says which words there are, and a file for each other language.
func New(files fs.FS) (*Catalogue, error) {
	c := &Catalogue{bundle: i18n.NewBundle(source), keys: map[string]bool{}}
	return c, c.Add(files)
}

// Add takes further words in, and en.json says again which there are.
func (c *Catalogue) Add(files fs.FS) error { return c.load(files, true) }

// Overlay takes words in that win over those there are, and adds none. It may bring languages.
func (c *Catalogue) Overlay(files fs.FS) error { return c.load(files, false) }

// ErrLocale is a language there are no words in.
var ErrLocale = errors.New("there are no words in this language")

// Prefer makes the best match for a language the default.
func (c *Catalogue) Prefer(locale string) error {
	preferred, err := language.Parse(locale)
	if err != nil {
		return ErrLocale
	}
	_, i, sure := c.matcher.Match(preferred)
	if sure == language.No {
		return ErrLocale
	}
	c.tags = append([]language.Tag{c.tags[i]}, slices.Delete(slices.Clone(c.tags), i, i+1)...)
	c.matcher = language.NewMatcher(c.tags)
	return nil
}

// load reads every file of words in a directory, en.json first: it says which words there are.
func (c *Catalogue) load(files fs.FS, own bool) error {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return err
	}
	if _, err := fs.ReadDir(files, "."); err != nil {
		return err
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(-cmp.Compare(bit(a == "en.json"), bit(b == "en.json")), cmp.Compare(a, b))
	})
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".json"))
		if err != nil || !json.Valid(raw) {
			return fmt.Errorf("%s is no JSON file with the name of a language", name)
		}
		file, err := c.bundle.ParseMessageFileBytes(raw, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, m := range file.Messages {
			if own && tag == source {
				c.keys[m.ID] = true
			} else if !c.keys[m.ID] {
				return fmt.Errorf("%s: there is no word %s", name, m.ID)
			}
		}
		if !slices.Contains(c.tags, tag) {
			c.tags = append(c.tags, tag)
		}
	}
	c.matcher = language.NewMatcher(c.tags)
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Locales are the tags there are words in, the default first.
func (c *Catalogue) Locales() (list []string) {
	for _, t := range c.tags {
		list = append(list, t.String())
	}
	return list
}

// Pick is the language that suits somebody best: the first wish that says anything decides, else the default.
func (c *Catalogue) Pick(wishes ...string) string {
	for _, wish := range wishes {
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, i, sure := c.matcher.Match(tags...); sure != language.No {
			return c.tags[i].String()
		}
	}
	return c.tags[0].String()
}

// Knows reports whether there is such a word at all.
func (c *Catalogue) Knows(key string) bool { return c.keys[key] }

// Keys are the names of all words, sorted.
func (c *Catalogue) Keys() (list []string) {
	for key := range c.keys {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

// Missing are the words that a language lacks, for tests.
func (c *Catalogue) Missing(locale string) (list []string) {
	l := i18n.NewLocalizer(c.bundle, locale)
	for _, key := range c.Keys() {
		if _, tag, err := l.LocalizeWithTag(&i18n.LocalizeConfig{MessageID: key, PluralCount: 2}); err != nil && tag == language.Und || tag.String() != locale {
			list = append(list, key)
		}
	}
	return list
}

// Say fills in a word in the first language of the chain that has it: that of the message, those it is a kind of, the
// default, English.
func (c *Catalogue) Say(locale, key string, data, count any) (string, error) {
	var chain []language.Tag
	for t := language.Make(locale); t != language.Und; t = t.Parent() {
		chain = append(chain, t)
	}
	for _, tag := range append(chain, c.tags[0], source) {
		if !slices.Contains(c.tags, tag) {
			continue
		}
		out, err := i18n.NewLocalizer(c.bundle, tag.String()).Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: count})
		if _, missing := errors.AsType[*i18n.MessageNotFoundErr](err); missing {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("the word %s in %s: %w", key, tag, err)
		}
		return out, nil
	}
	return "", fmt.Errorf("there is no word %s", key)
}

// Direction is how a language is written.
func Direction(locale string) string {
	script, _ := language.Make(locale).Script()
	if slices.Contains([]string{"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg"}, script.String()) {
		return "rtl"
	}
	return "ltr"
}
