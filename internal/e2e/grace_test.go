package e2e_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/testkit"
	people "github.com/admit-dev/admit/internal/user"
)

const day = 24 * time.Hour

// graceful runs f with a server on which an account that is to be deleted can be kept for two weeks.
func graceful(t *testing.T, f func(s *testkit.Server)) {
	t.Helper()
	testkit.Each(t, func(c *admit.Config) { c.Account.GraceDays = 14 }, f)
}

// erased deletes everybody whose time is over.
func erased(nodes ...*testkit.Server) {
	for _, s := range nodes {
		s.Helper()
		if err := s.App().Accounts.Sweep(s.Context()); err != nil {
			s.Fatal(err)
		}
	}
}

// PRV-01: with a grace an account is closed at once to everybody and every way in, and erased when the grace is over: then nothing says any more
// who it was, and a receipt says what was done.
func TestPRV01ErasureAfterGrace(t *testing.T) {
	graceful(t, func(s *testkit.Server) {
		boss, ann := person(s, "boss@example.com"), s.Client()
		ann.Header.Set("User-Agent", "Annebrowser/1.0")
		organization(boss, "Acme")
		ann.Post("/auth/signup", m{"email": "annelore@example.com", "password": pass, "name": "Annelore", "username": "annelore.k"}).Want(201)
		id := userID(ann)
		join(s, boss, ann, "acme", "annelore@example.com", "member")
		texted(s, ann, "+491711234501")
		ann.Do("PATCH", "/auth/me", m{"language": "de", "time_zone": "Europe/Berlin"}).Want(200)
		token, refresh := native(s, "annelore@example.com")
		askExport(ann)
		exported(s)
		sealAll(s)
		s.Records()
		ann.Do("DELETE", "/auth/me", nil).Want(204)
		s.Events("session.revoked", "session.revoked", "user.closed", "message.queued", "authorization.changed")
		ann.Get("/auth/me").Want(401)
		token.Get("/auth/me").Want(401)
		s.Client().Post("/api/v1/refresh", m{"refresh_token": refresh}).Want(401)
		for _, in := range []m{{"email": "annelore@example.com"}, {"username": "annelore.k"}, {"phone": "+491711234501"}} {
			in["password"] = pass
			s.Client().Post("/auth/login", in).Want(403, "account_closed")
		}
		s.Client().Post("/auth/login", m{"email": "annelore@example.com", "password": "no"}).Want(401, "invalid_credentials")
		before := len(s.Inbox("annelore@example.com"))
		s.Client().Post("/auth/magic-link", m{"email": "annelore@example.com"}).Want(202)
		s.Client().Post("/auth/password/forgot", m{"email": "annelore@example.com"}).Want(202)
		if n := len(s.Inbox("annelore@example.com")); n != before {
			t.Errorf("%d mails with a way in", n-before)
		}
		s.Client().Post("/auth/signup", m{"email": "annelore@example.com", "password": pass}).Want(409, "email_taken")
		if mail := s.Letter("annelore@example.com"); !strings.Contains(mail.Text, "2031-05-20 09:08 CEST") || !strings.HasPrefix(mail.Links[0], s.Config.Web.Origin()+"/keep?token=") {
			t.Errorf("%s", mail.Text)
		}

		s.Advance(14*day - time.Second)
		erased(s)
		if _, err := s.App().Users.Get(t.Context(), id); err != nil {
			t.Fatalf("erased too early: %v", err)
		}
		s.Advance(time.Second)
		s.Records()
		erased(s)
		kinds := ""
		for _, r := range s.Records() {
			kinds += r.Kind + " "
		}
		for _, kind := range []string{"member.removed", "user.deleted", "message.queued"} {
			if !strings.Contains(kinds, kind+" ") {
				t.Errorf("%s is not told: %s", kind, kinds)
			}
		}
		mail := s.Letter("annelore@example.com")
		for _, said := range []string{"wurde gelöscht", "Was bleibt", "2031-05-20 09:08 CEST"} {
			if !strings.Contains(mail.Text, said) {
				t.Errorf("the receipt has no %q: %s", said, mail.Text)
			}
		}
		sealAll(s)                                                    // which forgets who is gone
		if err := s.App().Challenges.Sweep(t.Context()); err != nil { // what was asked for in vain, and ran out long ago
			t.Fatal(err)
		}
		for _, word := range []string{"annelore", "annebrowser", "491711234501"} {
			if left := texts(s, word); len(left) > 0 {
				t.Errorf("%s is left in %v", word, left)
			}
		}
		if n := count(s, "exports") + count(s, "export_files"); n != 0 {
			t.Errorf("%d rows of an export are left", n)
		}
		green(s)
		erased(s)
		s.Client().Post("/auth/signup", m{"email": "annelore@example.com", "password": pass}).Want(201)
	})
}

// Whoever has the link of the mail keeps the account, once and within the grace, with everything as it was.
func TestAccountIsKept(t *testing.T) {
	graceful(t, func(s *testkit.Server) {
		boss, ann := person(s, "boss@example.com"), person(s, "ann@example.com")
		organization(boss, "Acme")
		join(s, boss, ann, "acme", "ann@example.com", "admin")
		ann.Do("DELETE", "/auth/me", nil).Want(204)
		link := tokenIn(s, "ann@example.com")
		s.Client().Post("/auth/keep", m{"token": "no"}).Want(400, "link_invalid")
		s.Client().Post("/auth/not-me", m{"token": link}).Want(400, "link_invalid")
		s.Advance(14*day - time.Second)
		s.Records()
		s.Client().Post("/auth/keep", m{"token": link}).Want(200)
		s.Events("user.reopened", "authorization.changed")
		s.Client().Post("/auth/keep", m{"token": link}).Want(400, "link_invalid")
		s.Advance(time.Hour)
		erased(s)
		reenter(s, ann, "ann@example.com")
		ann.Get("/api/v1/orgs/acme/invitations").Want(200) // an admin still

		ann.Do("DELETE", "/auth/me", nil).Want(204)
		late := tokenIn(s, "ann@example.com")
		s.Advance(14 * day)
		s.Client().Post("/auth/keep", m{"token": late}).Want(400, "link_invalid")
		erased(s)
		s.Client().Post("/auth/login", m{"email": "ann@example.com", "password": pass}).Want(401, "invalid_credentials")
	})
}

