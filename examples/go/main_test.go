package main

import (
	"github.com/admit-dev/admit/internal/authz"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/user"
)

func TestRoutesOfTheAppKnowWhoAsks(t *testing.T) {
	testkit.Each(t, nil, func(s *testkit.Server) {
		web := httptest.NewServer(app(s.Server))
		defer web.Close()
		c := s.Client()
		c.URL = web.URL
		c.Get("/hello").Want(401, "session_invalid")
		u := c.Post("/auth/signup", testkit.M{"email": "ann@example.com", "password": "password123"}).Want(201)
		if a := c.Get("/hello").Want(200); !strings.Contains(string(a.Body), "Hello, ann@example.com") {
			t.Errorf("%s", a.Body)
		}
		c.Get("/numbers").Want(403, "missing_role")
		err := s.App().Accounts.Grant(t.Context(), authz.System, u.Text("id"), user.SuperAdmin)
		if err != nil {
			t.Fatal(err)
		}
		c.Get("/numbers").Want(200) // on the next request
		c.Post("/auth/logout", nil).Want(200)
		c.Get("/hello").Want(401)
	})
}
