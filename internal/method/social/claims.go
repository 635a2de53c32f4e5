package social

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// claims is an object that a provider said, its numbers as they were written.
type claims map[string]any

func readClaims(text []byte) (claims, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var c claims
	if err := d.Decode(&c); err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errors.New("it is no object")
	}
	return c, nil
}

// at is the member that path leads to.
func (c claims) at(path string) any {
	var v any = map[string]any(c)
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// text is a member that is a text or a number, "" for anything else.
func (c claims) text(path string) string {
	switch v := c.at(path).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// truth is a member that says yes. Some providers say it in a text or a number.
func (c claims) truth(path string) bool {
	switch v := c.at(path).(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1"
	case json.Number:
		return v.String() == "1"
	}
	return false
}

const (
	mostOfASubject = 255 // OpenID Connect Core, section 2
	mostOfAName    = 200
	mostOfALink    = 1000
)

// clean makes of what a provider said what may be kept. It refuses who it is, if that cannot be read, and drops anything else.
func (p *Profile) clean() error {
	if p.Subject == "" || len(p.Subject) > mostOfASubject || !utf8.ValidString(p.Subject) || strings.ContainsFunc(p.Subject, unicode.IsControl) {
		return errors.New("it does not say who it is")
	}
	p.Name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, p.Name))
	if r := []rune(p.Name); len(r) > mostOfAName {
		p.Name = string(r[:mostOfAName])
	}
	if u, err := url.Parse(p.Picture); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(p.Picture) > mostOfALink || !utf8.ValidString(p.Picture) {
		p.Picture = ""
	}
	return nil
}
