package passkey

import (
	"context"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// Credential is a passkey as a server that goes on with it needs it: the public half of its key, and nothing that is a secret. It works
// on at the same address only, and for a person who keeps their id: a browser knows both.
type Credential struct {
	CredentialID   []byte     `json:"credential_id"`
	PublicKey      []byte     `json:"public_key"`
	SignCount      int64      `json:"sign_count"`
	AAGUID         []byte     `json:"aaguid"`
	Transports     []string   `json:"transports,omitempty"`
	BackupEligible bool       `json:"backup_eligible"`
	BackedUp       bool       `json:"backed_up"`
	UserVerified   bool       `json:"user_verified"`
	Name           string     `json:"name"`
	CreatedAt      time.Time  `json:"created_at"`
	LastUsedAt     *time.Time `json:"last_used_at,omitempty"`
}

// Sound reports whether a credential may be one that was made for somebody.
func (c Credential) Sound() bool {
	if _, err := parseName(c.Name); err != nil || len(c.Transports) > 10 {
		return false
	}
	for _, t := range c.Transports {
		if len(t) > 20 || strings.Trim(t, "abcdefghijklmnopqrstuvwxyz-") != "" {
			return false
		}
	}
	return len(c.CredentialID) > 0 && len(c.CredentialID) <= 1023 && len(c.PublicKey) > 0 && len(c.PublicKey) <= 4096 && len(c.AAGUID) == 16
}

// Of is every passkey of a person, the oldest first.
func Of(ctx context.Context, q database.Querier, userID string) ([]Credential, error) {
	rows, err := listOf(ctx, q, userID)
	list := make([]Credential, len(rows))
	for i, r := range rows {
		list[i] = Credential{r.CredentialID, r.PublicKey, r.SignCount, r.AAGUID, r.transports(), r.BackupEligible, r.BackedUp, r.UserVerified, r.Name, r.CreatedAt, r.LastUsedAt}
	}
	return list, err
}

// Known reports whether somebody has a passkey with this id.
func Known(ctx context.Context, q database.Querier, credentialID []byte) (bool, error) {
	return known(ctx, q, credentialID)
}

// Import keeps a passkey that a person has, as part of the change that makes them.
func Import(tx *database.Tx, userID string, c Credential) error {
	if c.CreatedAt.IsZero() {
		c.CreatedAt = tx.Now
	}
	r := row{ID: id.New("pky"), UserID: userID, CredentialID: c.CredentialID, PublicKey: c.PublicKey, SignCount: c.SignCount, AAGUID: c.AAGUID,
		Transports: strings.Join(c.Transports, " "), BackupEligible: c.BackupEligible, BackedUp: c.BackedUp, UserVerified: c.UserVerified, Name: c.Name,
		CreatedAt: c.CreatedAt, LastUsedAt: c.LastUsedAt}
	tx.Emit(Added{userID, r.ID, providerOf(r.AAGUID), !r.BackupEligible})
	return insert(tx, r)
}
