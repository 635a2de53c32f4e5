package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// canned is an answer of Admit, for the floor to give: the same status, headers and body.
type canned struct {
	Status int
	Header http.Header
	Body   []byte
}

// can keeps an answer. The Date is the server's own business, here as there.
func can(a answer) canned {
	c := canned{a.status, http.Header{}, append([]byte(nil), a.body...)}
	for line := range strings.SplitSeq(string(a.head), "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok && name != "Date" {
			c.Header[name] = append(c.Header[name], value)
		}
	}
	return c
}

// startFloor runs the least that net/http can do: always this answer.
func (b *bench) startFloor(a answer) (*child, error) {
	file, err := os.CreateTemp(b.dir, "canned-")
	if err != nil {
		return nil, err
	}
	err = errors.Join(json.NewEncoder(file).Encode(can(a)), file.Close())
	if err != nil {
		return nil, err
	}
	return b.start(nil, "/health/live", b.self, "floor", file.Name())
}

// floor serves the answer in a file on ADDR.
func floor(ctx context.Context, args []string) error {
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	var c canned
	if err := json.NewDecoder(file).Decode(&c); err != nil {
		return err
	}
	s := &http.Server{Addr: os.Getenv("ADDR"), Handler: c}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ServeHTTP gives the answer.
func (c canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health/live" {
		return
	}
	if r.ContentLength > 0 {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	h := w.Header()
	for name, value := range c.Header {
		h[name] = value
	}
	w.WriteHeader(c.Status)
	_, _ = w.Write(c.Body)
}

// beside measures a server and a floor that gives the same bytes, in turns, and adds what came out. Each server is loaded
// by a fleet of the same size.
func (b *bench) beside(name string, server *child, f fleet, req []byte, checks ...check) (*result, error) {
	model, err := asked(server.addr, req, 0)
	if err != nil {
		return nil, err
	}
	bare, err := b.startFloor(model)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	bareFleet, err := newFleet(bare.addr, len(f), always(req, model.status))
	if err != nil {
		return nil, err
	}
	defer bareFleet.close()
	var p pairs
	for i := range b.pairs + 1 {
		d := b.sample
		if i == 0 {
			d = min(d, 300*time.Millisecond) // what only happens once is not measured
		}
		a, err := bare.measure(b.ctx, bareFleet, d)
		if err != nil {
			return nil, err
		}
		c, err := server.measure(b.ctx, f, d)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			p.add(a, c)
		}
	}
	if err := b.profile(name, server, f); err != nil {
		return nil, err
	}
	return b.add(p.result(name), checks...), nil
}
