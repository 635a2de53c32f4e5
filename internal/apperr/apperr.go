// Package apperr is how every part of Admit refuses: a kind, a stable code and a sentence. It knows no HTTP.
package apperr

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is the little an edge needs to know of a refusal. One table in package web maps it to a status.
type Kind string

// The kinds of refusal.
const (
	Malformed       Kind = "malformed"       // the request cannot be read
	Invalid         Kind = "invalid"         // it can be read, and a value in it is not acceptable
	Unauthenticated Kind = "unauthenticated" // who is asking has not been shown
	Forbidden       Kind = "forbidden"       // known, and not allowed
	NotFound        Kind = "not_found"       // there is no such thing, or it may not be known that there is
	Conflict        Kind = "conflict"        // somebody was first
	Stale           Kind = "stale"           // it has changed since it was read
	TooLarge        Kind = "too_large"       // more than is accepted
	Unsupported     Kind = "unsupported"     // a media type that is not understood
	TooMany         Kind = "too_many"        // wait a little
	Unavailable     Kind = "unavailable"     // a dependency is ill; try again
	Internal        Kind = "internal"        // our fault; never shown
)

// Error is a refusal. Each is declared once with New, beside the rule that gives it.
type Error struct {
	Kind       Kind
	Code       string        // stable, for programs: email_taken
	Message    string        // for people: what happened and what to do
	Fields     []Field       // the input fields at fault, if any
	RetryAfter time.Duration // how long to wait, 0 when unknown
	cause      error
}

// Field is one input field at fault.
type Field struct {
	Name    string
	Message string
}

// Error gives the code, the message and, when there is one, the cause.
func (e *Error) Error() string {
	s := e.Code + ": " + e.Message
	for _, f := range e.Fields {
		if f.Message != e.Message {
			s += " " + f.Name + ": " + f.Message
		}
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is lets errors.Is find a declared refusal after In, Wait or Because have added to it.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// In names the input field at fault.
func (e Error) In(field string) *Error {
	e.Fields = []Field{{field, e.Message}}
	return &e
}

// Wait says how long until it is worth trying again.
func (e Error) Wait(d time.Duration) *Error {
	e.RetryAfter = d
	return &e
}

// Because keeps what caused the refusal. It is logged and never shown.
func (e Error) Because(cause error) *Error {
	e.cause = cause
	return &e
}

var declared = map[string]*Error{}

// New declares a refusal in a package variable. A code is declared once in the program.
func New(kind Kind, code, message string) *Error {
	if declared[code] != nil {
		panic(fmt.Sprintf("apperr: %s is declared twice", code))
	}
	e := &Error{Kind: kind, Code: code, Message: message}
	declared[code] = e
	return e
}

// All is every declared refusal, by code: the catalogue docs/errors.md is generated from.
func All() []*Error {
	var list []*Error
	for _, e := range declared {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *Error) int { return cmp.Compare(a.Code, b.Code) })
	return list
}

// ErrInternal is what a caller sees of an error that is nobody's refusal.
var ErrInternal = New(Internal, "internal", "Something went wrong on our side. Nothing was changed. Try again; if it keeps happening, tell us the request id.")

// ErrInvalid gathers several fields at fault.
var ErrInvalid = New(Invalid, "invalid_request", "Some of what was sent cannot be accepted.")

// Of finds the refusal in err; an error that holds none is an ErrInternal with err as its cause.
func Of(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return ErrInternal.Because(err)
}

// Fields joins the refusals of several input fields into one. Errors that are nil are passed over; one that is not
// about a field is returned as it is. A single refusal keeps its own code.
func Fields(errs ...error) error {
	var found []*Error
	for _, err := range errs {
		if err == nil {
			continue
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || len(e.Fields) == 0 {
			return err
		}
		found = append(found, e)
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return found[0]
	}
	all := *ErrInvalid
	var said []string
	for _, e := range found {
		all.Fields = append(all.Fields, e.Fields...)
		said = append(said, e.Message)
	}
	all.Message = strings.Join(said, " ")
	return &all
}

// Say gives the refusal other words for this occasion; its code and fields stay.
func (e Error) Say(message string) *Error {
	e.Message = message
	fields := make([]Field, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = Field{f.Name, message}
	}
	e.Fields = fields
	return &e
}
