package user

import (
	"slices"

	"github.com/nyaruka/phonenumbers"

	"github.com/admit-dev/admit/internal/database"
)

// Textable holds that a text may be sent to a number: that it takes any, at no price of its own, and is of a country of SMS_COUNTRIES.
func (s *Service) Textable(number string) error {
	n, err := phonenumbers.Parse(number, "ZZ")
	if err != nil {
		return ErrTexts
	}
	kind, country := phonenumbers.GetNumberType(n), phonenumbers.GetRegionCodeForNumber(n)
	takes := kind == phonenumbers.MOBILE || kind == phonenumbers.FIXED_LINE_OR_MOBILE || kind == phonenumbers.VOIP || kind == phonenumbers.PERSONAL_NUMBER
	if !takes || len(s.cfg.TextCountries) > 0 && !slices.Contains(s.cfg.TextCountries, country) {
		return ErrTexts
	}
	return nil
}

// Block is the beginning of a number, which the ten thousand numbers beside it share.
func Block(number string) string { return number[:max(0, len(number)-4)] }

// ChangePhone makes a number, which its person has shown to be theirs, their own in place of the one they have.
func ChangePhone(tx *database.Tx, userID, number string) error {
	i := Identifier{KindPhone, number}
	if _, err := removeKind(tx, userID, KindPhone); err != nil {
		return err
	}
	if err := addIdentifier(tx, userID, i); err != nil {
		return err
	}
	if err := known(tx, userID); err != nil {
		return err
	}
	tx.Emit(Updated{userID, []string{KindPhone}})
	return Verify(tx, userID, i)
}

// RemovePhone takes the number from a person, if they have one.
func RemovePhone(tx *database.Tx, userID string) error {
	n, err := removeKind(tx, userID, KindPhone)
	if n > 0 {
		tx.Emit(Updated{userID, []string{KindPhone}})
	}
	return err
}

// Drop takes from a person what they typed and never showed to be theirs.
func Drop(tx *database.Tx, userID string, i Identifier) error {
	n, err := removeTyped(tx, userID, i)
	if n > 0 {
		tx.Emit(Updated{userID, []string{i.Kind}})
	}
	return err
}
