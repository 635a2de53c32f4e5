package check

import (
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
)

// Explanation is a decision with its reasons.
type Explanation struct {
	Answer
	Subject     string       `json:"subject"`
	Permission  string       `json:"permission" doc:"As it is declared, also when an alias was asked."`
	OrgID       *string      `json:"org_id"`
	GrantedBy   []Path       `json:"granted_by" doc:"Every way the permission is given; each alone would do."`
	Unmet       []Path       `json:"unmet" doc:"Grants whose condition does not hold."`
	BlockedBy   []Block      `json:"blocked_by" doc:"Everything that takes the permission away again."`
	HeldRoles   []Held       `json:"held_roles" doc:"The roles that count for the question."`
	Missing     []string     `json:"missing" doc:"The permission, where no role gives it."`
	StepUp      bool         `json:"step_up" doc:"Whether proving oneself again would turn the answer."`
	AcrossOrgs  bool         `json:"across_orgs" doc:"Whether a global role was used in an organization the subject does not belong to."`
	ReasonUser  string       `json:"reason_user" doc:"What may be told to the person."`
	ReasonAdmin *string      `json:"reason_admin" doc:"What an administrator wants to know; null for others than holders of sys:authz:explain."`
	WouldAllow  []Suggestion `json:"would_allow" doc:"The roles each of which would turn the answer, the smallest first; null for others than holders of sys:authz:explain."`
	Revision    string       `json:"revision"`
}

// Path is one grant that covers the permission.
type Path struct {
	Scope     authz.Scope `json:"scope" doc:"org, global, or engine where a policy engine gives it."`
	Role      string      `json:"role" doc:"The key of the role."`
	RoleID    string      `json:"role_id"`
	Via       *string     `json:"via" doc:"The built-in role the grant comes from, where the role adds to one."`
	Pattern   string      `json:"pattern"`
	Condition *string     `json:"condition"`
	ExpiresAt *time.Time  `json:"expires_at"`
	Code      authz.Code  `json:"code" doc:"granted, condition_false or condition_error."`
}

// Block is one thing that stands against the permission.
type Block struct {
	Code      authz.Code `json:"code"`
	OrgID     *string    `json:"org_id" doc:"Whose guard; null when it is of the platform."`
	Message   *string    `json:"message"`
	Guard     *string    `json:"guard" doc:"Its id; with pattern and condition null for others than holders of sys:authz:explain."`
	Pattern   *string    `json:"pattern"`
	Condition *string    `json:"condition"`
	Engine    *string    `json:"engine" doc:"The policy engine that said no."`
}

// Held is a role that counts for the question.
type Held struct {
	Scope   authz.Scope `json:"scope"`
	Role    string      `json:"role"`
	RoleID  string      `json:"role_id"`
	Matched bool        `json:"matched" doc:"Whether it gives the permission, perhaps under a condition."`
}

// Suggestion is a role that would allow what was denied; to who is no member it means to join with it.
type Suggestion struct {
	Scope   authz.Scope `json:"scope"`
	Role    string      `json:"role"`
	RoleID  string      `json:"role_id"`
	Pattern string      `json:"pattern"`
}

// Explain answers one question and says why, as far as the caller may know.
func (r *Round) Explain(q Question) (Explanation, error) {
	query, err := r.query(&q)
	if err != nil {
		return Explanation{}, err
	}
	e, err := r.s.authz.Explain(r.ctx, r.root, query)
	if err != nil {
		return Explanation{Answer: Answer{Code: e.Code}}, err
	}
	full := false
	if !e.Allowed && r.hidden(&query) {
		e = authz.Explanation{Decision: authz.Decision{Code: untold(e.Code), Rev: e.Rev}, Subject: e.Subject, Permission: e.Permission}
	} else {
		full = r.others(query.Org) == nil
	}
	out := describe(e, full)
	out.Revision = r.Revision()
	if full {
		admin := e.ForAdmin()
		out.ReasonAdmin, out.WouldAllow = &admin, mapped(e.WouldAllow, func(s authz.Suggestion) Suggestion { return Suggestion{s.Scope, s.Key, s.Role, s.Pattern} })
	}
	return out, nil
}

func describe(e authz.Explanation, full bool) Explanation {
	out := Explanation{Answer: Answer{e.Allowed, e.Code}, Subject: e.Subject, Permission: e.Permission, OrgID: some(e.Org), StepUp: e.StepUp, AcrossOrgs: e.AcrossOrgs, ReasonUser: e.ForUser(), Missing: []string{}}
	out.GrantedBy, out.Unmet = mapped(e.GrantedBy, newPath), mapped(e.Unmet, newPath)
	out.HeldRoles = mapped(e.Held, func(h authz.Held) Held { return Held{h.Scope, h.Key, h.Role, h.Matched} })
	out.BlockedBy = mapped(e.BlockedBy, func(b authz.Blocked) Block {
		block := Block{Code: b.Code, OrgID: some(b.Org), Message: some(b.Message), Engine: some(b.Engine)}
		if full {
			block.Guard, block.Pattern, block.Condition = some(b.Guard), some(b.Pattern), some(b.Condition)
		}
		return block
	})
	if e.Code == authz.MissingPermission || e.Code == authz.NotAMember {
		out.Missing = []string{e.Permission}
	}
	return out
}

func newPath(p authz.Path) Path {
	return Path{p.Scope, p.Key, p.Role, some(p.Via), p.Pattern, some(p.Condition), p.ExpiresAt, p.Code}
}

func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func mapped[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

// said is what a refusal tells people.
func said(err error) string { return apperr.Of(err).Message }
