package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/secret"
)

// port checks who listens where the server would, and whether the public address leads to it.
func (e *examination) port() {
	addr, base := e.cfg.Server.Addr, e.cfg.Web.Base()
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(e.Ctx, "tcp", reachable(addr))
	if err != nil {
		l, err := listen(e.Ctx, "ADDR", addr)
		if err != nil {
			_, text := cli.Judge(err)
			e.Note(problem, "port", text, "Set ADDR.")
			return
		}
		_ = l.Close()
		e.Note(fine, "port", addr+" is free: no server runs here", "")
		return
	}
	_ = conn.Close()
	version, ok := running(e.Ctx, "http://"+reachable(addr)+e.cfg.Web.Path())
	if !ok {
		e.Note(problem, "port", addr+" is taken by another program", "Stop it, or set ADDR to another port.")
		return
	}
	e.Note(fine, "port", "Admit "+version+" answers at "+addr, "")
	if _, ok := running(e.Ctx, base); !ok {
		e.Note(problem, "public url", "BASE_URL "+base+" is not answered by Admit", "Lead it to "+addr+", or set BASE_URL to the address people type.")
		return
	}
	e.Note(fine, "public url", base+" is answered by Admit", "")
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
		e.Note(problem, "passwords", "hashing one took too long: "+err.Error(), "Lower PASSWORD_HASH_MEMORY_KIB or PASSWORD_HASH_ITERATIONS.")
		return
	}
	took := time.Since(began)
	detail := fmt.Sprintf("argon2id with %d KiB and %s takes %s", one.MemoryKiB, cli.Plural(one.Iterations, "iteration"), took.Round(100*time.Microsecond))
	if took > time.Second {
		e.Note(warning, "passwords", detail+": people wait for it at each sign-in", "Lower PASSWORD_HASH_MEMORY_KIB or PASSWORD_HASH_ITERATIONS.")
		return
	}
	e.Note(fine, "passwords", detail, "")
}
