package config

// Report is what the settings are and where each comes from: the program itself, where it is other than what was loaded.
func (c Config) Report() *Report {
	var now Config
	d := declare(&now)
	before := make([]string, len(d.settings))
	for i, s := range d.settings {
		before[i] = show(s.value)
	}
	now = c // the settings lie in its fields
	l := loader{declared: d}
	for i, s := range d.settings {
		if text := show(s.value); text != before[i] {
			s.text, s.from = text, "program"
		}
	}
	r, _ := l.finish()
	if c.loaded == nil {
		return r
	}
	r.Warnings, r.Weak = c.loaded.Warnings, c.loaded.Weak
	for i, s := range r.Settings {
		if had := c.loaded.Settings[i]; had.Value == s.Value {
			r.Settings[i] = had
		}
	}
	return r
}
