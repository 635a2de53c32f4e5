package transfer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// File is one file of an export.
type File struct {
	Name string
	io.Reader
}

// format is how the files of a service are read.
type format struct {
	lines bool                              // each line is an object by itself
	csv   bool                              // what is no JSON is CSV
	row   func(b *Batch, r *row)            // takes one object or row
	text  func(b *Batch, text []byte) error // takes what is neither, whole
	end   func(b *Batch)                    // after everything was read
}

var formats = map[string]format{
	"admit":       {lines: true, row: admitRow},
	"auth0":       {lines: true, row: auth0Row},
	"better-auth": {csv: true, row: betterAuthRow},
	"csv":         {csv: true, row: csvRow},
	"django":      {row: djangoRow},
	"firebase":    {row: firebaseRow, text: firebaseHashConfig, end: firebaseEnd},
	"keycloak":    {row: keycloakRow},
	"supabase":    {csv: true, row: supabaseRow},
}

// longest is the bytes of the longest object, row or hash_config. The usual one has a thousand.
const longest = 16 << 20

var errLong = errors.New("there is an object of more than 16 MiB in it")

// bounded ends with errLong where one object is too long. Whoever has taken one sets ahead to 0.
type bounded struct {
	in    io.Reader
	ahead int
}

// Read counts what it gives.
func (l *bounded) Read(p []byte) (int, error) {
	if l.ahead > longest {
		return 0, errLong
	}
	n, err := l.in.Read(p)
	l.ahead += n
	return n, err
}

// Formats are the names of what can be read.
func Formats() []string {
	var names []string
	for name := range formats {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Read reads the files of one source. key is the secret that better-auth sealed with, "" when there is none to open. An object that is
// not as it should be is among the faults of the batch; an error is a file that cannot be read on.
func Read(name string, files []File, key string) (*Batch, error) {
	f, ok := formats[name]
	if !ok {
		return nil, fmt.Errorf("there is no format %q: it is one of %s", name, strings.Join(Formats(), ", "))
	}
	b := &Batch{byID: map[string]*Person{}, orgs: map[string]*Organization{}, keep: map[string]string{"key": key}}
	for _, file := range files {
		if err := b.read(f, file); err != nil {
			return nil, err
		}
		if stop := b.keep["stop"]; stop != "" {
			return nil, fmt.Errorf("%s: %s", file.Name, stop)
		}
	}
	if f.end != nil {
		f.end(b)
	}
	for _, complete := range b.later {
		complete()
	}
	b.later, b.keep = nil, nil
	if len(b.People)+len(b.Faults)+len(b.Orgs)+len(b.Permissions)+len(b.Roles) == 0 {
		return nil, fmt.Errorf("there is nobody in it that an export of %s would have", name)
	}
	return b, nil
}

func (b *Batch) read(f format, file File) error {
	in := bufio.NewReaderSize(file, 1<<16)
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
		in = bufio.NewReaderSize(z, 1<<16)
	}
	limit := &bounded{in: in}
	in = bufio.NewReaderSize(limit, 1<<16)
	if head, _ := in.Peek(3); string(head) == "\uFEFF" {
		_, _ = in.Discard(3)
	}
	if head, _ := in.Peek(2); string(head) == "\xFF\xFE" || string(head) == "\xFE\xFF" {
		return fmt.Errorf("%s: it is in UTF-16. Save it in UTF-8", file.Name)
	}
	head, _ := in.Peek(512)
	first := strings.TrimLeft(string(head), " \t\r\n")
	isJSON := first == "" || first[0] == '{' || first[0] == '['
	next := func() { limit.ahead = 0 }
	take := func(r *row) { f.row(b, r) }
	var err error
	switch {
	case isJSON && f.lines && !strings.HasPrefix(first, "["):
		err = jsonLines(b, in, file.Name, next, take)
	case isJSON:
		err = jsonTables(b, in, file.Name, next, take)
	case f.csv:
		err = csvRows(b, in, file.Name, next, take)
	case f.lines:
		err = jsonLines(b, in, file.Name, next, take)
	case f.text != nil:
		var text []byte
		if text, err = io.ReadAll(in); err == nil {
			err = f.text(b, text)
		}
	default:
		err = errors.New("this is no JSON")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file.Name, err)
	}
	return nil
}

