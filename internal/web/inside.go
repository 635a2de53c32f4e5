package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Inside reports whether a request calls this server by its own name, by localhost or by an address. A page of another site
// can have its name lead here, and then reads what it gets: what development shows without asking who somebody is, it must
// not show under such a name.
func (c Config) Inside(r *http.Request) bool {
	_, own, _ := strings.Cut(c.Origin(), "://")
	host := hostname(r.Host)
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || strings.EqualFold(host, hostname(own))
}

// hostname is a host without its port and brackets.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.Trim(host, "[]")
}
