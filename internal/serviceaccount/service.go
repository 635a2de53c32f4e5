package serviceaccount

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/admit-dev/admit/internal/account"
	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/token"
	"github.com/admit-dev/admit/internal/user"
)

// Service makes, changes and deletes service accounts, and gives them access tokens for their keys.
type Service struct {
	db     *database.DB
	authz  *authz.Service
	orgs   *org.Service
	keys   *apikey.Service
	tokens *token.Service
}

// NewService works through az, which knows who may give what to whom.
func NewService(db *database.DB, az *authz.Service, orgs *org.Service, keys *apikey.Service, tokens *token.Service) *Service {
	return &Service{db, az, orgs, keys, tokens}
}

// Create makes a service account with these roles. Nobody gives it more than they hold.
func (s *Service) Create(ctx context.Context, c authz.Caller, in New) (a Account, err error) {
	in.Description, err = described(in.Description)
	if err != nil {
		return a, err
	}
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		u, err := user.CreateService(tx.Tx, in.Name)
		if err != nil {
			return err
		}
		a = Account{ID: u.ID, Name: u.Name, Description: in.Description, CreatedBy: database.OriginOf(ctx).Actor, CreatedAt: u.CreatedAt}
		if a.OrgID, err = s.place(tx, u, in); err != nil {
			return err
		}
		if err := tx.Require(Manage, a.OrgID); err != nil {
			return err
		}
		tx.Emit(Created{a.ID, a.OrgID})
		return insert(tx, a)
	})
	return a, err
}

// place gives a new account its roles where it belongs.
func (s *Service) place(tx *authz.Tx, u user.User, in New) (orgID string, err error) {
	if in.Org != "" {
		o, err := s.orgs.Enlist(tx, in.Org, u.ID, in.Roles)
		return o.ID, err
	}
	for _, role := range in.Roles {
		if err := account.Grant(tx, u.ID, role); err != nil {
			return "", err
		}
	}
	return "", nil
}

func described(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > 500 || strings.ContainsFunc(text, unicode.IsControl) {
		return "", ErrDescription
	}
	return text, nil
}

// List is the service accounts of an organization, or with "" of the site, newest first, and after which to go on.
func (s *Service) List(ctx context.Context, c authz.Caller, orgRef, after string, limit int) ([]Account, string, error) {
	orgID, err := s.authz.OrgID(ctx, orgRef)
	if err == nil {
		err = s.authz.Require(ctx, c, Manage, orgID)
	}
	if err != nil {
		return nil, "", err
	}
	found, err := list(ctx, s.db, orgID, after, limit+1)
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].ID
	}
	return found, next, err
}

// Get is one service account, for who may manage it. To everybody else there is none.
func (s *Service) Get(ctx context.Context, c authz.Caller, accountID string) (Account, error) {
	if !id.Valid("svc", accountID) {
		return Account{}, ErrNone
	}
	a, err := byID(ctx, s.db, accountID)
	if err == nil && s.authz.See(ctx, c, a.OrgID) != nil && a.OrgID != "" {
		err = ErrNone
	}
	if err == nil {
		err = s.authz.Require(ctx, c, Manage, a.OrgID)
	}
	if err != nil {
		return Account{}, err
	}
	return a, nil
}

// Update gives a service account another name or description; nil leaves one as it is.
func (s *Service) Update(ctx context.Context, c authz.Caller, accountID string, name, description *string) (a Account, err error) {
	if _, err := s.Get(ctx, c, accountID); err != nil {
		return a, err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		u, err := user.ByID(ctx, tx, accountID)
		if err != nil {
			return err
		}
		if a, err = byID(ctx, tx, accountID); err != nil {
			return err
		}
		tx.Quiet()
		var changed []string
		if name != nil {
			other, err := user.RenameService(tx, u, *name)
			if err != nil {
				return err
			}
			if other {
				changed = append(changed, "name")
			}
		}
		if description != nil {
			text, err := described(*description)
			if err != nil {
				return err
			}
			if text != a.Description {
				a.Description = text
				changed = append(changed, "description")
				if err := describe(tx, a); err != nil {
					return err
				}
			}
		}
		if len(changed) > 0 {
			tx.Emit(Updated{accountID, changed})
		}
		a, err = byID(ctx, tx, accountID)
		return err
	})
	return a, err
}

