package authz

import "github.com/admit-dev/admit/internal/typo"

// nearest is the one of names that name was probably meant to be, or "". What is longer than any name is not compared.
func nearest(name string, names []string) string {
	if found, near := typo.Nearest(name, names); near && len(name) <= maxSegments*(maxSegment+1) {
		return found
	}
	return ""
}
