package testkit

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/secret"
)

// MailServer is an SMTP server that keeps what it is given.
type MailServer struct {
	T        testing.TB
	Mode     string // as SMTP_TLS
	Username string // asked for when not empty
	Password string
	CAFile   string // of the certificate it shows
	Port     int

	// Refuse may refuse a recipient, Judge what was written. They are set before the first mail.
	Refuse func(to string) error
	Judge  func(Mail) error

	config *tls.Config
	mu     sync.Mutex
	server *smtp.Server
	listen net.Listener
	served chan struct{}
	mails  []Mail
	logins int
}

// Mail is what a MailServer was given.
type Mail struct {
	From   string
	To     []string
	Header mail.Header
	Text   string
	HTML   string
	Raw    string
}

// Subject is the subject, decoded.
func (m Mail) Subject() string {
	s, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return err.Error()
	}
	return s
}

// NewMailServer starts a server that speaks starttls, implicit or none.
func NewMailServer(t testing.TB, mode string) *MailServer {
	m := &MailServer{T: t, Mode: mode, CAFile: filepath.Join(t.TempDir(), "ca.pem")}
	cert := m.certificate()
	m.config = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	m.Start()
	t.Cleanup(m.Stop)
	return m
}

// Use has a server under test send through this one.
func (m *MailServer) Use(cfg *admit.Config) {
	cfg.Mail.Host, cfg.Mail.Port, cfg.Mail.TLS, cfg.Mail.CAFile = "127.0.0.1", m.Port, m.Mode, m.CAFile
	cfg.Mail.From = "Acme Jobs <no-reply@acme.test>"
	cfg.Mail.Username, cfg.Mail.Password = m.Username, secret.String(m.Password)
}

// Certificate is what the server shows, and its key, in PEM.
func (m *MailServer) Certificate() (cert, key []byte) {
	m.T.Helper()
	own := m.config.Certificates[0]
	raw, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		m.T.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func (m *MailServer) certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		m.T.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		m.T.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	if err := os.WriteFile(m.CAFile, text, 0o600); err != nil {
		m.T.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// Start listens, on the same port as before.
func (m *MailServer) Start() {
	m.T.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: m.Port})
	if err != nil {
		m.T.Fatal(err)
	}
	m.Port = l.Addr().(*net.TCPAddr).Port
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{server: m}, nil }))
	m.server.Domain, m.server.EnableSMTPUTF8 = "mail.test", true
	m.server.ErrorLog = quiet{}
	listener := net.Listener(l)
	switch m.Mode {
	case "starttls":
		m.server.TLSConfig = m.config
	case "implicit":
		listener = tls.NewListener(l, m.config)
	default:
		m.server.AllowInsecureAuth = true
	}
	served := make(chan struct{})
	m.listen, m.served = listener, served
	server := m.server
	go func() { defer close(served); _ = server.Serve(listener) }()
}

// Stop cuts every connection and listens no more.
func (m *MailServer) Stop() {
	m.mu.Lock()
	server, listener, served := m.server, m.listen, m.served
	m.server = nil
	m.mu.Unlock()
	if server != nil {
		_ = listener.Close() // it may not be the server's yet
		_ = server.Close()
		<-served
	}
}

// Mails are what was taken on, for one recipient or for everybody.
func (m *MailServer) Mails(to string) (list []Mail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.mails {
		if to == "" || len(one.To) == 1 && one.To[0] == to {
			list = append(list, one)
		}
	}
	return list
}

// Logins is how often somebody signed in with the right password.
func (m *MailServer) Logins() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.logins
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

type mailSession struct {
	server *MailServer
	signed bool
	mail   Mail
}

func (s *mailSession) AuthMechanisms() []string {
	if s.server.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != s.server.Username || password != s.server.Password {
			return smtp.ErrAuthFailed
		}
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.logins++
		s.signed = true
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.Username != "" && !s.signed {
		return smtp.ErrAuthRequired
	}
	s.mail = Mail{From: from}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.server.Refuse != nil {
		if err := s.server.Refuse(to); err != nil {
			return err
		}
	}
	s.mail.To = append(s.mail.To, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.Raw = string(raw)
	if err := s.mail.read(); err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "this is no mail: " + err.Error()}
	}
	if s.server.Judge != nil {
		if err := s.server.Judge(s.mail); err != nil {
			return err
		}
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

func (s *mailSession) Reset()        { s.mail = Mail{} }
func (s *mailSession) Logout() error { return nil }

// read takes a mail apart that is text, and the same in HTML.
func (m *Mail) read() error {
	message, err := mail.ReadMessage(strings.NewReader(m.Raw))
	if err != nil {
		return err
	}
	m.Header = message.Header
	kind, options, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return errors.Join(err, errors.New(kind))
	}
	for parts := multipart.NewReader(message.Body, options["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var text bytes.Buffer
		var from io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			from = quotedprintable.NewReader(part)
		}
		if _, err := text.ReadFrom(from); err != nil {
			return err
		}
		plain := strings.ReplaceAll(text.String(), "\r\n", "\n")
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = plain
		} else {
			m.Text = plain
		}
	}
}
