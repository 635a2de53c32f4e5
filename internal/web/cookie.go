package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/login"
)

// Cookies are the cookies of this server, each with one name for writing and for reading.
type Cookies struct {
	below    string // the path of BASE_URL
	secure   bool
	sameSite http.SameSite
	session  *Cookie
	refresh  *Cookie
	device   *Cookie
	own      *Cookie // the session of who acts in the name of another, meanwhile
}

// NewCookies gives the cookies as the configuration wants them.
func NewCookies(cfg Config) *Cookies {
	c := &Cookies{below: cfg.Path(), secure: cfg.secureCookies(), sameSite: http.SameSiteLaxMode}
	switch cfg.CookieSameSite {
	case "strict":
		c.sameSite = http.SameSiteStrictMode
	case "none":
		c.sameSite = http.SameSiteNoneMode
	}
	c.session = c.Named("session_id", "/")
	c.refresh = c.Named("refresh_token", "/api/v1")
	c.device = c.Named("device", "/")
	c.own = c.Named("own_session", "/")
	if c.sameSite == http.SameSiteStrictMode { // who comes back from another service is on their own device too
		c.device = c.device.Crossing()
	}
	return c
}

// Enter sends the cookies of a complete sign-in: that of the session, and the one that the device is known by.
func (c *Cookies) Enter(w http.ResponseWriter, out login.Outcome, now time.Time) {
	c.session.Set(w, out.Credential, out.Session.ExpiresAt, now)
	c.SetDevice(w, out.Device, now)
}

// Act sends the cookie of a session in the name of another, and keeps that of the sender's own beside it for as long as that one lives: a
// browser in which the former has ended says so, and does not go on as somebody else unnoticed.
func (c *Cookies) Act(w http.ResponseWriter, r *http.Request, credential string, until, now time.Time) {
	if mine, ok := c.session.Get(r); ok {
		c.own.Set(w, mine, until, now)
	}
	c.session.Set(w, credential, until, now)
}

// Own reads the session cookie that Act kept. It counts only beside another.
func (c *Cookies) Own(r *http.Request) (value string, ok bool) {
	if _, ok := c.session.Get(r); !ok {
		return "", false
	}
	return c.own.Get(r)
}

// Return gives a browser its own session back.
func (c *Cookies) Return(w http.ResponseWriter, own string, until, now time.Time) {
	c.session.Set(w, own, until, now)
	c.own.Clear(w)
}

// SetDevice sends the cookie that a device is known by, if it is to keep one.
func (c *Cookies) SetDevice(w http.ResponseWriter, a knowndevice.Arrival, now time.Time) {
	if a.Cookie != "" {
		c.device.Set(w, a.Cookie, a.Expires, now)
	}
}

// Named is a cookie of another name for what is below a path of this server, or with / for the whole host. Over https it gets the __Host- prefix, which no other host can set, and with it the path
// / that the prefix demands (RFC 6265bis section 4.1.3.2).
func (c *Cookies) Named(name, path string) *Cookie {
	if path != "/" {
		path = c.below + path
	}
	if c.secure {
		name, path = "__Host-"+name, "/"
	}
	return &Cookie{name: name, path: path, secure: c.secure, sameSite: c.sameSite}
}

// SetSession sends the session cookie. A zero expires makes one that ends with the browser.
func (c *Cookies) SetSession(w http.ResponseWriter, value string, expires, now time.Time) {
	c.session.Set(w, value, expires, now)
}

// ClearSession deletes the session cookie.
func (c *Cookies) ClearSession(w http.ResponseWriter) { c.session.Clear(w) }

// Session reads the session cookie.
func (c *Cookies) Session(r *http.Request) (value string, ok bool) { return c.session.Get(r) }

// SetRefresh sends the refresh cookie. A zero expires makes one that ends with the browser.
func (c *Cookies) SetRefresh(w http.ResponseWriter, value string, expires, now time.Time) {
	c.refresh.Set(w, value, expires, now)
}

// ClearRefresh deletes the refresh cookie.
func (c *Cookies) ClearRefresh(w http.ResponseWriter) { c.refresh.Clear(w) }

// Refresh reads the refresh cookie.
func (c *Cookies) Refresh(r *http.Request) (value string, ok bool) { return c.refresh.Get(r) }

// Cookie is one cookie with its attributes: HttpOnly always, Secure and SameSite by configuration, never a Domain.
type Cookie struct {
	name, path string
	secure     bool
	sameSite   http.SameSite
}

// Crossing is the same cookie for a visitor whom another site leads here: it comes along when they follow a link, also where the others
// are strict (RFC 6265bis, section 5.6.7).
func (c *Cookie) Crossing() *Cookie {
	crossing := *c
	if crossing.sameSite == http.SameSiteStrictMode {
		crossing.sameSite = http.SameSiteLaxMode
	}
	return &crossing
}

// Name is what the cookie is called on the wire.
func (c *Cookie) Name() string { return c.name }

// Set sends the cookie; one that has expired already is deleted. A zero expires makes one that ends with the browser.
func (c *Cookie) Set(w http.ResponseWriter, value string, expires, now time.Time) {
	if expires.IsZero() {
		c.write(w, http.Cookie{Value: value})
		return
	}
	left := expires.Sub(now)
	if left <= 0 {
		c.Clear(w)
		return
	}
	c.write(w, http.Cookie{Value: value, Expires: expires, MaxAge: int((left + time.Second - 1) / time.Second)})
}

// Clear deletes the cookie, with the attributes it was set with.
func (c *Cookie) Clear(w http.ResponseWriter) {
	c.write(w, http.Cookie{Expires: time.Unix(1, 0), MaxAge: -1})
}

func (c *Cookie) write(w http.ResponseWriter, made http.Cookie) {
	made.Name, made.Path, made.Secure, made.SameSite, made.HttpOnly = c.name, c.path, c.secure, c.sameSite, true
	// The last word replaces what was said before in the same answer (RFC 6265 section 4.1.1 wants a name once).
	h := w.Header()
	kept := make([]string, 0, len(h["Set-Cookie"])+1)
	for _, line := range h["Set-Cookie"] {
		if !strings.HasPrefix(line, c.name+"=") {
			kept = append(kept, line)
		}
	}
	h["Set-Cookie"] = append(kept, made.String())
}

// Get reads the cookie. Sent twice with different values it is as if it was not sent: one of them is somebody else's, put
// there from a neighbouring host, and nothing tells which.
func (c *Cookie) Get(r *http.Request) (value string, ok bool) {
	for _, line := range r.Header["Cookie"] {
		for more := true; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			// Only what RFC 6265 section 5.2 calls white space: trimming more lets other names pass for this one.
			pair = strings.Trim(pair, " \t")
			n := len(c.name)
			if len(pair) <= n || pair[n] != '=' || pair[:n] != c.name {
				continue
			}
			if ok && pair[n+1:] != value {
				return "", false
			}
			value, ok = pair[n+1:], true
		}
	}
	return value, ok && value != ""
}
