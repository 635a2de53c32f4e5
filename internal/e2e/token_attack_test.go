package e2e_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/testkit"
)

const sharedSecret = "0f8e7d6c5b4a39281706f5e4d3c2b1a0ffee"

func shared(c *admit.Config) { c.Token.Secret = sharedSecret }

// forge signs claims with a header of one's own.
func forge(t testing.TB, alg jose.SignatureAlgorithm, key any, header m, claims any) string {
	t.Helper()
	opt := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for name, value := range header {
		opt.ExtraHeaders[jose.HeaderKey(name)] = value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, opt)
	if err != nil {
		t.Fatal(err)
	}
	text, ok := claims.(string)
	if !ok {
		b, _ := json.Marshal(claims)
		text = string(b)
	}
	signed, err := signer.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func part(t testing.TB, token string, i int) m {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	v := m{}
	if err != nil || json.Unmarshal(b, &v) != nil {
		t.Fatal(token, err)
	}
	return v
}

func raw(v any) string {
	b, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(b)
}

func rejected(t testing.TB, s *testkit.Server, name, token string) {
	t.Helper()
	c := s.Client()
	c.Bearer = token
	for _, path := range []string{"/auth/me", "/auth/sessions"} {
		a := c.Get(path)
		if a.Status != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%s: %d %s %v", name, a.Status, a.Body, a.Header["Www-Authenticate"])
		}
	}
}

// JWT-01, 02, 03: no algorithm but ours, no key but ours, whatever the header says; nothing is fetched.
func TestForgedSignatures(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		n, _ := native(s, "ann@example.com")
		header, claims := part(t, n.Bearer, 0), part(t, n.Bearer, 1)
		body := strings.Split(n.Bearer, ".")[1]
		for _, alg := range []any{"none", "None", "NONE", "nOnE", "", nil, "none\x00", []any{"none"}, m{}, 0, "HS256", "ES384", "ES256 "} {
			h := maps.Clone(header)
			h["alg"] = alg
			for _, signature := range []string{"", "AAAA", strings.Split(n.Bearer, ".")[2]} {
				rejected(t, s, "alg", raw(h)+"."+body+"."+signature)
			}
			rejected(t, s, "alg, two parts", raw(h)+"."+body)
		}
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(s.Client().Get("/.well-known/jwks.json").Want(200).Body, &set); err != nil || len(set.Keys) != 1 || !set.Keys[0].IsPublic() {
			t.Fatal(err, set)
		}
		public := set.Keys[0]
		der, _ := x509.MarshalPKIXPublicKey(public.Key)
		jwk, _ := public.MarshalJSON()
		point, _ := public.Key.(*ecdsa.PublicKey).Bytes()
		for name, key := range map[string][]byte{"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "JWK": jwk, "x": point[1:33], "point": point, "kid": []byte(public.KeyID + public.KeyID)} {
			for alg, least := range map[jose.SignatureAlgorithm]int{jose.HS256: 32, jose.HS384: 48, jose.HS512: 64} {
				if len(key) >= least {
					rejected(t, s, name+string(alg), forge(t, alg, key, m{"typ": "at+jwt", "kid": public.KeyID}, claims))
				}
			}
		}
		reached := 0
		evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reached++ }))
		defer evil.Close()
		own := newKey(t)
		ownJWK := jose.JSONWebKey{Key: own.Public(), KeyID: public.KeyID, Algorithm: "ES256"}
		for name, extra := range map[string]m{"jwk": {"jwk": ownJWK}, "jku": {"jku": evil.URL}, "x5u": {"x5u": evil.URL}, "x5c": {"x5c": []string{base64.StdEncoding.EncodeToString(der)}}} {
			extra["typ"], extra["kid"] = "at+jwt", public.KeyID
			rejected(t, s, name, forge(t, jose.ES256, own, extra, claims))
			delete(extra, "kid")
			rejected(t, s, name+" without kid", forge(t, jose.ES256, own, extra, claims))
		}
		for _, kid := range []any{"", "../../../../dev/null", "' OR 1=1 --", "sig_" + strings.Repeat("0", 26), strings.Repeat("k", 10<<10), m{"a": 1}, []any{}, nil, 7, "http://127.0.0.1/"} {
			rejected(t, s, "kid", forge(t, jose.ES256, own, m{"typ": "at+jwt", "kid": kid}, claims))
		}
		if reached > 0 {
			t.Errorf("%d requests went out", reached)
		}
		n.Get("/auth/me").Want(200)
	})
}

