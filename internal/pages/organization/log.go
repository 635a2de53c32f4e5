package organization

import (
	"net/url"
	"time"

	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/pages"
)

// logPage is what happened in an organization, newest first.
type logPage struct {
	*visit
	List    []happened
	More    string
	Any     bool // something is filtered
	Outcome []pages.Option
}

type happened struct {
	audit.Record
	Who, Whom string // by name, where they are members; else by id
}

// filters are the fields of the form, as they are in the address.
var filters = []string{"type", "actor", "subject", "outcome", "from", "to", "q"}

func (s *organization) showLog(v *visit) error {
	p := logPage{visit: v, Outcome: []pages.Option{{Value: "", Label: v.T("org_log.any")}, {Value: "success", Label: v.T("org_log.success")}, {Value: "failure", Label: v.T("org_log.failure")}}}
	next := url.Values{}
	for _, name := range filters {
		v.Set(name, v.Asked(name))
		next.Set(name, v.Asked(name))
		p.Any = p.Any || v.Asked(name) != ""
	}
	f := audit.Filter{Org: v.Org.ID, Kind: v.Asked("type"), Actor: v.Asked("actor"), Subject: v.Asked("subject"), Outcome: v.Asked("outcome"), Text: v.Asked("q")}
	f.From, _ = time.ParseInLocation(time.DateOnly, v.Asked("from"), v.Zone)
	if to, err := time.ParseInLocation(time.DateOnly, v.Asked("to"), v.Zone); err == nil {
		f.To = to.AddDate(0, 0, 1) // that day too
	}
	page, err := s.app.Audit.Search(v, v.Caller(), f, v.Asked("cursor"), shownAtOnce)
	if err != nil {
		return err
	}
	p.List = s.told(v, page.Items)
	if page.Next != "" {
		next.Set("cursor", page.Next)
		p.More = pages.With(v.At+"/audit", next)
	}
	return v.show(s.log, v.T("org.audit"), "audit", p)
}

// told puts names to the people of records.
func (s *organization) told(v *visit, records []audit.Record) []happened {
	names := map[string]string{}
	name := func(who string) string {
		if _, asked := names[who]; !asked {
			names[who] = who
			if known := s.nameOf(v, who); known != "" {
				names[who] = known
			}
		}
		return names[who]
	}
	list := make([]happened, len(records))
	for i, r := range records {
		list[i] = happened{r, name(r.Actor), name(r.Subject)}
	}
	return list
}
