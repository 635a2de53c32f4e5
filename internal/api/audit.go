package api

import (
	"io"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/device"
	"github.com/admit-dev/admit/internal/web"
)

// AuditEvents is a part of the audit log.
type AuditEvents struct {
	Items      []audit.Record `json:"items"`
	NextCursor *string        `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end. A part may have fewer items than were asked for, or none, where much was looked through."`
}

// AuditReport is what a verification found.
type AuditReport struct {
	audit.Report
	NextCursor *string `json:"next_cursor" doc:"Give it as cursor to verify on; null at the end of the log."`
}

// AccountEvent is something that happened to an account, as its person sees it.
type AccountEvent struct {
	ID        string    `json:"id" doc:"evt_…"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Outcome   string    `json:"outcome" enum:"success,failure"`
	By        string    `json:"by" enum:"you,somebody,operator" doc:"you: with a session of yours. somebody: a stranger, or not signed in yet. operator: somebody who looks after this site or an organization."`
	SessionID string    `json:"session_id,omitempty"`
	IP        string    `json:"ip,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Device    string    `json:"device,omitempty" doc:"A guess for people to recognise it by."`
}

// AccountEvents is a part of what happened to an account.
type AccountEvents struct {
	Items      []AccountEvent `json:"items"`
	NextCursor *string        `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end."`
}

// AuditFilter is what is searched for.
type AuditFilter struct {
	Actor   string    `query:"actor" maxLength:"100" doc:"Who acted: usr_… or cli."`
	Subject string    `query:"subject" maxLength:"100" doc:"Whom or what it is about, by id."`
	Org     string    `query:"org" maxLength:"100" doc:"The id or the slug of an organization. Who may read its log alone has to name it."`
	Type    string    `query:"type" maxLength:"100" doc:"The kind of event, such as login.failed."`
	Outcome string    `query:"outcome" enum:"success,failure"`
	IP      string    `query:"ip" maxLength:"60" doc:"The address of the client."`
	From    time.Time `query:"from" doc:"Not before this time."`
	To      time.Time `query:"to" doc:"Before this time."`
	Text    string    `query:"q" maxLength:"200" doc:"Words that all stand in the kind or the data; or how the name or an identifier of somebody begins who acted or whom it is about."`
}

type auditIn struct {
	AuditFilter
	Part
}

type auditExportIn struct {
	AuditFilter
	Format string `query:"format" enum:"jsonl,csv" default:"jsonl"`
}

type auditVerifyIn struct {
	Cursor string `query:"cursor" maxLength:"100" doc:"Where to go on: next_cursor of the part before."`
	Head   string `query:"head" maxLength:"100" doc:"A head that was kept elsewhere, NUMBER:HASH."`
}

func (f AuditFilter) filter() audit.Filter {
	return audit.Filter{Actor: f.Actor, Subject: f.Subject, Org: f.Org, Kind: f.Type, Outcome: f.Outcome, IP: f.IP, From: f.From, To: f.To, Text: f.Text}
}

// verifiedAtOnce is how many events one request verifies.
const verifiedAtOnce = 20_000

func (s *API) audit() {
	tags := []string{"Audit log"}
	at := "/api/v1/audit-events"
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "What happened, newest first", Tags: tags}, user|keyed, func(q *call, in *auditIn) (AuditEvents, error) {
		p, err := s.app.Audit.Search(q, q.caller(), in.filter(), in.Cursor, in.Limit)
		return AuditEvents{append([]audit.Record{}, p.Items...), next(p.Next)}, err
	})
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	file := map[string]*huma.Response{"200": {Description: "Every event that fits, the oldest first.", Content: map[string]*huma.MediaType{"application/jsonl": text, "text/csv": text}}}
	operation(s, huma.Operation{Method: "GET", Path: at + "/export", Summary: "What happened, as a file", Responses: file, Tags: tags}, user|keyed, s.exportAudit)
	operation(s, huma.Operation{Method: "GET", Path: at + "/verify", Summary: "Whether the log is as it was sealed", Tags: tags}, user|keyed, s.verifyAudit)
	operation(s, huma.Operation{Method: "GET", Path: "/auth/events", Summary: "What happened to your account, newest first", Tags: []string{"Account"}}, user, func(q *call, in *Part) (AccountEvents, error) {
		p, err := s.app.Audit.Mine(q, q.live.User.ID, in.Cursor, in.Limit)
		return AccountEvents{mapped(p.Items, func(r audit.Record) AccountEvent { return newAccountEvent(r, q.live.User.ID) }), next(p.Next)}, err
	})
}

func newAccountEvent(r audit.Record, me string) AccountEvent {
	r, by := r.SeenBy(me)
	e := AccountEvent{ID: r.ID, At: r.At, Kind: r.Kind, Outcome: r.Outcome, By: by, SessionID: r.SessionID, IP: r.IP, UserAgent: r.UserAgent}
	if r.UserAgent != "" {
		e.Device = device.Name(r.UserAgent)
	}
	return e
}

func (s *API) exportAudit(q *call, in *auditExportIn) (func(huma.Context), error) {
	if q.live.Session.Act != nil {
		return nil, authz.ErrActing
	}
	w, err := s.app.Audit.Export(q, q.caller(), in.filter(), in.Format)
	if err != nil {
		return nil, err
	}
	return func(ctx huma.Context) {
		_, rw := humago.Unwrap(ctx)
		web.SendFile(ctx.Context(), rw, web.File{Name: w.Name(), Type: w.Type(), Write: func(to io.Writer) error {
			_, err := w.Each(ctx.Context(), to)
			return err
		}}, s.app.DB.Now, s.app.Log)
	}, nil
}

func (s *API) verifyAudit(q *call, in *auditVerifyIn) (AuditReport, error) {
	v := audit.Verification{Limit: verifiedAtOnce}
	var err error
	if in.Cursor != "" {
		if v.From, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || v.From < 1 {
			return AuditReport{}, ErrCursor
		}
	}
	if in.Head != "" {
		h, err := audit.ParseHead(in.Head)
		if err != nil {
			return AuditReport{}, err
		}
		v.Heads = append(v.Heads, h)
	}
	r, err := s.app.Audit.VerifyFor(q, q.caller(), v)
	out := AuditReport{Report: r}
	if r.Next > 0 {
		out.NextCursor = new(strconv.FormatInt(r.Next, 10))
	}
	return out, err
}
