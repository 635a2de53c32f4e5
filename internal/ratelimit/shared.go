package ratelimit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/redis"
)

// shared is the count that servers keep together in Redis: GCRA as in memory, in one round trip.
type shared struct {
	redis *redis.Client
	key   []byte
}

func newShared(now func() time.Time, maxKeys int, r *redis.Client, key []byte) *Limiter {
	l := New(now, maxKeys)
	l.shared = &shared{r, key}
	return l
}

// Instants are microseconds: the numbers of Lua are exact below 2^53. A debt further away than the window is of a clock that was set back.
var (
	takeScript = redis.NewScript(`
local now, step, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local owed = tonumber(redis.call('GET', KEYS[1]) or '0')
owed = math.max(math.min(owed, now + window), now)
if owed + step > now + window then return {0, owed - now} end
owed = owed + step
redis.call('SET', KEYS[1], string.format('%.0f', owed), 'PX', math.ceil((owed - now) / 1000) + 1)
return {1, owed - now}`)
	giveBackScript = redis.NewScript(`
local now, step, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local owed = tonumber(redis.call('GET', KEYS[1]) or '0')
owed = math.min(owed, now + window) - step
if owed <= now then redis.call('DEL', KEYS[1]) else
redis.call('SET', KEYS[1], string.format('%.0f', owed), 'PX', math.ceil((owed - now) / 1000) + 1) end
return {1, 0}`)
)

func (s *shared) take(key string, r Rule, now time.Time) (Result, error) {
	step, window := micros(r)
	answer, err := s.run(takeScript, key, r, now)
	if err != nil {
		return Result{}, err
	}
	owed := answer[1]
	res := Result{Allowed: answer[0] == 1, Limit: int(window / step), ResetAfter: time.Duration(owed) * time.Microsecond}
	if res.Allowed {
		res.Remaining = int((window - owed) / step)
	} else {
		res.RetryAfter = time.Duration(owed+step-window) * time.Microsecond
	}
	return res, nil
}

func (s *shared) giveBack(key string, r Rule, now time.Time) {
	_, _ = s.run(giveBackScript, key, r, now) // what cannot be given back runs out
}

func (s *shared) run(script redis.Script, key string, r Rule, now time.Time) ([]int64, error) {
	step, window := micros(r)
	answer, err := s.redis.Run(context.Background(), script, s.name(key, r), strconv.FormatInt(now.UnixMicro(), 10), strconv.FormatInt(step, 10), strconv.FormatInt(window, 10))
	if err == nil && len(answer) < 2 {
		err = redis.ErrAway
	}
	return answer, err
}

// name is the key's place: addresses of people are not to be read there.
func (s *shared) name(key string, r Rule) string {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(key))
	return "admit:limit:" + r.Name + ":" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// micros gives the cost of one take and of the whole quota, in whole microseconds.
func micros(r Rule) (step, window int64) {
	nanos, all := r.terms()
	step = max(1, (nanos+999)/1000)
	return step, step * (all / max(1, nanos))
}
