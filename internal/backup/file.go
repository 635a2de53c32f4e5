package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"

	"github.com/admit-dev/admit/internal/database"
)

// A backup is a file of age (age-encryption.org/v1): sealed, and every part of it authenticated. In it is gzip (RFC 1952), and in
// that one JSON value a line: the header; for each table an object that names its columns, and then its rows, each an array in the
// order of the columns, bytes in base64; at the end an object with what was counted.

// format is the version of that.
const format = 1

// header is the first line.
type header struct {
	Format  int       `json:"admit_backup"`
	MadeAt  time.Time `json:"made_at"`
	Engine  string    `json:"engine"`
	Schema  int64     `json:"schema"`
	RootKey string    `json:"session_secret_key"`
	Head    string    `json:"audit_head"`
}

// end is the last line.
type end struct {
	Counts []database.Count `json:"counts"`
}

// writer is a sink that writes lines.
type writer struct {
	sealed io.WriteCloser
	zip    *gzip.Writer
	lines  *bufio.Writer
	json   *json.Encoder
}

func newWriter(to io.Writer, k Key, h header) (*writer, error) {
	sealed, err := age.Encrypt(to, k.to)
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := &writer{sealed: sealed, zip: zip, lines: bufio.NewWriterSize(zip, 1<<16)}
	w.json = json.NewEncoder(w.lines)
	w.json.SetEscapeHTML(false)
	return w, w.json.Encode(h)
}

// Table implements database.Sink.
func (w *writer) Table(t database.Table) error { return w.json.Encode(t) }

// Row implements database.Sink.
func (w *writer) Row(values []any) error { return w.json.Encode(values) }

// close writes the last line and everything that waits.
func (w *writer) close(counts []database.Count) error {
	for _, step := range []func() error{func() error { return w.json.Encode(end{counts}) }, w.lines.Flush, w.zip.Close, w.sealed.Close} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// File is a backup that is read.
type File struct {
	header
	zip   *gzip.Reader
	lines *bufio.Reader
}

// Open reads the beginning of a backup: ErrKey, ErrFormat or ErrDamaged.
func Open(r io.Reader, k Key) (*File, error) {
	if k.from == nil {
		return nil, ErrKey
	}
	plain, err := age.Decrypt(r, k.from)
	if _, is := errors.AsType[*age.NoIdentityMatchError](err); is {
		return nil, ErrKey
	}
	if err != nil {
		return nil, ErrFormat.Because(err)
	}
	f := &File{}
	if f.zip, err = gzip.NewReader(plain); err != nil {
		return nil, ErrDamaged.Because(err)
	}
	f.lines = bufio.NewReaderSize(f.zip, 1<<16)
	line, err := f.line()
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &f.header); err != nil || f.Format != format || f.Schema < 1 {
		return nil, ErrFormat
	}
	return f, nil
}

func (f *File) line() ([]byte, error) {
	line, err := f.lines.ReadBytes('\n')
	if err != nil {
		return nil, ErrDamaged.Because(noEOF(err))
	}
	return line, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Secret is the SESSION_SECRET_KEY of the server that the backup is of.
func (f *File) Secret() string { return f.RootKey }

// Each gives everything to a sink, which may be nil, and holds at the end that nothing is missing. It is called once.
func (f *File) Each(to database.Sink) (Summary, error) {
	tally := database.Tally{To: to}
	s := Summary{MadeAt: f.MadeAt, Engine: f.Engine, Schema: f.Schema, Head: f.Head}
	var now *database.Table
	for {
		line, err := f.line()
		if err != nil {
			return s, err
		}
		if line[0] == '[' && now != nil {
			values, err := row(line, now.Columns)
			if err == nil {
				err = tally.Row(values)
			}
			if err != nil {
				return s, err
			}
			continue
		}
		var next struct {
			database.Table
			end
		}
		if err := json.Unmarshal(line, &next); err != nil {
			return s, ErrDamaged.Because(err)
		}
		if next.Counts != nil {
			return s, f.finish(&s, tally.Counts(), next.Counts)
		}
		now = &next.Table
		if err := tally.Table(*now); err != nil {
			return s, err
		}
	}
}

// finish holds that what was read is what was written, and that nothing follows: only the end of what is sealed says that it is whole.
func (f *File) finish(s *Summary, read, written []database.Count) error {
	if _, err := f.lines.ReadByte(); !errors.Is(err, io.EOF) {
		return ErrDamaged.Because(err)
	}
	if len(read) != len(written) {
		return ErrDamaged.Because(fmt.Errorf("%d tables of %d", len(read), len(written)))
	}
	for i := range read {
		if read[i] != written[i] {
			return ErrDamaged.Because(fmt.Errorf("table %s", read[i].Table))
		}
	}
	s.count(read)
	return nil
}

// row reads the values of a row by the types of its columns.
func row(line []byte, columns []database.Column) ([]any, error) {
	var raw []any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil || len(raw) != len(columns) {
		return nil, ErrDamaged.Because(errors.Join(err, errors.New("a row that does not fit its table")))
	}
	for i, c := range columns {
		v, err := value(raw[i], c.Type)
		if err != nil {
			return nil, ErrDamaged.Because(fmt.Errorf("column %s: %w", c.Name, err))
		}
		raw[i] = v
	}
	return raw, nil
}

func value(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if kind == "BOOLEAN" {
			return v, nil
		}
	case json.Number:
		if kind == "BIGINT" {
			return v.Int64()
		}
	case string:
		switch kind {
		case "TEXT":
			return v, nil
		case "BYTEA":
			b, err := base64.StdEncoding.DecodeString(v)
			return append([]byte{}, b...), err
		}
	}
	return nil, fmt.Errorf("a %T is no %s", v, kind)
}