// Keeping and erasing at the same moment, on two servers: one of them happens, whole.
func TestKeptOrErased(t *testing.T) {
	graceful(t, func(s *testkit.Server) {
		nodes := []*testkit.Server{s, twin(s)}
		for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
			c := person(s, email)
			id := userID(c)
			c.Do("DELETE", "/auth/me", nil).Want(204)
			token := tokenIn(s, email)
			s.Advance(14*day - time.Millisecond)
			var both sync.WaitGroup
			var kept int
			both.Go(func() { kept = s.Client().Post("/auth/keep", m{"token": token}).Status })
			for _, node := range nodes {
				both.Go(func() { _ = node.App().Accounts.Sweep(s.Context()) })
			}
			s.Advance(time.Millisecond)
			both.Wait()
			erased(nodes...)
			u, err := s.App().Users.Get(t.Context(), id)
			switch {
			case kept == 200 && (err != nil || !u.Active()), kept == 400 && !errors.Is(err, people.ErrNotFound), kept != 200 && kept != 400:
				t.Errorf("%s: %d, %+v, %v", email, kept, u, err)
			}
			if n := len(s.Inbox(email)); kept == 400 && n != 2 {
				t.Errorf("%d mails", n)
			}
		}
	})
}

// Whoever others depend on hands over before their account is closed; and who is closed is nobody others may depend on.
func TestGraceHandsOver(t *testing.T) {
	graceful(t, func(s *testkit.Server) {
		root, _ := operator(s, "root@example.com")
		root.Do("DELETE", "/auth/me", nil).Want(409, "account_runs_site")
		ann, bob := person(s, "ann@example.com"), person(s, "bob@example.com")
		organization(ann, "Acme")
		ann.Do("DELETE", "/auth/me", nil).Want(409, "account_owns_organization")
		ann.Get("/auth/me").Want(200)
		join(s, ann, bob, "acme", "bob@example.com", "owner")
		ann.Do("DELETE", "/auth/me", nil).Want(204)
		bob.Do("DELETE", "/auth/me", nil).Want(409, "account_owns_organization") // the other owner is on their way out
		s.Advance(14 * day)
		erased(s)
		reenter(s, bob, "bob@example.com")
		bob.Do("DELETE", "/auth/me", nil).Want(409, "account_owns_organization")

		heir, heirID := operator(s, "heir@example.com")
		heir.Do("DELETE", "/auth/me", nil).Want(204)
		reenter(s, root, "root@example.com")
		root.Do("DELETE", "/auth/me", nil).Want(409, "account_runs_site")
		if err := s.App().Accounts.Enable(t.Context(), authz.System, heirID); err != nil { // the operator brings them back
			t.Fatal(err)
		}
		s.Advance(14 * day)
		erased(s)
		if u, err := s.App().Users.Get(t.Context(), heirID); err != nil || !u.Active() {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

// Without an address nothing could bring an account back, so it goes at once; and so does whom an operator deletes.
func TestGraceIsForWhoCanBeWrittenTo(t *testing.T) {
	graceful(t, func(s *testkit.Server) {
		c := s.Client()
		c.Post("/auth/signup", m{"username": "nameless", "password": pass}).Want(201)
		id := userID(c)
		c.Do("DELETE", "/auth/me", nil).Want(204)
		if _, err := s.App().Users.Get(t.Context(), id); !errors.Is(err, people.ErrNotFound) {
			t.Error(err)
		}
		root, _ := operator(s, "root@example.com")
		closed, other := person(s, "closed@example.com"), person(s, "other@example.com")
		closedID, otherID := userID(closed), userID(other)
		closed.Do("DELETE", "/auth/me", nil).Want(204)
		if u := root.Get("/api/v1/users/" + closedID).Want(200); u.JSON["is_active"] != false || u.Text("erase_at") != s.Now().Add(14*day).Format(time.RFC3339) {
			t.Errorf("%s", u.Body)
		}
		for _, id := range []string{closedID, otherID} {
			root.Do("DELETE", "/api/v1/users/"+id, nil).Want(204)
			root.Get("/api/v1/users/" + id).Want(404)
		}
	})
}

// Whoever says of an earlier change that it was not them has their account back also where whoever it was wanted it deleted.
func TestNotMeKeepsTheAccount(t *testing.T) {
	graceful(t, func(s *testkit.Server) {
		ann := person(s, "ann@example.com")
		thief := s.Client()
		reenter(s, thief, "ann@example.com")
		thief.Post("/auth/password/change", m2(pass, "a quiet red lamp")).Want(200)
		link := tokenIn(s, "ann@example.com")
		thief.Do("DELETE", "/auth/me", nil).Want(204)
		ann.Post("/auth/not-me", m{"token": link}).Want(200)
		s.Advance(14 * day)
		erased(s)
		ann.Post("/auth/password/forgot", m{"email": "ann@example.com"}).Want(202)
		ann.Post("/auth/password/reset", m{"token": tokenIn(s, "ann@example.com"), "password": pass}).Want(200)
		reenter(s, ann, "ann@example.com")
	})
}
