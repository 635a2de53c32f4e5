package org

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/user"
)

// Invite asks somebody to join with these roles (ids or keys). The mail that carries the token is made from the event.
func (s *Service) Invite(ctx context.Context, c authz.Caller, ref, email string, roles []string) (i Invitation, err error) {
	address, err := user.ParseEmail(email)
	if err != nil {
		return i, err
	}
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		o, err := s.changing(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.Require(authz.MembersInvite, o.ID); err != nil {
			return err
		}
		if err := s.outside(tx, o.ID, address); err != nil {
			return err
		}
		held, err := rolesOf(tx, o.ID, roles)
		if err != nil {
			return err
		}
		if err := mayGive(tx, o.ID, ids(held)); err != nil {
			return err
		}
		i = Invitation{ID: id.New("inv"), OrgID: o.ID, Email: address.Value, InvitedBy: c.User, Roles: ids(held),
			CreatedAt: tx.Now, SentAt: tx.Now, ExpiresAt: tx.Now.Add(s.cfg.invitationLife()), generation: 1}
		tx.Emit(Invited{o.ID, i.ID, keys(held), 1})
		if err := insertInvitation(tx, i); err != nil {
			return err
		}
		return s.send(tx, i)
	})
	return i, err
}

// send has the mail sent that carries the token.
func (s *Service) send(tx *authz.Tx, i Invitation) error {
	o, err := find(tx.Context(), tx.Tx, i.OrgID)
	if err != nil {
		return err
	}
	held, err := rolesOf(tx, i.OrgID, i.Roles)
	if err != nil {
		return err
	}
	m := notify.Invitation{Org: o.Name, Link: s.Link(i)}
	if i.InvitedBy != "" {
		if m.Inviter, err = s.inviter(tx.Context(), tx.Tx, i.InvitedBy); err != nil {
			return err
		}
	}
	for _, h := range held {
		m.Roles = append(m.Roles, h.Name)
	}
	return s.notify.Send(tx.Tx, notify.Message{To: i.Email, Expires: i.ExpiresAt, Content: m})
}

// inviter is what whoever invites is called: their name, or else their address.
func (s *Service) inviter(ctx context.Context, q database.Querier, userID string) (string, error) {
	u, err := user.ByID(ctx, q, userID)
	if errors.Is(err, user.ErrNotFound) { // gone meanwhile
		return "", nil
	}
	return cmp.Or(u.Name, u.Email), err
}

// Link is where whoever is invited accepts.
func (s *Service) Link(i Invitation) string { return s.base + "/invitation?token=" + s.Token(i) }

// mayGive judges an invitation as if the one invited joined now: nobody invites into more than they could give.
func mayGive(tx *authz.Tx, orgID string, roles []string) error {
	m := authz.Member{User: "invited"}
	for _, r := range roles {
		m.Roles = append(m.Roles, authz.Assignment{Role: r})
	}
	return tx.Would(orgID, m)
}

// outside holds that an address is nobody's in the organization yet, and that not too many wait already.
func (s *Service) outside(tx *authz.Tx, orgID string, address user.Identifier) error {
	n, err := pending(tx, orgID)
	if err != nil {
		return err
	}
	if n >= int64(s.cfg.MostPending) {
		return ErrTooManyInvited
	}
	u, err := user.ByIdentifier(tx.Context(), tx.Tx, address)
	if errors.Is(err, user.ErrNotFound) {
		return nil
	}
	if err == nil && slices.Contains(tx.Root.OrgsOf(u.ID), orgID) {
		return ErrIsMember
	}
	return err
}

// Invitations is who was asked and has not answered, newest first.
func (s *Service) Invitations(ctx context.Context, c authz.Caller, ref, after string, limit int) (p Page[Invitation], err error) {
	o, err := s.reading(ctx, c, ref, authz.MembersInvite)
	if err != nil {
		return p, err
	}
	err = s.db.Read(ctx, o.ID, func(q database.Querier) error {
		list, err := listInvitations(ctx, q, o.ID, after, limit+1, s.db.Now())
		p = page(list, limit, func(i Invitation) string { return i.ID })
		return err
	})
	return p, err
}

// Resend sends an invitation again, for as long as a new one has. The token sent before is worth nothing any more.
func (s *Service) Resend(ctx context.Context, c authz.Caller, ref, invitationID string) (i Invitation, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		if i, err = s.waiting(tx, ref, invitationID); err != nil {
			return err
		}
		if err := mayGive(tx, i.OrgID, i.Roles); err != nil {
			return err
		}
		if err := resend(tx, &i, tx.Now.Add(s.cfg.invitationLife()), c.User); err != nil {
			return err
		}
		tx.Emit(Invited{i.OrgID, i.ID, i.Roles, i.generation})
		return s.send(tx, i)
	})
	return i, err
}

// Revoke takes an invitation back.
func (s *Service) Revoke(ctx context.Context, c authz.Caller, ref, invitationID string) error {
	return s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		i, err := s.waiting(tx, ref, invitationID)
		if err != nil {
			return err
		}
		tx.Emit(InvitationRevoked{i.OrgID, i.ID})
		return spend(tx, i)
	})
}

// waiting finds an invitation of an organization that the caller may invite to.
func (s *Service) waiting(tx *authz.Tx, ref, invitationID string) (Invitation, error) {
	o, err := s.changing(tx, ref)
	if err != nil {
		return Invitation{}, err
	}
	if err := tx.Require(authz.MembersInvite, o.ID); err != nil {
		return Invitation{}, err
	}
	return findInvitation(tx.Context(), tx.Tx, o.ID, invitationID, tx.Now)
}

