package risk

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Place is what is known of an address.
type Place struct {
	Country   string // ISO 3166
	ASN       uint   // the number of its provider, 0 when it is not known
	Located   bool   // whether what follows is known
	Latitude  float64
	Longitude float64
	RadiusKM  uint16 // how far off that may be
}

// record is what is read of a database, of whichever kind: fields that one does not have stay as they are.
type record struct {
	Country struct {
		ISO string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
		Radius    uint16   `maxminddb:"accuracy_radius"`
	} `maxminddb:"location"`
	ASN uint `maxminddb:"autonomous_system_number"`
}

// file is one database, as it was read last.
type file struct {
	path   string
	reader atomic.Pointer[maxminddb.Reader]
	size   int64
	at     time.Time
}

// geo finds where addresses are. A nil geo knows none.
type geo struct{ files []*file }

func openGeo(paths []string) (*geo, error) {
	g := &geo{}
	var faults []error
	for _, path := range paths {
		f := &file{path: path}
		if _, err := f.read(); err != nil {
			faults = append(faults, fmt.Errorf("GEOIP_DATABASE: %s cannot be read: %w. Name a file in the format of MaxMind, which ends in .mmdb", path, err))
		}
		g.files = append(g.files, f)
	}
	return g, errors.Join(faults...)
}

// read reads the file if it is not the one that was read last. It is read whole, so that whoever replaces it pulls nothing away.
func (f *file) read() (changed bool, err error) {
	info, err := os.Stat(f.path)
	if err != nil || info.Size() == f.size && info.ModTime().Equal(f.at) {
		return false, err
	}
	content, err := os.ReadFile(f.path)
	if err != nil {
		return false, err
	}
	r, err := maxminddb.OpenBytes(content)
	if err != nil {
		return false, err
	}
	f.reader.Store(r)
	f.size, f.at = info.Size(), info.ModTime()
	return true, nil
}

// reload reads what has changed. What cannot be read leaves what there is.
func (g *geo) reload(log *slog.Logger) {
	for _, f := range g.files {
		switch changed, err := f.read(); {
		case err != nil:
			log.Warn("a GEOIP_DATABASE that changed cannot be read; the one before goes on to count", "file", f.path, "err", err)
		case changed:
			log.Info("a GEOIP_DATABASE that changed was read", "file", f.path)
		}
	}
}

// find is what all databases know of an address together.
func (g *geo) find(ip string) (p Place) {
	addr, err := netip.ParseAddr(ip)
	if err != nil || len(g.files) == 0 {
		return p
	}
	for _, f := range g.files {
		var r record
		if f.reader.Load().Lookup(addr.Unmap().WithZone("")).Decode(&r) != nil {
			continue
		}
		if r.Country.ISO != "" {
			p.Country = r.Country.ISO[:min(len(r.Country.ISO), 2)]
		}
		if r.ASN != 0 {
			p.ASN = r.ASN
		}
		if r.Location.Latitude != nil && r.Location.Longitude != nil {
			p.Located, p.Latitude, p.Longitude, p.RadiusKM = true, *r.Location.Latitude, *r.Location.Longitude, r.Location.Radius
		}
	}
	return p
}
