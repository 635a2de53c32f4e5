package torture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/testkit"
)

// SIGTERM answers the requests that are under way, and loses nothing that was acknowledged.
func TestTerminateAnswersRequestsUnderWay(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		for trial := range times(2) {
			dir, url := t.TempDir(), testkit.DatabaseURL(t, engine)
			// hashing takes a while, so that a request can be caught in the middle
			env := settings(dir, url, "PASSWORD_HASH_MEMORY_KIB=16384")
			p := serve(t, dir, env)
			const n = 4
			var read, answered sync.WaitGroup
			read.Add(n)
			for i := range n {
				answered.Go(func() {
					status, err := signUpUnderWay(p.caller, fmt.Sprintf("way%d@example.com", i), read.Done)
					if err != nil || status != 201 {
						t.Errorf("a sign-up under way at SIGTERM: %d %v", status, err)
					}
				})
			}
			read.Wait()
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
			answered.Wait()
			p.ended(15 * time.Second)
			if p.code != 0 {
				t.Errorf("the server ended with %d:\n%s", p.code, p.log)
			}
			if t.Failed() {
				t.Fatalf("trial %d; the server said:\n%s", trial, p.log)
			}
			p = serve(t, dir, env)
			for i := range n {
				p.must(t, logIn(fmt.Sprintf("way%d@example.com", i)), 200)
			}
			p.kill()
		}
	})
}

// signUpUnderWay signs up and calls read once the server has begun to read the request: it asks for that with
// Expect: 100-continue.
func signUpUnderWay(c *caller, email string, read func()) (int, error) {
	text, err := json.Marshal(account(email))
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequest("POST", c.url+"/auth/signup", bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	once := sync.OnceFunc(read)
	defer once()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Expect", "100-continue")
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got100Continue: once}))
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.ExpectContinueTimeout = 20 * time.Second
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr, Timeout: 20 * time.Second}).Do(r)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// SIGTERM in the middle of load: the server ends by itself, and everything it answered is there afterwards.
func TestTerminateUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		for trial := range times(2) {
			dir, url := t.TempDir(), testkit.DatabaseURL(t, engine)
			env := settings(dir, url, "REFRESH_GRACE_SECONDS=0")
			p := serve(t, dir, env)
			l := newLoad(fmt.Sprintf("trial%d", trial), 8)
			l.run(p.caller)
			time.Sleep(200 * time.Millisecond) // of load
			p.terminate()
			if p.code != 0 {
				t.Errorf("the server ended with %d:\n%s", p.code, p.log)
			}
			l.wait(t)
			p = serve(t, dir, env)
			l.verify(t, p.caller, true)
			db := open(t, url)
			halves(t, db)
			eventFile(t, db, engine, dir+"/admit-data/events.jsonl")
			_ = db.Close()
			p.kill()
		}
	})
}
