// Package tracing says where a server sends what it did for each request: to a collector of OpenTelemetry. The program sends; a library
// brings a provider of its own.
package tracing

import (
	"errors"
	"net/url"
	"strings"

	"github.com/admit-dev/admit/internal/secret"
)

// Config says where traces go.
type Config struct {
	URL     string        `env:"TRACES_URL" doc:"Where traces go by OTLP over HTTP, such as http://localhost:4318. Empty makes none."`
	Headers secret.String `env:"TRACES_HEADERS" secret:"true" doc:"Headers for TRACES_URL, as NAME=VALUE with commas between: what a service wants to know you by."`
	Percent int           `env:"TRACES_SAMPLE_PERCENT" default:"100" min:"0" max:"100" doc:"Of how many requests in a hundred a trace is made that no client began. Those that a client began follow its choice."`
}

// Check names every fault in one error.
func (c Config) Check(bool) error {
	var faults []error
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		faults = append(faults, errors.New("TRACES_URL is no address of a collector; write it as http://localhost:4318"))
	}
	if _, err := c.HeadersByName(); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// HeadersByName reads Headers.
func (c Config) HeadersByName() (map[string]string, error) {
	out := map[string]string{}
	for _, one := range strings.Split(c.Headers.Reveal(), ",") {
		if strings.TrimSpace(one) == "" {
			continue
		}
		name, value, ok := strings.Cut(one, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, errors.New("TRACES_HEADERS is no list of headers; write it as NAME=VALUE,NAME=VALUE")
		}
		out[name] = strings.TrimSpace(value)
	}
	return out, nil
}
