package testkit

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	formOf  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)"[^>]*>(.*?)</form>`)
	inputOf = regexp.MustCompile(`(?s)<input\b[^>]*>`)
	part    = regexp.MustCompile(`\b(name|value|type)="([^"]*)"`)
)

// Submit sends a form of a page as a browser without JavaScript does: to its address, with its hidden fields, what its other fields
// show, and what is typed over them. Action finds the form: the first that has this address or, where none has, one that begins with it.
func (c *Client) Submit(page Answer, action string, typed url.Values) Answer {
	c.T.Helper()
	forms := formOf.FindAllStringSubmatch(string(page.Body), -1)
	base, err := url.Parse(c.URL)
	if err != nil {
		c.T.Fatal(err)
	}
	address := func(form []string) string { return strings.TrimPrefix(html.UnescapeString(form[1]), base.Path) }
	exact := slices.ContainsFunc(forms, func(f []string) bool { return address(f) == action })
	for _, f := range forms {
		to := address(f)
		if exact && to != action {
			continue
		}
		if !strings.HasPrefix(to, action) {
			continue
		}
		values := url.Values{}
		for _, input := range inputOf.FindAllString(f[2], -1) {
			at := map[string]string{}
			for _, p := range part.FindAllStringSubmatch(input, -1) {
				at[p[1]] = html.UnescapeString(p[2])
			}
			if at["name"] != "" && !strings.Contains(input, " disabled") && (at["type"] != "checkbox" && at["type"] != "radio" || strings.Contains(input, " checked")) {
				values.Add(at["name"], at["value"])
			}
		}
		for name, list := range typed {
			values[name] = list
		}
		return c.Post(to, values)
	}
	c.T.Fatalf("there is no form to %s on %s", action, page.Body)
	return Answer{}
}

// Fill opens a page and sends its form.
func (c *Client) Fill(page, action string, typed url.Values) Answer {
	c.T.Helper()
	return c.Submit(c.Get(page).Want(200), action, typed)
}

var token = regexp.MustCompile(`name="form_token" value="([^"]*)"`)

// Send sends a form as a page would that has the token of this browser, whatever else is on it.
func (c *Client) Send(path string, form url.Values) Answer {
	c.T.Helper()
	found := token.FindSubmatch(c.Get("/docs/errors").Want(200).Body)
	if found == nil {
		c.T.Fatal("a page has no token")
	}
	sent := url.Values{"form_token": {string(found[1])}}
	for name, list := range form {
		sent[name] = list
	}
	return c.Post(path, sent)
}
