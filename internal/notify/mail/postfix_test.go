package mail_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/notify/mail"
	"github.com/admit-dev/admit/internal/testkit"
)

// A letter passes through Postfix, as most servers are: by STARTTLS, by TLS from the first byte and in the clear, with a password.
// Postfix is started by root alone: make test installs it where it can, and says so here.
func TestPostfix(t *testing.T) {
	if os.Getenv("TEST_POSTFIX") == "" {
		t.Skip("not run: Postfix needs root on Debian, where make test installs and starts it")
	}
	p := startPostfix(t)
	for i, mode := range []string{"starttls", "implicit", "none"} {
		s, err := mail.New(mail.Config{Host: "127.0.0.1", Port: p.ports[mode], TLS: mode, CAFile: p.ca, Username: "acme@mail.test", Password: "a long pass", From: "Acme Jobs <no-reply@acme.test>", TimeoutSeconds: 30})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Fatalf("%s: %v\n%s", mode, err, p.log())
		}
		l := letter
		l.ID, l.To = fmt.Sprint("msg_", mode), fmt.Sprintf("ann%d@example.com", i)
		if err := s.Send(t.Context(), l); err != nil {
			t.Fatalf("%s: %v\n%s", mode, err, p.log())
		}
		raw := p.arrived(t, l.To)
		for _, part := range []string{"Message-ID: <msg_" + mode + "@acme.test>", "multipart/alternative", "Return-Path: <no-reply@acme.test>", "Auto-Submitted: auto-generated"} {
			if !strings.Contains(raw, part) {
				t.Errorf("%s: no %s in\n%s", mode, part, raw)
			}
		}
	}
	wrong, err := mail.New(mail.Config{Host: "127.0.0.1", Port: p.ports["starttls"], TLS: "starttls", CAFile: p.ca, Username: "acme@mail.test", Password: "another", From: "no-reply@acme.test", TimeoutSeconds: 30})
	if err != nil {
		t.Fatal(err)
	}
	verdict(t, wrong.Send(t.Context(), letter), "ill")
	nobody := letter
	nobody.To = "ann@elsewhere.test" // not its own, and it relays for nobody
	open, err := mail.New(mail.Config{Host: "127.0.0.1", Port: p.ports["none"], TLS: "none", From: "no-reply@acme.test", TimeoutSeconds: 30})
	if err != nil {
		t.Fatal(err)
	}
	verdict(t, open.Send(t.Context(), nobody), "delayed")
	nobody.To = "nobody@example.com"
	verdict(t, open.Send(t.Context(), nobody), "refused")
}

// postfix is a Postfix of its own: its settings, its queue and its mail are in one temporary directory.
type postfix struct {
	dir, ca string
	ports   map[string]int
}

func startPostfix(t *testing.T) *postfix {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "postfix") // others than root must be able to enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &postfix{dir: dir, ports: map[string]int{}}
	cert := testkit.NewMailServer(t, "none") // it has a certificate for us, and a key
	p.ca = filepath.Join(dir, "ca.pem")
	text, key := cert.Certificate()
	p.write(t, "ca.pem", string(text), 0o644)
	p.write(t, "key.pem", string(key), 0o600)
	for _, mode := range []string{"starttls", "implicit", "none"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p.ports[mode] = l.Addr().(*net.TCPAddr).Port
		l.Close()
	}
	for _, sub := range []string{"etc", "queue", "data", "mail", "etc/sasl"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p.run(t, "chown", "postfix", dir+"/data")
	p.run(t, "chown", "nobody", dir+"/mail")
	p.write(t, "etc/main.cf", strings.NewReplacer("$dir", dir).Replace(mainCF), 0o644)
	p.write(t, "etc/master.cf", p.master(), 0o644)
	p.write(t, "etc/boxes", "/^ann0@/ ann0@example.com/\n/^ann1@/ ann1@example.com/\n/^ann2@/ ann2@example.com/\n", 0o644)
	p.write(t, "etc/sasl/smtpd.conf", "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: "+dir+"/etc/sasl/users\n", 0o644)
	add := exec.Command("saslpasswd2", "-p", "-c", "-u", "mail.test", "-f", dir+"/etc/sasl/users", "acme")
	add.Stdin = strings.NewReader("a long pass")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("saslpasswd2: %v\n%s", err, out)
	}
	p.run(t, "chown", "postfix", dir+"/etc/sasl/users")
	p.run(t, "postfix", "-c", dir+"/etc", "start")
	t.Cleanup(func() { p.run(t, "postfix", "-c", dir+"/etc", "stop") })
	return p
}

const mainCF = `compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/log
maillog_file_prefixes = $dir
myhostname = mail.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
smtpd_tls_cert_file = $dir/ca.pem
smtpd_tls_key_file = $dir/key.pem
smtpd_tls_security_level = may
cyrus_sasl_config_path = $dir/etc/sasl
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = mail.test
mynetworks =
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
default_transport = discard
virtual_mailbox_domains = example.com
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = regexp:$dir/etc/boxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
`

func (p *postfix) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func (p *postfix) run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, p.log())
	}
}

func (p *postfix) master() string {
	var b strings.Builder
	for mode, more := range map[string]string{"starttls": " -o smtpd_tls_auth_only=yes", "implicit": " -o smtpd_tls_wrappermode=yes", "none": " -o smtpd_tls_security_level=none"} {
		fmt.Fprintf(&b, "127.0.0.1:%d inet n - n - - smtpd%s\n", p.ports[mode], more)
	}
	for _, line := range []string{"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "proxymap unix - - n - - proxymap", "discard unix - - n - - discard", "error unix - - n - - error",
		"virtual unix - n n - - virtual", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd"} {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

func (p *postfix) log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return string(text)
}

// arrived waits for the mail of one address.
func (p *postfix) arrived(t *testing.T, to string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		all, _ := filepath.Glob(filepath.Join(p.dir, "mail", to, "new", "*"))
		if len(all) == 1 {
			text, err := os.ReadFile(all[0])
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	t.Fatalf("no mail to %s\n%s", to, p.log())
	return ""
}
