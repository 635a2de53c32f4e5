package transfer

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// ReadFiles is Read of files by their paths.
func ReadFiles(format string, paths []string, key string) (b *Batch, err error) {
	var files []File
	var opened []io.Closer
	defer func() {
		for _, f := range opened {
			err = errors.Join(err, f.Close())
		}
	}()
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		opened = append(opened, f)
		files = append(files, File{Name: filepath.Base(path), Reader: f})
	}
	return Read(format, files, key)
}

// Write writes the report as JSON.
func (r *Report) Write(to io.Writer) error {
	w := bufio.NewWriter(to)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return errors.Join(e.Encode(r), w.Flush())
}
