package admin

import (
	"net/http"
	"strings"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/token"
)

// healthPage is what was found of the server.
type healthPage struct {
	Checks   []app.Check
	Services bool // those elsewhere were asked too
}

// settingsPage is the settings, by what they are about.
type settingsPage struct {
	Production bool
	Groups     []settingsGroup
	Given      bool // only those that somebody set
	Open       bool // something is looked for
}

type settingsGroup struct {
	Name     string
	Settings []config.Setting
}

// keysPage is the signing keys, and whether the visitor may rotate them.
type keysPage struct {
	rights
	Keys   []token.Key
	Shared bool // ACCESS_SECRET signs
}

func (s *admin) mountServer(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin/health", pages.Person, s.showHealth)
	s.Handle(mux, "GET /admin/settings", pages.Person, s.showSettings)
	s.Handle(mux, "GET /admin/methods", pages.Person, s.showMethods)
	s.Handle(mux, "GET /admin/keys", pages.Person, s.showKeys)
	s.Handle(mux, "POST /admin/keys/rotate", pages.Person, func(v *pages.Visit) error {
		if err := s.app.RotateKeys(v, v.Caller()); err != nil {
			return v.Retry(err, s.showKeys)
		}
		return v.Tell("keys_rotated", atKeys)
	})
}

func (s *admin) showHealth(v *pages.Visit) error {
	services := v.Asked("services") != ""
	list, err := s.app.Examine(v, v.Caller(), services)
	if err != nil {
		return err
	}
	return s.show(v, s.health, atHealth, v.T("admin.health"), healthPage{list, services})
}

func (s *admin) showSettings(v *pages.Visit) error {
	r, err := s.app.Settings(v, v.Caller())
	if err != nil {
		return err
	}
	p := settingsPage{Production: r.Production, Given: v.Asked("given") != ""}
	text := strings.ToLower(v.Asked("q"))
	v.Set("q", text)
	p.Open = p.Given || text != ""
	for _, one := range r.Settings {
		if p.Given && one.From == "default" || !strings.Contains(strings.ToLower(one.Name+" "+one.Doc), text) {
			continue
		}
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Name != one.Group {
			p.Groups = append(p.Groups, settingsGroup{Name: one.Group})
		}
		last := &p.Groups[len(p.Groups)-1]
		last.Settings = append(last.Settings, one)
	}
	return s.show(v, s.settings, atSettings, v.T("admin.settings"), p)
}

func (s *admin) showMethods(v *pages.Visit) error {
	list, err := s.app.Ways(v, v.Caller())
	if err != nil {
		return err
	}
	return s.show(v, s.methods, atMethods, v.T("admin.methods"), list)
}

func (s *admin) showKeys(v *pages.Visit) error {
	list, err := s.app.Keys(v, v.Caller())
	if err != nil {
		return err
	}
	p := keysPage{rights{s, v}, list, len(list) > 0 && list[0].Since.IsZero()}
	return s.show(v, s.keys, atKeys, v.T("admin.keys"), p)
}
