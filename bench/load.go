package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// talk is what one keep-alive connection has to say.
type talk interface {
	ask() []byte // nil when there is nothing left to ask
	hear(answer) error
}

// answer is one HTTP answer. It is overwritten by the next on the same connection.
type answer struct {
	status     int
	head, body []byte
}

// header is the first header line of a name, spelled as net/http spells it.
func (a answer) header(name string) string {
	_, rest, found := bytes.Cut(a.head, []byte("\r\n"+name+": "))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(value)
}

// cookie is the value of a cookie that the answer sets.
func (a answer) cookie(name string) string {
	_, rest, found := bytes.Cut(a.head, []byte("\r\nSet-Cookie: "+name+"="))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte(";"))
	return string(value)
}

func (a answer) unexpected() error {
	return fmt.Errorf("unexpected answer %d: %s", a.status, bytes.TrimSpace(a.body))
}

// request is the bytes of a request; each line is one more header.
func request(method, path, body string, lines ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: admit-bench\r\n", method, path)
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return []byte(b.String())
}

// wire is one connection. It speaks just enough HTTP/1.1 to cost little beside the server it measures.
type wire struct {
	net.Conn
	talk
	buf     []byte
	latency []time.Duration
}

func dial(addr string, t talk) (*wire, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: c, talk: t, buf: make([]byte, 64<<10)}, nil
}

func (w *wire) exchange(req []byte) (answer, error) {
	if _, err := w.Write(req); err != nil {
		return answer{}, err
	}
	n, head, total := 0, -1, len(w.buf)
	for n < total {
		got, err := w.Read(w.buf[n:])
		if err != nil {
			return answer{}, fmt.Errorf("the connection ended in an answer: %w", err)
		}
		n += got
		if head >= 0 {
			continue
		}
		if head = bytes.Index(w.buf[:n], []byte("\r\n\r\n")); head >= 0 {
			length, err := strconv.Atoi(answer{head: w.buf[:head+2]}.header("Content-Length"))
			if err != nil || head+4+length > len(w.buf) {
				return answer{}, fmt.Errorf("an answer without a length that fits: %q", w.buf[:head])
			}
			total = head + 4 + length
		}
	}
	if head < 12 {
		return answer{}, fmt.Errorf("no HTTP answer: %q", w.buf[:min(n, 80)])
	}
	status, err := strconv.Atoi(string(w.buf[9:12]))
	return answer{status, w.buf[:head+2], w.buf[head+4 : total]}, err
}

// work asks until the time is up or nothing is left to ask.
func (w *wire) work(end time.Time) error {
	w.latency = w.latency[:0]
	_ = w.SetDeadline(end.Add(30 * time.Second))
	for now := time.Now(); now.Before(end); {
		req := w.ask()
		if req == nil {
			return nil
		}
		a, err := w.exchange(req)
		if err != nil {
			return err
		}
		then := time.Now()
		w.latency = append(w.latency, then.Sub(now))
		now = then
		if err := w.hear(a); err != nil {
			return err
		}
	}
	return nil
}

// fleet is the connections that load one server.
type fleet []*wire

func newFleet(addr string, n int, talk func(i int) talk) (fleet, error) {
	f := make(fleet, n)
	for i := range f {
		var err error
		if f[i], err = dial(addr, talk(i)); err != nil {
			f[:i].close()
			return nil, err
		}
	}
	return f, nil
}

func (f fleet) close() {
	for _, w := range f {
		_ = w.Close()
	}
}

// run loads the server for d; every request that was begun is waited for. Any answer that a talk did not expect is the error.
func (f fleet) run(ctx context.Context, d time.Duration) (sample, error) {
	defer context.AfterFunc(ctx, f.close)()
	begin := time.Now()
	errs := make([]error, len(f))
	var all sync.WaitGroup
	for i, w := range f {
		all.Go(func() { errs[i] = w.work(begin.Add(d)) })
	}
	all.Wait()
	s := sample{took: time.Since(begin)}
	for i, w := range f {
		s.latency = append(s.latency, w.latency...)
		if errs[i] != nil && ctx.Err() == nil {
			return s, errs[i]
		}
	}
	slices.Sort(s.latency)
	return s, ctx.Err()
}

// sample is what one run of a fleet found.
type sample struct {
	took    time.Duration
	cpu     time.Duration // of the server
	latency []time.Duration
}

func (s sample) n() int             { return len(s.latency) }
func (s sample) perSecond() float64 { return float64(s.n()) / s.took.Seconds() }

// each is the server's CPU time per request, in microseconds.
func (s sample) each() float64 { return float64(s.cpu.Nanoseconds()) / 1e3 / float64(max(s.n(), 1)) }

// quantile is a latency in milliseconds.
func (s sample) quantile(q float64) float64 {
	if s.n() == 0 {
		return 0
	}
	return s.latency[int(q*float64(s.n()-1))].Seconds() * 1e3
}
