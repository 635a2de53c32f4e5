package passkey

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// Each line of the list is an AAGUID and a name; nothing else has a name.
func TestProviders(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(providers), "\n")
	if !slices.IsSorted(lines) || len(slices.Compact(slices.Clone(lines))) != len(lines) {
		t.Error("the list is not sorted")
	}
	for _, line := range lines {
		id, name, _ := strings.Cut(line, " ")
		raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
		if err != nil || name == "" || name != strings.TrimSpace(name) || len(id) != 36 || providerOf(raw) != name {
			t.Errorf("%q: %v %q", line, err, providerOf(raw))
		}
		if _, err := parseName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, unknown := range [][]byte{nil, make([]byte, 16), make([]byte, 15), []byte("0123456789abcdef")} {
		if name := providerOf(unknown); name != "" {
			t.Errorf("%x is %q", unknown, name)
		}
	}
}
