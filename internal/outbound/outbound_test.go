package outbound_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/outbound"
)

func get(t *testing.T, c outbound.Config, address string) (int, []byte, error) {
	t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	status, _, body, err := outbound.Do(t.Context(), c.Client(2*time.Second), r)
	return status, body, err
}

// No address leads into the private network, however it is written and whatever name leads there.
func TestPrivateAddressesAreRefused(t *testing.T) {
	asked := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer inside.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(inside.URL, "http://"))
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]",
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.192", "198.18.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1",
		"[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001::1]", "[100::1]",
	} {
		_, _, err := get(t, outbound.Config{}, "http://"+host+":"+port+"/")
		dns := &net.DNSError{}
		if !errors.Is(err, outbound.ErrPrivate) && !errors.As(err, &dns) { // some spellings are no address to Go at all
			t.Errorf("%s: %v", host, err)
		}
	}
	if asked {
		t.Fatal("the private network was reached")
	}
	if _, _, err := get(t, outbound.Config{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, inside.URL); err != nil || !asked {
		t.Fatalf("what is named may be called: %v", err)
	}
}

// A redirect leads nowhere, an answer without end is not read to its end, and an error does not repeat what was sent.
func TestAnswersAreBounded(t *testing.T) {
	led := false
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, server.URL+"/there", http.StatusTemporaryRedirect)
		case "/there":
			led = true
		case "/much":
			for range 100 {
				_, _ = w.Write(make([]byte, 64<<10))
			}
		case "/broken":
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		}
	}))
	defer server.Close()
	local := outbound.Config{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if status, _, err := get(t, local, server.URL+"/away"); status != 307 || err != nil || led {
		t.Error(status, err, led)
	}
	if _, body, err := get(t, local, server.URL+"/much"); err != nil || len(body) != 64<<10 {
		t.Error(len(body), err)
	}
	if _, _, err := get(t, local, server.URL+"/broken?token=s3cret"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Error(err)
	}
}

// A signature is one that any library for Standard Webhooks accepts.
func TestSign(t *testing.T) {
	key, err := outbound.SigningKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	outbound.Sign(h, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`), key)
	// the example of the specification's own libraries
	if got := h.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" || h.Get("webhook-timestamp") != "1614265330" {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(`msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}`))
		t.Errorf("%v, want %s", h, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	for _, weak := range []string{"", "short", "whsec_", "whsec_AAAA", "whsec_not base64 at all, though long"} {
		if _, err := outbound.SigningKey(weak); err == nil {
			t.Errorf("%q is taken for a key", weak)
		}
	}
}
