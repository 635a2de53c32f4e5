package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
)

// Formats are the forms of an export.
const (
	JSONL = "jsonl"
	CSV   = "csv"
)

// ErrFormat is a form that nothing is exported in.
var ErrFormat = apperr.New(apperr.Invalid, "format_invalid", "The log is exported as jsonl or csv.").In("format")

// Writing is an export under way: Each writes what fits, the oldest first, in parts, so that a log of any length passes through.
type Writing struct {
	service  *Service
	filter   Filter
	format   string
	Progress func(done, of int64) // told after each part; may be nil
}

// Export begins an export, for holders of sys:audit:export.
func (s *Service) Export(ctx context.Context, c authz.Caller, f Filter, format string) (*Writing, error) {
	if format != JSONL && format != CSV {
		return nil, ErrFormat
	}
	f, err := s.allowed(ctx, c, MayExport, f)
	return &Writing{service: s, filter: f, format: format}, err
}

// Type is the media type of what is written.
func (w *Writing) Type() string {
	if w.format == CSV {
		return "text/csv; charset=utf-8"
	}
	return "application/jsonl"
}

// Name is what a file of it is called.
func (w *Writing) Name() string { return "audit-events." + w.format }

// Each writes everything up to the event that is the newest now, and says how many it was.
func (w *Writing) Each(ctx context.Context, out io.Writer) (n int, err error) {
	s := w.service
	after, err := s.start(ctx, w.filter.From)
	if err != nil {
		return 0, err
	}
	newest, err := s.store(s.db).last(ctx)
	if err != nil {
		return 0, err
	}
	line := w.lines(out)
	first := after.Seq
	for {
		rows, err := s.store(s.db).events(ctx, after, newest, batch, false)
		if err != nil {
			return n, err
		}
		for i := range rows {
			if !w.filter.fits(&rows[i]) {
				continue
			}
			if err := line(newRecord(rows[i])); err != nil {
				return n, err
			}
			n++
		}
		if len(rows) > 0 {
			after = rows[len(rows)-1].place()
		}
		if w.Progress != nil {
			w.Progress(after.Seq-first, newest.Seq-first)
		}
		if err := line(Record{}); err != nil || len(rows) < batch {
			return n, err
		}
	}
}

// start is a place before which nothing is as late as t.
func (s *Service) start(ctx context.Context, t time.Time) (database.Cursor, error) {
	if t.IsZero() {
		return database.Cursor{}, nil
	}
	n, err := s.store(s.db).from(ctx, t)
	if err != nil || n <= 0 {
		return database.Cursor{}, err
	}
	c, err := s.store(s.db).checkpoint(ctx, n)
	return c.after(), err // of one that is not there, the beginning
}

// lines writes records one by one; an empty one hands on what is held back.
func (w *Writing) lines(out io.Writer) func(Record) error {
	if w.format == JSONL {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		return func(r Record) error {
			if r.ID == "" {
				return nil
			}
			return e.Encode(r)
		}
	}
	c := csv.NewWriter(out)
	c.UseCRLF = true // RFC 4180
	_ = c.Write(columns)
	return func(r Record) error {
		if r.ID == "" {
			c.Flush()
			return c.Error()
		}
		return c.Write(cells(r.Line, r.Erased))
	}
}

var columns = []string{"id", "at", "kind", "outcome", "subject", "actor", "session_id", "org_id", "ip", "user_agent", "request_id", "data", "cursor", "erased"}

func cells(l event.Line, erased bool) []string {
	list := []string{l.ID, l.At.UTC().Format(time.RFC3339Nano), l.Kind, l.Outcome, l.Subject, l.Actor, l.SessionID, l.OrgID, l.IP, l.UserAgent, l.RequestID,
		string(l.Data), l.Cursor, strconv.FormatBool(erased)}
	for i, c := range list {
		list[i] = Harmless(c)
	}
	return list
}

// Harmless keeps a spreadsheet from taking a cell for a formula: what a client sent may begin like one.
func Harmless(cell string) string {
	if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
		return "'" + cell
	}
	return cell
}
