package authzen

import (
	"context"
	"errors"
	"maps"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
)

const (
	subjectType = "user"
	orgType     = "org"
	language    = "en"
)

// Service answers.
type Service struct{ check *check.Service }

// NewService asks c.
func NewService(c *check.Service) *Service { return &Service{c} }

// Evaluate answers one question.
func (s *Service) Evaluate(ctx context.Context, c authz.Caller, in Evaluation) (Decision, string, error) {
	r, err := s.check.Begin(ctx, c, "")
	if err != nil {
		return Decision{}, "", err
	}
	d, err := decide(r, in.Tuple)
	return d, r.Revision(), err
}

// EvaluateAll answers several questions at one revision. A fault in one of them is its own.
func (s *Service) EvaluateAll(ctx context.Context, c authz.Caller, in Evaluations, status func(error) int) (Decisions, string, error) {
	semantic := ""
	if in.Options != nil {
		semantic = in.Options.Semantic
	}
	switch semantic {
	case "", "execute_all", "deny_on_first_deny", "permit_on_first_permit":
	default:
		return Decisions{}, "", ErrRequest.Say("options.evaluations_semantic is execute_all, deny_on_first_deny or permit_on_first_permit.")
	}
	r, err := s.check.Begin(ctx, c, "")
	if err != nil {
		return Decisions{}, "", err
	}
	if len(in.Evaluations) == 0 {
		d, err := decide(r, in.Tuple)
		return Decisions{Decision: &d.Decision, Context: d.Context}, r.Revision(), err
	}
	if len(in.Evaluations) > mostEvaluations {
		return Decisions{}, "", ErrRequest.Say("A request asks at most 1000 questions.")
	}
	out := Decisions{}
	for _, e := range in.Evaluations {
		d, err := decide(r, e.or(in.Tuple))
		if err != nil {
			e := apperr.Of(err)
			if e.Kind == apperr.Internal || e.Kind == apperr.Unavailable {
				return Decisions{}, "", err
			}
			d = Decision{Context: &Reason{Error: &Fault{status(e), e.Message}}}
		}
		out.Evaluations = append(out.Evaluations, d)
		if d.Decision && semantic == "permit_on_first_permit" || !d.Decision && semantic == "deny_on_first_deny" {
			break
		}
	}
	return out, r.Revision(), nil
}

const mostEvaluations = 1000

// or fills what a question leaves out. What it has replaces the default whole, but for a type or an id that is missing.
func (t Evaluation) or(given Tuple) Tuple {
	out := t.Tuple
	if out.Context == nil {
		out.Context = given.Context
	}
	if out.Action == nil {
		out.Action = given.Action
	}
	if out.Subject == nil {
		out.Subject = given.Subject
	} else if d := given.Subject; d != nil {
		s := *out.Subject
		s.Type, s.ID = either(s.Type, d.Type), either(s.ID, d.ID)
		out.Subject = &s
	}
	if out.Resource == nil {
		out.Resource = given.Resource
	} else if d := given.Resource; d != nil {
		s := *out.Resource
		s.Type, s.ID = either(s.Type, d.Type), either(s.ID, d.ID)
		out.Resource = &s
	}
	return out
}

