// Package geoip makes a small database of addresses for tests.
package geoip

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// Addresses that are in the database, by where they are.
const (
	Berlin = "81.2.69.1"
	Munich = "81.2.70.1"
	Tokyo  = "133.11.0.1"
)

// Write writes a database that knows these, and that 198.51.0.0/16 is of one provider. It returns its path.
func Write(t testing.TB) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test-City-ASN", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	put := func(network string, value mmdbtype.Map) {
		_, n, err := net.ParseCIDR(network)
		if err == nil {
			err = tree.Insert(n, value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	place := func(country string, latitude, longitude float64) mmdbtype.Map {
		return mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(country)},
			"location": mmdbtype.Map{"latitude": mmdbtype.Float64(latitude), "longitude": mmdbtype.Float64(longitude), "accuracy_radius": mmdbtype.Uint16(50)}}
	}
	put("81.2.69.0/24", place("DE", 52.52, 13.40))
	put("81.2.70.0/24", place("DE", 48.14, 11.58))
	put("133.11.0.0/24", place("JP", 35.68, 139.69))
	put("198.51.0.0/16", mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(64500)})
	path := filepath.Join(t.TempDir(), "test.mmdb")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
