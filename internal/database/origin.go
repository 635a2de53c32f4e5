package database

import (
	"context"
	"strings"
)

// Origin is where a change comes from. It rides in the context and is stamped on every event that a Write emits.
type Origin struct {
	Actor     string // who acts: usr_…, key_…, "cli", or "" for a stranger
	Behalf    string // in whose name the actor acts, if not in their own; it stands in the data of events
	Session   string // ses_… of the actor, if there is one
	Org       string // org_… the request is about, if any
	IP        string // address of the client, as far as trusted proxies can tell
	UserAgent string // at most 400 bytes, printable
	RequestID string
	Device    string // the secret that the client's device is known by, if it sent one; on no event
	Language  string // what the client would like to read, as Accept-Language says it; on no event
}

// behalf adds to the facts of an event, a JSON object, in whose name it was done.
func (o *Origin) behalf(data string) string {
	switch {
	case o.Behalf == "":
		return data
	case data == "{}":
		return `{"on_behalf_of":"` + o.Behalf + `"}`
	}
	return strings.TrimSuffix(data, "}") + `,"on_behalf_of":"` + o.Behalf + `"}`
}

type originKey struct{}

// WithOrigin returns a context that carries o. The pointer may be completed later in the request, when the actor is known.
func WithOrigin(ctx context.Context, o *Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf is the origin ctx carries. It is never nil.
func OriginOf(ctx context.Context) *Origin {
	if o, ok := ctx.Value(originKey{}).(*Origin); ok {
		return o
	}
	return &Origin{}
}
