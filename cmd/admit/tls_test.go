package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate for localhost that signs itself.
func certificate(t *testing.T, dir string) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return certFile, keyFile, pool
}

// With a certificate the server speaks https and HTTP/2, its cookies are those of https, and old TLS is refused (MIX-03).
func TestServeTLS(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	certFile, keyFile, pool := certificate(t, b.dir)
	b.env = append(b.env, "TLS_CERT_FILE="+certFile, "TLS_KEY_FILE="+keyFile)
	s := b.serve()
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatal("BASE_URL does not follow:", s.url)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	c := s.client(t)
	c.Client.Transport = transport
	a := c.Post("/auth/signup", map[string]string{"email": "ann@example.com", "password": "password123"}).Want(201)
	if cookie := a.Header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-session_id=") || !strings.Contains(cookie, "Secure") || a.Header.Get("Strict-Transport-Security") == "" {
		t.Fatal(a.Header)
	}
	resp, err := c.Client.Get(s.url + "/health/live")
	if err != nil || resp.ProtoMajor != 2 {
		t.Fatal(err, resp)
	}
	_ = resp.Body.Close()
	old := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), old); err == nil {
		_ = conn.Close()
		t.Fatal("TLS 1.1 is spoken")
	}
}
