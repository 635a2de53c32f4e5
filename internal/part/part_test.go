package part

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestSettingNamesEveryPart(t *testing.T) {
	field, _ := reflect.TypeFor[Config]().FieldByName("Off")
	var names []string
	for _, p := range All() {
		names = append(names, p.Name)
	}
	if said := field.Tag.Get("oneof"); said != strings.Join(names, ",") || !slices.IsSorted(names) {
		t.Errorf("the setting takes %s, and there are %v", said, names)
	}
}

func TestServes(t *testing.T) {
	off := Config{Off: []string{"audit", "impersonation"}}
	for address, served := range map[string]bool{
		"/":                            true,
		"/admin":                       true,
		"/admin/audit":                 false,
		"GET /admin/audit/verify":      false,
		"/admin/audit?org=org_1":       false,
		"/admin/auditors":              true,
		"/org/acme/audit":              false,
		"GET /org/{org}/audit":         false,
		"/org/acme/access":             true,
		"/admin/users/usr_1":           true,
		"POST /admin/users/{user}/x":   true,
		"/admin/users/x/impersonate#1": false,
	} {
		if off.Serves(address) != served {
			t.Errorf("%s: %v", address, !served)
		}
		if !(Config{}).Serves(address) {
			t.Errorf("%s is not served with everything on", address)
		}
	}
}
