package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// Verification is how the log is to be verified.
type Verification struct {
	From     int64                // the checkpoint to begin after; 0 is the beginning of the log
	Limit    int                  // stop after so many events; 0 goes to the end
	Heads    []Head               // what was kept outside the database
	Progress func(done, of int64) // told after each checkpoint; may be nil
}

// Bad is the first record that is not as it was sealed.
type Bad struct {
	Checkpoint int64  `json:"checkpoint" doc:"The seal it is under, or the seal that is bad itself."`
	ID         string `json:"id" doc:"evt_…, or empty when the checkpoint itself is bad."`
	Cursor     string `json:"cursor" doc:"Its place in the order of commits."`
	Reason     string `json:"reason" doc:"What is wrong."`
}

// Report is what a verification found.
type Report struct {
	OK          bool   `json:"ok" doc:"Everything that was looked at is as it was sealed."`
	Checkpoints int64  `json:"checkpoints" doc:"How many seals were verified."`
	Records     int64  `json:"records" doc:"How many events were verified."`
	Erased      int64  `json:"erased" doc:"How many of them had their address and user agent forgotten, because their person was deleted."`
	Foreign     int64  `json:"foreign" doc:"How many seals are of an earlier SESSION_SECRET_KEY: they are as the first seal of this key found them."`
	Pruned      int64  `json:"pruned" doc:"The last checkpoint that was removed because of its age, or 0."`
	Unsealed    int64  `json:"unsealed" doc:"How many events are too new to be sealed; nothing is said of them."`
	Head        string `json:"head" doc:"The newest checkpoint that was verified, NUMBER:HASH. Keep it elsewhere, to find a log that was cut off."`
	Bad         *Bad   `json:"bad" doc:"The first that is not as it was sealed, or null."`
	Next        int64  `json:"-"` // where to go on; 0 at the end
}

// verifier goes through the log once, in bounded memory.
type verifier struct {
	*Service
	st     store
	ask    Verification
	report Report
	prev   checkpoint     // the one before, and where it ends
	own    bool           // this key has signed, and must from here on
	owed   map[string]Bad // people of whom something was erased: an event must say so
}

// found ends the verification with a record that is bad.
type found struct{ Bad }

func (f found) Error() string { return f.Reason }

func bad(c int64, r string, at database.Cursor, format string, args ...any) error {
	return found{Bad{c, r, at.String(), fmt.Sprintf(format, args...)}}
}

// VerifyFor is Verify for holders of sys:audit:read.
func (s *Service) VerifyFor(ctx context.Context, c authz.Caller, v Verification) (Report, error) {
	if err := s.authz.Require(ctx, c, MayRead, ""); err != nil {
		return Report{}, err
	}
	h, err := s.Head()
	if err != nil {
		return Report{}, err
	}
	if h != nil {
		v.Heads = append(v.Heads, *h)
	}
	return s.Verify(ctx, s.db, v)
}

// Verify holds that the log is what was sealed, and names the first record that is not. It reads through q: the database, or a
// change that is under way.
func (s *Service) Verify(ctx context.Context, q database.Querier, ask Verification) (Report, error) {
	for {
		v := &verifier{Service: s, st: s.store(q), ask: ask, owed: map[string]Bad{}}
		before, err := v.st.floor(ctx)
		if err != nil {
			return Report{}, err
		}
		if err = v.walk(ctx, before); err == nil { // else what says that somebody was erased may be what is damaged
			err = v.settle(ctx)
		}
		f, is := err.(found)
		if !is {
			v.report.OK = err == nil
			return v.report, err
		}
		now, err := v.st.floor(ctx)
		if err != nil {
			return Report{}, err
		}
		if now.Number > before.Number && f.Checkpoint <= now.Number {
			continue // it was pruned meanwhile
		}
		v.report.Bad = &f.Bad
		return v.report, nil
	}
}

func (v *verifier) walk(ctx context.Context, f floor) error {
	if err := v.begin(ctx, f); err != nil {
		return err
	}
	newest, err := v.st.newest(ctx)
	if err != nil {
		return err
	}
	for {
		list, err := v.st.checkpoints(ctx, v.prev.Number+1, 20)
		if err != nil {
			return err
		}
		for i := range list {
			if err := v.checkpoint(ctx, &list[i]); err != nil {
				return err
			}
			if v.ask.Progress != nil {
				v.ask.Progress(v.prev.Number, newest.Number)
			}
			if v.ask.Limit > 0 && v.report.Records >= int64(v.ask.Limit) {
				v.report.Next = v.prev.Number
				return nil
			}
		}
		if len(list) == 0 {
			return v.finish(ctx)
		}
	}
}

