package authz_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/admit-dev/admit/internal/authz"
)

// An organization that grows to thousands of members and shrinks again, in steps of all sizes, answers and is laid out as if
// it were compiled anew; and none of its pasts changes with it. (Worlds of properties are too small to fill a page.)
func TestManyMembers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	w := world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "jobs:post"}}}, Orgs: []authz.OrgRows{
		{ID: "o1", Roles: []authz.Role{{ID: "poster", Org: "o1", Key: "poster", Scope: authz.ScopeOrg, Grants: []authz.Grant{{Pattern: "jobs:*"}}}}}}}
	r := compile(t, w)
	posts, pasts := map[string]bool{}, map[*authz.Root]map[string]bool{}
	for step := range 60 {
		var changed []authz.Member
		var removed []string
		for range random.IntN(600) {
			m := authz.Member{User: fmt.Sprintf("u%d", random.IntN(4000))}
			if random.IntN(10) < step/8 { // more leave than come in the end
				removed = append(removed, m.User)
				continue
			}
			if random.IntN(2) == 0 {
				m.Roles = []authz.Assignment{{Role: "poster"}}
			}
			changed = append(changed, m)
		}
		if step%10 == 9 {
			pasts[r] = maps.Clone(posts)
		}
		for _, user := range removed {
			delete(posts, user)
		}
		for _, m := range changed { // who leaves and comes at once is there
			posts[m.User] = len(m.Roles) > 0
		}
		r = mustWith(t, r, changed, removed)
		holdsMembers(t, r, posts)
	}
	for past, posts := range pasts {
		holdsMembers(t, past, posts)
	}
	w.Orgs[0].Members = nil
	for user, may := range posts {
		m := authz.Member{User: user}
		if may {
			m.Roles = []authz.Assignment{{Role: "poster"}}
		}
		w.Orgs[0].Members = append(w.Orgs[0].Members, m)
	}
	if got, want := r.Dump(), compile(t, w).Dump(); got != want {
		t.Error("it is not what would be compiled")
	}
}

func mustWith(t *testing.T, r *authz.Root, changed []authz.Member, removed []string) *authz.Root {
	t.Helper()
	next, err := r.WithMembers(r.Rev()+1, "o1", changed, removed)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func holdsMembers(t *testing.T, r *authz.Root, posts map[string]bool) {
	t.Helper()
	n := 0
	for range r.View().Members("o1") {
		n++
	}
	if n != len(posts) {
		t.Fatalf("there are %d members, want %d", n, len(posts))
	}
	for i := range 4000 {
		user := fmt.Sprintf("u%d", i)
		may, there := posts[user]
		want := authz.Granted
		if !there {
			want = authz.NotAMember
		} else if !may {
			want = authz.MissingPermission
		}
		if d, _ := r.Check(authz.Query{Subject: user, Permission: "jobs:post", Org: "o1"}); d.Code != want {
			t.Fatalf("%s: %v, want %v", user, d.Code, want)
		}
		if got := r.OrgsOf(user); slices.Contains(got, "o1") != there || len(got) > 1 {
			t.Fatalf("%s belongs to %v", user, got)
		}
	}
}

// Organizations come and go by the hundred, each known by its id and its slug.
func TestManyOrganizations(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	r := compile(t, world{P: authz.PlatformRows{Permissions: []authz.Permission{{Name: "jobs:post"}}, Templates: authz.SystemTemplates()}})
	there := map[string]bool{}
	for range 40 {
		var changed []authz.OrgRows
		var removed []string
		for range random.IntN(100) {
			id := fmt.Sprintf("o%d", random.IntN(1200))
			switch {
			case slices.ContainsFunc(changed, func(o authz.OrgRows) bool { return o.ID == id }):
			case there[id] && random.IntN(3) == 0:
				removed = append(removed, id)
				delete(there, id)
			case !slices.Contains(removed, id):
				changed = append(changed, authz.OrgRows{ID: id, Slugs: []string{"slug-" + id}, Members: []authz.Member{{User: "u" + id, Roles: []authz.Assignment{{Role: authz.Owner}}}}})
				there[id] = true
			}
		}
		next, err := r.With(r.Rev()+1, nil, changed, removed)
		if err != nil {
			t.Fatal(err)
		}
		r = next
		for i := range 1200 {
			id := fmt.Sprintf("o%d", i)
			if allowed(t, r, authz.Query{Subject: "u" + id, Permission: "jobs:post", Org: id}) != there[id] || (r.OrgID("slug-"+id) == id) != there[id] {
				t.Fatalf("%s is there: %v", id, there[id])
			}
		}
	}
	if got := len(r.View().Orgs()); got != len(there) {
		t.Errorf("%d organizations, want %d", got, len(there))
	}
}

// Keys are told apart by themselves and not by their hash.
func TestCollision(t *testing.T) {
	if got := authz.Colliding(); got != [3]int{1, 2, 0} {
		t.Error(got)
	}
}
