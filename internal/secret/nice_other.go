//go:build !linux

package secret

// lower does nothing where threads have no priority of their own.
func lower() {}
