// Package check puts questions about who may do what to package authz, on behalf of somebody: here it is decided whom they may
// ask about and what they may be told. The answer itself is the one decision of package authz.
package check

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/authz"
)

// Explain is the permission to ask about others and to try changes out.
const Explain = "sys:authz:explain"

// Question is one question.
type Question struct {
	Subject    string `json:"subject,omitempty" maxLength:"256" doc:"usr_…; you yourself when left out. About others only holders of sys:authz:explain may ask."`
	Permission string `json:"permission" maxLength:"200" example:"post_job"`
	OrgID      string `json:"org_id,omitempty" maxLength:"100" doc:"The id or the slug of an organization; the question is about the platform when left out."`
	Facts
}

// Facts is what conditions may read.
type Facts struct {
	Resource map[string]any `json:"resource,omitempty" doc:"What conditions read as resource."`
	Context  map[string]any `json:"context,omitempty" doc:"What conditions read as context. Where you ask about yourself, ip, amr, auth_age and transport are what the server knows of your request, whatever stands here."`
}

// Answer is a decision.
type Answer struct {
	Allowed bool       `json:"allowed"`
	Code    authz.Code `json:"code" example:"granted" doc:"Why: granted, missing_permission, not_a_member, condition_false, guard_failed, needs_step_up, …"`
}

// Checked is the answer to one question.
type Checked struct {
	Answer
	Revision string `json:"revision" doc:"The revision it was answered at."`
}

// CheckedAll is the answers to several, in their order, all of one revision.
type CheckedAll struct {
	Results  []Result `json:"results"`
	Revision string   `json:"revision"`
}

// Result is one answer of several.
type Result struct {
	Answer
	Error string `json:"error,omitempty" doc:"What is wrong with this question, for people: the permission is unknown, and another was probably meant."`
}

// Service puts questions.
type Service struct {
	authz *authz.Service
	now   func() time.Time
}

// NewService asks az.
func NewService(az *authz.Service, now func() time.Time) *Service { return &Service{az, now} }

// Round is any number of questions of one caller, answered at one revision.
type Round struct {
	s      *Service
	ctx    context.Context
	caller authz.Caller
	root   *authz.Root

	about string // the organization asked about last
	may   error  // why others there may not be asked about
	asked bool
}

// Begin fixes the revision: what holds now, and not older than atLeast, which may be "".
func (s *Service) Begin(ctx context.Context, c authz.Caller, atLeast string) (*Round, error) {
	root, err := s.authz.RootAtLeast(ctx, atLeast)
	return &Round{s: s, ctx: ctx, caller: c, root: root}, err
}

// Revision is the token of the revision.
func (r *Round) Revision() string { return r.s.authz.Revision(r.root) }

// org is the id of the organization that is named, or the name when there is none.
func (r *Round) org(ref string) string {
	if ref == "" {
		return ""
	}
	return r.root.OrgID(strings.ToLower(ref))
}

// query is what is asked, if the caller may ask it.
func (r *Round) query(q *Question) (authz.Query, error) {
	out := authz.Query{Subject: q.Subject, Permission: q.Permission, Org: r.org(q.OrgID), Resource: q.Resource, Context: q.Context}
	if !r.self(q.Subject) {
		return out, r.others(out.Org)
	}
	out.Subject, out.Ceiling, out.Context = r.caller.User, r.caller.Ceiling, r.caller.Context
	if len(q.Context) > 0 {
		out.Context = maps.Clone(q.Context)
		maps.Copy(out.Context, r.caller.Context)
	}
	return out, nil
}

func (r *Round) self(subject string) bool {
	return r.caller.User != "" && (subject == "" || subject == r.caller.User)
}

// others refuses a caller who may not ask about others there, as if there were no such organization where they may not know of it.
func (r *Round) others(org string) error {
	if !r.asked || r.about != org {
		r.asked, r.about = true, org
		r.may = r.s.authz.RequireAt(r.ctx, r.root, r.caller, Explain, org)
	}
	return r.may
}

// Check answers one question.
func (r *Round) Check(q Question) (Checked, error) {
	a, err := r.answer(&q)
	return Checked{a, r.Revision()}, err
}

func (r *Round) answer(q *Question) (Answer, error) {
	query, err := r.query(q)
	if err != nil {
		return Answer{}, err
	}
	d, err := r.s.authz.Check(r.ctx, r.root, query)
	if err != nil {
		return Answer{Code: d.Code}, err
	}
	if !d.Allowed && r.hidden(&query) {
		d.Code = untold(d.Code)
	}
	return Answer{d.Allowed, d.Code}, nil
}

// hidden reports whether a no must not tell why: the caller asks about themself in an organization they may not know of, and one
// that is not there would be answered in another way.
func (r *Round) hidden(q *authz.Query) bool {
	return q.Org != "" && r.self(q.Subject) && r.s.authz.SeeAt(r.root, r.caller, q.Org) != nil
}

// untold is the code of a no that must not tell why. Where a permission is asked at all depends on no organization.
func untold(code authz.Code) authz.Code {
	if code == authz.WrongScope {
		return code
	}
	return authz.NotAMember
}

// CheckAll answers questions in their order. One about a permission that is not known is answered by itself; one that may not be
// asked ends all.
func (r *Round) CheckAll(list []Question) (CheckedAll, error) {
	results := make([]Result, len(list))
	for i := range list {
		a, err := r.answer(&list[i])
		switch {
		case err == nil:
		case a.Code == authz.UnknownPermission:
			results[i].Error = said(err)
		default:
			return CheckedAll{}, err
		}
		results[i].Answer = a
	}
	return CheckedAll{results, r.Revision()}, nil
}
