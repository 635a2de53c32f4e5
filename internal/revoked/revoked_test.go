package revoked

import "testing"

// Verifiers in other languages make the same marks: their tests hold the same.
func TestMarks(t *testing.T) {
	if a, b := Session("ses_1"), Rights("org_1", "usr_1"); a != "VLai6aSh3cYhraXfXcfhuA" || b != "r82VlWnlmoSUfgxicBHdQw" {
		t.Error(a, b)
	}
}
