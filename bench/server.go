package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	email    = "ada@example.com"
	password = "correct horse battery staple"
)

var signIn = fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)

// dataDir makes a directory for a server. Its name has Admit make what is missing in it.
func (b *bench) dataDir() (string, error) {
	dir, err := os.MkdirTemp(b.dir, "admit-data-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o700)
}

// server starts Admit on a data directory; an empty one makes a new one.
func (b *bench) server(dir string, env ...string) (*child, error) {
	if b.profiles != "" {
		return b.inspectable(dir, env...)
	}
	env, err := b.settings(dir, env)
	if err != nil {
		return nil, err
	}
	return b.start(env, "/health/live", b.admit, "serve")
}

// inspectable is the same server in a program that tells of its memory.
func (b *bench) inspectable(dir string, env ...string) (*child, error) {
	env, err := b.settings(dir, env)
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	c, err := b.start(append(env, "PPROF_ADDR="+addr), "/health/live", b.self, "serve")
	if err == nil {
		c.pprofAddr = addr
	}
	return c, err
}

func (b *bench) settings(dir string, env []string) ([]string, error) {
	if dir == "" {
		var err error
		if dir, err = b.dataDir(); err != nil {
			return nil, err
		}
	}
	return append(slices.Clone(env), "ENVIRONMENT=development", "RATE_LIMIT=off", "EMAIL_VERIFICATION=off", "DATA_DIR="+dir), nil
}

// signedUp is a server with one person, and their session cookie.
func (b *bench) signedUp(env ...string) (*child, string, error) {
	s, err := b.server("", env...)
	if err != nil {
		return nil, "", err
	}
	a, err := asked(s.addr, request("POST", "/auth/signup", signIn), 201)
	if err != nil {
		s.stop()
		return nil, "", err
	}
	time.Sleep(300 * time.Millisecond) // the event file is written behind the answer
	return s, a.cookie("session_id"), nil
}

func me(cookie string) []byte { return request("GET", "/auth/me", "", "Cookie: session_id="+cookie) }

// seedCookie is the session cookie of the i-th person that was inserted in bulk.
func seedCookie(i int64) string {
	sum := sha256.Sum256(fmt.Append(nil, "seed ", i))
	return hex.EncodeToString(sum[:])
}

// seeded is a server with n people and a session of each, inserted by SQL.
func (b *bench) seeded(n int, start func(dir string, env ...string) (*child, error), env ...string) (*child, error) {
	dir, err := b.dataDir()
	if err != nil {
		return nil, err
	}
	if err := seed(b.ctx, "sqlite:///"+filepath.Join(dir, "admit.db"), n); err != nil {
		return nil, err
	}
	return start(dir, env...)
}
