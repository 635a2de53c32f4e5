package authz

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPage = 50
	maxPage     = 1000
)

// Page asks for a part of a list. A cursor is good at the Root it came from: lists are complete at one revision or they end.
type Page struct {
	Limit  int // 50 when 0, at most 1000
	Cursor string
}

// Item is one entry of a list: a user, a permission or an organization.
type Item struct {
	ID          string
	Roles       []string // the keys of the roles that give it
	Conditional bool     // not allowed as asked, for want of what a condition reads
}

// List is one page, sorted by id.
type List struct {
	Items []Item
	Next  string // the next cursor, "" at the end
	Rev   int64
}

// CursorRev reads the revision a cursor belongs to, so that the Root of that revision can be asked.
func CursorRev(cursor string) (int64, error) {
	rev, _, err := parseCursor(cursor)
	return rev, err
}

func parseCursor(s string) (rev int64, after string, err error) {
	head, tail, ok := strings.Cut(s, ".")
	rev, err = strconv.ParseInt(head, 10, 64)
	id, bad := base64.RawURLEncoding.DecodeString(tail)
	if !ok || err != nil || bad != nil || len(id) == 0 {
		return 0, "", ErrCursor
	}
	return rev, string(id), nil
}

// WhoCan lists the users who may do q.Permission in q.Org; q.Subject is not read.
func (r *Root) WhoCan(q Query, page Page) (List, error) { return r.whoCan(q, page, r.byRoles) }

// asker decides about one candidate of a list.
type asker func(q *Query, p int) Code

func (r *Root) byRoles(q *Query, p int) Code { return r.decide(q, p, false) }

func (r *Root) whoCan(q Query, page Page, ask asker) (List, error) {
	p, ok := r.cat.bit[q.Permission]
	if !ok {
		return List{Rev: r.rev}, r.cat.unknown(q.Permission)
	}
	var org *space
	if q.Org != "" {
		found := r.orgs.find(q.Org)
		if found == nil {
			return List{Rev: r.rev}, ErrUnknownOrganization
		}
		org = *found
	}
	l, err := r.list(page, func(yield func(string)) {
		if org != nil {
			for user := range org.members.all() {
				yield(user)
			}
		}
		for user, m := range r.platform.members.all() {
			if org == nil || r.platform.anyFar(m) && org.members.find(user) == nil {
				yield(user)
			}
		}
	}, func(user string) (Item, bool) {
		q.Subject = user
		return item(user, q, p, ask)
	})
	for i := range l.Items {
		q.Subject = l.Items[i].ID
		l.Items[i].Roles = r.givers(q)
	}
	return l, err
}

// givers is the keys of the roles by which a question is answered.
func (r *Root) givers(q Query) (keys []string) {
	e, _ := r.Explain(q)
	for _, path := range slices.Concat(e.GrantedBy, e.Unmet) {
		if !slices.Contains(keys, path.Key) {
			keys = append(keys, path.Key)
		}
	}
	return keys
}

// anyFar reports whether a user holds a global role that counts in organizations, now or later.
func (s *space) anyFar(m *member) bool {
	return s.sets[m.set].far != nil || slices.ContainsFunc(m.timed(), func(t timedRole) bool { return s.roles[t.role].row.Reach == ReachAllOrgs })
}

// WhatCan lists what q.Subject may do in q.Org, or on the platform; q.Permission is not read.
func (r *Root) WhatCan(q Query, page Page) (List, error) { return r.whatCan(q, page, r.byRoles) }

func (r *Root) whatCan(q Query, page Page, ask asker) (List, error) {
	if q.Org != "" && r.orgs.find(q.Org) == nil {
		return List{Rev: r.rev}, ErrUnknownOrganization
	}
	l, err := r.list(page, func(yield func(string)) {
		for _, d := range r.cat.list {
			yield(d.name)
		}
	}, func(name string) (Item, bool) {
		q.Permission = name
		return item(name, q, r.cat.bit[name], ask)
	})
	for i := range l.Items {
		q.Permission = l.Items[i].ID
		l.Items[i].Roles = r.givers(q)
	}
	return l, err
}

// WhereCan lists the organizations in which q.Subject may do q.Permission; q.Org is not read.
func (r *Root) WhereCan(q Query, page Page) (List, error) { return r.whereCan(q, page, r.byRoles) }

func (r *Root) whereCan(q Query, page Page, ask asker) (List, error) {
	p, ok := r.cat.bit[q.Permission]
	if !ok {
		return List{Rev: r.rev}, r.cat.unknown(q.Permission)
	}
	l, err := r.list(page, func(yield func(string)) {
		if u := r.platform.members.find(q.Subject); u == nil || !r.platform.anyFar(u) {
			for _, id := range r.OrgsOf(q.Subject) {
				yield(id)
			}
			return
		}
		for id := range r.orgs.all() {
			yield(id)
		}
	}, func(id string) (Item, bool) {
		q.Org = id
		return item(id, q, p, ask)
	})
	for i := range l.Items {
		q.Org = l.Items[i].ID
		l.Items[i].Roles = r.givers(q)
	}
	return l, err
}

// item decides about one candidate. What a condition could not tell is listed as conditional, never as allowed.
func item(id string, q Query, p int, ask asker) (Item, bool) {
	code := ask(&q, p)
	return Item{ID: id, Conditional: code == ConditionError}, code == Granted || code == ConditionError
}

// list keeps the first candidates behind the cursor, without sorting all of them. Roles are only looked up for those.
func (r *Root) list(page Page, candidates func(yield func(string)), decide func(string) (Item, bool)) (List, error) {
	limit := page.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, maxPage)
	after := ""
	if page.Cursor != "" {
		rev, last, err := parseCursor(page.Cursor)
		if err != nil || rev != r.rev {
			return List{Rev: r.rev}, ErrCursor
		}
		after = last
	}
	var kept []Item
	bound := ""
	shrink := func() {
		slices.SortFunc(kept, func(a, b Item) int { return strings.Compare(a.ID, b.ID) })
		if len(kept) > limit+1 { // one more shows that there is a next page
			kept = kept[:limit+1]
			bound = kept[limit].ID
		}
	}
	candidates(func(id string) {
		if id <= after || bound != "" && id > bound {
			return
		}
		if item, ok := decide(id); ok {
			if kept = append(kept, item); len(kept) > 2*(limit+1) {
				shrink()
			}
		}
	})
	shrink()
	l := List{Items: kept, Rev: r.rev}
	if len(kept) > limit {
		l.Items = kept[:limit]
		l.Next = strconv.FormatInt(r.rev, 10) + "." + base64.RawURLEncoding.EncodeToString([]byte(kept[limit-1].ID))
	}
	return l, nil
}
