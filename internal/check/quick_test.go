package check

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

type one struct {
	Question
	AtLeast string `json:"at_least"`
}

type all struct {
	Checks  []Question `json:"checks"`
	AtLeast string     `json:"at_least"`
}

// FuzzQuickReader holds that what the quick reader reads, encoding/json reads too, to the same end and without a member it does not know.
func FuzzQuickReader(f *testing.F) {
	for _, body := range []string{`{"permission":"a"}`, ` { "permission" : "a" , "org_id":"b","subject":"c","at_least":"d" } `, `{"checks":[{"permission":"a"},{"permission":"b","org_id":"c"}],"at_least":"d"}`, `{"permission":"a","permission":"b"}`,
		`{"permission":"a"}}`, `{"permission":"\u0061"}`, `{"permission":"ä"}`, "{\"permission\":\"a\x00\"}", `{"checks":[]}`, `{"checks":[{}]}`, `{"checks":[{"permission":"a"},]}`, `{"permission":"a",}`, `{"permission":null}`, `{"Permission":"a"}`} {
		f.Add(body)
	}
	strict := func(body string, into any) error {
		d := json.NewDecoder(bytes.NewReader([]byte(body)))
		d.DisallowUnknownFields()
		return d.Decode(into)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if q, atLeast, ok := ReadOne(body); ok {
			var want one
			if err := strict(body, &want); err != nil || !json.Valid([]byte(body)) || !reflect.DeepEqual(want, one{q, atLeast}) || q.Permission == "" && !bytes.Contains([]byte(body), []byte(`""`)) {
				t.Errorf("%q: read %+v %q, is %+v %v", body, q, atLeast, want, err)
			}
		}
		if list, atLeast, ok := ReadAll(body); ok {
			var want all
			if err := strict(body, &want); err != nil || !json.Valid([]byte(body)) || !reflect.DeepEqual(want, all{list, atLeast}) || len(list) == 0 {
				t.Errorf("%q: read %+v %q, is %+v %v", body, list, atLeast, want, err)
			}
		}
	})
}

// What the quick writer writes is what encoding/json writes.
func TestQuickWriter(t *testing.T) {
	same := func(v any, got []byte) {
		t.Helper()
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil || want.String() != string(got) {
			t.Errorf("%s, want %s", got, want.String())
		}
	}
	c := Checked{Answer{true, "granted"}, "az1.x.1"}
	same(c, c.JSON())
	for _, l := range []CheckedAll{{[]Result{}, "az1.x.1"}, {[]Result{{Answer{true, "granted"}, ""}, {Answer{false, "unknown_permission"}, "Did you mean x? \"y\" é"}}, "az1.x.2"}} {
		same(l, l.JSON())
	}
}
