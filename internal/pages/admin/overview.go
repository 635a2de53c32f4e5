package admin

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/pages"
)

// overviewPage is how the site is used and how it stands.
type overviewPage struct {
	rights
	app.Overview
	Charts []chart
}

// chart is bars, one for each day, and what they say in a sentence and in a table.
type chart struct {
	ID, Title, Summary, Class string
	Top, Half                 int64 // what the grid lines stand for
	Width                     int
	Bars                      []bar
	First, Last               string // day
}

// bar is a day: where it is drawn, and what it stands for.
type bar struct {
	Day        string
	N          int64
	X, Y, Tall int
}

// Measures of a chart, in units that are stretched to the room there is.
const (
	barWide = 10
	barGap  = 2
	tall    = 100
)

func (s *admin) mountOverview(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin", pages.Person, s.showOverview)
}

func (s *admin) showOverview(v *pages.Visit) error {
	o, err := s.app.Overview(v, v.Caller())
	if err != nil {
		if to := (rights{s, v}).first(); to != "" { // to what there is for who may see something else
			return v.Redirect(to)
		}
		return err
	}
	p := overviewPage{rights: rights{s, v}, Overview: o}
	if o.Days != nil {
		p.Charts = []chart{
			newChart(v, "signins", "a", "admin-overview.signins", o.Days, func(d audit.Day) int64 { return d.SignedIn }),
			newChart(v, "failures", "b", "admin-overview.failures", o.Days, func(d audit.Day) int64 { return d.Failed }),
		}
	}
	return s.show(v, s.overview, atOverview, v.T("admin.overview"), p)
}

func newChart(v *pages.Visit, id, class, word string, days []audit.Day, of func(audit.Day) int64) chart {
	c := chart{ID: id, Class: class, Title: v.T(word), Width: len(days) * barWide}
	var sum int64
	most := audit.Day{}
	for _, d := range days {
		sum += of(d)
		if of(d) > of(most) {
			most = d
		}
	}
	c.Top = ceiling(of(most))
	c.Half = c.Top / 2
	for i, d := range days {
		n := of(d)
		high := int(n * tall / c.Top)
		if n > 0 {
			high = max(high, 1)
		}
		c.Bars = append(c.Bars, bar{dayOf(v, d.Date), n, i * barWide, tall - high, high})
	}
	c.First, c.Last = c.Bars[0].Day, c.Bars[len(c.Bars)-1].Day
	c.Summary = v.T("admin-overview.summary_none")
	if sum > 0 {
		c.Summary = v.T("admin-overview.summary", "Sum", strconv.FormatInt(sum, 10), "Most", strconv.FormatInt(of(most), 10), "Day", dayOf(v, most.Date))
	}
	return c
}

// ceiling is the least number with an even half and few digits that is not below n.
func ceiling(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, step := range []int64{2, 4, 6, 10} {
			if step*unit >= n {
				return step * unit
			}
		}
	}
}

// dayOf is a day as people write it.
func dayOf(v *pages.Visit, date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return v.Day(t)
}

// Reversed is the bars with the newest first, as a table has them.
func (c chart) Reversed() []bar {
	list := slices.Clone(c.Bars)
	slices.Reverse(list)
	return list
}
