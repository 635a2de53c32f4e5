// Package deploy_test holds the files of this directory to the program: what they set are settings, and production accepts them.
package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/admit-dev/admit/internal/config"
)

// accepted holds that production starts with these settings, with secrets from files in place of those at the end of a deployment.
func accepted(t *testing.T, environ map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, secret := range map[string]string{"SESSION_SECRET_KEY": "9b1d2f60c3a84e75b06f1d8e2a7c94530e6fb8d1c27a4935f0b8e6d4a1c37592", "DATABASE_URL": "postgres://admit:secret@postgres/admit"} {
		if _, asked := environ[name+"_FILE"]; asked {
			environ[name+"_FILE"] = filepath.Join(dir, name)
			if err := os.WriteFile(environ[name+"_FILE"], []byte(secret+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var list []string
	for name, value := range environ {
		list = append(list, name+"="+value)
	}
	var c config.Config
	report, err := config.Load(&c, config.Source{Environ: list})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Production {
		t.Error("it is not production")
	}
	for _, w := range report.Warnings {
		t.Error(w)
	}
	for name := range environ {
		s, known := report.Find(name)
		if !known {
			s, known = report.Find(strings.TrimSuffix(name, "_FILE"))
		}
		if !known || !s.Given {
			t.Errorf("%s is set and no setting", name)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lines is the settings of a file of NAME=value lines.
func lines(t *testing.T, path string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for line := range strings.Lines(read(t, path)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			out[name] = value
		}
	}
	return out
}

func TestComposeForProduction(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Environment map[string]string
			EnvFile     string `yaml:"env_file"`
			Secrets     []string
			ReadOnly    bool `yaml:"read_only"`
		}
		Secrets map[string]struct{ File string }
	}
	if err := yaml.Unmarshal([]byte(read(t, "../compose.prod.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"admit-1", "admit-2"} {
		s := file.Services[name]
		environ := lines(t, "../"+s.EnvFile+".example")
		for n, v := range s.Environment {
			environ[n] = strings.ReplaceAll(v, "${DOMAIN:?is not set, write it into .env}", "auth.example.com")
		}
		accepted(t, environ)
		if !s.ReadOnly || len(s.Secrets) == 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	for name, s := range file.Services {
		for _, secret := range s.Secrets {
			if file.Secrets[secret].File == "" {
				t.Errorf("%s wants the secret %s, which has no file", name, secret)
			}
		}
	}
}

func TestKubernetes(t *testing.T) {
	var kustomization struct{ Resources []string }
	if err := yaml.Unmarshal([]byte(read(t, "kubernetes/kustomization.yaml")), &kustomization); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range kustomization.Resources {
		d := yaml.NewDecoder(strings.NewReader(read(t, "kubernetes/"+name)))
		for {
			var one struct {
				Kind string
				Data map[string]string
			}
			if d.Decode(&one) != nil {
				break
			}
			found[one.Kind] = true
			if one.Kind == "ConfigMap" {
				accepted(t, one.Data)
			}
		}
	}
	for _, kind := range []string{"ConfigMap", "Deployment", "Service", "PodDisruptionBudget", "Ingress"} {
		if !found[kind] {
			t.Errorf("there is no %s", kind)
		}
	}
}

func TestSystemdUnit(t *testing.T) {
	environ := lines(t, "systemd/admit.env")
	environ["SESSION_SECRET_KEY_FILE"] = ""
	accepted(t, environ)
	unit := lines(t, "systemd/admit.service")
	if unit["EnvironmentFile"] != "/etc/admit/admit.env" || unit["ExecStart"] != "/usr/local/bin/admit serve" || !strings.HasPrefix(unit["Environment"], "SESSION_SECRET_KEY_FILE=%d/") {
		t.Error(unit)
	}
}

// The Caddy of Debian understands what stands in front of both servers.
func TestCaddyfile(t *testing.T) {
	if testing.Short() {
		t.Skip("the fast tests start no proxy")
	}
	c := exec.CommandContext(t.Context(), "caddy", "adapt", "--validate", "--config", "compose/Caddyfile", "--adapter", "caddyfile")
	c.Env = append(os.Environ(), "DOMAIN=auth.example.com", "HOME="+t.TempDir())
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
