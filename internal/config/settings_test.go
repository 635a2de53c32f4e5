package config_test

import (
	"testing"

	"github.com/admit-dev/admit/internal/config"
)

// The settings of Admit leave alone what other programs call theirs: a first start has nothing to warn of.
func TestCommonEnvironmentIsQuiet(t *testing.T) {
	var c config.Config
	report, err := config.Load(&c, config.Source{Environ: []string{"SSL_CERT_FILE=/etc/ssl/ca.pem", "SSL_CERT_DIR=/etc/ssl", "HOSTNAME=box", "PATH=/bin", "HOME=/root", "LANG=C.UTF-8",
		"PWD=/srv", "SHELL=/bin/sh", "TERM=xterm", "USER=ann", "GOPROXY=off", "GOFLAGS=", "CI=true", "DEBIAN_FRONTEND=noninteractive", "NODE_ENV=production", "PORT=80", "HOST=box"}})
	if err != nil || len(report.Warnings) > 0 {
		t.Fatal(report.Warnings, err)
	}
}
