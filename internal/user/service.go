package user

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/words"
)

// Service reads and changes people.
type Service struct {
	db        *database.DB
	cfg       Config
	languages []string
}

// NewService works on db. People may be spoken to in languages.
func NewService(db *database.DB, cfg Config, languages []string) *Service {
	return &Service{db, cfg, languages}
}

// New is a person to be.
type New struct {
	Email    string // any of the three identifiers, at least one
	Username string
	Phone    string
	Name     string
}

// Parse reads and folds the identifiers of n. It refuses every field at fault at once.
func (s *Service) Parse(n New) ([]Identifier, string, error) {
	var ids []Identifier
	var faults []error
	add := func(text string, parse func(string) (Identifier, error)) {
		if text == "" {
			return
		}
		i, err := parse(text)
		ids, faults = append(ids, i), append(faults, err)
	}
	add(n.Email, ParseEmail)
	add(n.Username, ParseUsername)
	add(n.Phone, s.ParsePhone)
	name, err := parseName(n.Name)
	faults = append(faults, err)
	if len(ids) == 0 {
		faults = append(faults, ErrNoIdentifier)
	}
	return ids, name, fields(faults)
}

// ParsePhone reads a phone number; one without a country code as PHONE_DEFAULT_REGION says.
func (s *Service) ParsePhone(text string) (Identifier, error) {
	return ParsePhone(text, s.cfg.PhoneRegion)
}

// ParseIdentifier reads what was typed into a sign-in form.
func (s *Service) ParseIdentifier(text string) (Identifier, error) {
	return ParseIdentifier(text, s.cfg.PhoneRegion)
}

func parseName(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > 200 || strings.ContainsFunc(text, unicode.IsControl) {
		return "", ErrName
	}
	return text, nil
}

// Create adds a person. An identifier that somebody has already is refused.
func Create(tx *database.Tx, ids []Identifier, name string) (User, error) {
	u := userRow{ID: id.New("usr"), Name: name, CreatedAt: tx.Now, UpdatedAt: tx.Now}
	if err := database.Insert(tx, "users", u); err != nil {
		return User{}, err
	}
	var kinds []string
	for _, i := range ids {
		if err := addIdentifier(tx, u.ID, i); err != nil {
			return User{}, err
		}
		kinds = append(kinds, i.Kind)
	}
	tx.Emit(Created{UserID: u.ID, Identifiers: kinds})
	return ByID(tx.Context(), tx, u.ID)
}

// Get finds a person by id.
func (s *Service) Get(ctx context.Context, id string) (User, error) { return ByID(ctx, s.db, id) }

// Find finds a person by id or by any identifier.
func (s *Service) Find(ctx context.Context, text string) (User, error) {
	if id.Valid("usr", text) {
		return s.Get(ctx, text)
	}
	i, err := s.ParseIdentifier(text)
	if err != nil {
		return User{}, ErrNotFound
	}
	return ByIdentifier(ctx, s.db, i)
}

// Known is what a person is found by, or was: an address that was given up is kept for them for a while.
type Known struct {
	Kind       string     `json:"kind" db:"kind"`
	Value      string     `json:"value" db:"value"`
	VerifiedAt *time.Time `json:"verified_at" db:"verified_at"`
	CreatedAt  time.Time  `json:"created_at" db:"created_at"`
	HeldUntil  *time.Time `json:"held_until,omitempty" db:"held_until"` // nil for what counts
}

// Identifiers is everything that a person is found by, or was.
func (s *Service) Identifiers(ctx context.Context, userID string) ([]Known, error) {
	return knownBy(ctx, s.db, userID)
}

// Page is a part of the list of people, newest first.
type Page struct {
	Users []User
	Next  string // give it as after for the next page; "" at the end
}

// State is how it stands with an account.
type State string

// The states an account may be in. Who is locked is active too.
const (
	StateActive   State = "active"
	StateDisabled State = "disabled"
	StateLocked   State = "locked"
)

// Filter is who is listed: every part that is given must fit.
type Filter struct {
	Text  string // what a name or an identifier begins with
	State State
	Role  string // a global role, by key
}

// List gives at most limit people that come after the one with the id after, newest first.
func (s *Service) List(ctx context.Context, f Filter, after string, limit int) (Page, error) {
	f.Text = strings.ToLower(strings.TrimSpace(f.Text))
	users, err := list(ctx, s.db, f, after, limit+1, s.db.Now())
	p := Page{Users: users}
	if len(users) > limit {
		p.Users = users[:limit]
		p.Next = users[limit-1].ID
	}
	return p, err
}

