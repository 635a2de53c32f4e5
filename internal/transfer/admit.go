package transfer

import (
	"bytes"
	"encoding/json"
)

// The types of lines of an export.
const (
	typeHead       = "admit"
	typePermission = "permission"
	typeRole       = "role"
	typeGuard      = "guard"
	typeOrg        = "organization"
	typeUser       = "user"
)

// formatVersion is the version of the format. A reader refuses what is newer than itself.
const formatVersion = 1

type headLine struct {
	Type    string `json:"type"`
	Version int    `json:"version"`
	Site    string `json:"site"`
	Secrets bool   `json:"secrets"` // whether the secrets of second factors are in it
}

type userLine struct {
	Type string `json:"type"`
	Person
}

type orgLine struct {
	Type string `json:"type"`
	Organization
}

type roleLine struct {
	Type string `json:"type"`
	Role
}

type guardLine struct {
	Type string `json:"type"`
	Guard
}

type permissionLine struct {
	Type string `json:"type"`
	Permission
}

// admitRow reads a line that an export of Admit wrote.
func admitRow(b *Batch, r *row) {
	switch kind := r.text("type"); kind {
	case typeHead:
		if v := r.number("version", 0); v != formatVersion || r.wrong != "" {
			b.keep["stop"] = "this export is of another version of the format than this program reads"
		}
	case typePermission:
		lineOf(b, r, func(l *permissionLine) { b.Permissions = append(b.Permissions, l.Permission) })
	case typeRole:
		lineOf(b, r, func(l *roleLine) { b.Roles = append(b.Roles, l.Role) })
	case typeGuard:
		lineOf(b, r, func(l *guardLine) { b.Guards = append(b.Guards, l.Guard) })
	case typeOrg:
		lineOf(b, r, func(l *orgLine) { b.org(r, &l.Organization) })
	case typeUser:
		lineOf(b, r, func(l *userLine) {
			for _, f := range l.Factors {
				if f == "totp" && l.TOTP == "" {
					l.note("the second factor totp: its secret is not in the file; export with --secrets")
				}
			}
			b.add(r, &l.Person)
		})
	default:
		b.fault(r.place, "", "this is no line of an export: it has no type, or one that is not known")
	}
}

// lineOf reads a line whose members are all known.
func lineOf[T any](b *Batch, r *row, take func(*T)) {
	d := json.NewDecoder(bytes.NewReader(r.raw))
	d.DisallowUnknownFields()
	var l T
	if err := d.Decode(&l); err != nil {
		b.fault(r.place, r.text("id"), err.Error())
		return
	}
	take(&l)
}
