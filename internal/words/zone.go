package words

import (
	"errors"
	"regexp"
	"time"
	_ "time/tzdata" // so that a zone is known on every machine
)

// ErrZone is a time zone that is not there.
var ErrZone = errors.New("there is no such time zone")

// zone is the name of a time zone of the IANA database. What else lies beside zones on some machines begins small.
var zone = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+/-]{0,63}$`)

// ParseZone finds a time zone by its name in the IANA database.
func ParseZone(name string) (*time.Location, error) {
	if !zone.MatchString(name) || name == "Local" {
		return nil, ErrZone
	}
	at, err := time.LoadLocation(name)
	if err != nil {
		return nil, ErrZone
	}
	return at, nil
}

// Zone is the time zone of a name, UTC where that is none.
func Zone(name string) *time.Location {
	at, err := ParseZone(name)
	if err != nil {
		return time.UTC
	}
	return at
}
