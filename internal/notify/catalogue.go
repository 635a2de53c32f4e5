package notify

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// source is the language every word is there in.
var source = language.English

// catalogue is every word of every message, in every language.
type catalogue struct {
	bundle  *i18n.Bundle
	tags    []language.Tag // what there are words in, the default first
	matcher language.Matcher
	keys    map[string]bool // of the source
}

func newCatalogue(cfg Config) (*catalogue, error) {
	c := &catalogue{bundle: i18n.NewBundle(source), keys: map[string]bool{}}
	files, err := fs.Sub(builtIn, "words")
	if err == nil {
		err = c.load(files, true)
	}
	if err == nil && cfg.Dir != "" {
		if err = c.load(os.DirFS(cfg.Dir), false); err != nil {
			err = fmt.Errorf("MESSAGE_DIR: %w", err)
		}
	}
	if err != nil {
		return nil, err
	}
	preferred, err := language.Parse(cfg.Locale)
	if err == nil && cfg.Locale != "" {
		_, i, sure := language.NewMatcher(c.tags).Match(preferred)
		if sure == language.No {
			err = errors.New("no words")
		} else {
			c.tags = append([]language.Tag{c.tags[i]}, slices.Delete(slices.Clone(c.tags), i, i+1)...)
		}
	}
	if err != nil && cfg.Locale != "" {
		return nil, fmt.Errorf("DEFAULT_LOCALE is no language there are words in: use one of %s, or add its file to MESSAGE_DIR", strings.Join(c.locales(), ", "))
	}
	c.matcher = language.NewMatcher(c.tags)
	return c, nil
}

// load reads every file of words in a directory, en.json first: it says which words there are.
func (c *catalogue) load(files fs.FS, own bool) error {
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
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// locales are the tags there are words in, the default first.
func (c *catalogue) locales() (list []string) {
	for _, t := range c.tags {
		list = append(list, t.String())
	}
	return list
}

// pick is the language that suits somebody best: the first wish that says anything decides, else the default.
func (c *catalogue) pick(wishes ...string) string {
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

// knows reports whether there is such a word at all.
func (c *catalogue) knows(key string) bool { return c.keys[key] }

// say fills in a word in the first language of the chain that has it: that of the message, those it is a kind of, the
// default, English.
func (c *catalogue) say(locale, key string, data, count any) (string, error) {
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

// direction is how a language is written.
func direction(locale string) string {
	script, _ := language.Make(locale).Script()
	if slices.Contains([]string{"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg"}, script.String()) {
		return "rtl"
	}
	return "ltr"
}
