// Package authzen speaks the OpenID AuthZEN Authorization API 1.0: its words become questions of package check, and the answers
// its words.
package authzen

import (
	"github.com/admit-dev/admit/internal/apperr"
)

// ErrRequest is a request that the specification does not know.
var ErrRequest = apperr.New(apperr.Malformed, "authzen_request_invalid", "This is no request of the AuthZEN Authorization API 1.0.")

// Subject is who wants to do something.
type Subject struct {
	Type       string         `json:"type,omitempty" example:"user" doc:"user"`
	ID         string         `json:"id,omitempty" doc:"usr_…; not read where subjects are searched."`
	Properties map[string]any `json:"properties,omitempty" doc:"What conditions read as context.subject."`
	_          struct{}       `additionalProperties:"true"`
}

// Action is what they want to do.
type Action struct {
	Name       string         `json:"name,omitempty" example:"post_job" doc:"A permission."`
	Properties map[string]any `json:"properties,omitempty" doc:"What conditions read as context.action."`
	_          struct{}       `additionalProperties:"true"`
}

// Resource is what they want to do it with.
type Resource struct {
	Type       string         `json:"type,omitempty" example:"org" doc:"org, or a type of your own."`
	ID         string         `json:"id,omitempty" doc:"Of an org its id or slug; not read where resources are searched."`
	Properties map[string]any `json:"properties,omitempty" doc:"What conditions read as resource, beside type and id; org_id says which organization a resource of another type belongs to."`
	_          struct{}       `additionalProperties:"true"`
}

// Tuple is one question.
type Tuple struct {
	Subject  *Subject       `json:"subject,omitempty"`
	Action   *Action        `json:"action,omitempty"`
	Resource *Resource      `json:"resource,omitempty"`
	Context  map[string]any `json:"context,omitempty" doc:"What conditions read as context."`
}

// Evaluation is the request for one decision.
type Evaluation struct {
	Tuple
	_ struct{} `additionalProperties:"true"`
}

// Evaluations is the request for several decisions; what stands outside the list is the default of each.
type Evaluations struct {
	Tuple
	Evaluations []Evaluation `json:"evaluations,omitempty" maxItems:"1000"`
	Options     *Options     `json:"options,omitempty"`
	_           struct{}     `additionalProperties:"true"`
}

// Options says how several questions are answered.
type Options struct {
	Semantic string   `json:"evaluations_semantic,omitempty" enum:"execute_all,deny_on_first_deny,permit_on_first_permit"`
	_        struct{} `additionalProperties:"true"`
}

// Search is the request for everybody who, everything that or every action which would be permitted.
type Search struct {
	Tuple
	Page *Page    `json:"page,omitempty"`
	_    struct{} `additionalProperties:"true"`
}

// Page asks for a part of the results.
type Page struct {
	Token string   `json:"token,omitempty" doc:"next_token of the part before."`
	Limit int      `json:"limit,omitempty" minimum:"1" maximum:"1000"`
	_     struct{} `additionalProperties:"true"`
}

// Decision is the answer to one question.
type Decision struct {
	Decision bool    `json:"decision"`
	Context  *Reason `json:"context,omitempty"`
}

// Reason says why.
type Reason struct {
	Code        string            `json:"code,omitempty" doc:"The code of the decision."`
	Revision    string            `json:"revision,omitempty" doc:"The revision it was made at."`
	ReasonUser  map[string]string `json:"reason_user,omitempty" doc:"By language."`
	ReasonAdmin map[string]string `json:"reason_admin,omitempty" doc:"By language; for holders of sys:authz:explain."`
	Error       *Fault            `json:"error,omitempty" doc:"What is wrong with this question."`
}

// Fault is an error of one question among several.
type Fault struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// Decisions is the answers to several questions, in their order; or the one answer where no list was sent.
type Decisions struct {
	Decision    *bool      `json:"decision,omitempty"`
	Context     *Reason    `json:"context,omitempty"`
	Evaluations []Decision `json:"evaluations,omitempty"`
}

// Found is a part of the results of a search.
type Found struct {
	Results []Result `json:"results"`
	Page    NextPage `json:"page"`
	Context *Reason  `json:"context,omitempty"`
}

// Result is a subject, a resource or an action.
type Result struct {
	Type string `json:"type,omitempty"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty" doc:"Of an action."`
}

// NextPage leads to the next part.
type NextPage struct {
	NextToken string `json:"next_token" doc:"Empty at the end."`
	Count     int    `json:"count"`
}

// Metadata is what a client can discover.
type Metadata struct {
	PolicyDecisionPoint string `json:"policy_decision_point"`
	Evaluation          string `json:"access_evaluation_endpoint"`
	Evaluations         string `json:"access_evaluations_endpoint"`
	SearchSubject       string `json:"search_subject_endpoint"`
	SearchResource      string `json:"search_resource_endpoint"`
	SearchAction        string `json:"search_action_endpoint"`
}

// NewMetadata is that of the server at base.
func NewMetadata(base string) Metadata {
	at := base + "/access/v1/"
	return Metadata{base, at + "evaluation", at + "evaluations", at + "search/subject", at + "search/resource", at + "search/action"}
}
