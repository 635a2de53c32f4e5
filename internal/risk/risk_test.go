package risk

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/testkit/geoip"
)

// The strongest of what is asked counts, and what is off is not looked at.
func TestVerdicts(t *testing.T) {
	v := Verdict{}.add(Notify, Bot, "one").add(Off, Velocity, "two").add(StepUp, Travel, "three").add(Challenge, NewDevice, "four").add(Block, Fixation, "")
	if v.Outcome != StepUp || len(v.Reasons) != 3 || v.Has(Velocity) || !v.Asks(Challenge) || !v.Asks(StepUp) || v.Asks(Block) {
		t.Errorf("%+v", v)
	}
	if less := v.AtMost(Notify); less.Outcome != Notify || less.Asks(Challenge) || less.Asks(StepUp) || len(less.Reasons) != 3 {
		t.Errorf("%+v", less)
	}
}

func TestTravel(t *testing.T) {
	berlin, leipzig, tokyo := Place{Located: true, Latitude: 52.52, Longitude: 13.40}, Place{Located: true, Latitude: 51.34, Longitude: 12.37}, Place{Located: true, Latitude: 35.68, Longitude: 139.69}
	if km := distance(berlin, tokyo); km < 8900 || km > 8950 {
		t.Errorf("%.0f km from Berlin to Tokyo", km)
	}
	near := tokyo
	near.RadiusKM = 9000
	for name, c := range map[string]struct {
		from, to Place
		took     time.Duration
		unusual  bool
	}{
		"an hour":               {berlin, tokyo, time.Hour, true},
		"at once":               {berlin, tokyo, 0, true},
		"back":                  {tokyo, berlin, 8 * time.Hour, true},
		"an airliner":           {berlin, tokyo, 10 * time.Hour, false},
		"the next town at once": {berlin, leipzig, 0, false},
		"the same place":        {berlin, berlin, 0, false},
		"unknown":               {Place{}, tokyo, 0, false},
		"to the unknown":        {berlin, Place{}, 0, false},
		"not quite known":       {berlin, near, 0, false},
	} {
		if why := travel(c.from, c.to, c.took); (why != "") != c.unusual {
			t.Errorf("%s: %q", name, why)
		}
	}
}

// What networks do is counted for an hour, within bounds whatever they do.
func TestWatch(t *testing.T) {
	at := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	w := newWatch()
	for i := range 100 {
		w.count(at, whatFailed, []string{"a", "b"}, fmt.Sprint("name ", i%7))
	}
	w.count(at, whatSigned, []string{"a"}, "")
	if did, names := w.counted(at.Add(45*time.Minute), whatFailed, []string{"a", "b", "c"}); fmt.Sprint(did) != "[100 100 0]" || names != 7 {
		t.Errorf("%v, %d names", did, names)
	}
	if did, _ := w.counted(at.Add(45*time.Minute), whatSigned, []string{"a"}); did[0] != 1 {
		t.Errorf("%v", did)
	}
	if did, names := w.counted(at.Add(2*time.Hour), whatFailed, []string{"a"}); did[0] != 0 || names != 0 {
		t.Errorf("%v, %d names after two hours", did, names)
	}
	for i := range 3 * mostKeys {
		w.count(at.Add(2*time.Hour), whatFailed, []string{fmt.Sprint(i)}, fmt.Sprint(i))
	}
	if n := len(w.now) + len(w.before); n > 2*mostKeys {
		t.Errorf("%d networks are kept", n)
	}
}

// A database that is none ends the start; one that is replaced is read, and one that is broken later leaves what there was.
func TestGeoIP(t *testing.T) {
	path := filepath.Join(t.TempDir(), "geo.mmdb")
	open := func() (*Service, error) {
		return Open(Config{GeoIP: []string{path}}, true, time.Now, slog.New(slog.DiscardHandler))
	}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "GEOIP_DATABASE") {
		t.Errorf("a file that is not there: %v", err)
	}
	write := func(content []byte, at time.Time) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte("no database"), time.Unix(1, 0))
	if _, err := open(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is no database: %v", err)
	}
	good, err := os.ReadFile(geoip.Write(t))
	if err != nil {
		t.Fatal(err)
	}
	write(good, time.Unix(2, 0))
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	write([]byte("broken"), time.Unix(3, 0))
	s.geo.reload(s.log)
	if p := s.geo.find(geoip.Tokyo); p.Country != "JP" || !p.Located || p.ASN != 0 {
		t.Errorf("%+v", p)
	}
	if p := s.geo.find("::ffff:198.51.3.4"); p.ASN != 64500 || p.Located {
		t.Errorf("%+v", p)
	}
	if p := s.geo.find("no address"); p != (Place{}) {
		t.Errorf("%+v", p)
	}
	other, err := Open(Config{}, true, time.Now, slog.New(slog.DiscardHandler))
	if err != nil || other.geo.find(geoip.Tokyo) != (Place{}) {
		t.Errorf("without a database: %v", err)
	}
	write(good, time.Unix(4, 0))
	if changed, err := s.geo.files[0].read(); !changed || err != nil {
		t.Errorf("one that changed is not read: %v", err)
	}
}

// With every signal off there is nothing to count, to look up or to keep, whatever is known.
func TestOff(t *testing.T) {
	s, err := Open(Config{NewDevice: Off, Travel: Off, Velocity: Off, Stuffing: Off, Bot: Off, Fixation: Off, Failures: 1, SignUps: 1, Names: 1, GeoIP: []string{geoip.Write(t)}}, true, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx := database.WithOrigin(t.Context(), &database.Origin{IP: geoip.Tokyo, UserAgent: "HeadlessChrome"})
	s.Failed(ctx, "a name")
	for what, v := range map[string]Verdict{"door": s.Door(ctx), "sign-up": s.SignUp(ctx), "elsewhere": s.Elsewhere(ctx, Client{Browser: "Firefox", Network: "192.0.2.0/24"}),
		"person": s.Person(ctx, Person{Before: true, LastIP: geoip.Berlin, LastAt: time.Now()})} {
		if v.Any() {
			t.Errorf("%s: %+v", what, v)
		}
	}
	if s.watch != nil || s.AsksDevices() || s.Here(ctx) != (Client{}) {
		t.Error("something is counted, asked or kept")
	}
}
