package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
)

var curl = regexp.MustCompile(`(?m)^curl (?:-X ([A-Z]+) )?-b jar localhost:8000(\S+) -H 'Content-Type: application/json' -d '([^']*)'$`)

// The requests that docs/authorization.md shows work as they stand there, from the first to the last.
func TestDocumentedRequests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testkit.Root(t), "docs", "authorization.md"))
	if err != nil {
		t.Fatal(err)
	}
	list := curl.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\\\n  ", ""), -1)
	if strings.Count(string(text), "\ncurl ") != len(list) || len(list) < 5 {
		t.Fatalf("%d of the requests can be read: write them as the others are", len(list))
	}
	testkit.Each(t, nil, func(s *testkit.Server) {
		c, id := operator(s, "ann@example.com")
		organization(c, "Acme")
		for _, r := range list {
			method := r[1]
			if method == "" {
				method = "POST"
			}
			a := c.Do(method, r[2], strings.ReplaceAll(r[3], "USER_ID", id))
			if a.Status >= 300 {
				t.Errorf("%s: %d %s", r[0], a.Status, a.Body)
			}
			if strings.HasSuffix(r[2], "/check") && a.JSON["allowed"] != true {
				t.Errorf("%s: %s", r[0], a.Body)
			}
		}
	})
}
