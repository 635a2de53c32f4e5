package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/aclements/go-moremath/stats"
)

const trials = 2000 // of each pair, half of each kind

// timing asks whether the time of an answer tells who has an account (ENU-02): pairs of requests that must not be told apart, in random order
// on one connection, compared by the Mann-Whitney U test. The first pair is a control, of one request with itself.
func (b *bench) timing() error {
	if err := b.timeStrangers(); err != nil {
		return err
	}
	return b.timeLocked()
}

// pair is what must not be told apart.
type pair struct {
	what string
	a, b []byte
	want int
}

func (b *bench) timeStrangers() error {
	dir, err := b.dataDir()
	if err != nil {
		return err
	}
	s, err := b.server(dir, "LOCKOUT_AFTER=0", "ENUMERATION_PROTECTION=strict")
	if err != nil {
		return err
	}
	defer s.stop()
	for _, who := range []string{`"email":"ann@example.com"`, `"email":"bob@example.com"`, `"email":"dis@example.com"`} {
		if _, err := asked(s.addr, request("POST", "/auth/signup", `{`+who+`,"password":"`+password+`"}`), 202); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"user", "create", "--email", "social@example.com", "--no-password"}, {"user", "disable", "dis@example.com"}} {
		if out, err := b.command(b.ctx, []string{"DATA_DIR=" + dir}, b.admit, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("admit %v: %w\n%s", args, err, out)
		}
	}
	login := func(email string) []byte {
		return request("POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":"not this one"}`, email))
	}
	to := func(path, email string) []byte {
		return request("POST", path, fmt.Sprintf(`{"email":%q}`, email))
	}
	pairs := []pair{
		{"sign-in: the same person twice (control)", login("ann@example.com"), login("ann@example.com"), 401},
		{"sign-in: two people", login("ann@example.com"), login("bob@example.com"), 401},
		{"sign-in: somebody and nobody", login("ann@example.com"), login("zoe@example.com"), 401},
		{"sign-in: somebody without a password and nobody", login("social@example.com"), login("zoe@example.com"), 401},
		{"sign-in: somebody disabled and nobody", login("dis@example.com"), login("zoe@example.com"), 401},
		{"reset: somebody and nobody", to("/auth/password/forgot", "ann@example.com"), to("/auth/password/forgot", "zoe@example.com"), 202},
		{"link: somebody and nobody", to("/auth/magic-link", "ann@example.com"), to("/auth/magic-link", "zoe@example.com"), 202},
		{"code: somebody and nobody", to("/auth/otp", "ann@example.com"), to("/auth/otp", "zoe@example.com"), 202},
	}
	return b.tellAllApart(s.addr, pairs)
}

// timeLocked asks it of an account that is locked, and of a name that as many wrong passwords were tried at.
func (b *bench) timeLocked() error {
	s, err := b.server("", "LOCKOUT_AFTER=3", "ENUMERATION_PROTECTION=strict")
	if err != nil {
		return err
	}
	defer s.stop()
	if _, err := asked(s.addr, request("POST", "/auth/signup", `{"email":"ann@example.com","password":"`+password+`"}`), 202); err != nil {
		return err
	}
	login := func(email string) []byte {
		return request("POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":"not this one"}`, email))
	}
	for _, who := range []string{"ann@example.com", "zoe@example.com"} {
		for range 3 {
			if _, err := asked(s.addr, login(who), 401); err != nil {
				return err
			}
		}
	}
	return b.tellAllApart(s.addr, []pair{{"sign-in: somebody locked and a locked name", login("ann@example.com"), login("zoe@example.com"), 429}})
}

func (b *bench) tellAllApart(addr string, pairs []pair) error {
	for _, p := range pairs {
		if err := b.tellApart(addr, p.what, p.a, p.b, p.want); err != nil {
			return fmt.Errorf("%s: %w", p.what, err)
		}
	}
	return nil
}

func (b *bench) tellApart(addr, what string, one, other []byte, want int) error {
	w, err := dial(addr, nil)
	if err != nil {
		return err
	}
	defer w.Close()
	var took [2][]float64
	for i := range trials + 100 {
		if b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		kind := i % 2
		if i%2 == 0 && rand.N(2) == 0 { // pairs in random order
			one, other = other, one
			took[0], took[1] = took[1], took[0]
		}
		req := [2][]byte{one, other}[kind]
		begin := time.Now()
		a, err := w.exchange(req)
		d := time.Since(begin)
		if err == nil && a.status != want {
			err = a.unexpected()
		}
		if err != nil {
			return err
		}
		if i >= 100 { // warm
			took[kind] = append(took[kind], float64(d.Nanoseconds()))
		}
	}
	u, err := stats.MannWhitneyUTest(took[0], took[1], stats.LocationDiffers)
	if err != nil {
		return err
	}
	auc := u.U / float64(len(took[0])*len(took[1]))
	b.add(result{Name: what, P50: median(took[0]) / 1e6,
		Note: fmt.Sprintf("%d trials of each in turns; medians %s and %s ms", trials/2, number(median(took[0])/1e6), number(median(took[1])/1e6))},
		least("p", u.P, 0.01, ""), most("|AUC − 0.5|", math.Abs(auc-0.5), 0.05, ""))
	return nil
}
