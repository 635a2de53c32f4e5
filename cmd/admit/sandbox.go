package main

import (
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/sandbox"
)

// throwaway readies settings for a server that is there for tests, and refuses what belongs to one that is not: a secret that somebody gave,
// a store or a service elsewhere, an address that others reach. The host of a flag was typed for this one start.
func throwaway(cfg *config.Config, report *config.Report, typedHost bool) error {
	if cfg.Production() {
		return cli.Refuse(cli.ExitUsage, "--test is not for production. Unset ENVIRONMENT, or leave --test out.")
	}
	elsewhere := map[string]bool{"DATABASE_URL": true, "REDIS_URL": true, "SMTP_HOST": true, "SMS_PROVIDER": true}
	var given []string
	for _, s := range report.Settings {
		if s.Given && s.Value != "" && (s.Secret || elsewhere[s.Name]) {
			given = append(given, s.Name+" ("+s.From+")")
		}
		if s.Name == "RATE_LIMIT" && !s.Given {
			cfg.RateLimit.RateLimit = "off"
		}
	}
	if len(given) > 0 {
		return cli.Refuse(cli.ExitUsage, "--test keeps nothing and reaches nobody, so it takes no secret and no address of a store or a service. Unset these: %s.", strings.Join(given, ", "))
	}
	u, err := url.Parse(cfg.Web.BaseURL)
	if err != nil || !onThisMachine(u.Hostname()) {
		return cli.Refuse(cli.ExitUsage, "--test is for this machine alone, and BASE_URL is %s. Unset it.", cfg.Web.BaseURL)
	}
	if host, _, _ := net.SplitHostPort(cfg.Server.Addr); !typedHost && !onThisMachine(host) {
		return cli.Refuse(cli.ExitUsage, "--test is for this machine alone, and ADDR is %s. Unset it, or give the address with --host if others have to reach it.", cfg.Server.Addr)
	}
	return nil
}

// readSeed reads the file of --seed.
func readSeed(name string) (seed sandbox.Seed, err error) {
	if name == "" {
		return seed, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return seed, cli.Refuse(cli.ExitUsage, "--seed: %s.", err)
	}
	defer func() { _ = f.Close() }()
	if seed, err = sandbox.ReadSeed(f); err != nil {
		_, said := cli.Judge(err)
		return seed, cli.Refuse(cli.ExitUsage, "%s is not a seed, as docs/testing.md shows it: %s", name, said)
	}
	return seed, nil
}

// onThisMachine reports whether a host is this machine, by its address or by a name that is never another's (RFC 6761).
func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".test")
}
