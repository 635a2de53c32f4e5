package sms_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/notify/sms"
	"github.com/admit-dev/admit/internal/outbound"
	"github.com/admit-dev/admit/internal/secret"
)

var (
	now    = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	letter = notify.Letter{ID: "msg_1", Channel: notify.SMS, To: "+491711234567", Text: "415203 ist Ihr Code für Acme.\n\n@acme.test #415203", Codes: []string{"415203"}, At: now}
	local  = outbound.Config{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
)

// asked is a request as a service saw it.
type asked struct {
	r    *http.Request
	body string
}

// service answers every request the same way, and keeps the last.
func service(t *testing.T, status int, answer string) (*httptest.Server, *asked) {
	got := &asked{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = asked{r, string(body)}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s, got
}

func configs(at string) map[string]sms.Config {
	return map[string]sms.Config{
		"twilio":  {Provider: "twilio", From: "+15005550006", URL: at, TwilioSID: "AC123", TwilioToken: "token", TimeoutSeconds: 5},
		"vonage":  {Provider: "vonage", From: "Acme", URL: at, VonageKey: "key", VonageSecret: "s3cret", TimeoutSeconds: 5},
		"sns":     {Provider: "sns", From: "Acme", URL: at, AWSRegion: "eu-central-1", AWSKey: "AKIDEXAMPLE", AWSSecret: "wJalrXUtnFEMI", TimeoutSeconds: 5},
		"webhook": {Provider: "webhook", URL: at + "/sms?tenant=1", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", TimeoutSeconds: 5},
	}
}

func send(t *testing.T, cfg sms.Config) error {
	t.Helper()
	if err := cfg.Check(false); err != nil {
		t.Fatal(err)
	}
	s, err := sms.New(cfg, local, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return s.Send(t.Context(), letter)
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestTwilio(t *testing.T) {
	at, got := service(t, 201, `{"sid":"SM1","status":"queued"}`)
	cfg := configs(at.URL)["twilio"]
	if err := send(t, cfg); err != nil {
		t.Fatal(err)
	}
	user, password, _ := got.r.BasicAuth()
	in, _ := url.ParseQuery(got.body)
	same(t, "path", got.r.Method+got.r.URL.Path, "POST/2010-04-01/Accounts/AC123/Messages.json")
	same(t, "auth", user+":"+password, "AC123:token")
	same(t, "form", in.Encode(), url.Values{"To": {letter.To}, "From": {cfg.From}, "Body": {letter.Text}}.Encode())
	cfg.From = "MG123"
	if err := send(t, cfg); err != nil {
		t.Fatal(err)
	}
	in, _ = url.ParseQuery(got.body)
	same(t, "messaging service", in.Get("MessagingServiceSid")+in.Get("From"), "MG123")
}

func TestVonage(t *testing.T) {
	at, got := service(t, 202, `{"message_uuid":"x"}`)
	if err := send(t, configs(at.URL)["vonage"]); err != nil {
		t.Fatal(err)
	}
	user, password, _ := got.r.BasicAuth()
	var in map[string]string
	_ = json.Unmarshal([]byte(got.body), &in)
	same(t, "path", got.r.Method+got.r.URL.Path, "POST/v1/messages")
	same(t, "auth", user+":"+password, "key:s3cret")
	same(t, "to, from", in["to"]+" "+in["from"]+" "+in["channel"]+" "+in["message_type"]+" "+in["client_ref"], "491711234567 Acme sms text msg_1")
	same(t, "text", in["text"], letter.Text)
}

// The request to SNS is signed as the AWS documentation of Signature Version 4 says, worked out here from the page alone.
func TestSNS(t *testing.T) {
	at, got := service(t, 200, `<PublishResponse/>`)
	if err := send(t, configs(at.URL)["sns"]); err != nil {
		t.Fatal(err)
	}
	in, _ := url.ParseQuery(got.body)
	same(t, "form", in.Get("Action")+" "+in.Get("Version")+" "+in.Get("PhoneNumber"), "Publish 2010-03-31 +491711234567")
	same(t, "text", in.Get("Message"), letter.Text)
	same(t, "sender", in.Get("MessageAttributes.entry.2.Name")+"="+in.Get("MessageAttributes.entry.2.Value.StringValue"), "AWS.SNS.SMS.SenderID=Acme")
	auth := got.r.Header.Get("Authorization")
	_, signed, _ := strings.Cut(auth, "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	names := strings.Split(signed, ";")
	if !slices.Contains(names, "host") || !slices.Contains(names, "x-amz-date") {
		t.Fatal(auth)
	}
	canonical := "POST\n/\n\n"
	for _, name := range names {
		value := got.r.Header.Get(name)
		switch name {
		case "host":
			value = got.r.Host
		case "content-length":
			value = itoa(len(got.body))
		}
		canonical += name + ":" + value + "\n"
	}
	canonical += "\n" + signed + "\n" + sum(got.body)
	scope := "20310506/eu-central-1/sns/aws4_request"
	key := []byte("AWS4wJalrXUtnFEMI")
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	want := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n20310506T070809Z\n"+scope+"\n"+sum(canonical)))
	same(t, "authorization", auth, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"+scope+", SignedHeaders="+signed+", Signature="+want)
}

func itoa(n int) string { text, _ := json.Marshal(n); return string(text) }

func sum(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }

func mac(key []byte, s string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(s))
	return m.Sum(nil)
}

// A webhook gets the text as JSON, signed over the id, the time and the body.
func TestWebhook(t *testing.T) {
	at, got := service(t, 204, "")
	if err := send(t, configs(at.URL)["webhook"]); err != nil {
		t.Fatal(err)
	}
	key, _ := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	h := got.r.Header
	same(t, "signature", h.Get("webhook-signature"), "v1,"+base64.StdEncoding.EncodeToString(mac(key, h.Get("webhook-id")+"."+h.Get("webhook-timestamp")+"."+got.body)))
	same(t, "id, time", h.Get("webhook-id")+" "+h.Get("webhook-timestamp"), "msg_1 "+itoa(int(now.Unix())))
	var in map[string]string
	_ = json.Unmarshal([]byte(got.body), &in)
	same(t, "body", in["type"]+" "+in["to"]+" "+in["id"]+" "+in["at"], "sms +491711234567 msg_1 2031-05-06T07:08:09Z")
	same(t, "text", in["text"], letter.Text)
	same(t, "query", got.r.URL.RawQuery, "tenant=1")
}

// What is wrong with a number is refused once and for all; what is wrong with us or with the service is waited for.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		provider string
		status   int
		answer   string
		refused  bool
		says     string
	}{
		{"twilio", 400, `{"code":21211,"message":"The 'To' number is not a valid phone number."}`, true, "21211"},
		{"twilio", 401, `{"code":20003,"message":"Authenticate"}`, false, "20003"},
		{"twilio", 429, `{"code":20429,"message":"Too Many Requests"}`, false, "20429"},
		{"vonage", 422, `{"title":"Invalid params","detail":"The value of one or more parameters is invalid."}`, true, "Invalid params"},
		{"vonage", 402, `{"title":"Low balance"}`, false, "Low balance"},
		{"sns", 400, `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>Invalid parameter: PhoneNumber</Message></Error></ErrorResponse>`, true, "PhoneNumber"},
		{"sns", 400, `<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`, false, "Throttling"},
		{"sns", 403, `<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>`, false, "SignatureDoesNotMatch"},
		{"webhook", 410, `gone`, true, "gone"},
		{"webhook", 404, `no such page`, false, "404"},
		{"webhook", 500, `{`, false, "500"},
		{"webhook", 302, ``, false, "302"},
	} {
		at, _ := service(t, c.status, c.answer)
		err := send(t, configs(at.URL)[c.provider])
		refusal := &notify.Refusal{}
		if err == nil || errors.As(err, &refusal) != c.refused || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %d: %v", c.provider, c.status, err)
		}
	}
}

// A gateway in the private network is called only when an operator has named it.
func TestPrivateGateway(t *testing.T) {
	at, got := service(t, 200, "")
	s, err := sms.New(configs(at.URL)["webhook"], outbound.Config{}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), letter); !errors.Is(err, outbound.ErrPrivate) || got.r != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, outbound.ErrPrivate) {
		t.Fatal(err)
	}
}

// A service that is described by halves is a fault that names what is missing.
func TestHalves(t *testing.T) {
	for name, c := range configs("https://sms.example.com") {
		if err := c.Check(true); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, strip := range map[string]func(*sms.Config){
			"TWILIO_AUTH_TOKEN": func(c *sms.Config) { c.TwilioToken = "" }, "VONAGE_API_SECRET": func(c *sms.Config) { c.VonageSecret = "" },
			"AWS_REGION": func(c *sms.Config) { c.AWSRegion = "" }, "SMS_WEBHOOK_SECRET": func(c *sms.Config) { c.Secret = "" },
			"SMS_PROVIDER": func(c *sms.Config) { c.Provider = "" },
		} {
			half := c
			strip(&half)
			if err := half.Check(true); half != c && (err == nil || !strings.Contains(err.Error(), what)) {
				t.Errorf("%s without %s: %v", name, what, err)
			}
		}
	}
	weak := configs("http://sms.example.com")["webhook"]
	if err := weak.Check(true); err == nil || weak.Check(false) != nil {
		t.Errorf("http: %v, %v", err, weak.Check(false))
	}
	weak.Secret = secret.String("short")
	if weak.Check(false) == nil {
		t.Error("a short secret is accepted")
	}
	if err := (sms.Config{AWSKey: "x", AWSRegion: "eu-central-1"}).Check(true); err != nil {
		t.Errorf("what AWS sets for others is no fault: %v", err)
	}
}