// Count is how many people there are.
type Count struct {
	All      int64 `json:"all" db:"everybody"`
	New      int64 `json:"new" db:"fresh" doc:"Of the last 30 days."`
	Disabled int64 `json:"disabled" db:"disabled"`
	Locked   int64 `json:"locked" db:"locked" doc:"Whose accounts somebody guesses at, so that they have to wait."`
}

// Count counts people.
func (s *Service) Count(ctx context.Context) (Count, error) { return count(ctx, s.db, s.db.Now()) }

// Change is what of a profile is to be other; nil leaves a field as it is.
type Change struct {
	Name     *string
	Username *string // "" takes it away
	Language *string // "" goes by the browser
	TimeZone *string // "" is UTC
}

// Languages are those that somebody may be spoken to in, the default first.
func (s *Service) Languages() []string { return s.languages }

// parse reads and folds what is to be other. It refuses every field at fault at once.
func (s *Service) parse(c Change) (Change, error) {
	var faults []error
	read := func(field **string, parse func(string) (string, error)) {
		if *field == nil {
			return
		}
		value, err := parse(**field)
		*field, faults = &value, append(faults, err)
	}
	read(&c.Name, parseName)
	read(&c.Username, func(text string) (string, error) {
		if text == "" {
			return "", nil
		}
		i, err := ParseUsername(text)
		return i.Value, err
	})
	read(&c.Language, s.parseLanguage)
	read(&c.TimeZone, func(text string) (string, error) {
		if text = strings.TrimSpace(text); text == "" {
			return "", nil
		}
		if _, err := words.ParseZone(text); err != nil {
			return "", ErrTimeZone
		}
		return text, nil
	})
	return c, fields(faults)
}

func (s *Service) parseLanguage(text string) (string, error) {
	text = strings.TrimSpace(text)
	i := slices.IndexFunc(s.languages, func(tag string) bool { return strings.EqualFold(tag, text) })
	switch {
	case text == "":
		return "", nil
	case i < 0:
		return "", ErrLanguage.Say(ErrLanguage.Message + " Spoken here: " + strings.Join(s.languages, ", ") + ".")
	}
	return s.languages[i], nil
}

// Update changes a profile and gives the person as they are after it.
func (s *Service) Update(ctx context.Context, userID string, c Change) (u User, err error) {
	if c, err = s.parse(c); err != nil {
		return User{}, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		before, err := ByID(ctx, tx, userID)
		if err == nil && before.Service {
			err = ErrNotFound // it has no profile, and nothing to be found by
		}
		if err != nil {
			return err
		}
		changed, err := change(tx, before, c)
		if err != nil {
			return err
		}
		if len(changed) > 0 {
			tx.Emit(Updated{userID, changed})
		}
		u, err = ByID(ctx, tx, userID)
		return err
	})
	return u, err
}

// change makes of a profile what is to be other, and names the fields that are.
func change(tx *database.Tx, before User, c Change) (changed []string, err error) {
	is := func(field string, to *string, from string) bool {
		if to == nil || *to == from {
			return false
		}
		changed = append(changed, field)
		return true
	}
	if is("name", c.Name, before.Name) {
		err = setName(tx, before.ID, *c.Name)
	}
	if err == nil && is("username", c.Username, before.Username) {
		if before.Email == "" && before.Phone == "" && *c.Username == "" {
			return nil, ErrNoIdentifier.In("username")
		}
		err = replaceUsername(tx, before.ID, Identifier{KindUsername, *c.Username})
	}
	language, zone := is("language", c.Language, before.Language), is("time_zone", c.TimeZone, before.TimeZone)
	if err != nil || !language && !zone {
		return changed, err
	}
	if language {
		before.Language = *c.Language
	}
	if zone {
		before.TimeZone = *c.TimeZone
	}
	return changed, setVoice(tx, before.ID, before.Language, before.TimeZone)
}

// Disable keeps a person from signing in, and reports whether that is new. Like every change of what somebody may do it is
// called in an authz.Write, by package account.
func Disable(tx *database.Tx, userID string) (bool, error) {
	return switched(tx, userID, Disabled{userID}, setDisabled)
}

// Enable lets a person sign in again, also one who was to be erased, and reports whether that is new.
func Enable(tx *database.Tx, userID string) (bool, error) {
	return switched(tx, userID, Enabled{userID}, clearDisabled)
}

func switched(tx *database.Tx, userID string, told database.Event, set func(*database.Tx, string) (int64, error)) (bool, error) {
	n, err := set(tx, userID)
	if err != nil || n > 0 {
		tx.Emit(told)
		return n > 0, err
	}
	_, err = ByID(tx.Context(), tx, userID) // it was so already, or there is no such person
	return false, err
}

