package client

import (
	"bufio"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// follow listens to the feed until ctx ends, and connects again whenever it breaks off.
func (c *Client) follow(ctx context.Context) {
	cursor, told := "", false
	pause := 100 * time.Millisecond
	for {
		next, err := c.listen(ctx, cursor)
		if ctx.Err() != nil {
			return
		}
		if next != cursor {
			cursor, told, pause = next, false, 100*time.Millisecond
		}
		if c.Stale() && !told {
			c.opt.Log.WarnContext(ctx, "the revocation feed of the Admit server is not heard", "server", c.opt.Server, "err", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause + rand.N(pause)):
		}
		pause = min(2*pause, 2*time.Second)
	}
}

var (
	errSilent  = errors.New("the feed is silent")
	errMessage = errors.New("a message of the feed is not one of this server")
)

// listen hears one stream to its end, and gives the place it came to: none after what cannot be gone on with.
func (c *Client) listen(ctx context.Context, cursor string) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(2*Patience, func() { cancel(errSilent) })
	defer silence.Stop()
	resp, err := c.get(ctx, "/api/v1/revocations/stream?since="+url.QueryEscape(cursor))
	if refused := (&statusError{}); errors.As(err, &refused) && refused.status < http.StatusInternalServerError {
		return "", err
	}
	if err != nil {
		return cursor, err
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 256<<20) // every session that ended while a token lives may be in one message
	place := ""
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			place = value
		case "data":
			if !c.hear(ctx, value) {
				return "", errMessage
			}
			cursor = place
			silence.Reset(2 * Patience)
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cursor, cause
	}
	return cursor, lines.Err()
}
