package audit

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/user"
)

// Filter is what is searched for: every part that is given must fit.
type Filter struct {
	Actor, Subject, Org, Kind, Outcome, IP string
	From, To                               time.Time
	Text                                   string // words that all stand in the record, or how a name or an identifier of its people begins
	Brief                                  bool   // without what happens to everybody all the time

	person string   // who it is about, for their own log
	people []string // whom Text names
	words  []string // of Text
}

// Page is a part of the log, newest first.
type Page struct {
	Items []Record
	Next  string // give it as cursor for the next part; "" at the end
}

// Bounds of one request: a search that finds too little in them goes on with the next.
const (
	window     = 100_000 // checkpoints that are asked about at once
	windows    = 5
	atOnce     = 50
	mostToRead = 20_000
	mostPeople = 20
	mostTerms  = 8
)

// spot is a place in a search: under a checkpoint, 0 being what is not sealed yet, and there before a place.
type spot struct {
	number int64
	before database.Cursor
}

func (p spot) String() string { return fmt.Sprintf("%d.%s", p.number, p.before) }

func parseSpot(text string) (p spot, err error) {
	if text == "" {
		return spot{0, end}, nil
	}
	if _, err = fmt.Sscanf(text, "%d.%d.%d", &p.number, &p.before.Tx, &p.before.Seq); err != nil || p.String() != text {
		return p, ErrCursor
	}
	return p, nil
}

// Search gives a part of what fits, newest first, to who may read the log: of everything, or of one organization.
func (s *Service) Search(ctx context.Context, c authz.Caller, f Filter, cursor string, limit int) (Page, error) {
	f, err := s.allowed(ctx, c, MayRead, f)
	if err != nil {
		return Page{}, err
	}
	return s.find(ctx, f, cursor, limit)
}

// Day is how many sign-ins succeeded and failed on a day, in UTC.
type Day struct {
	Date     string `json:"date" example:"2026-05-06"`
	SignedIn int64  `json:"signed_in"`
	Failed   int64  `json:"failed"`
}

// Days is the sign-ins of the last days, today the last, for holders of sys:audit:read.
func (s *Service) Days(ctx context.Context, c authz.Caller, days int) ([]Day, error) {
	if err := s.authz.Require(ctx, c, MayRead, ""); err != nil {
		return nil, err
	}
	today := s.db.Now().UTC().Truncate(24 * time.Hour)
	first := today.AddDate(0, 0, 1-days)
	list := make([]Day, days)
	for i := range list {
		list[i].Date = first.AddDate(0, 0, i).Format(time.DateOnly)
	}
	rows, err := s.store(s.db).signIns(ctx, first)
	for _, r := range rows {
		i := int(r.Day - first.UnixMicro()/day.Microseconds())
		if i < 0 || i >= days { // another server's clock is ahead
			continue
		}
		if r.Kind == failedSignIn {
			list[i].Failed = r.Count
		} else {
			list[i].SignedIn = r.Count
		}
	}
	return list, err
}

// Mine is what happened to a person, newest first, for themselves.
func (s *Service) Mine(ctx context.Context, userID, cursor string, limit int) (Page, error) {
	return s.find(ctx, Filter{person: userID, Brief: true}, cursor, limit)
}

// Of is everything that a person did or that is about them, newest first, for a copy of what is known of them.
func (s *Service) Of(ctx context.Context, userID, cursor string, limit int) (Page, error) {
	return s.find(ctx, Filter{person: userID}, cursor, limit)
}

// allowed is the filter by which the caller may read: who may read the log of an organization alone sees what belongs to it.
func (s *Service) allowed(ctx context.Context, c authz.Caller, permission string, f Filter) (Filter, error) {
	everything := s.authz.Require(ctx, c, permission, "")
	if f.Org == "" {
		if everything != nil {
			return f, everything
		}
		return s.named(ctx, f)
	}
	o, err := s.orgs.Find(ctx, authz.System, f.Org)
	if err == nil {
		f.Org = o.ID
	}
	if everything == nil {
		return s.named(ctx, f) // also of an organization that is no more
	}
	if err != nil {
		return f, err
	}
	f.words = split(f.Text)
	return f, s.authz.Require(ctx, c, permission, o.ID)
}

// named finds whom the text names. Only who may read everything is told: an address is nobody's business in an organization that
// its person does not belong to.
func (s *Service) named(ctx context.Context, f Filter) (Filter, error) {
	f.words = split(f.Text)
	if f.Text == "" {
		return f, nil
	}
	p, err := s.users.List(ctx, user.Filter{Text: f.Text}, "", mostPeople)
	for _, u := range p.Users {
		f.people = append(f.people, u.ID)
	}
	return f, err
}

// terms are the words by which the checkpoints are found that may have something; any is one of which one is enough.
func (f Filter) terms() (all, any []string) {
	all = slices.DeleteFunc([]string{f.person, f.Actor, f.Subject, address(f.IP), f.Org, f.Kind}, func(w string) bool { return w == "" })
	if f.Outcome == "failure" {
		all = append(all, f.Outcome)
	}
	if len(f.people) > 0 {
		any = append(slices.Clone(f.people), strings.Join(f.words, " "))
	} else {
		all = append(all, f.words...)
	}
	for i, w := range all {
		all[i] = strings.ToLower(w)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	for any != nil && len(any) <= mostPeople { // a statement of one length, for both stores keep statements by their text
		any = append(any, any[0])
	}
	return all[:min(len(all), mostTerms)], any
}

// address is an address as events have it.
func address(text string) string {
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap().String()
	}
	return text
}

