package testkit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// Client sends requests as a program with a cookie jar does.
type Client struct {
	T      testing.TB
	URL    string
	Bearer string // sent as an access token, if set
	Header http.Header
	*http.Client
}

// Client is a new client of the server, with an empty jar.
func (s *Server) Client() *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	if s.connections == nil { // a server that the test made itself
		s.connections = connections(s.T)
	}
	return &Client{T: s.T, URL: s.URL, Header: http.Header{}, Client: &http.Client{Jar: jar, Transport: s.connections,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// connections are those of all clients of a server.
func connections(t *testing.T) *http.Transport {
	c := http.DefaultTransport.(*http.Transport).Clone()
	c.MaxIdleConnsPerHost = 64
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// Answer is what came back.
type Answer struct {
	T      testing.TB
	Status int
	Header http.Header
	Body   []byte
	JSON   map[string]any // nil when the body is no object
}

// Do sends a request. A body that is url.Values goes as a form, a string or []byte as it is, anything else as JSON.
func (c *Client) Do(method, path string, body any) Answer {
	c.T.Helper()
	var reader io.Reader
	contentType := "application/json"
	switch b := body.(type) {
	case nil:
	case url.Values:
		reader, contentType = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			c.T.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(c.T.Context(), method, c.URL+path, reader)
	if err != nil {
		c.T.Fatal(err)
	}
	if reader != nil {
		r.Header.Set("Content-Type", contentType)
	}
	for name, values := range c.Header {
		r.Header[name] = values
	}
	if c.Bearer != "" {
		r.Header.Set("Authorization", "Bearer "+c.Bearer)
	}
	resp, err := c.Client.Do(r)
	if err != nil {
		c.T.Fatal(err)
	}
	return Read(c.T, resp)
}

// Read reads the whole of a response.
func Read(t testing.TB, resp *http.Response) Answer {
	t.Helper()
	defer resp.Body.Close()
	text, err := whole(resp)
	if err != nil {
		t.Fatal(err)
	}
	a := Answer{T: t, Status: resp.StatusCode, Header: resp.Header, Body: text}
	_ = json.Unmarshal(text, &a.JSON)
	return a
}

// whole is the body of an answer, and the first event of a stream, which has no end.
func whole(resp *http.Response) ([]byte, error) {
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		return io.ReadAll(resp.Body)
	}
	var text []byte
	for lines := bufio.NewReader(resp.Body); !bytes.HasSuffix(text, []byte("\n\n")); {
		line, err := lines.ReadBytes('\n')
		if text = append(text, line...); err != nil {
			return text, err
		}
	}
	return text, nil
}

// Get sends a GET.
func (c *Client) Get(path string) Answer { c.T.Helper(); return c.Do("GET", path, nil) }

// Post sends a POST.
func (c *Client) Post(path string, body any) Answer { c.T.Helper(); return c.Do("POST", path, body) }

// Cookie is the value of a cookie the client holds, "" when it holds none.
func (c *Client) Cookie(path, name string) string {
	u, err := url.Parse(c.URL + path)
	if err != nil {
		c.T.Fatal(err)
	}
	for _, k := range c.Jar.Cookies(u) {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

// Want holds the status, and the code when one is given.
func (a Answer) Want(status int, code ...string) Answer {
	a.T.Helper()
	if a.Status != status || len(code) > 0 && a.JSON["code"] != code[0] {
		a.T.Fatalf("answered %d, want %d %v: %s", a.Status, status, code, a.Body)
	}
	return a
}

// Text is a string member of the answer.
func (a Answer) Text(name string) string {
	a.T.Helper()
	s, ok := a.JSON[name].(string)
	if !ok {
		a.T.Fatalf("the answer has no text %q: %s", name, a.Body)
	}
	return s
}

// M is a JSON object.
type M = map[string]any
