package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/pages"
)

// auditPage is a part of the log, and what it was asked for with.
type auditPage struct {
	rights
	Records  []oneRecord
	Outcomes []pages.Option
	Outcome  string
	Asked    bool   // for some of it only
	Narrow   bool   // by more than what is always shown
	Export   string // the address of the same as a file, but for the format
	More     string
}

// oneRecord is an event, and who the people in it are.
type oneRecord struct {
	audit.Record
	By, About party
	Failed    bool
	Text      string // all of it, to read
}

// party is somebody or something a record names.
type party struct{ ID, Name, Href string }

// people finds names for ids, each once.
type people struct {
	s     *admin
	v     *pages.Visit
	known map[string]party
}

func (s *admin) people(v *pages.Visit) *people { return &people{s, v, map[string]party{}} }

// of is who an id stands for, as far as the visitor may know.
func (p *people) of(id string) party {
	if one, had := p.known[id]; had || id == "" {
		return one
	}
	one := party{ID: id, Name: id}
	if strings.HasPrefix(id, "usr_") {
		if u, err := p.s.app.Accounts.Get(p.v, p.v.Caller(), id); err == nil {
			one = party{id, onePerson{User: u}.Label(), atUsers + "/" + id}
		}
	}
	p.known[id] = one
	return one
}

func (p *people) record(r audit.Record) oneRecord {
	var text bytes.Buffer
	if whole, err := json.Marshal(r); err != nil || json.Indent(&text, whole, "", "  ") != nil {
		text.Write(r.Data)
	}
	about := r.Subject
	if about == r.Actor {
		about = ""
	}
	return oneRecord{r, p.of(r.Actor), p.of(about), r.Outcome != "success", text.String()}
}

func (s *admin) mountAudit(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin/audit", pages.Person, s.showAudit)
	s.Handle(mux, "GET /admin/audit/verify", pages.Person, s.showVerify)
}

// moments are the forms in which a field, a link or a person gives a time. Without a zone it is the visitor's.
var moments = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

// moment reads a time from the address. What is none asks for none.
func moment(v *pages.Visit, name string) (t time.Time) {
	for _, form := range moments {
		if t, err := time.ParseInLocation(form, v.Asked(name), v.Zone); err == nil {
			return t
		}
	}
	return t
}

// auditFilter reads the filter from the address, and gives it back as the JSON routes take it.
func auditFilter(v *pages.Visit) (audit.Filter, url.Values) {
	f := audit.Filter{Actor: v.Asked("actor"), Subject: v.Asked("subject"), Org: v.Asked("org"), Kind: v.Asked("type"), Outcome: v.Asked("outcome"), IP: v.Asked("ip"),
		From: moment(v, "from"), To: moment(v, "to"), Text: v.Asked("q")}
	if f.Outcome != "success" && f.Outcome != "failure" {
		f.Outcome = ""
	}
	words := url.Values{}
	for name, text := range map[string]string{"actor": f.Actor, "subject": f.Subject, "org": f.Org, "type": f.Kind, "outcome": f.Outcome, "ip": f.IP, "q": f.Text} {
		if text != "" {
			words.Set(name, text)
			v.Set(name, text)
		}
	}
	for name, t := range map[string]time.Time{"from": f.From, "to": f.To} {
		if !t.IsZero() {
			words.Set(name, t.UTC().Format(time.RFC3339))
			v.Set(name, t.In(v.Zone).Format("2006-01-02T15:04"))
		}
	}
	return f, words
}

func (s *admin) showAudit(v *pages.Visit) error {
	f, words := auditFilter(v)
	page, err := s.app.Audit.Search(v, v.Caller(), f, v.Asked("cursor"), 50)
	if err != nil {
		return err
	}
	p := auditPage{rights: rights{s, v}, Outcome: f.Outcome, Asked: len(words) > 0, More: further(atAudit, page.Next, words)}
	p.Export = "/api/v1/audit-events/export?" + words.Encode()
	if len(words) > 0 {
		p.Export += "&"
	}
	for _, name := range []string{"actor", "subject", "org", "ip", "from", "to"} {
		p.Narrow = p.Narrow || words.Has(name)
	}
	p.Outcomes = []pages.Option{{Value: "", Label: v.T("admin-users.any")}, {Value: "success", Label: v.T("admin-audit.success")}, {Value: "failure", Label: v.T("admin-audit.failure")}}
	who := s.people(v)
	for _, r := range page.Items {
		p.Records = append(p.Records, who.record(r))
	}
	return s.show(v, s.audit, atAudit, v.T("admin.audit"), p)
}

// verifyPage is what a verification of the log found.
type verifyPage struct {
	audit.Report
	More string
}

// verifiedAtOnce is how many events one page verifies, as one request of the JSON route does.
const verifiedAtOnce = 20_000

func (s *admin) showVerify(v *pages.Visit) error {
	ask := audit.Verification{Limit: verifiedAtOnce}
	if n, err := strconv.ParseInt(v.Asked("cursor"), 10, 64); err == nil && n > 0 {
		ask.From = n
	}
	if text := v.Asked("head"); text != "" {
		head, err := audit.ParseHead(text)
		if err != nil {
			return err
		}
		ask.Heads = append(ask.Heads, head)
	}
	r, err := s.app.Audit.VerifyFor(v, v.Caller(), ask)
	if err != nil {
		return err
	}
	p := verifyPage{Report: r}
	if r.Next > 0 {
		p.More = further(atAudit+"/verify", strconv.FormatInt(r.Next, 10), url.Values{"head": {v.Asked("head")}})
	}
	return s.show(v, s.verify, atAudit, v.T("admin-audit.verify_title"), p)
}