func (f Filter) fits(r *row) bool {
	is := func(want, have string) bool { return want == "" || strings.EqualFold(want, have) }
	switch {
	case !is(f.Actor, r.Actor), !is(f.Subject, r.Subject), !is(f.Kind, r.Kind), !is(f.Outcome, r.Outcome), !is(address(f.IP), r.IP),
		f.Org != "" && r.Org != f.Org && r.Subject != f.Org,
		f.person != "" && r.Subject != f.person && r.Actor != f.person, f.Brief && quiet[r.Kind],
		!f.From.IsZero() && r.At.Before(f.From), !f.To.IsZero() && !r.At.Before(f.To):
		return false
	}
	if f.Text == "" || slices.Contains(f.people, r.Actor) || slices.Contains(f.people, r.Subject) {
		return true
	}
	have := wordsOf(r)
	return len(f.words) > 0 && !slices.ContainsFunc(f.words, func(w string) bool { return !slices.Contains(have, w) })
}

// quiet is what happens to everybody all the time, and only searches need to find.
var quiet = map[string]bool{"token.refreshed": true, "authorization.changed": true, "password.rehashed": true}

// find goes back in time: first over what is not sealed yet, then over the checkpoints that have the words.
func (s *Service) find(ctx context.Context, f Filter, cursor string, limit int) (Page, error) {
	at, err := parseSpot(cursor)
	if err != nil {
		return Page{}, err
	}
	st := s.store(s.db)
	newest, err := st.newest(ctx)
	if err != nil {
		return Page{}, err
	}
	h := &hunt{st: st, f: f, limit: limit}
	if at.number == 0 {
		if err := h.under(ctx, 0, newest.last(), end, at.before); err != nil || h.next != "" {
			return h.page, err
		}
		at.number = newest.Number
	}
	err = h.back(ctx, at)
	return h.page, err
}

// hunt is a search under way.
type hunt struct {
	st    store
	f     Filter
	limit int
	read  int
	page  Page
	next  string
}

// under looks at what stands in one stretch, newest first.
func (h *hunt) under(ctx context.Context, number int64, after, last, before database.Cursor) error {
	for {
		rows, err := h.st.events(ctx, after, last, batch, true)
		if err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			h.read++
			last = database.Cursor{Tx: r.Tx, Seq: r.Seq - 1}
			if !less(r.place(), before) || !h.f.fits(r) {
				continue
			}
			if len(h.page.Items) == h.limit {
				h.stop(spot{number, above(r.place())})
				return nil
			}
			h.page.Items = append(h.page.Items, newRecord(*r))
		}
		if len(rows) < batch {
			return nil
		}
		if h.read >= mostToRead {
			h.stop(spot{number, above(last)})
			return nil
		}
	}
}

func (h *hunt) stop(at spot) { h.next, h.page.Next = at.String(), at.String() }

func less(a, b database.Cursor) bool {
	return cmp.Or(cmp.Compare(a.Tx, b.Tx), cmp.Compare(a.Seq, b.Seq)) < 0
}

// above is the place after which nothing is left out.
func above(c database.Cursor) database.Cursor { return database.Cursor{Tx: c.Tx, Seq: c.Seq + 1} }

// back goes from one checkpoint to those before it.
func (h *hunt) back(ctx context.Context, at spot) error {
	floor, err := h.st.floor(ctx)
	if err != nil {
		return err
	}
	lowest := floor.Number + 1
	if !h.f.From.IsZero() {
		n, err := h.st.from(ctx, h.f.From)
		if err != nil {
			return err
		}
		lowest = max(lowest, n)
	}
	if !h.f.To.IsZero() {
		n, err := h.st.until(ctx, h.f.To)
		if err != nil {
			return err
		}
		at.number = min(at.number, n)
	}
	all, any := h.f.terms()
	for range windows {
		if at.number < lowest {
			return nil
		}
		bottom := max(lowest, at.number-window+1)
		list, err := h.st.stretches(ctx, bottom, at.number, all, any, atOnce)
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := h.under(ctx, c.Number, c.after(), c.last(), at.before); err != nil || h.next != "" {
				return err
			}
			at.number = c.Number - 1
			if h.read >= mostToRead {
				h.stop(spot{at.number, end})
				return nil
			}
		}
		if len(list) < atOnce {
			at.number = bottom - 1
		}
	}
	if at.number >= lowest {
		h.stop(spot{at.number, end})
	}
	return nil
}

// Follow tells what fits as it happens, in the order of commits, until ctx ends.
func (s *Service) Follow(ctx context.Context, c authz.Caller, f Filter, at database.Cursor, every time.Duration, tell func([]Record) error) error {
	f, err := s.allowed(ctx, c, MayRead, f)
	if err != nil {
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		rows, err := s.store(s.db).settled(ctx, at, batch)
		if err != nil && ctx.Err() == nil {
			return err
		}
		var list []Record
		for i := range rows {
			if at = rows[i].place(); f.fits(&rows[i]) {
				list = append(list, newRecord(rows[i]))
			}
		}
		if err := tell(list); err != nil {
			return err
		}
		if len(rows) == batch {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
