package user

import (
	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// ErrServiceOwns is a service account that would be the owner of something: whoever owns has to be able to come and look.
var ErrServiceOwns = apperr.New(apperr.Invalid, "service_account_owns", "A service account cannot be an owner or super_admin. Give it a role with what it needs.").In("roles")

// CreateService adds a program that acts for itself. Package serviceaccount knows whose it is.
func CreateService(tx *database.Tx, name string) (User, error) {
	name, err := named(name)
	if err != nil {
		return User{}, err
	}
	u := userRow{ID: id.New("svc"), Name: name, CreatedAt: tx.Now, UpdatedAt: tx.Now, Service: true}
	if err := database.Insert(tx, "users", u); err != nil {
		return User{}, err
	}
	return ByID(tx.Context(), tx, u.ID)
}

// RenameService gives a program another name, and reports whether it is other.
func RenameService(tx *database.Tx, u User, name string) (bool, error) {
	name, err := named(name)
	if err != nil || name == u.Name {
		return false, err
	}
	return true, setName(tx, u.ID, name)
}

func named(name string) (string, error) {
	name, err := parseName(name)
	if err == nil && name == "" {
		err = ErrName
	}
	if err != nil {
		return "", apperr.Of(err).In("name")
	}
	return name, nil
}
