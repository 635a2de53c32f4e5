package social_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/config"
)

func load(t *testing.T, environ ...string) error {
	t.Helper()
	var c config.Config
	_, err := config.Load(&c, config.Source{Environ: environ})
	return err
}

// ADM-04: a provider that is described by halves stops the start, and the error names what is missing.
func TestHalfConfiguredProviders(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "providers.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "PROVIDERS_FILE=" + path
	}
	production := "ENVIRONMENT=production SESSION_SECRET_KEY=0f3a9c7be1d24586a0f3a9c7be1d2458 DATABASE_URL=sqlite:///./x.db BASE_URL=https://auth.example.com"
	for given, want := range map[string][]string{
		"GOOGLE_ENABLED=true":                            {"GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"},
		"GITHUB_ENABLED=true GITHUB_CLIENT_ID=x":         {"GITHUB_CLIENT_SECRET"},
		"LINKEDIN_ENABLED=true LINKEDIN_CLIENT_SECRET=x": {"LINKEDIN_CLIENT_ID"},
		"FACEBOOK_ENABLED=true":                          {"FACEBOOK_CLIENT_ID"},
		"DISCORD_ENABLED=true":                           {"DISCORD_CLIENT_ID"},
		"GITLAB_ENABLED=true":                            {"GITLAB_CLIENT_ID"},
		"SLACK_ENABLED=true":                             {"SLACK_CLIENT_ID"},
		"X_ENABLED=true":                                 {"X_CLIENT_ID"},
		"APPLE_ENABLED=true APPLE_CLIENT_ID=x":           {"APPLE_TEAM_ID", "APPLE_KEY_ID", "APPLE_PRIVATE_KEY"},
		"APPLE_ENABLED=true APPLE_CLIENT_ID=x APPLE_TEAM_ID=x APPLE_KEY_ID=x APPLE_PRIVATE_KEY=no-key-at-all": {"APPLE_PRIVATE_KEY"},
		"MICROSOFT_ENABLED=true MICROSOFT_CLIENT_ID=x MICROSOFT_CLIENT_SECRET=x MICROSOFT_TENANT=contoso":     {"MICROSOFT_TENANT"},
		"OIDC_ENABLED=true": {"OIDC_ISSUER", "OIDC_CLIENT_ID"},
		"OIDC_ENABLED=true OIDC_ISSUER=login.acme.com OIDC_CLIENT_ID=x":                             {"OIDC_ISSUER"},
		"OIDC_ENABLED=true OIDC_ISSUER=https://login.acme.com OIDC_CLIENT_ID=x OIDC_NAME=providers": {"OIDC_NAME"},
		"OIDC_ENABLED=true OIDC_ISSUER=https://login.acme.com OIDC_CLIENT_ID=x OIDC_NAME=../x":      {"OIDC_NAME"},
		"GITLAB_ENABLED=true GITLAB_CLIENT_ID=x GITLAB_CLIENT_SECRET=x GITLAB_URL=gitlab.acme.com":  {"GITLAB_URL"},
		"GOOGLE_ENABLED=maybe":                  {"GOOGLE_ENABLED"},
		production + " DEVELOPMENT_PROVIDER=on": {"DEVELOPMENT_PROVIDER"},
		production + " OIDC_ENABLED=true OIDC_ISSUER=http://login.acme.com OIDC_CLIENT_ID=x":                                                  {"OIDC_ISSUER"},
		"PROVIDERS_FILE=/nowhere/at/all.json":                                                                                                 {"PROVIDERS_FILE"},
		file(`{"providers":[{"name":"acme","issuer":"https://a.test","client_id":"x","surprise":1}]}`):                                        {"PROVIDERS_FILE", "line"},
		file(`{"providers":[{"name":"acme"}]}`):                                                                                               {"auth_url", "token_url", "user_url", "fields.subject", "client_id"},
		file(`{"providers":[{"name":"acme","issuer":"https://a.test","client_id":"x","client_secret_in":"x"}]}`):                              {"client_secret_in"},
		file(`{"providers":[{"name":"a","issuer":"https://a.test","client_id":"x"},{"name":"a","issuer":"https://b.test","client_id":"x"}]}`): {"PROVIDERS_FILE"},
		file(`{"providers":[{"issuer":"https://a.test","client_id":"x"},{"issuer":"https://b.test","client_id":"x"}]}`):                       {"PROVIDERS_FILE", "name"},
		// without OpenID Connect nothing tells the people of two providers on one server apart
		file(`{"providers":[{"name":"a","auth_url":"https://a.test/a/auth","token_url":"https://a.test/a/t","user_url":"https://a.test/a/u","fields":{"subject":"id"},"client_id":"x"},{"name":"b","auth_url":"https://a.test/b/auth","token_url":"https://a.test/b/t","user_url":"https://a.test/b/u","fields":{"subject":"id"},"client_id":"x"}]}`): {"PROVIDERS_FILE", "https://a.test"},
		file(`{"providers":[{"name":"a","auth_url":"https://a.test/auth","token_url":"https://a.test/t","user_url":"https://a.test/u","fields":{"subject":"id"},"client_id":"x"},{"name":"b","issuer":"https://a.test","client_id":"x"}]}`):                                                                                                           {"PROVIDERS_FILE", "https://a.test"},
		"OIDC_ENABLED=true OIDC_ISSUER=https://login.acme.com OIDC_CLIENT_ID=x OIDC_NAME=development": {"OIDC_NAME"},
		"RETURN_TO_ORIGINS=https://a.test/x":    {"RETURN_TO_ORIGINS"},
		"RETURN_TO_ORIGINS=javascript://a.test": {"RETURN_TO_ORIGINS"},
		"APP_REDIRECTS=javascript:alert(1)":     {"APP_REDIRECTS"},
		"APP_REDIRECTS=https://evil.test/":      {"APP_REDIRECTS"},
		"APP_REDIRECTS=http://localhost/x":      {"APP_REDIRECTS"},
		"APP_REDIRECTS=data:text/html,x":        {"APP_REDIRECTS"},
	} {
		err := load(t, strings.Fields(given)...)
		if err == nil {
			t.Errorf("%s is accepted", given)
			continue
		}
		for _, name := range want {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%s: nothing of %s in %v", given, name, err)
			}
		}
		if strings.Contains(err.Error(), "no-key-at-all") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
	for _, given := range []string{"", "GOOGLE_CLIENT_ID=x", "GOOGLE_ENABLED=false", production, "APP_REDIRECTS=com.example.app:/signed-in,http://127.0.0.1/x RETURN_TO_ORIGINS=https://a.test", "OIDC_ENABLED=true OIDC_ISSUER=https://login.acme.com OIDC_CLIENT_ID=x",
		file(`{"providers":[{"name":"acme","issuer":"https://a.test","client_id":"x"},{"name":"old","auth_url":"https://b.test/a","token_url":"https://b.test/t","user_url":"https://b.test/u?x=y","fields":{"subject":"id"},"client_id":"x","client_secret":"y"}]}`)} {
		if err := load(t, strings.Fields(given)...); err != nil {
			t.Errorf("%s: %v", given, err)
		}
	}
}
