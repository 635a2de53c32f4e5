package api

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/web"
)

// AtLeast asks for no older answer.
type AtLeast struct {
	AtLeast string `json:"at_least,omitempty" maxLength:"100" doc:"A revision that a change answered with: the answer is not older."`
}

type checkIn struct {
	Body struct {
		check.Question
		AtLeast
	}
}

type batchIn struct {
	Body struct {
		Checks []check.Question `json:"checks" minItems:"1" maxItems:"1000"`
		AtLeast
	}
}

type whoIn struct{ Body check.Who }

type whatIn struct{ Body check.What }

type whereIn struct{ Body check.Where }

type trialIn struct{ Body check.Trial }

// Can is a part of a list, complete at one revision.
type Can[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor" doc:"Give it as cursor for the next part; null at the end."`
	Revision   string  `json:"revision"`
}

func (s *API) checks() {
	tags := []string{"Who may do what"}
	at := "/api/v1/"
	operation(s, huma.Operation{Method: "POST", Path: at + "check", Summary: "May somebody do something?", Tags: tags}, user|keyed|acting, func(q *call, in *checkIn) (check.Checked, error) {
		return s.check(q, in.Body.Question, in.Body.AtLeast.AtLeast)
	}, quick(func(q *call) ([]byte, error) {
		question, atLeast, plain := check.ReadOne(string(q.body))
		if !plain {
			return nil, errSlow
		}
		out, err := s.check(q, question, atLeast)
		return out.JSON(), err
	}))
	operation(s, huma.Operation{Method: "POST", Path: at + "check/batch", Summary: "Up to 1,000 questions, answered at one revision", Tags: tags}, user|keyed|acting, func(q *call, in *batchIn) (check.CheckedAll, error) {
		return s.checkAll(q, in.Body.Checks, in.Body.AtLeast.AtLeast)
	}, quick(func(q *call) ([]byte, error) {
		questions, atLeast, plain := check.ReadAll(string(q.body))
		if !plain {
			return nil, errSlow
		}
		out, err := s.checkAll(q, questions, atLeast)
		return out.JSON(), err
	}))
	operation(s, huma.Operation{Method: "POST", Path: at + "check/explain", Summary: "May somebody do something, and why?", Tags: tags}, user|keyed|acting, func(q *call, in *checkIn) (check.Explanation, error) {
		r, err := s.round(q, in.Body.AtLeast.AtLeast)
		if err != nil {
			return check.Explanation{}, err
		}
		return r.Explain(in.Body.Question)
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "who-can", Summary: "Everybody who may do something", Tags: tags}, user|keyed|acting, func(q *call, in *whoIn) (Can[check.CanUser], error) {
		l, err := s.app.Checks.WhoCan(q, q.caller(), in.Body)
		return can(q, l, err, func(i authz.Item) check.CanUser { return check.CanUser{UserID: i.ID, By: check.NewBy(i)} })
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "what-can", Summary: "Everything somebody may do", Tags: tags}, user|keyed|acting, func(q *call, in *whatIn) (Can[check.CanPermission], error) {
		l, err := s.app.Checks.WhatCan(q, q.caller(), in.Body)
		return can(q, l, err, func(i authz.Item) check.CanPermission {
			return check.CanPermission{Permission: i.ID, By: check.NewBy(i)}
		})
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "where-can", Summary: "Every organization in which somebody may do something", Tags: tags}, user|keyed|acting, func(q *call, in *whereIn) (Can[check.CanOrg], error) {
		l, err := s.app.Checks.WhereCan(q, q.caller(), in.Body)
		return can(q, l, err, func(i authz.Item) check.CanOrg { return check.CanOrg{OrgID: i.ID, By: check.NewBy(i)} })
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "simulate", Summary: "Who would gain and lose what; nothing is changed", Tags: tags}, user|keyed|acting, func(q *call, in *trialIn) (check.Outcome, error) {
		r, err := s.round(q, "")
		if err != nil {
			return check.Outcome{}, err
		}
		return r.Simulate(in.Body)
	})
}

func can[T any](q *call, l check.List, err error, item func(authz.Item) T) (Can[T], error) {
	if err != nil {
		return Can[T]{}, err
	}
	q.revision(l.Revision)
	return Can[T]{mapped(l.Items, item), next(l.Next), l.Revision}, nil
}

// revision says on the answer at which revision it was made.
func (q *call) revision(token string) {
	if token != "" {
		q.w.Header()["Authz-Revision"] = []string{token}
	}
}

func (s *API) round(q *call, atLeast string) (*check.Round, error) {
	r, err := s.app.Checks.Begin(q, q.caller(), atLeast)
	if err == nil {
		q.revision(r.Revision())
	}
	return r, err
}

func (s *API) check(q *call, question check.Question, atLeast string) (check.Checked, error) {
	r, err := s.round(q, atLeast)
	if err != nil {
		return check.Checked{}, err
	}
	return r.Check(question)
}

func (s *API) checkAll(q *call, questions []check.Question, atLeast string) (check.CheckedAll, error) {
	r, err := s.round(q, atLeast)
	if err != nil {
		return check.CheckedAll{}, err
	}
	return r.CheckAll(questions)
}

var errSlow = errors.New("api: this body wants the whole reader")

// quick answers what is asked on every request of an app in its plainest form without the way through the framework, and hands
// everything else on to it. The two say the same (TestQuickChecksSayTheSame).
func quick(do func(q *call) ([]byte, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.Context().Value(callKey{}).(*call)
			body, err := do(q)
			switch {
			case errors.Is(err, errSlow):
				next.ServeHTTP(w, r)
			case err != nil:
				web.WriteError(w, r, err)
			default:
				(&answer{body, []string{itoa(len(body))}}).write(w)
			}
		})
	}
}
