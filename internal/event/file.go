package event

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

// File appends every event to a file. The file is its own memory: the last whole line says where to go on, so a line is
// neither lost nor written twice, whenever the program stops.
type File struct {
	db     *database.DB
	log    *slog.Logger
	file   *os.File
	cursor database.Cursor
	wake   chan struct{}
}

// OpenFile opens or makes the file and finds the place to go on.
func OpenFile(ctx context.Context, db *database.DB, path string, log *slog.Logger) (*File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("EVENT_FILE cannot be opened; name a file this program may write, or off: %w", err)
	}
	s := &File{db: db, log: log, file: file, wake: make(chan struct{}, 1)}
	if err := s.resume(ctx); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// tail is more than a line can hold: every part of a record is bounded.
const tail = 1 << 20

func (s *File) resume(ctx context.Context) error {
	size, err := s.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	buf := make([]byte, min(size, tail))
	if _, err := s.file.ReadAt(buf, size-int64(len(buf))); err != nil && len(buf) > 0 {
		return err
	}
	whole := bytes.LastIndexByte(buf, '\n') + 1
	if torn := len(buf) - whole; torn > 0 { // the program stopped in the middle of a line
		if err := s.file.Truncate(size - int64(torn)); err != nil {
			return err
		}
		if _, err := s.file.Seek(0, io.SeekEnd); err != nil {
			return err
		}
	}
	lines := bytes.Split(bytes.TrimSpace(buf[:whole]), []byte("\n"))
	last := lines[len(lines)-1]
	if len(last) == 0 {
		return nil
	}
	var line Line
	if err := json.Unmarshal(last, &line); err != nil {
		return fmt.Errorf("EVENT_FILE %s: its last line is no event; name another file: %w", s.file.Name(), err)
	}
	if s.cursor, err = database.ParseCursor(line.Cursor); err != nil {
		return err
	}
	newest, err := s.db.LastEvent(ctx)
	if err == nil && (newest.Tx < s.cursor.Tx || newest.Tx == s.cursor.Tx && newest.Seq < s.cursor.Seq) {
		s.log.Warn("the event file is of another database; it goes on with the first event of this one", "file", s.file.Name())
		s.cursor = database.Cursor{}
	}
	return err
}

// Wake tells the file that there is news. It never waits.
func (s *File) Wake([]database.Record) {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends, and then what is there to write still.
func (s *File) Run(ctx context.Context) {
	defer func() { _ = s.file.Close() }()
	var again <-chan time.Time
	for {
		later, err := s.drain(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("events could not be written to the event file; trying again", "err", err)
			later = true
		}
		again = nil
		if later {
			again = time.After(interval)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			_, _ = s.drain(last)
			return
		case <-s.wake:
		case <-again:
		}
	}
}

const fileBatch = 500

// drain writes all that is settled. It says whether there is more that is not.
func (s *File) drain(ctx context.Context) (later bool, err error) {
	for {
		list, err := s.db.Events(ctx, s.cursor, fileBatch)
		if err != nil || len(list) == 0 {
			return false, err
		}
		var out bytes.Buffer
		next := s.cursor
		for _, r := range list {
			if later = r.Unsettled; later {
				break
			}
			text, err := json.Marshal(NewLine(r))
			if err != nil {
				return false, err
			}
			out.Write(append(text, '\n'))
			next = r.Cursor
		}
		if _, err := s.file.Write(out.Bytes()); err != nil {
			return false, errors.Join(err, s.undo())
		}
		s.cursor = next
		if later || len(list) < fileBatch {
			return later, nil
		}
	}
}

// undo takes back a line that was written in part, when the disk is full.
func (s *File) undo() error {
	s.cursor = database.Cursor{}
	return s.resume(context.Background())
}
