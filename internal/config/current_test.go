package config_test

import (
	"testing"

	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/testkit"
)

func TestConfigReferenceIsCurrent(t *testing.T) {
	testkit.Current(t, "docs/config.md", config.Markdown(config.Config{}))
}

func TestEnvExampleIsCurrent(t *testing.T) {
	testkit.Current(t, ".env.example", config.EnvExample(config.Config{}))
}