func either(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// part is what a request has to name.
type part int

const (
	subjectID part = 1 << iota
	actionName
	resourceID
)

// complete refuses a question that lacks what the specification wants.
func (t Tuple) complete(needs part) error {
	missing := ""
	switch {
	case t.Subject == nil || t.Subject.Type == "":
		missing = "subject.type"
	case needs&subjectID != 0 && t.Subject.ID == "":
		missing = "subject.id"
	case needs&actionName != 0 && (t.Action == nil || t.Action.Name == ""):
		missing = "action.name"
	case t.Resource == nil || t.Resource.Type == "":
		missing = "resource.type"
	case needs&resourceID != 0 && t.Resource.ID == "":
		missing = "resource.id"
	case len(t.Subject.ID) > 256 || len(t.Resource.ID) > 256 || len(t.Resource.Type) > 256:
		return ErrRequest.Say("An id or a type has at most 256 characters.")
	}
	if missing != "" {
		return ErrRequest.Say("This is no request of the AuthZEN Authorization API 1.0: " + missing + " is missing.")
	}
	if org, given := t.orgGiven(); given {
		if _, text := org.(string); !text {
			return ErrRequest.Say("resource.properties.org_id is a text.")
		}
	}
	return nil
}

// question is what is asked in our words.
func (t Tuple) question() check.Question {
	q := check.Question{Subject: t.Subject.ID, Facts: check.Facts{Resource: t.facts(), Context: t.Context}}
	q.OrgID = t.org()
	if t.Action != nil {
		q.Permission = t.Action.Name
	}
	if t.Subject.Properties != nil || t.Action != nil && t.Action.Properties != nil {
		q.Context = maps.Clone(t.Context)
		if q.Context == nil {
			q.Context = map[string]any{}
		}
		if t.Subject.Properties != nil {
			q.Context["subject"] = t.Subject.Properties
		}
		if t.Action != nil && t.Action.Properties != nil {
			q.Context["action"] = t.Action.Properties
		}
	}
	return q
}

// org is the organization a resource is, or belongs to.
func (t Tuple) org() string {
	if t.Resource.Type == orgType {
		return t.Resource.ID
	}
	given, _ := t.orgGiven()
	org, _ := given.(string)
	return org
}

func (t Tuple) orgGiven() (org any, given bool) {
	org, given = t.Resource.Properties["org_id"]
	return org, given
}

// facts is the resource as conditions read it.
func (t Tuple) facts() map[string]any {
	facts := make(map[string]any, len(t.Resource.Properties)+2)
	maps.Copy(facts, t.Resource.Properties)
	facts["type"], facts["id"] = t.Resource.Type, t.Resource.ID
	return facts
}

func decide(r *check.Round, t Tuple) (Decision, error) {
	if err := t.complete(subjectID | actionName | resourceID); err != nil {
		return Decision{}, err
	}
	why := &Reason{Revision: r.Revision()}
	if t.Subject.Type != subjectType {
		why.Code, why.ReasonUser = "unknown_subject_type", map[string]string{language: "Only subjects of the type user are known."}
		return Decision{Context: why}, nil
	}
	e, err := r.Explain(t.question())
	why.Code = string(e.Code)
	switch {
	case e.Code == authz.UnknownPermission:
		why.ReasonUser = map[string]string{language: apperr.Of(err).Message}
	case err != nil:
		return Decision{}, err
	case !e.Allowed:
		why.ReasonUser = map[string]string{language: e.ReasonUser}
		if e.ReasonAdmin != nil {
			why.ReasonAdmin = map[string]string{language: *e.ReasonAdmin}
		}
	}
	return Decision{e.Allowed, why}, nil
}

// SearchSubject finds the people who may do it.
func (s *Service) SearchSubject(ctx context.Context, c authz.Caller, in Search) (Found, string, error) {
	if err := in.complete(actionName | resourceID); err != nil {
		return Found{}, "", err
	}
	if in.Subject.Type != subjectType {
		return s.nothing(ctx, c)
	}
	q := in.question()
	l, err := s.check.WhoCan(ctx, c, check.Who{Permission: q.Permission, OrgID: q.OrgID, Facts: q.Facts, Page: in.page()})
	return found(l, err, func(id string) Result { return Result{Type: subjectType, ID: id} })
}

// SearchResource finds the organizations in which somebody may do it. Resources of other types are the app's, and unknown here.
func (s *Service) SearchResource(ctx context.Context, c authz.Caller, in Search) (Found, string, error) {
	if err := in.complete(subjectID | actionName); err != nil {
		return Found{}, "", err
	}
	if in.Subject.Type != subjectType || in.Resource.Type != orgType {
		return s.nothing(ctx, c)
	}
	q := in.question()
	delete(q.Resource, "id")
	l, err := s.check.WhereCan(ctx, c, check.Where{Subject: q.Subject, Permission: q.Permission, Facts: q.Facts, Page: in.page()})
	return found(l, err, func(id string) Result { return Result{Type: orgType, ID: id} })
}

// SearchAction finds what somebody may do.
func (s *Service) SearchAction(ctx context.Context, c authz.Caller, in Search) (Found, string, error) {
	if err := in.complete(subjectID | resourceID); err != nil {
		return Found{}, "", err
	}
	if in.Subject.Type != subjectType {
		return s.nothing(ctx, c)
	}
	q := in.question()
	l, err := s.check.WhatCan(ctx, c, check.What{Subject: q.Subject, OrgID: q.OrgID, Facts: q.Facts, Page: in.page()})
	return found(l, err, func(name string) Result { return Result{Name: name} })
}

func (in Search) page() check.Page {
	if in.Page == nil {
		return check.Page{}
	}
	return check.Page{Limit: max(in.Page.Limit, 0), Cursor: in.Page.Token}
}

// nothing is the answer about what is not known here.
func (s *Service) nothing(ctx context.Context, c authz.Caller) (Found, string, error) {
	r, err := s.check.Begin(ctx, c, "")
	if err != nil {
		return Found{}, "", err
	}
	return Found{Results: []Result{}, Context: &Reason{Revision: r.Revision()}}, r.Revision(), nil
}

// found leaves out what would be permitted only if more were known: whatever is found must be permitted when it is asked about.
func found(l check.List, err error, result func(id string) Result) (Found, string, error) {
	out := Found{Results: []Result{}, Context: &Reason{Revision: l.Revision}}
	if errors.Is(err, authz.ErrUnknownPermission) {
		out.Context.Code, out.Context.ReasonUser = string(authz.UnknownPermission), map[string]string{language: apperr.Of(err).Message}
		return out, l.Revision, nil
	}
	for _, i := range l.Items {
		if !i.Conditional {
			out.Results = append(out.Results, result(i.ID))
		}
	}
	out.Page = NextPage{l.Next, len(out.Results)}
	return out, l.Revision, err
}
