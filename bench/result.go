package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// result is one line of the report.
type result struct {
	Section   string     `json:"section"`
	Name      string     `json:"name"`
	PerSecond float64    `json:"per_second,omitzero"`
	P50       float64    `json:"p50_ms,omitzero"`
	P99       float64    `json:"p99_ms,omitzero"`
	CPU       float64    `json:"cpu_us,omitzero"`
	Ratio     float64    `json:"times_http,omitzero"`
	Range     [2]float64 `json:"times_http_range,omitzero"`
	P99Ratio  float64    `json:"p99_times_http,omitzero"`
	Checks    []check    `json:"checks,omitempty"`
	Note      string     `json:"note,omitempty"`
}

// check is a measured value beside its target.
type check struct {
	What    string                  `json:"what"`
	Unit    string                  `json:"unit,omitempty"`
	Value   float64                 `json:"value"`
	Limit   float64                 `json:"limit,omitzero"` // may be none
	AtLeast bool                    `json:"at_least,omitzero"`
	Met     *bool                   `json:"met,omitempty"` // nil where there is no target
	of      func(r *result) float64 // where the value comes from, when it is one of the result's own
}

func most(what string, value, limit float64, unit string) check {
	return check{What: what, Value: value, Limit: limit, Unit: unit}
}

func least(what string, value, limit float64, unit string) check {
	return check{What: what, Value: value, Limit: limit, Unit: unit, AtLeast: true}
}

// none is the limit where nothing was promised.
var none = math.NaN()

func plain(what string, value float64, unit string) check {
	return most(what, value, none, unit)
}

func ratioAtMost(limit float64) check {
	return check{What: "×http", Limit: limit, of: func(r *result) float64 { return r.Ratio }}
}

func p99AtMost(limit float64) check {
	return check{What: "p99 ×http", Limit: limit, of: func(r *result) float64 { return r.P99Ratio }}
}

func rateAtLeast(limit float64) check {
	return check{What: "rate", Unit: "/s", Limit: limit, AtLeast: true, of: func(r *result) float64 { return r.PerSecond }}
}

func cpuAtMost(limit float64) check {
	return check{What: "CPU", Unit: "µs", Limit: limit, of: func(r *result) float64 { return r.CPU }}
}

// judge decides whether the target is met.
func (c check) judge(r *result) check {
	if c.of != nil {
		c.Value = c.of(r)
	}
	if math.IsNaN(c.Limit) {
		c.Limit = 0
		return c
	}
	met := c.Value <= c.Limit
	if c.AtLeast {
		met = c.Value >= c.Limit
	}
	c.Met = &met
	return c
}

// String is the check as the report shows it.
func (c check) String() string {
	if c.Met == nil {
		return c.What + " " + number(c.Value) + unit(c.Unit)
	}
	sign, verdict := "≤", "met"
	if c.AtLeast {
		sign = "≥"
	}
	if !*c.Met {
		verdict = "MISSED"
	}
	return fmt.Sprintf("%s %s (%s %s%s) %s", c.What, number(c.Value), sign, number(c.Limit), unit(c.Unit), verdict)
}

func unit(u string) string {
	if u == "" || u == "%" || u[0] == '/' {
		return u
	}
	return " " + u
}

// number shows three digits that mean something.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// add keeps a result, judged.
func (b *bench) add(r result, checks ...check) *result {
	r.Section = b.section
	b.results = append(b.results, r)
	kept := &b.results[len(b.results)-1]
	for _, c := range checks {
		kept.Checks = append(kept.Checks, c.judge(kept))
	}
	return kept
}

// pairs collects samples of a floor and of a server that were taken in turns.
type pairs struct {
	samples  []sample
	ratios   []float64
	p99ratio []float64
}

func (p *pairs) add(floor, server sample) {
	p.samples = append(p.samples, server)
	p.ratios = append(p.ratios, server.each()/floor.each())
	p.p99ratio = append(p.p99ratio, server.quantile(0.99)/floor.quantile(0.99))
}

func (p *pairs) result(name string) result {
	r := loaded(name, p.samples)
	r.Ratio, r.P99Ratio = median(p.ratios), median(p.p99ratio)
	r.Range = [2]float64{slices.Min(p.ratios), slices.Max(p.ratios)}
	return r
}

// loaded is the medians of samples of one server.
func loaded(name string, list []sample) result {
	return result{Name: name,
		PerSecond: medianOf(list, sample.perSecond),
		P50:       medianOf(list, func(s sample) float64 { return s.quantile(0.5) }),
		P99:       medianOf(list, func(s sample) float64 { return s.quantile(0.99) }),
		CPU:       medianOf(list, sample.each)}
}

func medianOf[T any, N cmp.Ordered](list []T, of func(T) N) N {
	values := make([]N, len(list))
	for i, v := range list {
		values[i] = of(v)
	}
	return median(values)
}

// median is the middle one, the lower of two.
func median[N cmp.Ordered](list []N) N {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[(len(sorted)-1)/2]
}
