package main

// The targets hold on any machine as far as they are ratios; where they are times, they are of one core.

func checkTargets(a *arena, f finding) []check {
	a.admit = f.NS
	list := []check{most("×string map", f.ByText, 3, ""), most("allocs", f.Allocs, 0, "")}
	if a.users == 100_000 {
		list = append(list, most("×number map", f.ByInt, 3, ""))
	}
	return list
}

func explainTargets(_ *arena, f finding) []check {
	return []check{most("CPU", f.NS/1e3, 1, "µs"), most("allocs", f.Allocs, 3, "")}
}

func conditionTargets(_ *arena, f finding) []check {
	return []check{most("CPU", f.NS/1e3, 2, "µs")}
}

func casbinTargets(a *arena, f finding) []check {
	return []check{least("×Admit's check", f.NS/a.admit, 1000, "")}
}

// weight is what an engine weighs and how long it takes to be told a town.
type weight struct {
	Users    int     `json:"users"`
	Name     string  `json:"name"`
	Load     float64 `json:"load_ms"`
	PerUser  float64 `json:"bytes_per_user"`
	PerGrant float64 `json:"bytes_per_grant"`
	Checks   []check `json:"checks,omitempty"`
}

// access is everything that was found about who may do what.
type access struct {
	Findings []finding `json:"questions,omitempty"`
	Weights  []weight  `json:"weights,omitempty"`
	Changes  []result  `json:"changes,omitempty"`
}

func (a *access) weighed(w weight) {
	if w.Name == "Admit" {
		w.Checks = []check{most("", w.PerGrant, 40, "B/grant")}
		if w.Users == 100_000 {
			w.Checks = append(w.Checks, most("", w.PerUser, 300, "B/user"), most("load", w.Load, 500, "ms"))
		}
		for i, c := range w.Checks {
			w.Checks[i] = c.judge(nil)
		}
	}
	a.Weights = append(a.Weights, w)
}
