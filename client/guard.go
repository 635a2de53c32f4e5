package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/place"
)

type userKey struct{}

// UserFrom is who sent the request, or nil outside RequireUser and its like.
func UserFrom(ctx context.Context) *User {
	u, _ := ctx.Value(userKey{}).(*User)
	return u
}

// RequireUser lets only requests with a good access token through to next, as Authorization: Bearer (RFC 6750), and answers 401 to every other.
func (c *Client) RequireUser(next http.Handler) http.Handler {
	return c.guard(next, func(*http.Request, *User) *problem { return nil })
}

// RequireGlobalRole lets only people with a global role through, such as super_admin: 401 for strangers, 403 for others.
func (c *Client) RequireGlobalRole(role string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return c.guard(next, func(_ *http.Request, u *User) *problem {
			if u.HasRole(role) {
				return nil
			}
			return &problem{Status: http.StatusForbidden, Code: "missing_role", Detail: "This needs the role " + role + "."}
		})
	}
}

// RequireFresh lets only people through who proved less than most ago that it is them: 401 for strangers, and 403 with the code
// reauthentication_required for everybody else, who go to POST /auth/reauthenticate and refresh their token.
func (c *Client) RequireFresh(most time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return c.guard(next, func(_ *http.Request, u *User) *problem {
			if c.opt.Now().Sub(u.AuthAt) < most {
				return nil
			}
			return &problem{Status: http.StatusForbidden, Code: "reauthentication_required", Detail: "Prove again that it is you, then repeat this."}
		})
	}
}

// Place says which organization a request is about: its id or slug. "" is none, and asks about the whole platform.
type Place = place.Place

// OrgFromPath takes the organization from a wildcard of the route's pattern, as in /orgs/{org}/jobs.
func OrgFromPath(name string) Place { return place.FromPath(name) }

// OrgFromQuery takes the organization from a parameter of the query.
func OrgFromQuery(name string) Place { return place.FromQuery(name) }

// Platform asks about the whole platform.
func Platform(*http.Request) string { return "" }

// RequirePermission lets only people through who have a permission, such as post_job, in the organization that org names: 401 for strangers,
// 403 for others. It asks the server, so that it goes by what holds now.
func (c *Client) RequirePermission(permission string, org Place) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return c.guard(next, func(r *http.Request, _ *User) *problem {
			token, _ := bearer(r)
			allowed, err := c.May(r.Context(), token, permission, org(r))
			switch {
			case errors.Is(err, ErrToken):
				return refused(ErrToken)
			case err != nil:
				c.opt.Log.ErrorContext(r.Context(), "a permission cannot be checked", "permission", permission, "err", err)
				return &problem{Status: http.StatusServiceUnavailable, Code: "check_unavailable", Detail: "Whether you may do this cannot be known at the moment. Try again in a few seconds."}
			case !allowed:
				return &problem{Status: http.StatusForbidden, Code: "missing_permission", Detail: "This needs the permission " + permission + "."}
			}
			return nil
		})
	}
}

// May asks the server whether whoever holds a token has a permission in an organization, by id or slug, or with "" on the whole platform. The
// error is ErrToken where the token is not good, and any other where there is no answer, as for a permission that was never declared.
func (c *Client) May(ctx context.Context, token, permission, org string) (bool, error) {
	question, err := json.Marshal(struct {
		Permission string `json:"permission"`
		Org        string `json:"org_id,omitempty"`
	}{permission, org})
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.opt.Server+"/api/v1/check", bytes.NewReader(question))
	if err != nil {
		return false, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.opt.HTTP.Do(r)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return false, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		var out struct {
			Allowed bool `json:"allowed"`
		}
		err := json.Unmarshal(body, &out)
		return out.Allowed, err
	case http.StatusUnauthorized:
		return false, ErrToken
	}
	var p problem
	_ = json.Unmarshal(body, &p)
	return false, fmt.Errorf("client: %s answered %s: %s %s", r.URL, resp.Status, p.Code, p.Detail)
}

// guard lets through to next whose token is good and of whom nothing more is missing.
func (c *Client) guard(next http.Handler, missing func(*http.Request, *User) *problem) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, p := UserFrom(r.Context()), (*problem)(nil)
		if u == nil {
			if u, p = c.identify(r); p == nil {
				r = r.WithContext(context.WithValue(r.Context(), userKey{}, u))
			}
		}
		if p == nil {
			p = missing(r, u)
		}
		if p != nil {
			c.write(w, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (c *Client) identify(r *http.Request) (*User, *problem) {
	token, ok := bearer(r)
	if !ok {
		return nil, &problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Detail: "You are not signed in. Send an access token as Authorization: Bearer."}
	}
	u, err := c.Verify(r.Context(), token)
	if err != nil {
		return nil, refused(err)
	}
	return u, nil
}

// bearer is the one token a request shows (RFC 6750, section 2.1).
func bearer(r *http.Request) (string, bool) {
	given := r.Header.Values("Authorization")
	if len(given) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	return strings.TrimLeft(token, " "), strings.EqualFold(scheme, "bearer") && token != ""
}

// problem is a refusal (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

func refused(err error) *problem {
	p := &problem{Status: http.StatusUnauthorized, Code: "invalid_token", Detail: err.Error()}
	switch {
	case errors.Is(err, ErrEnded):
		p.Code = "session_invalid"
	case errors.Is(err, ErrOutdated):
		p.Code = "token_outdated"
	case errors.Is(err, ErrStale):
		p.Status, p.Code = http.StatusServiceUnavailable, "revocations_stale"
	}
	return p
}

func (c *Client) write(w http.ResponseWriter, p *problem) {
	p.Type, p.Title = c.issuer+"/docs/errors#"+p.Code, http.StatusText(p.Status)
	h := w.Header()
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="admit"`)
		if p.Code != "unauthenticated" {
			h.Set("WWW-Authenticate", `Bearer realm="admit", error="invalid_token"`)
		}
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "2")
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
