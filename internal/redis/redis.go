// Package redis shares counts and copies with the other servers of an installation. Whatever is there may be lost, changed or made up at any
// moment: nothing is there alone, nothing read from it is believed unsealed, and nobody waits for it for long.
package redis

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"

	"time"

	"github.com/redis/rueidis"

	"github.com/admit-dev/admit/internal/breaker"
)

// Config says where it is.
type Config struct {
	URL string `env:"REDIS_URL" secret:"true" doc:"Redis or Valkey, for counts and copies that several servers share: redis://USER:PASSWORD@HOST:6379/0, or rediss:// with TLS. A cluster names more of its nodes with ?addr=HOST:PORT, Sentinels also their ?master_set=NAME. Nothing is lost when it is."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(bool) error {
	if c.URL == "" {
		return nil
	}
	_, err := c.option()
	return err
}

func (c Config) option() (rueidis.ClientOption, error) {
	o, err := rueidis.ParseURL(c.URL)
	if err != nil { // which may quote the password
		return o, errors.New("REDIS_URL is no address of Redis: write redis://user:password@host:6379/0, or rediss:// for TLS")
	}
	o.DisableCache, o.DisableRetry = true, true // old copies are no use, and who asks cannot wait for another try
	o.Dialer = net.Dialer{Timeout: patience, KeepAlive: 15 * time.Second}
	o.ConnWriteTimeout = 5 * patience
	o.ClientName = "admit"
	return o, nil
}

const patience = 100 * time.Millisecond // how long an answer is waited for

// ErrAway says that Redis has not answered in time.
var ErrAway = errors.New("redis: no answer")

// Client asks Redis. One that is nil has none to ask, and everything it is asked is ErrAway.
type Client struct {
	option  rueidis.ClientOption
	breaker *breaker.Breaker
	conn    atomic.Pointer[rueidis.Client]
}

// Open makes the Client the settings ask for, nil when they name no Redis. One that does not answer yet is asked again later.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Client, error) {
	if cfg.URL == "" {
		return nil, nil
	}
	option, err := cfg.option()
	if err != nil {
		return nil, err
	}
	c := &Client{option: option, breaker: breaker.New(log, "Redis does not do what it is asked: until it does, this server counts by itself and asks the database", "Redis answers again")}
	_ = c.Ping(ctx)
	return c, nil
}

// Close ends the connections.
func (c *Client) Close() {
	if c == nil {
		return
	}
	if conn := c.conn.Swap(nil); conn != nil {
		(*conn).Close()
	}
}

// Ping asks whether it answers.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.do(ctx, func(ctx context.Context, r rueidis.Client) rueidis.RedisResult {
		return r.Do(ctx, r.B().Ping().Build())
	})
	return err
}

// Script is a program that Redis runs in one step.
type Script struct{ lua *rueidis.Lua }

// NewScript makes a program of one key that answers with numbers.
func NewScript(lua string) Script { return Script{rueidis.NewLuaScript(lua)} }

// Run runs a program.
func (c *Client) Run(ctx context.Context, s Script, key string, args ...string) ([]int64, error) {
	answer, err := c.do(ctx, func(ctx context.Context, r rueidis.Client) rueidis.RedisResult {
		return s.lua.Exec(ctx, r, []string{key}, args)
	})
	if err != nil {
		return nil, err
	}
	return answer.AsIntSlice()
}

// Get is what was kept under a key, nil when nothing is.
func (c *Client) Get(ctx context.Context, key string) ([]byte, error) {
	answer, err := c.do(ctx, func(ctx context.Context, r rueidis.Client) rueidis.RedisResult {
		return r.Do(ctx, r.B().Get().Key(key).Build())
	})
	if err != nil {
		return nil, err
	}
	value, err := answer.AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	return value, err
}

// Set keeps a value for a while.
func (c *Client) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	_, err := c.do(ctx, func(ctx context.Context, r rueidis.Client) rueidis.RedisResult {
		return r.Do(ctx, r.B().Set().Key(key).Value(rueidis.BinaryString(value)).Px(max(ttl, time.Millisecond)).Build())
	})
	return err
}

// do asks, unless there was no answer a moment ago.
func (c *Client) do(ctx context.Context, ask func(context.Context, rueidis.Client) rueidis.RedisResult) (rueidis.RedisResult, error) {
	if c == nil || !c.breaker.May() {
		return rueidis.RedisResult{}, ErrAway
	}
	answer, err := c.ask(ctx, ask)
	c.breaker.Done(err)
	if err != nil {
		err = errors.Join(ErrAway, err)
	}
	return answer, err
}

func (c *Client) ask(ctx context.Context, ask func(context.Context, rueidis.Client) rueidis.RedisResult) (answer rueidis.RedisResult, err error) {
	conn, err := c.connected()
	if err != nil {
		return answer, err
	}
	// Whoever hangs up is no sign that Redis is ill.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	answer = ask(limited, conn)
	if err = answer.Error(); rueidis.IsRedisNil(err) {
		err = nil
	}
	return answer, err
}

func (c *Client) connected() (rueidis.Client, error) {
	if conn := c.conn.Load(); conn != nil {
		return *conn, nil
	}
	conn, err := rueidis.NewClient(c.option)
	if err != nil {
		return nil, err
	}
	if !c.conn.CompareAndSwap(nil, &conn) {
		conn.Close()
	}
	if first := c.conn.Load(); first != nil {
		return *first, nil
	}
	return nil, ErrAway // closed meanwhile
}
