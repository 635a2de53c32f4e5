package pages_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/words"
)

// used is a word that is asked for: whole, or up to where the name of a kind, a method or a field follows.
var used = regexp.MustCompile("(?:\"|`|\\()([a-z][a-z_-]*\\.[a-z_]*)(?:\"|`)|\"(\\.[a-z_]+)\"")

// Every word of a page is there in every language, and is said somewhere.
func TestWordsOfPages(t *testing.T) {
	root := filepath.Join(testkit.Root(t), "internal/pages")
	said := map[string]bool{"time.minutes_ago": true, "time.hours_ago": true, "time.days_ago": true, "time.in_minutes": true, "time.in_hours": true, "time.in_days": true}
	var all []*words.Catalogue
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "words" {
				c, err := words.New(os.DirFS(path))
				if err != nil {
					t.Fatal(path, err)
				}
				for _, locale := range []string{"en", "de"} {
					if list := c.Missing(locale); len(list) > 0 {
						t.Errorf("%s lacks in %s: %v", path, locale, list)
					}
				}
				all = append(all, c)
			}
			return err
		}
		if ext := filepath.Ext(path); (ext == ".go" || ext == ".html") && !strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range used.FindAllStringSubmatch(string(text), -1) {
				said[m[1]+m[2]] = true
			}
			for _, m := range regexp.MustCompile(`Tell\("([a-z_]+)"|Need\(([^)]*)\)`).FindAllStringSubmatch(string(text), -1) {
				said["flash."+m[1]] = true
				for _, name := range strings.Split(m[2], ", ") {
					said["need."+strings.Trim(name, `"`)] = true
				}
			}
		}
		return nil
	})
	if err != nil || len(all) < 3 {
		t.Fatal(err, len(all))
	}
	for _, c := range all {
		for _, key := range c.Keys() {
			kind, rest, _ := strings.Cut(key, ".")
			if !said[key] && !said[kind+"."] && !said["."+rest] {
				t.Errorf("nobody says %s", key)
			}
		}
	}
}

// Refusals in other languages are of refusals there are.
func TestRefusalsInOtherLanguages(t *testing.T) {
	there := map[string]bool{}
	for _, e := range apperr.All() {
		there[e.Code] = true
	}
	text, err := os.ReadFile("refusals/de.json")
	said := map[string]string{}
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil || len(said) < 50 {
		t.Fatal(err, len(said))
	}
	for code, words := range said {
		if !there[code] || words == "" {
			t.Errorf("there is no refusal %s", code)
		}
	}
}
