package pages

import (
	"slices"
	"time"
)

// preferenceLife is how long a browser keeps what was chosen for it.
const preferenceLife = 365 * 24 * time.Hour

// prefer keeps the language and the colours that were chosen at the foot of a page, and leads back to it.
func (s *Site) prefer(v *Visit) error {
	if chosen := v.Typed("language"); slices.Contains(s.words.Locales(), chosen) {
		s.language.Set(v.W, chosen, v.Now.Add(preferenceLife), v.Now)
	}
	switch chosen := v.Typed("scheme"); chosen {
	case "light", "dark":
		s.scheme.Set(v.W, chosen, v.Now.Add(preferenceLife), v.Now)
	case "auto":
		s.scheme.Clear(v.W)
	}
	to, err := s.App.Config.Web.ReturnTo(v.Typed("here"))
	if err != nil {
		to = "/"
	}
	return v.Redirect(to)
}
