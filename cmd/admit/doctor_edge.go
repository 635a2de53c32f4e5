package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/secret"
)

// address checks that BASE_URL, the cookies and the proxy fit each other.
func (e *examination) address() {
	web, before := e.cfg.Web, len(e.checks)
	origin := web.Origin()
	u, _ := url.Parse(origin) // Origin has parsed it before
	local := loopback(u.Hostname())
	if !web.HTTPS() && !local {
		e.note(warning, "address", "BASE_URL is "+origin+": passwords and cookies cross the network in the clear, and passkeys need https", "Put TLS in front and set BASE_URL=https://"+u.Hostname())
	}
	if web.HTTPS() && web.CookieSecure == "false" {
		e.note(warning, "address", "COOKIE_SECURE=false, though BASE_URL is https: the cookies would also be sent in the clear", "Remove COOKIE_SECURE.")
	}
	if web.CookieSecure == "true" && !web.HTTPS() {
		e.note(warning, "address", "COOKIE_SECURE=true, though BASE_URL is http: some browsers and most programs drop the cookies, and signing in goes round in circles", "Remove COOKIE_SECURE, or make BASE_URL https.")
	}
	if web.HTTPS() && len(web.TrustedProxies) == 0 {
		e.note(warning, "address", "TLS ends at a proxy, and TRUSTED_PROXIES is empty: everybody seems to come from the proxy, also to the rate limits", "Set TRUSTED_PROXIES to the address of the proxy.")
	}
	if host, _, err := net.SplitHostPort(e.cfg.Server.Addr); err == nil && !e.cfg.Production() && !loopback(host) {
		e.note(warning, "address", "ADDR "+e.cfg.Server.Addr+" can be reached from other machines, and this is development", "Set ENVIRONMENT=production, or listen on 127.0.0.1.")
	}
	if len(e.checks) == before {
		e.note(fine, "address", origin+" fits the cookies", "")
	}
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// port checks who listens where the server would, and whether the public address leads to it.
func (e *examination) port() {
	addr, origin := e.cfg.Server.Addr, e.cfg.Web.Origin()
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(e.Ctx, "tcp", reachable(addr))
	if err != nil {
		l, err := listen(e.Ctx, "ADDR", addr)
		if err != nil {
			_, text := cli.Judge(err)
			e.note(problem, "port", text, "Set ADDR.")
			return
		}
		_ = l.Close()
		e.note(fine, "port", addr+" is free: no server runs here", "")
		return
	}
	_ = conn.Close()
	version, ok := running(e.Ctx, "http://"+reachable(addr))
	if !ok {
		e.note(problem, "port", addr+" is taken by another program", "Stop it, or set ADDR to another port.")
		return
	}
	e.note(fine, "port", "Admit "+version+" answers at "+addr, "")
	if _, ok := running(e.Ctx, origin); !ok {
		e.note(problem, "public url", "BASE_URL "+origin+" is not answered by Admit", "Lead it to "+addr+", or set BASE_URL to the address people type.")
		return
	}
	e.note(fine, "public url", origin+" is answered by Admit", "")
}

// reachable turns an address to listen on into one to call.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip, bad := netip.ParseAddr(host); err == nil && (host == "" || bad == nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

// hashing measures what a password hash costs here.
func (e *examination) hashing() {
	one := e.cfg.Hash
	one.Workers = 1
	hasher := secret.NewHasher(one)
	defer hasher.Close()
	ctx, cancel := context.WithTimeout(e.Ctx, 30*time.Second)
	defer cancel()
	began := time.Now()
	if _, err := hasher.Hash(ctx, "a password to measure with"); err != nil {
		e.note(problem, "passwords", "hashing one took too long: "+err.Error(), "Lower PASSWORD_HASH_MEMORY_KIB or PASSWORD_HASH_ITERATIONS.")
		return
	}
	took := time.Since(began)
	detail := fmt.Sprintf("argon2id with %d KiB and %s takes %s", one.MemoryKiB, cli.Plural(one.Iterations, "iteration"), took.Round(100*time.Microsecond))
	if took > time.Second {
		e.note(warning, "passwords", detail+": people wait for it at each sign-in", "Lower PASSWORD_HASH_MEMORY_KIB or PASSWORD_HASH_ITERATIONS.")
		return
	}
	e.note(fine, "passwords", detail, "")
}
