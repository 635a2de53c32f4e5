package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// String is a configured secret that shows itself as *** wherever it is printed, logged or encoded; only Reveal gives it away.
type String string

// Reveal gives the secret itself.
func (s String) Reveal() string { return string(s) }

// String gives ***, or nothing when there is no secret.
func (s String) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret from %#v.
func (s String) GoString() string { return s.String() }

// Format hides the secret from every verb of package fmt.
func (s String) Format(f fmt.State, _ rune) {
	// Without it a verb that does not fit, such as %d, would print the value beside the complaint.
	io.WriteString(f, s.String())
}

// LogValue hides the secret from slog.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON hides the secret from encoding/json.
func (s String) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText hides the secret from every other encoder.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets the secret.
func (s *String) UnmarshalText(text []byte) error {
	*s = String(text)
	return nil
}
