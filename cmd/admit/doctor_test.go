package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/cli"
)

// dear is a hash that production accepts.
const dear = "PASSWORD_HASH_MEMORY_KIB=47104"

// found runs doctor and gives how each check ended.
func (b *bench) found(code int, args ...string) map[string]string {
	b.Helper()
	found := map[string]string{}
	for _, c := range b.run(append([]string{"doctor", "--json"}, args...)...).want(code).json().Checks {
		if found[c.Name] != problem {
			found[c.Name] = c.Status
		}
		if c.Status != fine && c.Fix == "" && c.Name != "config" {
			b.Errorf("no way out of %+v", c)
		}
	}
	return found
}

func TestDoctorOnAFreshDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t, "ADDR=127.0.0.1:18473", dear)
	f := b.found(cli.ExitWarnings)
	if f["config"] != fine || f["data"] != warning || f["database"] != warning || f["port"] != fine || f["passwords"] == problem { // how long a hash takes is the machine's matter
		t.Fatal(f)
	}
	if left, _ := os.ReadDir(b.dir); len(left) > 0 {
		t.Fatal("doctor leaves something behind", left)
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	b := newBench(t, "ADDR=127.0.0.1:18474", dear)
	b.serve().stop()
	if f := b.found(cli.ExitWarnings); f["owner"] != warning || f["signing key"] != fine || f["schema"] != fine || f["root key"] != fine {
		t.Fatal(f)
	}
	b.typing("secret-pass-1", "user", "create", "--email", "ann@example.com", "--role", "super_admin", "--password-file", "-").want(0)
	if a := b.run("doctor"); strings.Contains(a.out+a.err, "! passwords") { // how long a hash takes is the machine's matter
		a.want(cli.ExitWarnings, "✓ owner", "0 problems, 1 warning")
	} else {
		a.want(0, "✓ owner", "All is well.")
	}
	f := b.found(cli.ExitFailed, "--prod")
	if f["config"] != problem || f["owner"] != fine {
		t.Fatal(f)
	}
	b.run("doctor", "--prod").want(1, "SESSION_SECRET_KEY", "DATABASE_URL", "ENVIRONMENT=production")

	data := filepath.Join(b.dir, "admit-data")
	if runtime.GOOS != "windows" {
		change(t, os.Chmod(data, 0o755))
		change(t, os.Chmod(filepath.Join(data, "session_secret_key"), 0o644))
		if f := b.found(cli.ExitFailed); f["data"] != warning || f["root key"] != problem {
			t.Fatal(f)
		}
		change(t, os.Chmod(data, 0o700))
	}
	change(t, os.Remove(filepath.Join(data, "session_secret_key")))
	if f := b.found(cli.ExitFailed); f["root key"] != problem || f["database"] != fine {
		t.Fatal(f)
	}
	if _, err := os.Stat(filepath.Join(data, "session_secret_key")); err == nil {
		t.Fatal("doctor made a new key")
	}
	b.env = append(b.env, "SESSION_SECRET_KEY="+strings.TrimSpace(b.run("keygen").out))
	if f := b.found(cli.ExitFailed); f["signing key"] != problem {
		t.Fatal(f)
	}
}

func change(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDoctorOnABrokenDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t, "ADDR=127.0.0.1:18475")
	change(t, os.WriteFile(filepath.Join(b.dir, "admit-data"), nil, 0o600))
	b.run("doctor").want(1, "is not a directory", "Fix: ")
	change(t, os.Remove(filepath.Join(b.dir, "admit-data")))
	change(t, os.Mkdir(filepath.Join(b.dir, "admit-data"), 0o700))
	change(t, os.WriteFile(filepath.Join(b.dir, "admit-data", "admit.db"), []byte(strings.Repeat("no database ", 100)), 0o600))
	change(t, os.WriteFile(filepath.Join(b.dir, "admit-data", "session_secret_key"), []byte(strings.Repeat("k", 64)), 0o600))
	if f := b.found(cli.ExitFailed); f["database"] != problem {
		t.Fatal(f)
	}
}

func TestDoctorLooksAtTheAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  []string
		says string
	}{
		{[]string{"BASE_URL=http://auth.example.com"}, "Fix: Put TLS in front and set BASE_URL=https://auth.example.com"},
		{[]string{"BASE_URL=https://auth.example.com"}, "TRUSTED_PROXIES is empty"},
		{[]string{"BASE_URL=https://auth.example.com", "COOKIE_SECURE=false"}, "COOKIE_SECURE=false"},
		{[]string{"COOKIE_SECURE=true"}, "drop the cookies"},
		{[]string{"ADDR=0.0.0.0:18476"}, "can be reached from other machines"},
	} {
		newBench(t, append(slices.Clone(c.env), "ADDR=127.0.0.1:18476")...).run("doctor").want(cli.ExitWarnings, "! address", c.says)
	}
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	b := newBench(t)
	s := b.serve()
	b.env = append(b.env, "ADDR="+strings.TrimPrefix(s.url, "http://"), "BASE_URL="+elsewhere.URL)
	b.run("doctor").want(1, "✗ public url", "is not answered by Admit")
}

// A provider that would not be found, or is another than it should be, is told before anybody wants to sign in with it.
func TestDoctorLooksAtProviders(t *testing.T) {
	t.Parallel()
	issuer := ""
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/openid-configuration" {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":"%[2]s/a","token_endpoint":"%[2]s/t","jwks_uri":"%[2]s/k"}`, issuer, "http://"+r.Host)
	}))
	defer provider.Close()
	issuer = provider.URL
	own := func(issuer string, more ...string) *bench {
		return newBench(t, append(more, "ADDR=127.0.0.1:18477", dear, "OIDC_ENABLED=true", "OIDC_TITLE=Acme", "OIDC_NAME=acme", "OIDC_CLIENT_ID=x", "OIDC_ISSUER="+issuer)...)
	}
	const near = "OUTBOUND_PRIVATE_NETWORKS=127.0.0.0/8"
	own(issuer, near).run("doctor").want(cli.ExitWarnings, "✓ provider", "Acme", "http://localhost:18477/auth/acme/callback")
	own(issuer).run("doctor").want(1, "✗ provider", "not public", "OUTBOUND_PRIVATE_NETWORKS")
	own(issuer+"/realms/staff", near).run("doctor").want(1, "✗ provider", "404 Not Found", "Fix: See that this machine reaches "+issuer+"/realms/staff")
	own("http://127.0.0.1:1", near).run("doctor").want(1, "✗ provider", "it does not answer")
	issuer = "https://evil.test"
	own(provider.URL, near).run("doctor").want(1, "✗ provider", "the name of another")
	own(provider.URL, near, "GITHUB_ENABLED=true", "GITHUB_CLIENT_ID=x").run("doctor").want(1, "GITHUB_CLIENT_SECRET: is not set")
}
