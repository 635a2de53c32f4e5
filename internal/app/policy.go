package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/authz/casbinengine"
)

// policy makes the engine that POLICY_ENGINE names. A policy that cannot be used is refused with its line and the reason.
func (a *App) policy() (authz.Policy, error) {
	c := a.Config.Authz
	if c.Engine != "casbin" {
		return authz.Policy{}, nil
	}
	noMatch := authz.Block
	if c.Mode == string(authz.ModeGrant) {
		noMatch = authz.Abstain // what Casbin does not know of, roles decide
	}
	engine, err := casbinengine.Load(casbinengine.Config{Model: c.CasbinModel, Policy: c.CasbinPolicy, NoMatch: noMatch})
	if err != nil {
		return authz.Policy{}, fmt.Errorf("POLICY_ENGINE=casbin: %w", err)
	}
	return authz.Policy{Engine: engine, Mode: authz.Mode(c.Mode)}, nil
}

// declarations is what PERMISSIONS_FILE holds.
type declarations struct {
	Permissions []struct {
		Name        string `json:"name"`
		Title       string `json:"title"`
		Description string `json:"description"`
		AliasOf     string `json:"alias_of"`
		Sensitive   bool   `json:"sensitive"`
		Deprecated  bool   `json:"deprecated"`
	} `json:"permissions"`
	Roles []struct {
		Name        string      `json:"name"`
		Reach       authz.Reach `json:"reach"`
		Permissions []string    `json:"permissions"`
	} `json:"roles"`
}

// declare brings the catalogue up to what the program and PERMISSIONS_FILE say.
func (a *App) declare(ctx context.Context) error {
	if len(a.permissions) > 0 {
		if _, err := a.Authz.Declare(ctx, authz.System, authz.Manifest{App: "program", Permissions: a.permissions, Whole: true}); err != nil {
			return fmt.Errorf("the permissions of the program could not be declared: %w", err)
		}
	}
	path := a.Config.Authz.File
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("PERMISSIONS_FILE: %w", err)
	}
	var d declarations
	if err := readJSON(text, &d); err != nil {
		return fmt.Errorf("PERMISSIONS_FILE %s: %w", path, err)
	}
	if err := a.declareFile(ctx, d); err != nil {
		return fmt.Errorf("PERMISSIONS_FILE %s: %w", path, err)
	}
	return nil
}

func (a *App) declareFile(ctx context.Context, d declarations) error {
	m := authz.Manifest{App: "file", Whole: true}
	for _, p := range d.Permissions {
		m.Permissions = append(m.Permissions, authz.Permission{Name: p.Name, Title: p.Title, Description: p.Description, AliasOf: p.AliasOf, Sensitive: p.Sensitive, Deprecated: p.Deprecated})
	}
	if _, err := a.Authz.Declare(ctx, authz.System, m); err != nil {
		return err
	}
	for _, r := range d.Roles {
		if err := a.Authz.EnsureGlobalRole(ctx, r.Name, r.Reach, r.Permissions); err != nil {
			return fmt.Errorf("role %q: %w", r.Name, err)
		}
	}
	return nil
}

// readJSON reads one whole object and says at which line it cannot.
func readJSON(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil && dec.More() {
		err = errors.New("it goes on after its end")
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:min(int(dec.InputOffset()), len(text))], []byte("\n")), err)
}
