package admin

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/admit-dev/admit/internal/pages"
	"github.com/admit-dev/admit/internal/theme"
)

// themePage is a theme that is tried: how pages would look, what was corrected, and the settings that make it so.
type themePage struct {
	Colours     []string // their names in the form
	Stylesheet  string   // of the preview
	Corrections []theme.Correction
	Settings    string // lines of an .env
}

var themeColours = []string{"accent", "background", "surface", "text"}

func (s *admin) mountTheme(mux *http.ServeMux) {
	s.Handle(mux, "GET /admin/theme", pages.Person, s.showTheme)
	s.Handle(mux, "GET /admin/theme.css", pages.Person, s.sendTheme)
}

// tried is the theme that the address tells of, where it can be one. What it does not tell of is as the server has it.
func (s *admin) tried(v *pages.Visit) (theme.Config, []pages.Fault, error) {
	own := s.app.Config.Theme
	if _, err := s.app.Settings(v, v.Caller()); err != nil {
		return own, nil, err
	}
	c := own
	var faults []pages.Fault
	for i, setting := range []*string{&c.Accent, &c.Background, &c.Surface, &c.Text} {
		light, dark := theme.Pair(*setting)
		v.Set(themeColours[i], cmp.Or(v.Asked(themeColours[i]), light))
		v.Set(themeColours[i]+"_dark", cmp.Or(v.Asked(themeColours[i]+"_dark"), dark))
		if *setting = v.Typed(themeColours[i]); *setting != v.Typed(themeColours[i]+"_dark") {
			*setting += "," + v.Typed(themeColours[i]+"_dark")
		}
	}
	v.Set("radius", cmp.Or(v.Asked("radius"), strconv.Itoa(c.Radius)))
	var err error
	if c.Radius, err = strconv.Atoi(v.Typed("radius")); err != nil || c.Radius < 0 || c.Radius > 24 {
		faults = append(faults, pages.Fault{Field: "radius", Message: v.T("admin-theme.bad_radius")})
	}
	if v.R.URL.Query().Has("font") {
		c.Font = v.Asked("font")
	}
	v.Set("font", c.Font)
	if err := c.Check(false); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			faults = append(faults, pages.Fault{Message: line})
		}
	}
	if len(faults) > 0 {
		return own, faults, nil
	}
	return c, nil, nil
}

func (s *admin) showTheme(v *pages.Visit) error {
	c, faults, err := s.tried(v)
	if err != nil {
		return err
	}
	p := themePage{Colours: themeColours, Stylesheet: "/admin/theme.css?" + v.R.URL.RawQuery, Corrections: c.Corrections()}
	p.Settings = fmt.Sprintf("THEME_ACCENT=%s\nTHEME_BACKGROUND=%s\nTHEME_SURFACE=%s\nTHEME_TEXT=%s\nTHEME_RADIUS_PX=%d\nTHEME_FONT=%s\n",
		c.Accent, c.Background, c.Surface, c.Text, c.Radius, c.Font)
	show := func(v *pages.Visit) error { return s.show(v, s.theme, atTheme, v.T("admin.theme"), p) }
	if len(faults) > 0 {
		v.Form.Faults = faults
		return v.Refused(http.StatusUnprocessableEntity, show)
	}
	return show(v)
}

func (s *admin) sendTheme(v *pages.Visit) error {
	c, _, err := s.tried(v)
	if err != nil {
		return err
	}
	v.W.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, err = io.WriteString(v.W, c.Preview())
	return err
}
