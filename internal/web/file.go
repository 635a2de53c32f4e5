package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// File is a file for keeping that is made while it is sent.
type File struct {
	Name, Type string
	Write      func(to io.Writer) error
}

// SendFile sends a file. One that breaks off is not sent as a whole one.
func SendFile(ctx context.Context, w http.ResponseWriter, f File, now func() time.Time, log *slog.Logger) {
	w.Header().Set("Content-Type", f.Type)
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	if err := f.Write(patient{w, now}); err != nil {
		log.WarnContext(ctx, "a file was broken off while it was sent", "file", f.Name, "err", err)
		panic(http.ErrAbortHandler)
	}
}

// patient gives a reader of a long file time for each part of it, not for the whole.
type patient struct {
	http.ResponseWriter
	now func() time.Time
}

func (p patient) Write(b []byte) (int, error) {
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(p.now().Add(time.Minute)) // where it cannot be set, the one for all answers holds
	return p.ResponseWriter.Write(b)
}
