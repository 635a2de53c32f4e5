package admit_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/web"
)

func TestErrorCatalogueIsCurrent(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Errors

<!-- Generated from the refusals themselves; a test fails when this page is stale. -->

A request that is refused is answered with ` + "`application/problem+json`" + ` (RFC 9457): ` + "`type title status detail code request_id`" + `, and for input
that is not accepted ` + "`errors: [{field, message}]`" + `. ` + "`code`" + ` is one of these and never changes. ` + "`detail`" + ` says what happened and what to do; its
words may differ from those below with the occasion, and never repeat what was typed. ` + "`type`" + ` leads to the running server's own copy of this
list, ` + "`GET /docs/errors`" + `. A program goes by the code, else by the status:

| Status | Kind | What a program does |
|---|---|---|
`)
	for _, kind := range []apperr.Kind{apperr.Malformed, apperr.Unauthenticated, apperr.Forbidden, apperr.NotFound, apperr.Conflict, apperr.Stale,
		apperr.TooLarge, apperr.Unsupported, apperr.Invalid, apperr.TooMany, apperr.Internal, apperr.Unavailable} {
		fmt.Fprintf(&b, "| %d %s | %s | %s |\n", web.Status(kind), http.StatusText(web.Status(kind)), strings.ReplaceAll(string(kind), "_", " "), web.Advice(kind))
	}
	b.WriteString("\n## Codes\n\n| Code | Status | What happened, and what to do |\n|---|---|---|\n")
	for _, e := range apperr.All() {
		fmt.Fprintf(&b, "| <a id=\"%s\"></a>`%[1]s` | %d | %s |\n", e.Code, web.StatusOf(e), strings.ReplaceAll(e.Message, "|", `\|`))
	}
	testkit.Current(t, "docs/errors.md", b.String())
}

// The README leads to every page, and llms.txt is the same list for machines (llmstxt.org).
func TestIndexIsCurrent(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(readme)
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(err, pages)
	}
	title, rest, _ := strings.Cut(text, "\n\n")
	sentence, _, _ := strings.Cut(rest, "\n\n")
	_, rest, _ = strings.Cut(rest, "\n## Reading on\n")
	list, _, _ := strings.Cut(rest, "\n## ")
	out := title + "\n\n> " + sentence + "\n\n## Documentation\n\n"
	for _, row := range regexp.MustCompile(`(?m)^\| (.*\)) +\| (.*) \|$`).FindAllStringSubmatch(list, -1) {
		for _, link := range regexp.MustCompile(`\[[^]]+\]\([^)]+\)`).FindAllString(row[1], -1) {
			out += "- " + link + ": " + row[2] + "\n"
		}
	}
	for _, page := range pages {
		if !strings.Contains(out, "("+page+")") {
			t.Errorf("the table of README.md does not lead to %s", page)
		}
	}
	testkit.Current(t, "llms.txt", out)
}

func TestOpenAPIIsCurrent(t *testing.T) {
	s := testkit.Start(t, testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), testkit.NewClock())
	testkit.Current(t, "docs/openapi.yaml", string(s.Client().Get("/openapi.yaml").Want(200).Body))
}