// jsonLines reads one object a line. A line that is none is a fault, and the next may be one.
func jsonLines(b *Batch, in *bufio.Reader, name string, next func(), take func(r *row)) error {
	for n := 1; ; n++ {
		next()
		line, err := in.ReadBytes('\n')
		if text := bytes.TrimSpace(line); len(text) > 0 {
			if r, wrong := objectOf(text, place{name, n}); wrong != nil {
				b.fault(place{name, n}, "", wrong.Error())
			} else {
				take(r)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

var errEncoding = errors.New("this is not in UTF-8")

// objectOf reads one JSON object.
func objectOf(text []byte, at place) (*row, error) {
	if !utf8.Valid(text) {
		return nil, errEncoding
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var members map[string]any
	if err := d.Decode(&members); err != nil || members == nil {
		return nil, errors.New("this is no JSON object")
	}
	if d.More() {
		return nil, errors.New("there is more than one JSON object in the line")
	}
	r := rowOf(members, at)
	r.raw = text
	return r, nil
}

// jsonTables reads an array of objects, or an object whose members are such arrays, by one object at a time.
func jsonTables(b *Batch, in io.Reader, name string, next func(), take func(r *row)) error {
	lines := &lineCounter{in: in, next: next}
	d := json.NewDecoder(lines)
	d.UseNumber()
	broken := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("it ends in the middle, after line %d", lines.at(d.InputOffset()))
		}
		return fmt.Errorf("line %d: %w", lines.at(d.InputOffset()), err)
	}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return broken(err)
		}
		switch t {
		case json.Delim('['):
			err = elements(b, d, lines, name, "", take)
		case json.Delim('{'):
			err = tables(b, d, lines, name, take)
		default:
			err = errors.New("this is neither an object nor an array")
		}
		if err != nil {
			return broken(err)
		}
	}
}

// tables reads the members of an object; those that are arrays have rows in them.
func tables(b *Batch, d *json.Decoder, lines *lineCounter, name string, take func(r *row)) error {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		value, err := d.Token()
		if err != nil {
			return err
		}
		switch value {
		case json.Delim('['):
			table, _ := key.(string)
			err = elements(b, d, lines, name, table, take)
		case json.Delim('{'):
			err = skip(d, lines)
		}
		if err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func skip(d *json.Decoder, lines *lineCounter) error {
	for depth := 1; depth > 0; {
		lines.next()
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

func elements(b *Batch, d *json.Decoder, lines *lineCounter, name, table string, take func(r *row)) error {
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		at := place{name, lines.at(d.InputOffset() - int64(len(raw)))}
		r, err := objectOf(raw, at)
		if err != nil {
			if table == "" || table == "users" || table == "user" {
				b.fault(at, "", err.Error())
			}
			continue
		}
		r.table = table
		take(r)
	}
	_, err := d.Token()
	return err
}

// lineCounter knows in which line an offset is, of those that do not go back. Each that is asked for ends an object: next hears of it.
type lineCounter struct {
	in    io.Reader
	next  func()
	read  int64
	line  int     // lines that ended before what was asked last
	ahead []int64 // where lines end that were read and not asked for
}

// Read notes where lines end.
func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.ahead = append(l.ahead, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

func (l *lineCounter) at(offset int64) int {
	l.next()
	n := 0
	for n < len(l.ahead) && l.ahead[n] < offset {
		n++
	}
	l.line += n
	l.ahead = l.ahead[n:]
	return l.line + 1
}

// csvRows reads a table whose first line names its columns (RFC 4180).
func csvRows(b *Batch, in io.Reader, name string, next func(), take func(r *row)) error {
	c := csv.NewReader(in)
	heading, err := c.Read()
	if err != nil {
		return err
	}
	heading = slices.Clone(heading)
	for {
		next()
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := c.FieldPos(0)
			b.fault(place{name, line}, "", fmt.Sprintf("the row has %d cells, and the heading %d", len(cells), len(heading)))
			continue
		}
		if err != nil {
			return err // where the next row begins cannot be known
		}
		line, _ := c.FieldPos(0)
		if !utf8.ValidString(strings.Join(cells, "")) {
			b.fault(place{name, line}, "", errEncoding.Error())
			continue
		}
		members := map[string]any{}
		for i, h := range heading {
			if h = strings.TrimSpace(h); cells[i] == "" || cells[i] == `\N` {
				members[h] = nil
			} else {
				members[h] = cells[i]
			}
		}
		take(rowOf(members, place{name, line}))
	}
}
