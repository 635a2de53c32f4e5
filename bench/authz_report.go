package main

import (
	"fmt"
	"runtime/debug"
)

func (a *access) about(b *bench, command, noisy string, took float64) []string {
	return []string{
		command,
		machine(),
		"everything in one process on one CPU, CPU time with the collector's; " + noisy,
		fmt.Sprintf("%d rounds of %v samples in turns with both maps, %.0f s in all; what takes longer than %v a question is asked in one round of at least two questions", b.pairs, b.sample/10, took, slow),
		fmt.Sprintf("%d organizations with %d roles of %d permissions each, of %d declared: %d grants, among however many people, each with two roles of one organization; one question of eight is about another organization", orgCount, roleCount, grantCount, nameCount, allGrants),
		"every answer is held against the rows, a thousand before anything is measured (where that takes longer than a second, fewer) and then each that is measured",
		"Casbin " + moduleVersion("github.com/casbin/casbin/v3") + " and cedar-go " + moduleVersion("github.com/cedar-policy/cedar-go") + ", loaded in bulk, with the cheap comparisons of a matcher first; roles shared by all are Casbin's kindest case, which leaves no organization a role of its own; the cache is asked only what was asked before",
		"the target for numbers is met or missed by strings: Admit has no check by numbers",
		"*revoked* is from taking a person's roles to the first answer that knows of it; where it says *still allowed*, the answer after the change was wrong",
		"not measured here: what other servers hear and when, the batch over HTTP (there is none yet), and the comparison with oracles (`make oracle`)",
	}
}

func (a *access) tables() []table {
	asked := table{1, [][]string{{"asked", "people", "CPU", "B/op", "allocs/op", "×number map", "×string map", "questions", "revoked", "against the target"}}}
	for _, f := range a.Findings {
		revoked := ""
		switch {
		case f.Still:
			revoked = "still allowed"
		case f.Revoked > 0:
			revoked = span(f.Revoked)
		}
		asked.lines = append(asked.lines, []string{f.Name, fmt.Sprint(f.Users), span(f.NS), count(f.Bytes), count(f.Allocs), count(f.ByInt),
			fmt.Sprintf("%s (%s–%s)", count(f.ByText), count(f.Range[0]), count(f.Range[1])), count(float64(f.N)), revoked, verdicts(f.Checks, "")})
	}
	weighed := table{1, [][]string{{"told", "people", "load", "B/person", "B/grant", "against the target"}}}
	for _, w := range a.Weights {
		person := "too few to weigh"
		if w.Users >= 1000 {
			person = number(w.PerUser)
		}
		grant := "knows none"
		if w.PerGrant >= 1 {
			grant = number(w.PerGrant)
		}
		weighed.lines = append(weighed.lines, []string{w.Name, fmt.Sprint(w.Users), span(w.Load * 1e6), person, grant, verdicts(w.Checks, "")})
	}
	changed := table{1, [][]string{{"changed in Admit", "found"}}}
	for _, r := range a.Changes {
		changed.lines = append(changed.lines, []string{r.Name, verdicts(r.Checks, r.Note)})
	}
	return []table{asked, weighed, changed}
}

func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "of unknown version"
}

// span is a time in the unit that suits it.
func span(ns float64) string {
	for _, u := range []struct {
		name string
		ns   float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if ns >= u.ns {
			return number(ns/u.ns) + " " + u.name
		}
	}
	return number(ns) + " ns"
}

// count is a number that may be very large.
func count(v float64) string {
	switch {
	case v >= 1e6:
		return number(v/1e6) + " M"
	case v >= 1e4:
		return number(v/1e3) + " k"
	}
	return number(v)
}
