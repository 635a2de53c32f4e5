package social

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/oauth2"
)

// written is a provider as PROVIDERS_FILE says it.
type written struct {
	Name       string            `json:"name"`
	Title      string            `json:"title"`
	Issuer     string            `json:"issuer"`
	AuthURL    string            `json:"auth_url"`
	TokenURL   string            `json:"token_url"`
	UserURL    string            `json:"user_url"`
	ClientID   string            `json:"client_id"`
	Secret     string            `json:"client_secret"`
	SecretFile string            `json:"client_secret_file"`
	SecretIn   string            `json:"client_secret_in"`
	Scopes     []string          `json:"scopes"`
	Params     map[string]string `json:"params"`
	Fields     Fields            `json:"fields"`
	Trusted    bool              `json:"trusted"`
	NoPKCE     bool              `json:"no_pkce"`
	NoNonce    bool              `json:"no_nonce"`
	Private    []netip.Prefix    `json:"private_networks"`
}

// readFile reads PROVIDERS_FILE, and names everything that is wrong with it.
func readFile(path string, production bool) (list []Provider, err error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("PROVIDERS_FILE cannot be read: %w", err)
	}
	var in struct {
		Providers []written `json:"providers"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("PROVIDERS_FILE line %d: %w", 1+bytes.Count(text[:min(int(d.InputOffset()), len(text))], []byte("\n")), err)
	}
	var faults []error
	for _, w := range in.Providers {
		p, fault := w.provider(production)
		list, faults = append(list, p), append(faults, fault)
	}
	return list, errors.Join(faults...)
}

func (w written) provider(production bool) (Provider, error) {
	p := Provider{Name: w.Name, Title: cmp.Or(w.Title, w.Name), Issuer: w.Issuer, AuthURL: w.AuthURL, TokenURL: w.TokenURL, UserURL: w.UserURL, Scopes: w.Scopes, Params: w.Params,
		Fields: w.Fields, Trusted: w.Trusted, NoPKCE: w.NoPKCE, NoNonce: w.NoNonce, ClientID: w.ClientID, Secret: w.Secret, Private: w.Private}
	at := fmt.Sprintf("PROVIDERS_FILE, provider %q:", w.Name)
	faults := []error{checkName("PROVIDERS_FILE: name", w.Name)}
	addresses := []struct{ name, value string }{{"auth_url", w.AuthURL}, {"token_url", w.TokenURL}, {"user_url", w.UserURL}, {"fields.subject", w.Fields.Subject}}
	if w.Issuer != "" {
		addresses = []struct{ name, value string }{{"issuer", w.Issuer}}
		p.Fields = w.Fields.or(standard)
		if len(p.Scopes) == 0 {
			p.Scopes = openID
		}
	}
	for _, a := range append(addresses, struct{ name, value string }{"client_id", w.ClientID}) {
		if a.value == "" {
			faults = append(faults, fmt.Errorf("%s %s is missing; give issuer, or auth_url, token_url, user_url and fields, and client_id", at, a.name))
		}
	}
	for _, a := range addresses {
		if a.name != "fields.subject" {
			path, _, _ := strings.Cut(a.value, "?")
			faults = append(faults, checkAddress(at+" "+a.name, path, production))
		}
	}
	switch w.SecretIn {
	case "", "header":
		if w.SecretIn != "" || w.Issuer == "" {
			p.Style = oauth2.AuthStyleInHeader
		}
	case "body":
		p.Style = oauth2.AuthStyleInParams
	default:
		faults = append(faults, fmt.Errorf("%s client_secret_in is header or body", at))
	}
	if w.SecretFile != "" {
		text, err := os.ReadFile(w.SecretFile)
		if err != nil || w.Secret != "" {
			faults = append(faults, fmt.Errorf("%s client_secret_file cannot be read, or client_secret is there too", at))
		}
		p.Secret = strings.TrimRight(string(text), "\r\n")
	}
	return p, errors.Join(faults...)
}
