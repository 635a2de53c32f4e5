// Package place says which organization a request is about. The library and the client give it to their users under their own names.
package place

import "net/http"

// Place is the id or slug of an organization. "" is none, and asks about the whole platform.
type Place func(*http.Request) string

// FromPath takes it from a wildcard of the route's pattern, as in /orgs/{org}/jobs.
func FromPath(name string) Place {
	return func(r *http.Request) string { return named(r.PathValue(name)) }
}

// FromQuery takes it from a parameter of the query.
func FromQuery(name string) Place {
	return func(r *http.Request) string { return named(r.URL.Query().Get(name)) }
}

// named keeps a name that was forgotten from meaning the platform: no organization is called so.
func named(org string) string {
	if org == "" {
		return "-"
	}
	return org
}