// JWT-06 and 08: with the very key of the server a token is still held to its claims and to a header that is understood.
func TestForgedClaims(t *testing.T) {
	root := strings.Repeat("0123456789abcdef", 4)
	configs := map[string]func(*admit.Config){"shared": shared, "own": func(c *admit.Config) { c.Server.RootKey = secret.String(root) }}
	for name, change := range configs {
		t.Run(name, func(t *testing.T) {
			testkit.Each(t, change, func(s *testkit.Server) { forgedClaims(t, s, name == "shared", root) })
		})
	}
}

func forgedClaims(t *testing.T, s *testkit.Server, hs bool, root string) {
	person(s, "ann@example.com")
	n, _ := native(s, "ann@example.com")
	alg, key := jose.HS256, any([]byte(sharedSecret))
	header, good := part(t, n.Bearer, 0), part(t, n.Bearer, 1)
	if !hs {
		alg, key = jose.ES256, stolenKey(t, s, root, header["kid"].(string))
	}
	delete(header, "alg")
	now := s.Now()
	change := func(name string, value any) m {
		c := maps.Clone(good)
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return c
	}
	c := s.Client()
	c.Bearer = forge(t, alg, key, header, good)
	c.Get("/auth/me").Want(200) // the forger knows what they do
	bad := map[string]any{"exp past": change("exp", now.Unix()), "exp text": change("exp", "9999999999"), "exp missing": change("exp", nil), "exp null": strings.Replace(mustJSON(good), `"exp":`, `"exp":null,"x":`, 1),
		"exp huge": strings.Replace(mustJSON(good), `"exp":`, `"exp":1e400,"x":`, 1), "exp fraction": change("exp", float64(now.Unix())+900.5), "exp array": change("exp", []any{9e9}),
		"nbf future": change("nbf", now.Add(time.Minute+time.Second).Unix()), "iat future": change("iat", now.Add(time.Minute+time.Second).Unix()),
		"other issuer": change("iss", "http://evil.test"), "issuer with slash": change("iss", "http://localhost:8000/"), "no issuer": change("iss", nil), "other audience": change("aud", "http://evil.test"), "audiences": change("aud", []any{"http://localhost:8000", "b"}),
		"no audience": change("aud", nil), "refresh": change("typ", "refresh"), "no typ": change("typ", nil), "no sub": change("sub", ""), "no sid": change("sid", nil), "other sid": change("sid", "ses_06gzrebwtswgk8ycbrjawvx1qr"),
		"sid injection": change("sid", "' OR '1'='1"), "sid NUL": change("sid", "ses_\x00"), "array": []any{good}, "text": `"x"`, "no JSON": "x", "empty": ""}
	for name, claims := range bad {
		c.Bearer = forge(t, alg, key, header, claims)
		if a := c.Get("/auth/me"); a.Status != 401 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	for name, extra := range map[string]m{"crit": {"crit": []string{"bork"}, "bork": true}, "typ": {"typ": "JWT"}, "no typ": {"typ": ""}} {
		h := maps.Clone(header)
		maps.Copy(h, extra)
		rejected(t, s, name, forge(t, alg, key, h, good))
	}
	// A subject of another: the session says who it is, not the token.
	eve := userID(person(s, "eve@example.com"))
	c.Bearer = forge(t, alg, key, header, change("sub", eve))
	if a := c.Get("/auth/me"); a.Status == 200 && a.Text("id") == eve {
		t.Error("the subject of the token was believed over its session")
	}
}

func mustJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// stolenKey opens the signing key, as only somebody with the root key can.
func stolenKey(t testing.TB, s *testkit.Server, root, kid string) crypto.Signer {
	t.Helper()
	box, err := secret.NewBox([]byte(root))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := database.One[[]byte](t.Context(), s.App().DB, `SELECT private FROM signing_keys WHERE id = $1`, kid)
	if err != nil {
		t.Fatal(err)
	}
	der, err := box.Open(sealed, "signing_keys/private/"+kid)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}
