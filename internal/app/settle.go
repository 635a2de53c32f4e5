package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/secret"
)

// DatabaseFile is the SQLite file that cfg leads to, "" when the store is another.
func DatabaseFile(cfg config.Config) string {
	if cfg.Database.URL == "" {
		return filepath.Join(cfg.Server.DataDir, "admit.db")
	}
	return cfg.Database.File()
}

// KeyFile is where the generated root key is kept, "" when cfg names a key or may not have one generated.
func KeyFile(cfg config.Config) string {
	if cfg.Server.RootKey.Reveal() != "" || cfg.Production() {
		return ""
	}
	return filepath.Join(cfg.Server.DataDir, "session_secret_key")
}

// settle fills in what need not be said: what follows from the environment and from the parts that are off, and in development the SQLite file and the root key, both in
// the data directory.
func settle(cfg config.Config) (config.Config, error) {
	if cfg.Password.Common == "auto" {
		cfg.Password.Common = "warn"
		if cfg.Production() {
			cfg.Password.Common = "refuse"
		}
	}
	if !cfg.Parts.On(part.Impersonation) {
		cfg.Impersonation.Minutes = 0
	}
	if !cfg.Parts.On(part.Pages) {
		cfg.Social.Development = "off" // the one provider that nobody has to enable
	}
	if err := settleStore(&cfg); err != nil {
		return cfg, err
	}
	if cfg.Server.RootKey.Reveal() != "" {
		return cfg, nil
	}
	if cfg.Production() {
		return cfg, errors.New("SESSION_SECRET_KEY is not set: make one with admit keygen")
	}
	key, err := keptKey(KeyFile(cfg))
	cfg.Server.RootKey = secret.String(key)
	return cfg, err
}

func settleStore(cfg *config.Config) error {
	if cfg.Database.URL != "" {
		return nil
	}
	if err := os.MkdirAll(cfg.Server.DataDir, 0o700); err != nil {
		return fmt.Errorf("DATA_DIR cannot be made: %w", err)
	}
	path, err := filepath.Abs(DatabaseFile(*cfg))
	cfg.Database.URL = "sqlite:///" + path
	return err
}

// headFile is where the head of the audit log is kept.
func headFile(cfg config.Config) string { return filepath.Join(cfg.Server.DataDir, "audit_head") }

// keptKey reads the generated root key, or makes it. Of several programs that start at once, all use the same.
func keptKey(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return "", fmt.Errorf("DATA_DIR cannot be made: %w", err)
		}
		if err := drawKey(path); err != nil {
			return "", fmt.Errorf("the generated SESSION_SECRET_KEY cannot be kept: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return "", fmt.Errorf("the generated SESSION_SECRET_KEY cannot be read: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if len(key) < 32 {
		return "", fmt.Errorf("%s holds fewer than 32 characters: delete it to have a new one made, which signs everybody out", path)
	}
	return key, nil
}

// drawKey writes a whole file or none: a link appears at once and fails where there is one already.
func drawKey(path string) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".session_secret_key-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(secret.Hex32() + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	err = os.Link(temp.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil { // a file system without hard links
		return os.Rename(temp.Name(), path)
	}
	return nil
}