// Delete removes a service account with its keys.
func (s *Service) Delete(ctx context.Context, c authz.Caller, accountID string) error {
	a, err := s.Get(ctx, c, accountID)
	if err != nil {
		return err
	}
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		if err := tx.Require(Manage, a.OrgID); err != nil {
			return err
		}
		if err := s.authz.AboveEverywhere(tx.Root, c, accountID); err != nil {
			return err
		}
		return account.Erase(tx, accountID)
	})
}

// holding finds a service account whose keys the caller may make: who hands out a key hands out all that the account holds.
func (s *Service) holding(ctx context.Context, c authz.Caller, accountID string) (Account, error) {
	a, err := s.Get(ctx, c, accountID)
	if err != nil {
		return a, err
	}
	root, err := s.authz.Root(ctx)
	if err == nil {
		err = s.authz.AboveEverywhere(root, c, accountID)
	}
	return a, err
}

// Keys is the keys of a service account, newest first.
func (s *Service) Keys(ctx context.Context, c authz.Caller, accountID string) ([]apikey.Key, error) {
	if _, err := s.Get(ctx, c, accountID); err != nil {
		return nil, err
	}
	return s.keys.List(ctx, accountID)
}

// AddKey makes a key of a service account. One of an organization is for that alone.
func (s *Service) AddKey(ctx context.Context, c authz.Caller, accountID string, in apikey.New) (k apikey.Key, text string, err error) {
	a, err := s.holding(ctx, c, accountID)
	if err != nil {
		return k, "", err
	}
	if a.OrgID != "" {
		in.Org = a.OrgID
	}
	d, err := s.keys.Draft(ctx, user.User{ID: accountID, Service: true}, in)
	if err != nil {
		return k, "", err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		k, text, err = s.keys.Add(tx, d)
		if database.Orphan(err) {
			err = ErrNone
		}
		return err
	})
	return k, text, err
}

// RotateKey makes a key like another of a service account, which works on for a while.
func (s *Service) RotateKey(ctx context.Context, c authz.Caller, accountID, keyID string, overlap time.Duration) (k apikey.Key, text string, err error) {
	if _, err := s.holding(ctx, c, accountID); err != nil {
		return k, "", err
	}
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		k, text, err = s.keys.RotateIn(tx, accountID, keyID, overlap)
		return err
	})
	return k, text, err
}

// RevokeKey ends a key of a service account.
func (s *Service) RevokeKey(ctx context.Context, c authz.Caller, accountID, keyID string) error {
	if _, err := s.Get(ctx, c, accountID); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *database.Tx) error { return apikey.Revoke(tx, accountID, keyID, apikey.ByManager) }, database.ReadCommitted) // one conditional write
}

// Token is an access token of a service account, and what it is for (RFC 6749, section 4.4).
type Token struct {
	token.Issued
	Scope string
}

// Exchange gives a service account an access token for one of its keys. scope names what it is to be for; "" is all that the key is for.
func (s *Service) Exchange(ctx context.Context, accountID, key, scope string) (Token, error) {
	live, err := s.keys.ByText(ctx, key)
	if errors.Is(err, apikey.ErrInvalid) || err == nil && (live.User.ID != accountID || !live.User.Service) {
		return Token{}, ErrClient
	}
	if err == nil {
		err = s.keys.Afford(live.Session.ID)
	}
	if err != nil {
		return Token{}, err
	}
	ceiling := live.Session.Ceiling
	var scopes []string
	for _, p := range ceiling.Patterns {
		scopes = append(scopes, p.String())
	}
	if asked := strings.Fields(scope); len(asked) > 0 {
		if scopes, err = narrowed(ceiling.Patterns, asked); err != nil {
			return Token{}, err
		}
	}
	root, err := s.authz.Root(ctx)
	if err != nil {
		return Token{}, err
	}
	text := strings.Join(scopes, " ")
	g := token.Grant{Revision: s.authz.Revision(root), User: live.User, SessionID: live.Session.ID, AMR: []string{}, AuthAt: live.Session.AuthAt, Scope: text, Until: live.Session.ExpiresAt}
	if ceiling.Org != "" {
		g.Org = &ceiling.Org
	}
	issued, err := s.tokens.Issue(g)
	return Token{issued, text}, err
}

// narrowed holds that everything that is asked for is among what there is.
func narrowed(have []authz.Pattern, asked []string) ([]string, error) {
	if len(asked) > 100 {
		return nil, ErrScope
	}
	for _, text := range asked {
		p, err := authz.ParsePattern(text)
		if err != nil {
			return nil, ErrScope
		}
		covered := false
		for _, h := range have {
			covered = covered || authz.Covers(h, p)
		}
		if !covered {
			return nil, ErrScope
		}
	}
	return asked, nil
}
