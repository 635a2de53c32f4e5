package pages

import (
	"html/template"
	"io/fs"
	"os"
	"testing"
)

// Every template can be read: a server reads one when it is first shown.
func TestTemplatesCanBeRead(t *testing.T) {
	here := os.DirFS(".")
	own, err := fs.Glob(here, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	others, err := fs.Glob(here, "*/templates/*.html")
	if err != nil || len(own) < 5 || len(others) < 50 {
		t.Fatal(err, len(own), len(others))
	}
	for _, name := range append(own, others...) {
		if _, err := template.New("page").Funcs((&Site{}).functions("en")).ParseFS(here, name); err != nil {
			t.Error(err)
		}
	}
}