// finish holds that the log does not end too early.
func (v *verifier) finish(ctx context.Context) (err error) {
	kept := false
	for _, h := range v.ask.Heads {
		if h.Number > v.prev.Number {
			return bad(v.prev.Number+1, "", v.prev.last(), "the log ends with checkpoint %d, and the head that was kept outside is %d: what came after was cut off", v.prev.Number, h.Number)
		}
		kept = kept || h == v.prev.head()
	}
	if v.prev.Number > 0 && !v.own && !kept {
		return bad(v.prev.Number, "", v.prev.last(), "no checkpoint is signed with this server's key: SESSION_SECRET_KEY is another than it was, or the log is not of this server")
	}
	v.report.Unsealed, err = v.st.count(ctx, v.prev.last())
	return err
}

// settle holds that of everybody something of whom is erased, an event says so. It gives the first of whom none does.
func (v *verifier) settle(ctx context.Context) error {
	if len(v.owed) == 0 {
		return nil
	}
	newest, err := v.st.newest(ctx)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	note := func(after, last database.Cursor) error {
		rows, err := v.st.events(ctx, after, last, batch, false)
		for _, r := range rows {
			if r.Kind == (Erased{}).Kind() {
				told[r.Subject] = true
			}
		}
		return err
	}
	if err := note(newest.last(), end); err != nil {
		return err
	}
	var first *Bad
	for who, b := range v.owed {
		list, err := v.st.stretches(ctx, 0, newest.Number, []string{strings.ToLower(who), (Erased{}).Kind()}, nil, 10)
		for i := 0; i < len(list) && err == nil && !told[who]; i++ {
			err = note(list[i].after(), list[i].last())
		}
		if err != nil {
			return err
		}
		if !told[who] && (first == nil || b.Checkpoint < first.Checkpoint) {
			first = &b
		}
	}
	clear(v.owed)
	if first != nil {
		return found{*first}
	}
	return nil
}

// begin finds what the first checkpoint must stand behind.
func (v *verifier) begin(ctx context.Context, f floor) (err error) {
	v.report.Pruned = f.Number
	from := max(f.Number, v.ask.From)
	if from == 0 {
		return v.leftovers(ctx)
	}
	if v.prev, err = v.st.checkpoint(ctx, from); err != nil {
		return err
	}
	if v.prev.Number == 0 {
		return bad(from, "", database.Cursor{}, "checkpoint %d is missing", from)
	}
	if from > f.Number {
		v.own = v.prev.KeyID == v.seal.id // what is before it was verified by whoever goes on from here
		return v.signature(&v.prev)
	}
	if !hmac.Equal(f.MAC, v.seal.floor(&v.prev)) && v.prev.KeyID == v.seal.id {
		return bad(from, "", v.prev.last(), "the mark that says that the log begins after checkpoint %d is not of this server's key", from)
	}
	v.own = v.prev.KeyID == v.seal.id
	return v.leftovers(ctx)
}

// leftovers holds that nothing stands before the beginning of the log.
func (v *verifier) leftovers(ctx context.Context) error {
	rows, err := v.st.events(ctx, beginning, v.prev.last(), 1, false)
	if err != nil || len(rows) == 0 {
		return err
	}
	return bad(v.prev.Number, rows[0].ID, rows[0].place(), "this record stands before the beginning of the log")
}

func (v *verifier) checkpoint(ctx context.Context, c *checkpoint) error {
	at := c.after()
	if c.Number != v.prev.Number+1 {
		return bad(v.prev.Number+1, "", v.prev.last(), "checkpoint %d is missing", v.prev.Number+1)
	}
	if err := v.signature(c); err != nil {
		return err
	}
	switch {
	case !bytes.Equal(c.Previous, v.prev.hash()) && v.prev.Number > 0:
		return bad(v.prev.Number, "", at, "checkpoint %d is not the one that checkpoint %d was made behind: one of the two was changed or replaced", v.prev.Number, c.Number)
	case len(c.Previous) > 0 && v.prev.Number == 0:
		return bad(c.Number, "", at, "checkpoint 1 was changed: nothing stands before it")
	}
	entries := entriesOf(c)
	if c.after() != v.prev.last() || len(entries) == 0 || len(c.Entries)%entrySize != 0 {
		return bad(c.Number, "", at, "checkpoint %d does not go on where the one before it ends", c.Number)
	}
	rows, err := v.st.events(ctx, c.after(), c.last(), len(entries)+1, false)
	if err != nil {
		return err
	}
	if err := v.records(ctx, c, entries, rows); err != nil {
		return err
	}
	for _, h := range v.ask.Heads {
		if h.Number == c.Number && h != c.head() {
			return bad(c.Number, "", at, "checkpoint %d is not the one whose hash was kept outside: the log was made anew, or is another", c.Number)
		}
	}
	v.report.Checkpoints++
	v.report.Records += int64(len(rows))
	v.report.Head = c.head().String()
	v.prev = *c
	return nil
}

