// Package typo guesses what a name that is not known was probably meant to be.
package typo

import "strings"

// Nearest finds the one of names that name was probably meant to be: at most two slips of the finger away, one if it is short.
func Nearest(name string, names []string) (string, bool) {
	best, slips := Closest(name, names)
	short := min(len(name), len(best))
	switch {
	case best == "" || short < 3:
		return "", false
	case short < 6:
		return best, slips <= 1
	}
	return best, slips <= 2
}

// Closest is the closest of names, however far it is, and how many slips away. The alphabet decides between equals, so that the
// answer is always the same.
func Closest(name string, names []string) (best string, slips int) {
	name = strings.ToUpper(name)
	for _, n := range names {
		d := distance(name, strings.ToUpper(n))
		if best == "" || d < slips || d == slips && n < best {
			best, slips = n, d
		}
	}
	return best, slips
}

// distance is Damerau-Levenshtein's: letters added, lost, changed, or swapped with their neighbour. From 3 on it only says "far".
func distance(a, b string) int {
	const far = 3
	if len(a)-len(b) >= far || len(b)-len(a) >= far {
		return far
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], far)
}
