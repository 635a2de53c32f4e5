package sms

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/outbound"
)

func post(ctx context.Context, address, contentType, body string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err == nil {
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Accept", "application/json")
	}
	return r, err
}

const form = "application/x-www-form-urlencoded"

// twilio is the Messages resource of Twilio's REST API, 2010-04-01.
type twilio struct{ cfg Config }

func (p twilio) address() string { return cmp.Or(p.cfg.URL, "https://api.twilio.com") }

func (p twilio) ask(ctx context.Context, l notify.Letter, _ time.Time) (*http.Request, error) {
	in := url.Values{"To": {l.To}, "Body": {l.Text}}
	if strings.HasPrefix(p.cfg.From, "MG") {
		in.Set("MessagingServiceSid", p.cfg.From)
	} else {
		in.Set("From", p.cfg.From)
	}
	r, err := post(ctx, strings.TrimSuffix(p.address(), "/")+"/2010-04-01/Accounts/"+url.PathEscape(p.cfg.TwilioSID)+"/Messages.json", form, in.Encode())
	if err == nil {
		r.SetBasicAuth(p.cfg.TwilioSID, p.cfg.TwilioToken.Reveal())
	}
	return r, err
}

func (twilio) judge(status int, body []byte) error {
	var said struct {
		Code    json.Number `json:"code"`
		Message string      `json:"message"`
	}
	_ = json.Unmarshal(body, &said)
	return usual(status, strings.TrimSpace(said.Code.String()+" "+said.Message))
}

// vonage is Vonage's Messages API, version 1.
type vonage struct{ cfg Config }

func (p vonage) address() string { return cmp.Or(p.cfg.URL, "https://api.nexmo.com") }

func (p vonage) ask(ctx context.Context, l notify.Letter, _ time.Time) (*http.Request, error) {
	body, err := json.Marshal(map[string]string{
		"channel": "sms", "message_type": "text", "to": strings.TrimPrefix(l.To, "+"), "from": strings.TrimPrefix(p.cfg.From, "+"), "text": l.Text, "client_ref": l.ID,
	})
	if err != nil {
		return nil, err
	}
	r, err := post(ctx, strings.TrimSuffix(p.address(), "/")+"/v1/messages", "application/json", string(body))
	if err == nil {
		r.SetBasicAuth(p.cfg.VonageKey, p.cfg.VonageSecret.Reveal())
	}
	return r, err
}

func (vonage) judge(status int, body []byte) error {
	var said struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(body, &said)
	return usual(status, strings.TrimSpace(said.Title+" "+said.Detail))
}

// sns is the Publish action of Amazon SNS, 2010-03-31, signed with AWS's own signer (Signature Version 4).
type sns struct{ cfg Config }

func (p sns) address() string {
	return cmp.Or(p.cfg.URL, "https://sns."+p.cfg.AWSRegion+".amazonaws.com")
}

func (p sns) ask(ctx context.Context, l notify.Letter, now time.Time) (*http.Request, error) {
	in := url.Values{"Action": {"Publish"}, "Version": {"2010-03-31"}, "PhoneNumber": {l.To}, "Message": {l.Text}}
	attribute := func(n, name, value string) {
		in.Set("MessageAttributes.entry."+n+".Name", name)
		in.Set("MessageAttributes.entry."+n+".Value.DataType", "String")
		in.Set("MessageAttributes.entry."+n+".Value.StringValue", value)
	}
	attribute("1", "AWS.SNS.SMS.SMSType", "Transactional")
	switch {
	case strings.HasPrefix(p.cfg.From, "+"):
		attribute("2", "AWS.MM.SMS.OriginationNumber", p.cfg.From)
	case p.cfg.From != "":
		attribute("2", "AWS.SNS.SMS.SenderID", p.cfg.From)
	}
	body := in.Encode()
	r, err := post(ctx, strings.TrimSuffix(p.address(), "/")+"/", form, body)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: p.cfg.AWSKey, SecretAccessKey: p.cfg.AWSSecret.Reveal(), SessionToken: p.cfg.AWSToken.Reveal()}
	return r, v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), "sns", p.cfg.AWSRegion, now)
}

// theirs are codes with which SNS refuses the text itself; it answers 400 to much else, such as being asked too often.
var theirs = []string{"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "OptedOut", "EndpointDisabled", "ValidationException"}

func (sns) judge(status int, body []byte) error {
	var said struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	_ = xml.Unmarshal(body, &said)
	if status == http.StatusBadRequest && !slices.Contains(theirs, said.Code) {
		status = http.StatusServiceUnavailable
	}
	return usual(status, strings.TrimSpace(said.Code+" "+said.Message))
}

// webhook is a server of one's own that carries texts. It gets JSON, signed as Standard Webhooks has it.
type webhook struct {
	url string
	key []byte
}

func (p webhook) address() string { return p.url }

func (p webhook) ask(ctx context.Context, l notify.Letter, now time.Time) (*http.Request, error) {
	body, err := json.Marshal(struct {
		ID   string    `json:"id"`
		Type string    `json:"type"`
		To   string    `json:"to"`
		Text string    `json:"text"`
		At   time.Time `json:"at"`
	}{l.ID, "sms", l.To, l.Text, l.At})
	if err != nil {
		return nil, err
	}
	r, err := post(ctx, p.url, "application/json", string(body))
	if err == nil {
		outbound.Sign(r.Header, l.ID, now, body, p.key)
	}
	return r, err
}

func (webhook) judge(status int, body []byte) error {
	return usual(status, string(bytes.ToValidUTF8(body, nil)))
}