// signature holds that a checkpoint is signed. Those before the first of this key were signed with an earlier one, and are held
// by their hashes, which the first of this key has signed.
func (v *verifier) signature(c *checkpoint) error {
	switch {
	case c.KeyID == v.seal.id:
		v.own = true
		if !v.seal.signed(c) {
			return bad(c.Number, "", c.after(), "checkpoint %d was changed: its signature does not fit", c.Number)
		}
	case v.own:
		return bad(c.Number, "", c.after(), "checkpoint %d is not signed with this server's key, and those before it are", c.Number)
	default:
		v.report.Foreign++
	}
	return nil
}

// records compares what is there with what was sealed, and names the first that differs.
func (v *verifier) records(ctx context.Context, c *checkpoint, entries []entry, rows []row) error {
	digest := sha256.New()
	for i, e := range entries {
		name := id.Text("evt", e.id)
		if i >= len(rows) || rows[i].Seq != e.seq {
			return v.misplaced(ctx, c, entries[i:], rows[min(i, len(rows)):])
		}
		r := &rows[i]
		if id.Raw(r.ID) != e.id {
			return bad(c.Number, name, r.place(), "this record was changed: its id is %s now", clean(r.ID))
		}
		l, err := v.leaf(ctx, c, r)
		if err != nil {
			return err
		}
		if !bytes.Equal(l[:len(e.leaf)], e.leaf[:]) {
			return bad(c.Number, name, r.place(), "this record was changed after it was sealed")
		}
		digest.Write(l)
	}
	if len(rows) > len(entries) {
		r := &rows[len(entries)]
		return bad(c.Number, r.ID, r.place(), "this record was added after checkpoint %d was sealed", c.Number)
	}
	if end := rows[len(rows)-1].place(); end != c.last() || !bytes.Equal(digest.Sum(nil), c.Digest) {
		return bad(c.Number, "", c.last(), "the records under checkpoint %d are not those that it was made of", c.Number)
	}
	return nil
}

// misplaced says what happened to a record that is not where it was sealed.
func (v *verifier) misplaced(ctx context.Context, c *checkpoint, entries []entry, rows []row) error {
	e := entries[0]
	name, at := id.Text("evt", e.id), database.Cursor{Tx: c.LastTx, Seq: e.seq}
	sealed := len(rows) > 0 && slices.ContainsFunc(entries, func(e entry) bool { return e.seq == rows[0].Seq })
	if sealed && len(rows) > 1 && rows[1].Seq == e.seq {
		return bad(c.Number, rows[0].ID, rows[0].place(), "this record was moved to another place")
	}
	if len(rows) > 0 && !sealed {
		r := &rows[0]
		if id.Raw(r.ID) == e.id {
			return bad(c.Number, name, r.place(), "this record was moved to another place")
		}
		return bad(c.Number, r.ID, r.place(), "this record was added after checkpoint %d was sealed, or moved there", c.Number)
	}
	there, err := v.st.bySeq(ctx, e.seq)
	if err != nil {
		return err
	}
	if there != "" {
		return bad(c.Number, name, at, "this record was moved to another place")
	}
	return bad(c.Number, name, at, "this record was deleted")
}

// leaf is what a row is now.
func (v *verifier) leaf(ctx context.Context, c *checkpoint, r *row) ([]byte, error) {
	if r.Erased == nil {
		if personal(r) && personOf(r) != "" && r.Salt == nil {
			return nil, bad(c.Number, r.ID, r.place(), "this record was changed to be somebody else's, or the salt of its person was removed")
		}
		return leaf(r, sealed(r, r.Salt)), nil
	}
	if personal(r) {
		return nil, bad(c.Number, r.ID, r.place(), "this record was changed: it is marked as erased, and has an address or a user agent")
	}
	v.report.Erased++
	if who := personOf(r); v.owed[who] == (Bad{}) {
		v.owed[who] = Bad{c.Number, r.ID, r.place().String(), "this record's address and user agent are gone, and no event says that its person was erased"}
	}
	if len(v.owed) >= 1000 {
		if err := v.settle(ctx); err != nil {
			return nil, err
		}
	}
	return leaf(r, r.Erased), nil
}

func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text[:min(len(text), 60)])
}
