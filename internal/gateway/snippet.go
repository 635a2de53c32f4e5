package gateway

import (
	"embed"
	"fmt"
	"net"
	"net/url"
	"strings"
	"text/template"
)

//go:embed snippets
var snippets embed.FS

// paths are the first parts of the addresses that are Admit's own. What is for machines beside it, such as /health, is not among them.
var paths = []string{".well-known", "access", "account", "admin", "api", "assets", "auth", "confirm", "dev", "docs", "invitation", "not-me", "oauth2", "openapi.json", "openapi.yaml",
	"org", "preferences", "recover", "redoc", "signin", "signout", "signup", "start", "unlock", "verify"}

// Setup is what a snippet is written for.
type Setup struct {
	Base       string // the public address, BASE_URL
	Admit, App string // where Admit and the app listen, as http://127.0.0.1:8000
	Permission string // what everybody needs who passes; "" asks only who they are
	Org        string // in which organization; "" is the platform
}

// Snippet is the configuration of a proxy that lets pass who may.
func Snippet(proxy string, s Setup) (string, error) {
	base, err := url.Parse(s.Base)
	if err != nil {
		return "", err
	}
	files := map[string]string{"nginx": "nginx.conf", "caddy": "caddy.conf", "traefik": "traefik.yaml", "envoy": "envoy.yaml"}
	text, err := snippets.ReadFile("snippets/" + files[proxy])
	if err != nil || files[proxy] == "" {
		return "", fmt.Errorf("there is no snippet for %q: ask for one of %s", proxy, strings.Join(Proxies(), ", "))
	}
	q := url.Values{}
	if s.Permission != "" {
		q.Set("permission", s.Permission)
		if s.Org != "" {
			q.Set("org", s.Org)
		}
	}
	listen := base.Port()
	if listen == "" {
		listen = map[string]string{"http": "80", "https": "443 ssl"}[base.Scheme]
	}
	site := base.Scheme + "://" + base.Host
	if base.Scheme == "https" {
		site = base.Host // Caddy gets the certificate
	}
	path, own := strings.TrimSuffix(base.Path, "/"), paths
	if path != "" {
		own = []string{path[1:]}
	}
	data := struct{ Base, Path, Host, Listen, Site, Admit, App, Query, Redirecting, Either, Each string }{
		strings.TrimSuffix(s.Base, "/"), path, base.Hostname(), listen, site, strings.TrimSuffix(s.Admit, "/"), strings.TrimSuffix(s.App, "/"), mark(q.Encode()), "",
		strings.ReplaceAll(strings.Join(own, "|"), ".", `\.`), each(own)}
	q.Set("signin", "redirect")
	data.Redirecting = mark(q.Encode())
	t, err := template.New(proxy).Parse(string(text))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, data)
	return b.String(), err
}

// Each is a matcher of Caddy for the addresses that are Admit's own, where it has no path of its own.
func Each() string { return each(paths) }

func each(paths []string) string {
	var b strings.Builder
	for _, p := range paths {
		fmt.Fprintf(&b, " /%s /%s/*", p, p)
	}
	return b.String()[1:]
}

func mark(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}

// Local is an address where others on this machine reach what listens on addr.
func Local(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
