// Package outbound calls other servers: briefly, without following them elsewhere, and never into the private network unless
// an operator has said so.
package outbound

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Config says what may be called.
type Config struct {
	Private []netip.Prefix `env:"OUTBOUND_PRIVATE_NETWORKS" doc:"Networks that this server may call although they are not public, as 10.1.0.0/16 or 127.0.0.1/32: where an SMS gateway or a webhook of your own is. It has nothing to do with SMTP_HOST and DATABASE_URL."`
}

// ErrPrivate is an address that may not be called.
var ErrPrivate = errors.New("the address is not public: name its network in OUTBOUND_PRIVATE_NETWORKS if it may be called")

// Client is an HTTP client whose every connection is checked after the name was looked up, so that no name leads inside. A
// redirect is an answer as any other.
func (c Config) Client(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error { return c.allow(address) }}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, IdleConnTimeout: time.Minute,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 4, ForceAttemptHTTP2: true,
		},
	}
}

func (c Config) allow(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap().WithZone("")
	if slices.ContainsFunc(c.Private, func(p netip.Prefix) bool { return p.Contains(ip) }) || public(ip) {
		return nil
	}
	return ErrPrivate
}

// special are networks that IANA has set aside and that lead nowhere, inside, or by another network's address inside again.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func public(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// mostOfAnAnswer is how much of an answer is read.
const mostOfAnAnswer = 64 << 10

// Do sends a request and reads its answer. The error names neither the address nor anything that was sent.
func Do(ctx context.Context, client *http.Client, r *http.Request) (status int, header http.Header, body []byte, err error) {
	return DoUpTo(ctx, client, r, mostOfAnAnswer)
}

// DoUpTo is Do with another limit on what is read of the answer, in bytes.
func DoUpTo(ctx context.Context, client *http.Client, r *http.Request, most int64) (status int, header http.Header, body []byte, err error) {
	resp, err := client.Do(r.WithContext(ctx))
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return 0, nil, nil, fmt.Errorf("%s: %w", r.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		err = fmt.Errorf("%s: the answer broke off: %w", r.URL.Host, err)
	}
	return resp.StatusCode, resp.Header, body, err
}

// Sign adds the headers of Standard Webhooks (standardwebhooks.com): who receives body can tell that it is ours, which
// message it is, and when it was sent. id is the same at each try. Of several keys there is a signature each, for whoever knows one of them.
func Sign(h http.Header, id string, at time.Time, body []byte, keys ...[]byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", strings.Join(signatures, " "))
}

// SigningKey reads the secret of a webhook: whsec_ and base64, as others write it, or any text of 24 characters and more.
func SigningKey(text string) ([]byte, error) {
	if coded, ok := strings.CutPrefix(text, "whsec_"); ok {
		key, err := base64.StdEncoding.DecodeString(coded)
		if err != nil || len(key) < 24 {
			return nil, errors.New("what follows whsec_ is not the base64 of 24 bytes or more")
		}
		return key, nil
	}
	if len(text) < 24 {
		return nil, errors.New("it has fewer than 24 characters")
	}
	return []byte(text), nil
}
