package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Postfix is a Postfix of its own: its settings, its queue and its mail are in one temporary directory.
type Postfix struct {
	CAFile string
	Ports  map[string]int // by SMTP_TLS; its one account is acme@mail.test

	t   testing.TB
	dir string
}

// PostfixPassword is that of its account.
const PostfixPassword = "a long pass"

// NewPostfix starts one for mail to ann0 to ann9 at example.com. Postfix is started by root alone: make test installs it where it can, and
// says where it cannot.
func NewPostfix(t testing.TB) *Postfix {
	t.Helper()
	if os.Getenv("TEST_POSTFIX") == "" {
		t.Skip("not run: Postfix needs root on Debian, where make test installs and starts it")
	}
	dir, err := os.MkdirTemp("/tmp", "postfix") // others than root must be able to enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &Postfix{t: t, dir: dir, Ports: map[string]int{}}
	cert := NewMailServer(t, "none") // it has a certificate for us, and a key
	p.CAFile = filepath.Join(dir, "ca.pem")
	text, key := cert.Certificate()
	p.write("ca.pem", string(text), 0o644)
	p.write("key.pem", string(key), 0o600)
	for _, mode := range []string{"starttls", "implicit", "none"} {
		if p.Ports[mode], err = strconv.Atoi(FreePort(t)); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"etc", "queue", "data", "mail", "etc/sasl"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p.run("chown", "postfix", dir+"/data")
	p.run("chown", "nobody", dir+"/mail")
	p.write("etc/main.cf", strings.NewReplacer("$dir", dir).Replace(mainCF), 0o644)
	p.write("etc/master.cf", p.master(), 0o644)
	p.write("etc/boxes", boxes(), 0o644)
	p.write("etc/sasl/smtpd.conf", "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: "+dir+"/etc/sasl/users\n", 0o644)
	add := exec.Command("saslpasswd2", "-p", "-c", "-u", "mail.test", "-f", dir+"/etc/sasl/users", "acme")
	add.Stdin = strings.NewReader(PostfixPassword)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("saslpasswd2: %v\n%s", err, out)
	}
	p.run("chown", "postfix", dir+"/etc/sasl/users")
	p.run("postfix", "-c", dir+"/etc", "start")
	t.Cleanup(func() { p.run("postfix", "-c", dir+"/etc", "stop") })
	return p
}

// boxes are those of ann0 to ann9 at example.com; it knows nobody else.
func boxes() string {
	var b strings.Builder
	for i := range 10 {
		fmt.Fprintf(&b, "/^ann%d@/ ann%d@example.com/\n", i, i)
	}
	return b.String()
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

func (p *Postfix) write(name, text string, mode os.FileMode) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), mode); err != nil {
		p.t.Fatal(err)
	}
}

func (p *Postfix) run(name string, args ...string) {
	p.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		p.t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, p.Log())
	}
}

func (p *Postfix) master() string {
	var b strings.Builder
	for mode, more := range map[string]string{"starttls": " -o smtpd_tls_auth_only=yes", "implicit": " -o smtpd_tls_wrappermode=yes", "none": " -o smtpd_tls_security_level=none"} {
		fmt.Fprintf(&b, "127.0.0.1:%d inet n - n - - smtpd%s\n", p.Ports[mode], more)
	}
	for _, line := range []string{"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "proxymap unix - - n - - proxymap", "discard unix - - n - - discard", "error unix - - n - - error",
		"virtual unix - n n - - virtual", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd"} {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

// Log is what it said.
func (p *Postfix) Log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return string(text)
}

// Arrived waits for a mail to an address that was not looked at yet, and gives it as it arrived.
func (p *Postfix) Arrived(to string) string {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		all, _ := filepath.Glob(filepath.Join(p.dir, "mail", to, "new", "*"))
		if len(all) == 0 {
			continue
		}
		text, err := os.ReadFile(all[0])
		if err == nil {
			err = os.Remove(all[0])
		}
		if err != nil {
			p.t.Fatal(err)
		}
		return string(text)
	}
	p.t.Fatalf("no mail to %s\n%s", to, p.Log())
	return ""
}
