package session

import (
	"strings"
	"testing"
	"time"
)

// A refresh token is good once. The one used last is repeated for a moment, to the same device; everything else is a replay.
func TestJudge(t *testing.T) {
	now := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	rotated := now.Add(-10 * time.Second)
	s := Session{generation: 5, rotatedAt: &rotated, UserAgent: "tab", ExpiresAt: now.Add(time.Hour)}
	fresh := Session{generation: 1, UserAgent: "tab", ExpiresAt: now.Add(time.Hour)}
	over := s
	over.ExpiresAt = now
	for name, c := range map[string]struct {
		s          Session
		generation int64
		agent      string
		grace      time.Duration
		want       verdict
	}{
		"the current one":                       {s, 5, "tab", 30 * time.Second, rotate},
		"the current one, from another device":  {s, 5, "other", 30 * time.Second, rotate},
		"its parent within the grace":           {s, 4, "tab", 30 * time.Second, repeat},
		"its parent at the end of the grace":    {s, 4, "tab", 10 * time.Second, reused},
		"its parent, from another device":       {s, 4, "other", 30 * time.Second, reused},
		"its parent where there is no grace":    {s, 4, "tab", 0, reused},
		"its grandparent within the grace":      {s, 3, "tab", 30 * time.Second, reused},
		"one that was not given yet":            {s, 6, "tab", 30 * time.Second, reused},
		"nothing was rotated yet":               {fresh, 0, "tab", 30 * time.Second, reused},
		"the session has run out":               {over, 5, "tab", 30 * time.Second, dead},
		"the session has run out, and a replay": {over, 3, "tab", 30 * time.Second, dead},
	} {
		if got := judge(c.s, c.generation, c.agent, now, c.grace); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// SES-07: a session ends at its absolute limit, and when it was idle too long.
func TestAlive(t *testing.T) {
	now := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	s := Session{ExpiresAt: now.Add(time.Minute)}
	for name, c := range map[string]struct {
		seen time.Time
		at   time.Time
		idle time.Duration
		want bool
	}{
		"in use":                       {now, now, 0, true},
		"the last microsecond":         {now, now.Add(time.Minute - time.Microsecond), 0, true},
		"at the limit":                 {now, now.Add(time.Minute), 0, false},
		"idle for long, without limit": {now.Add(-1000 * time.Hour), now, 0, true},
		"idle almost too long":         {now.Add(-time.Hour + 1), now, time.Hour, true},
		"idle too long":                {now.Add(-time.Hour), now, time.Hour, false},
		"in use past the limit":        {now.Add(2 * time.Minute), now.Add(2 * time.Minute), time.Hour, false},
	} {
		if got := alive(s, c.seen, c.at, c.idle); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// RFR-10: renewing goes on until the session is REFRESH_MAX_DAYS old, and not a moment longer.
func TestRenewed(t *testing.T) {
	begun := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	c := Config{RefreshMinutes: 24 * 60, RefreshMaxDays: 10}
	s := Session{CreatedAt: begun}
	if got := c.renewed(s, begun.Add(time.Hour)); !got.Equal(begun.Add(25 * time.Hour)) {
		t.Error(got)
	}
	if got := c.renewed(s, begun.Add(9*24*time.Hour+time.Hour)); !got.Equal(begun.Add(10 * 24 * time.Hour)) {
		t.Error(got)
	}
}

// SES-10: a refresh token is valid letter for letter or not at all.
func TestRefreshTokenText(t *testing.T) {
	k := []byte(strings.Repeat("k", 32))
	s := Session{ID: "ses_06gzrbmwd9vwb0vfkh5j7rg3pc", salt: []byte("salt")}
	token := refreshToken(k, s, 7)
	if id, g, ok := parseRefresh(token); !ok || id != s.ID || g != 7 || !authentic(k, s, g, token) {
		t.Fatal(id, g, ok)
	}
	parts := strings.Split(token, ".")
	for _, bad := range []string{"", ".", "..", token + "=", token + "A", token[:len(token)-1], " " + token, token + " ", strings.ToUpper(token), strings.ToLower(token),
		parts[0] + ".8." + parts[2], parts[0] + ".07." + parts[2], parts[0] + ".+7." + parts[2], parts[0] + ".-7." + parts[2], parts[0] + "." + parts[1], token + "." + token,
		"ses_06gzrbmwd9vwb0vfkh5j7rg3pd." + parts[1] + "." + parts[2], strings.Replace(token, ".", "%2E", 1), strings.Repeat("A", 200)} {
		if _, g, ok := parseRefresh(bad); ok && authentic(k, s, g, bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
	other := s
	other.salt = []byte("other")
	if authentic(k, other, 7, token) {
		t.Error("a token of another session with the same id is accepted")
	}
}