// Close keeps a person from signing in until everything of theirs is erased. Whoever calls it ends their sessions in the same change.
func Close(tx *database.Tx, userID string, until time.Time) error {
	n, err := setErasure(tx, userID, until)
	if n > 0 {
		tx.Emit(Closed{userID, until})
	}
	return err
}

// Reopen lets a person sign in again who was to be erased, and reports whether there was one.
func Reopen(tx *database.Tx, userID string) (bool, error) {
	n, err := clearErasure(tx, userID)
	if n > 0 {
		tx.Emit(Reopened{userID})
	}
	return n > 0, err
}

// Due are people who are to be erased by now, in the order of their ids, from after one of them.
func (s *Service) Due(ctx context.Context, after string, limit int) ([]string, error) {
	return due(ctx, s.db, s.db.Now(), after, limit)
}

// Delete removes a person and everything of theirs. Whoever calls it ends their sessions in the same change.
func Delete(tx *database.Tx, userID string) error {
	n, err := remove(tx, userID)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	tx.Emit(Deleted{userID})
	return err
}

// Verify notes that an address or a number is its person's: they showed what was sent there.
func Verify(tx *database.Tx, userID string, i Identifier) error {
	n, err := setVerified(tx, userID, i)
	if err == nil && n > 0 {
		tx.Emit(IdentifierVerified{UserID: userID, Identifier: i.Kind})
	}
	return err
}

// VerifyEmail is Verify of an address.
func VerifyEmail(tx *database.Tx, userID, email string) error {
	return Verify(tx, userID, Identifier{Kind: KindEmail, Value: email})
}

// Reclaim notes that an address or a number is its person's, and forgets every other that they have: whoever gave those, and
// showed that they are theirs, is somebody else.
func Reclaim(tx *database.Tx, userID string, i Identifier) error {
	if err := Verify(tx, userID, i); err != nil {
		return err
	}
	kinds, err := removeOthers(tx, userID, i)
	if len(kinds) > 0 {
		tx.Emit(Updated{userID, kinds})
	}
	return err
}

var roleName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,47}$`)

// Grant gives a person a global role, and reports whether that is new.
func Grant(tx *database.Tx, userID, role string) (bool, error) {
	if !roleName.MatchString(role) {
		return false, ErrRole
	}
	before, err := ByID(tx.Context(), tx, userID)
	if err == nil && before.Service && role == SuperAdmin {
		err = ErrServiceOwns
	}
	if err != nil || before.HasRole(role) {
		return false, err
	}
	if err := insertRole(tx, userID, role); err != nil {
		return false, err
	}
	after := append(slices.Clone(before.Roles), role)
	slices.Sort(after)
	tx.Emit(RoleGranted{UserID: userID, Role: role, Before: before.Roles, After: after})
	return true, nil
}

// Revoke takes a global role from a person, and reports whether they had it.
func Revoke(tx *database.Tx, userID, role string) (bool, error) {
	before, err := ByID(tx.Context(), tx, userID)
	if err != nil || !before.HasRole(role) {
		return false, err
	}
	if err := removeRole(tx, userID, role); err != nil {
		return false, err
	}
	after := slices.DeleteFunc(slices.Clone(before.Roles), func(r string) bool { return r == role })
	tx.Emit(RoleRevoked{UserID: userID, Role: role, Before: before.Roles, After: after})
	return true, nil
}

// HasOwner reports whether somebody active is super_admin.
func (s *Service) HasOwner(ctx context.Context) (bool, error) { return hasOwner(ctx, s.db) }

// taken says which identifier somebody else has.
func taken(err error, kind string) error {
	if !database.Taken(err) {
		return err
	}
	return takenKind(kind)
}

func takenKind(kind string) error {
	switch kind {
	case KindEmail:
		return ErrEmailTaken
	case KindUsername:
		return ErrUsernameTaken
	default:
		return ErrPhoneTaken
	}
}

// notFound names a missing row.
func notFound(err error) error {
	if errors.Is(err, database.ErrNone) {
		return ErrNotFound
	}
	return err
}

// Free refuses an identifier that somebody has.
func (s *Service) Free(ctx context.Context, i Identifier) error {
	_, err := ByIdentifier(ctx, s.db, i)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err == nil:
		return takenKind(i.Kind)
	default:
		return err
	}
}

// AddFactor has a method be asked of a person as their second factor.
func AddFactor(tx *database.Tx, userID, method string) error {
	n, err := insertFactor(tx, userID, method)
	if n > 0 {
		tx.Emit(FactorAdded{userID, method})
	}
	return err
}

// RemoveFactor has a method be asked of a person no more.
func RemoveFactor(tx *database.Tx, userID, method string) error {
	n, err := removeFactor(tx, userID, method)
	if n > 0 {
		tx.Emit(FactorRemoved{userID, method})
	}
	return err
}
