// Package interop holds Admit to servers that are not ours. It is a module of its own, so that they are no dependency of it.
package interop
