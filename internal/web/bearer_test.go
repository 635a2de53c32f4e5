package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// JWT-09, KEY-03: only the header, one header, one well-formed token.
func TestBearer(t *testing.T) {
	for _, c := range []struct {
		sent    []string
		token   string
		present bool
	}{
		{nil, "", false},
		{[]string{""}, "", false},
		{[]string{"Bearer abc.DEF-_~+/=="}, "abc.DEF-_~+/==", true},
		{[]string{"bEaReR  abc"}, "abc", true},
		{[]string{"Basic dTpw"}, "", false},
		{[]string{"Basic "}, "", false},
		{[]string{"Bearer"}, "", true},
		{[]string{"Bearer "}, "", true},
		{[]string{"bearer\tx"}, "", true},
		{[]string{"Bearer %"}, "", true},
		{[]string{"Bearer a b"}, "", true},
		{[]string{"Bearer a,Bearer b"}, "", true},
		{[]string{"Bearer =="}, "", true},
		{[]string{"Bearer a=b"}, "", true},
		{[]string{"Bearer \xff\xfe"}, "", true},
		{[]string{"Bearer " + strings.Repeat("a", 1<<20)}, "", true},
		{[]string{"Bearer a", "Bearer a"}, "", true},
		{[]string{"Bearer a", "Basic b"}, "", true},
	} {
		r := request("GET", "/?access_token=fromquery")
		r.Header["Authorization"] = c.sent
		token, present, err := Bearer(r)
		if token != c.token || present != c.present || (err != nil) != (c.present && c.token == "") {
			t.Errorf("%.60q: %q %v %v", c.sent, token, present, err)
		}
		if err != nil {
			w := httptest.NewRecorder()
			WriteError(w, r, err)
			if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%.60q: %d", c.sent, w.Code)
			}
		}
	}
}
