package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

// The claims are those that are documented, no more.
func TestAccessTokenClaims(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		n, _ := native(s, "ann@example.com")
		claims := part(t, n.Bearer, 1)
		want := []string{"amr", "aud", "auth_time", "exp", "iat", "iss", "jti", "nbf", "org", "org_roles", "rev", "role", "roles", "sid", "sub", "typ"}
		if got := slices.Sorted(maps.Keys(claims)); !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		now := float64(s.Now().Unix())
		if claims["iss"] != "http://localhost:8000" || claims["sub"] != userID(c) || claims["typ"] != "access" || claims["role"] != "user" || claims["exp"] != now+900 || claims["iat"] != now || claims["auth_time"] != now {
			t.Errorf("%v", claims)
		}
		// HDR-02: the issuer is ours whatever host is asked for.
		h := s.Client()
		r, _ := http.NewRequest("POST", s.URL+"/auth/login?transport=token", strings.NewReader(`{"email":"ann@example.com","password":"`+pass+`"}`))
		r.Host = "evil.test"
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-Host"} {
			r.Header.Set(name, "host=evil.test")
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := h.Client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if part(t, testkit.Read(t, resp).Want(200).Text("access_token"), 1)["iss"] != "http://localhost:8000" {
			t.Error("the issuer came from the request")
		}
	})
}

// JWT-09: an Authorization header that makes no sense is 401, whatever cookie comes along.
func TestMalformedAuthorization(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		c := person(s, "ann@example.com")
		n, _ := native(s, "ann@example.com")
		for _, sent := range [][]string{{"Bearer"}, {"Bearer "}, {"bearer\tx"}, {"Bearer %"}, {"Bearer \xff\xfe"}, {"Bearer a b"}, {"Bearer " + n.Bearer, "Bearer " + n.Bearer}, {"Bearer " + n.Bearer + ", Bearer x"}, {"Bearer " + strings.Repeat("a", 60<<10)},
			{"Bearer " + strings.Repeat(".", 5000)}, {"Bearer ...."}, {"Bearer {}"}, {"Bearer =="}} {
			c.Header["Authorization"] = sent
			a := c.Get("/auth/me")
			if a.Status != 401 || a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%.40q: %d %s", sent, a.Status, a.Body)
			}
		}
		for _, sent := range []string{"Basic ", "Basic YTpi", "Digest x", "x"} { // not ours: as if it was not there
			c.Header["Authorization"] = []string{sent}
			c.Get("/auth/me").Want(200)
			st := s.Client()
			st.Header["Authorization"] = []string{sent}
			st.Get("/auth/me").Want(401)
		}
		delete(c.Header, "Authorization")
		for _, path := range []string{"/auth/me?access_token=", "/auth/me?token="} {
			s.Client().Get(path + n.Bearer).Want(401)
		}
	})
}

// Key rotation: both keys are published while tokens of both are about; a token outlives neither itself nor its key.
func TestKeyRotation(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		person(s, "ann@example.com")
		old, refresh := native(s, "ann@example.com")
		kid := part(t, old.Bearer, 0)["kid"]
		if err := s.App().Tokens.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.App().Tokens.Rotate(t.Context()); err != nil { // twice makes one
			t.Fatal(err)
		}
		s.Events("signing_key.created")
		verifyAlone(t, s, old.Bearer, 2)
		s.Advance(14 * time.Minute)
		a := renew(s, refresh).Want(200)
		if part(t, a.Text("access_token"), 0)["kid"] != kid {
			t.Error("a key signs before verifiers know it")
		}
		s.Advance(time.Minute)
		b := renew(s, a.Text("refresh_token")).Want(200)
		if part(t, b.Text("access_token"), 0)["kid"] == kid {
			t.Error("the new key does not sign")
		}
		old.Get("/auth/me").Want(401)
		old.Bearer = a.Text("access_token")
		old.Get("/auth/me").Want(200)
		verifyAlone(t, s, old.Bearer, 2)
		verifyAlone(t, s, b.Text("access_token"), 2)
		s.Advance(16 * time.Minute)
		if err := s.App().Tokens.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.App().Tokens.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		verifyAlone(t, s, renew(s, b.Text("refresh_token")).Want(200).Text("access_token"), 1)
	})
}

// verifyAlone checks a token as another service does: with the key set and nothing else.
func verifyAlone(t testing.TB, s *testkit.Server, token string, keys int) {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(s.Client().Get("/.well-known/jwks.json").Want(200).Body, &set); err != nil || len(set.Keys) != keys {
		t.Fatalf("%d keys, want %d, %v", len(set.Keys), keys, err)
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	found := set.Key(signed.Signatures[0].Protected.KeyID)
	if len(found) != 1 || found[0].Use != "sig" || !found[0].IsPublic() {
		t.Fatalf("%v", found)
	}
	if _, err := signed.Verify(found[0]); err != nil {
		t.Fatal(err)
	}
}

// A server with ACCESS_SECRET publishes no key and takes no asymmetric token.
func TestSharedSecret(t *testing.T) {
	testkit.Each(t, shared, func(s *testkit.Server) {
		person(s, "ann@example.com")
		n, _ := native(s, "ann@example.com")
		header, claims := part(t, n.Bearer, 0), part(t, n.Bearer, 1)
		if header["alg"] != "HS256" || string(s.Client().Get("/.well-known/jwks.json").Want(200).Body) != `{"keys":[]}` {
			t.Errorf("%v", header)
		}
		n.Get("/auth/me").Want(200)
		rejected(t, s, "ES256", forge(t, jose.ES256, newKey(t), m{"typ": "at+jwt", "kid": header["kid"]}, claims))
		rejected(t, s, "HS512", forge(t, jose.HS512, []byte(sharedSecret+sharedSecret), m{"typ": "at+jwt", "kid": header["kid"]}, claims))
		rejected(t, s, "another secret", forge(t, jose.HS256, []byte(strings.Repeat("x", 32)), m{"typ": "at+jwt", "kid": header["kid"]}, claims))
		rejected(t, s, "no kid", forge(t, jose.HS256, []byte(sharedSecret), m{"typ": "at+jwt"}, claims))
	})
}

// JWT-10: a role that was taken is gone on the next request, whatever the token in hand still says.
func TestRoleTaken(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		id := userID(person(s, "ann@example.com"))
		other := userID(person(s, "bob@example.com"))
		s.Grant(other, user.SuperAdmin)
		s.Grant(id, user.SuperAdmin)
		n, refresh := native(s, "ann@example.com")
		if part(t, n.Bearer, 1)["role"] != user.SuperAdmin {
			t.Error("no role in the token")
		}
		web := httptest.NewServer(s.RequireGlobalRole(user.SuperAdmin)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {})))
		defer web.Close()
		n.URL = web.URL
		n.Get("/").Want(200)
		s.Revoke(id, user.SuperAdmin)
		n.Get("/").Want(403, "missing_role")
		if part(t, renew(s, refresh).Want(200).Text("access_token"), 1)["role"] != "user" {
			t.Error("the role came back with a refresh")
		}
		n.Bearer = ""
		n.Get("/").Want(401)
	})
}
