package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/ratelimit"
)

// Limit makes handlers answer 429 to a caller who exceeds rule, and tells every caller where he stands with the RateLimit and
// RateLimit-Policy headers of draft-ietf-httpapi-ratelimit-headers-10. Several limits around one handler make a list.
func Limit(l *ratelimit.Limiter, rule ratelimit.Rule, key func(*http.Request) string) func(http.Handler) http.Handler {
	if l == nil {
		return func(next http.Handler) http.Handler { return next }
	}
	name := strconv.Quote(rule.Name)
	policy := name + ";q=" + strconv.Itoa(rule.Quota()) + ";w=" + seconds(rule.Window())
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			res := l.Take(key(r), rule)
			h := w.Header()
			h.Add("RateLimit-Policy", policy)
			h.Add("RateLimit", limitState(name, res))
			if err := res.Err(); err != nil {
				WriteError(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func limitState(name string, res ratelimit.Result) string {
	b := append(make([]byte, 0, 48), name...)
	b = strconv.AppendInt(append(b, ";r="...), int64(res.Remaining), 10)
	b = strconv.AppendInt(append(b, ";t="...), int64((res.ResetAfter+time.Second-1)/time.Second), 10)
	return string(b)
}

// ByIP is the key of a limit per address.
func ByIP(r *http.Request) string { return ratelimit.IPKey(database.OriginOf(r.Context()).IP) }
