package authz

// nearest is the one of names that name was probably meant to be, or "": two slips of the finger away, one if it is short.
func nearest(name string, names []string) string {
	best, slips := "", 3
	if len(name) < 6 {
		slips = 2
	}
	if len(name) < 3 || len(name) > maxSegments*(maxSegment+1) {
		return ""
	}
	for _, n := range names {
		if d := distance(name, n, slips); d < slips || d == slips && best != "" && n < best {
			best, slips = n, d
		}
	}
	return best
}

// distance is Damerau-Levenshtein's. From far on it only says that it is far.
func distance(a, b string, far int) int {
	if len(a)-len(b) > far || len(b)-len(a) > far {
		return far + 1
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
	return last[len(b)]
}
