package pages

import (
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/web"
)

// The refusals of forms.
var (
	ErrForm  = apperr.New(apperr.Malformed, "malformed_form", "This form could not be read. Go back, reload the page and send it again.")
	ErrToken = apperr.New(apperr.Forbidden, "form_token_invalid", "This form was open for too long, or your browser keeps no cookies. Load the page again and send it once more.")
)

// formLife is how long a browser keeps the key of its forms after the last page.
const formLife = 30 * 24 * time.Hour

// Form is what was typed into a form, and what is wrong with it.
type Form struct {
	Token  string // what the page has to send along
	Values url.Values
	Faults []Fault
}

// Fault is one thing that is wrong, for the summary and for the place beside the field.
type Fault struct {
	Field   string // "" when it is about no field
	Message string
}

// Value is a field. One that was sent twice could mean two things, and means none.
func (f Form) Value(name string) string {
	if v := f.Values[name]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// Fault is what is wrong with a field, "" when nothing is.
func (f Form) Fault(field string) string {
	for _, one := range f.Faults {
		if one.Field == field {
			return one.Message
		}
	}
	return ""
}

// Typed is a field of the form.
func (v *Visit) Typed(name string) string { return v.Form.Value(name) }

// TypedAll is a field that may be there several times.
func (v *Visit) TypedAll(name string) []string { return v.Form.Values[name] }

// Set gives a field what it shows at first, where nothing was typed yet.
func (v *Visit) Set(name, value string) {
	if v.Form.Values == nil {
		v.Form.Values = url.Values{}
	}
	if !v.Form.Values.Has(name) {
		v.Form.Values.Set(name, value)
	}
}

// Need adds a fault for each of these fields that is empty, with the word need.name, and reports whether all were filled in.
func (v *Visit) Need(names ...string) bool {
	all := true
	for _, name := range names {
		if v.Typed(name) == "" {
			all, v.status = false, http.StatusUnprocessableEntity
			v.Form.Faults = append(v.Form.Faults, Fault{name, v.T("need." + name)})
		}
	}
	return all
}

// read reads the form of a request and holds that a page of ours sent it.
func (v *Visit) read(asks Access) error {
	if err := v.R.ParseForm(); err != nil {
		if err = web.BodyError(err); apperr.Of(err).Kind == apperr.Internal {
			err = ErrForm.Because(err)
		}
		return err
	}
	v.Form.Values = v.R.PostForm
	if !web.Readable(v.Form.Values) {
		return ErrForm
	}
	if asks&foreign != 0 {
		return nil
	}
	key, ok := v.site.form.Get(v.R)
	if !ok || subtle.ConstantTimeCompare([]byte(v.Typed("form_token")), []byte(formToken(key))) != 1 {
		return ErrToken
	}
	return nil
}

// Option is one choice of a field.
type Option struct{ Value, Label string }

// With is an address with a query, of which nothing is left that is empty.
func With(path string, query url.Values) string {
	kept := url.Values{}
	for name, list := range query {
		if len(list) > 0 && list[0] != "" {
			kept[name] = list
		}
	}
	if len(kept) == 0 {
		return path
	}
	return path + "?" + kept.Encode()
}

// formKey is the secret of a browser that its forms are bound to, the one it has or a new one.
func (v *Visit) formKey() string {
	key, ok := v.site.form.Get(v.R)
	if !ok || len(key) != 64 {
		key = secret.Hex32()
	}
	v.site.form.Set(v.W, key, v.Now.Add(formLife), v.Now)
	return key
}

// formToken is what a form shows of the key: not the cookie itself.
func formToken(key string) string { return hex.EncodeToString(secret.Sum("form " + key))[:32] }

// Field is one input of a form, as the part "field" draws it.
type Field struct {
	Name, ID, Type, Label, Hint, Value, Fault, Autocomplete, Mode, Pattern, Rules, Placeholder string
	Required, Reveal, Mono, Focus, ReadOnly, Code                                              bool
	Side                                                                                       any // a link beside the label
}

// newField is a field of the form of a page. The arguments are names and values in turn.
func newField(p view, name string, args ...any) (Field, error) {
	f := Field{Name: name, ID: name, Type: "text", Fault: p.Form.Fault(name), Value: p.Form.Value(name), Required: true}
	for i := 0; i+1 < len(args); i += 2 {
		text := map[string]*string{"id": &f.ID, "type": &f.Type, "label": &f.Label, "hint": &f.Hint, "value": &f.Value, "autocomplete": &f.Autocomplete, "mode": &f.Mode,
			"pattern": &f.Pattern, "rules": &f.Rules, "placeholder": &f.Placeholder}
		flag := map[string]*bool{"required": &f.Required, "reveal": &f.Reveal, "mono": &f.Mono, "focus": &f.Focus, "readonly": &f.ReadOnly, "code": &f.Code}
		switch key := fmt.Sprint(args[i]); {
		case text[key] != nil:
			*text[key] = fmt.Sprint(args[i+1])
		case flag[key] != nil:
			*flag[key] = args[i+1] == true
		case key == "side":
			f.Side = args[i+1]
		default:
			return f, fmt.Errorf("pages: a field has no %s", key)
		}
	}
	if f.Type == "password" {
		f.Value = ""
	}
	return f, nil
}