// Shown is what the bearer of a token may know of an invitation.
type Shown struct {
	Invitation Invitation
	Org        Org
	Inviter    string // the name of whoever asked, or else their address
	Roles      []Held
	Known      bool // whether the invited address has an account
}

// Show is the invitation of a token.
func (s *Service) Show(ctx context.Context, token string) (v Shown, err error) {
	if v.Invitation, err = s.byToken(ctx, token); err != nil {
		return v, err
	}
	i := v.Invitation
	if v.Org, err = find(ctx, s.db, i.OrgID); err != nil {
		return v, err
	}
	err = s.db.Read(ctx, i.OrgID, func(q database.Querier) error {
		for _, ref := range i.Roles {
			r, err := findRole(ctx, q, i.OrgID, ref)
			if err != nil {
				return err
			}
			v.Roles = append(v.Roles, Held{ID: r.ID, Key: r.Key, Name: r.Name})
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	if v.Inviter, err = s.inviter(ctx, s.db, i.InvitedBy); err != nil {
		return v, err
	}
	_, err = user.ByIdentifier(ctx, s.db, user.Identifier{Kind: user.KindEmail, Value: i.Email})
	if v.Known = err == nil; errors.Is(err, user.ErrNotFound) {
		err = nil
	}
	return v, err
}

// Accept makes a signed-in person a member by a token that was sent to their address. The rights of whoever invited them
// are judged again, as they are now. Where members need a second factor, whoever joins has shown theirs.
func (s *Service) Accept(ctx context.Context, c authz.Caller, token string) (m Member, err error) {
	err = s.authz.Write(ctx, c, func(tx *authz.Tx) error {
		u, err := user.ByID(ctx, tx.Tx, c.User)
		if err != nil {
			return err
		}
		if m, err = s.AcceptAs(tx, u, token); err != nil {
			return err
		}
		o, err := find(ctx, tx.Tx, m.OrgID)
		if err == nil && o.RequireMFA && !c.MFA() {
			err = authz.ErrMFA.Say("Members of this organization need a second factor. Set one up, or prove again with yours that it is you, then accept the invitation.")
		}
		return err
	})
	return m, Outgrown(err)
}

// Outgrown says of a refusal that was meant for whoever invited what it means to the one who accepts.
func Outgrown(err error) error {
	for _, no := range []error{authz.ErrCannotGrantMore, authz.ErrPermissionRequired, authz.ErrNotAMember, authz.ErrOrg, ErrRole} {
		if errors.Is(err, no) {
			return ErrInviterLost
		}
	}
	return err
}

// AcceptAs is Accept as part of a change that may also make the person.
func (s *Service) AcceptAs(tx *authz.Tx, u user.User, token string) (Member, error) {
	invitationID, generation, err := s.parse(token)
	if err != nil {
		return Member{}, err
	}
	if err := tx.Enter(database.AllOrgs); err != nil { // whose it is, the invitation says
		return Member{}, err
	}
	i, err := byID(tx.Context(), tx.Tx, invitationID, generation, tx.Now)
	if err != nil {
		return Member{}, err
	}
	if u.Email != i.Email {
		return Member{}, ErrInvitationUser
	}
	if err := tx.Enter(i.OrgID); err != nil {
		return Member{}, err
	}
	database.OriginOf(tx.Context()).Org = i.OrgID
	inviter := authz.Caller{User: i.InvitedBy}
	if i.InvitedBy == "" {
		inviter = authz.System
	}
	tx.As(inviter)
	roles, err := rolesOf(tx, i.OrgID, i.Roles)
	if err != nil {
		return Member{}, err
	}
	if err := spend(tx, i); err != nil {
		return Member{}, err
	}
	if err := user.VerifyEmail(tx.Tx, u.ID, i.Email); err != nil { // the token was sent there and nowhere else
		return Member{}, err
	}
	tx.Emit(InvitationAccepted{i.OrgID, i.ID, u.ID})
	if err := join(tx, i.OrgID, u.ID, roles); err != nil {
		return Member{}, err
	}
	return findMember(tx.Context(), tx.Tx, i.OrgID, u.ID)
}

// Token is what is sent to the invited address: the id, how often it was sent, and a MAC over both.
func (s *Service) Token(i Invitation) string {
	return s.sign(i.ID + "." + strconv.FormatInt(i.generation, 10))
}

func (s *Service) sign(head string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(head))
	return head + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// parse reads a token. One that was not made here is never looked for.
func (s *Service) parse(token string) (invitationID string, generation int64, err error) {
	end := strings.LastIndexByte(token, '.')
	if len(token) > 200 || end < 0 || !hmac.Equal([]byte(s.sign(token[:end])), []byte(token)) {
		return "", 0, ErrInvitation
	}
	invitationID, text, _ := strings.Cut(token[:end], ".")
	generation, err = strconv.ParseInt(text, 10, 64)
	if err != nil {
		return "", 0, ErrInvitation
	}
	return invitationID, generation, nil
}

func (s *Service) byToken(ctx context.Context, token string) (i Invitation, err error) {
	invitationID, generation, err := s.parse(token)
	if err != nil {
		return i, err
	}
	err = s.db.Read(ctx, database.AllOrgs, func(q database.Querier) error {
		i, err = byID(ctx, q, invitationID, generation, s.db.Now())
		return err
	})
	return i, err
}

// Sweep deletes invitations that have run out, a few at a time.
func (s *Service) Sweep(ctx context.Context) error { return s.db.Sweep(ctx, 500, removeExpired) }

func ids(held []Held) []string {
	list := make([]string, len(held))
	for i, h := range held {
		list[i] = h.ID
	}
	slices.Sort(list)
	return list
}
