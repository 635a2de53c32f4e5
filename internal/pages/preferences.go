package pages

import (
	"slices"
	"time"

	"github.com/admit-dev/admit/internal/user"
)

// preferenceLife is how long a browser keeps what was chosen for it.
const preferenceLife = 365 * 24 * time.Hour

// speak has a language be chosen also for a person who has one that does not go by the browser, or else nothing would come of it.
func (s *Site) speak(v *Visit, language string) error {
	live, err := v.Who()
	if err != nil || live == nil || live.Session.Act != nil || live.User.Language == "" {
		return err
	}
	_, err = s.App.Users.Update(v, live.User.ID, user.Change{Language: &language})
	return err
}

// prefer keeps the language and the colours that were chosen at the foot of a page, and leads back to it.
func (s *Site) prefer(v *Visit) error {
	if chosen := v.Typed("language"); slices.Contains(s.words.Locales(), chosen) {
		s.language.Set(v.W, chosen, v.Now.Add(preferenceLife), v.Now)
		if err := s.speak(v, chosen); err != nil {
			return err
		}
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
