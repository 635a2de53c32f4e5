// Package notice tells people by mail what was done to their account, with a link that says: this was not me.
package notice

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/user"
)

// Life is how long a change can be undone.
const Life = 7 * 24 * time.Hour

// Change is what was done, for whoever undoes it.
type Change struct {
	What  What   `json:"what"`
	Value string `json:"value,omitempty"`
	ID    string `json:"id,omitempty"` // which one, where a person may have several of a method
}

// What may be done to an account.
type What string

// What its owner is told of.
const (
	Email         What = "email"          // Value is the address before
	Phone         What = "phone"          // Value is the number before, if it was theirs
	Password      What = "password"       //
	FactorAdded   What = "factor_added"   // Value is the method
	FactorRemoved What = "factor_removed" // Value is the method
	SignedIn      What = "signed_in"      // from a device that was not known
	CodeUsed      What = "code_used"      // a recovery code
	KeyAdded      What = "key_added"      // an API key
)

// Service writes to people.
type Service struct {
	notify     *notify.Service
	challenges *challenge.Service
	base       string // of links
}

// NewService sends through messages; links lead to base.
func NewService(messages *notify.Service, challenges *challenge.Service, base string) *Service {
	return &Service{messages, challenges, base}
}

// Tell writes to an address of a person, in the change that it tells of. An empty one is nobody to write to.
func (s *Service) Tell(tx *database.Tx, u user.User, to string, c Change, say func(notMe string, w notify.Where) notify.Content) error {
	if to == "" {
		return nil
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	sent, err := s.challenges.Issue(tx, challenge.Challenge{Purpose: challenge.NotMe, About: id.New("ntc"), UserID: u.ID, Target: to,
		Data: string(data), ExpiresAt: tx.Now.Add(Life)}, challenge.Link)
	if err != nil {
		return err
	}
	return s.notify.Send(tx, notify.Message{To: to, UserID: u.ID, Content: say(s.base+"/not-me?token="+url.QueryEscape(sent.Token), notify.Here(tx))})
}

// Read is what a person was told of.
func Read(c challenge.Challenge) (change Change, err error) {
	err = json.Unmarshal([]byte(c.Data), &change)
	return change, err
}
