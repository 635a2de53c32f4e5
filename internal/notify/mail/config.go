package mail

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"os"
	"strings"

	"github.com/admit-dev/admit/internal/secret"
)

// Config is the mail server that takes what is sent.
type Config struct {
	Host           string        `env:"SMTP_HOST" doc:"The mail server that takes what is sent: a name or an address. Without one, development keeps messages for /dev/inbox."`
	Port           int           `env:"SMTP_PORT" default:"0" min:"0" max:"65535" doc:"Its port; 0 is 587, or 465 with SMTP_TLS=implicit, or 25 with SMTP_TLS=none."`
	TLS            string        `env:"SMTP_TLS" default:"starttls" oneof:"starttls,implicit,none" doc:"How the connection is encrypted: by STARTTLS, from its first byte, or not at all, which is for a server on the same machine."`
	CAFile         string        `env:"SMTP_CA_FILE" doc:"Certificates (PEM) that the server's may be signed by, instead of those of the system."`
	Username       string        `env:"SMTP_USERNAME" doc:"Who sends, for a server that asks."`
	Password       secret.String `env:"SMTP_PASSWORD" secret:"true" doc:"The password of SMTP_USERNAME."`
	From           string        `env:"MAIL_FROM" doc:"The sender of every mail: no-reply@example.com, or Acme <no-reply@example.com>."`
	TimeoutSeconds int           `env:"SMTP_TIMEOUT_SECONDS" default:"30" min:"1" max:"300" doc:"The longest one mail may take. Another server takes over one that was under way here after half as long again."`

	Own bool // the program hands mails over itself, which no setting says
}

// Check refuses a server that is described by halves, and one that would see passwords in the clear.
func (c Config) Check(production bool) error {
	if c.Host == "" {
		for _, s := range []struct{ name, value string }{{"MAIL_FROM", c.From}, {"SMTP_USERNAME", c.Username}, {"SMTP_PASSWORD", c.Password.Reveal()}, {"SMTP_CA_FILE", c.CAFile}} {
			if s.value != "" {
				return fmt.Errorf("%s is set and SMTP_HOST is not: name the mail server, or remove it", s.name)
			}
		}
		return nil
	}
	var faults []error
	if strings.ContainsAny(c.Host, ":/@ ") && !isIP(c.Host) {
		faults = append(faults, errors.New("SMTP_HOST is the name of the server alone: put the port into SMTP_PORT and the user into SMTP_USERNAME"))
	}
	if c.From == "" {
		faults = append(faults, errors.New("MAIL_FROM is not set and SMTP_HOST is: say who the mails are from"))
	} else if _, err := c.from(); err != nil {
		faults = append(faults, errors.New("MAIL_FROM is not one e-mail address: write no-reply@example.com, or Acme <no-reply@example.com>"))
	}
	if (c.Username == "") != (c.Password.Reveal() == "") {
		faults = append(faults, errors.New("SMTP_USERNAME and SMTP_PASSWORD belong together: set both, or neither"))
	}
	if _, err := c.roots(); err != nil {
		faults = append(faults, fmt.Errorf("SMTP_CA_FILE holds no certificate that can be read: %w", err))
	}
	if c.TLS == "none" && production && !loopback(c.Host) {
		faults = append(faults, errors.New("SMTP_TLS=none would send links and codes across the network in the clear: use starttls or implicit, with SMTP_CA_FILE if the certificate is your own"))
	}
	return errors.Join(faults...)
}

func (c Config) from() (*netmail.Address, error) {
	a, err := netmail.ParseAddress(c.From)
	if err == nil && !strings.Contains(a.Address, "@") {
		err = errors.New("no domain")
	}
	return a, err
}

func (c Config) port() int {
	switch {
	case c.Port != 0:
		return c.Port
	case c.TLS == "implicit":
		return 465
	case c.TLS == "none":
		return 25
	}
	return 587
}

// roots are who the server's certificate may be signed by, nil for those of the system.
func (c Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("no PEM certificate")
	}
	return pool, nil
}

func isIP(host string) bool { return net.ParseIP(strings.Trim(host, "[]")) != nil }

func loopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}
