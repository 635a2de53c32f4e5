package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/org"
)

// Invitation is somebody who was asked to join.
type Invitation struct {
	ID        string    `json:"id" doc:"inv_…"`
	Email     string    `json:"email"`
	Roles     []string  `json:"roles" doc:"Ids of the roles they will have."`
	InvitedBy *string   `json:"invited_by" doc:"usr_…, or null for the operator."`
	CreatedAt time.Time `json:"created_at"`
	SentAt    time.Time `json:"sent_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Invitations is a part of the list.
type Invitations struct {
	Items      []Invitation `json:"items"`
	NextCursor *string      `json:"next_cursor"`
}

// InvitationShown is what the bearer of a token may know.
type InvitationShown struct {
	Email     string     `json:"email" doc:"Whom it is for."`
	Org       Org        `json:"org"`
	Inviter   string     `json:"inviter" doc:"Who asked, for people."`
	Roles     []HeldRole `json:"roles"`
	Known     bool       `json:"account_exists" doc:"Whether the address has an account to sign in to."`
	ExpiresAt time.Time  `json:"expires_at"`
}

func newInvitation(i org.Invitation) Invitation {
	v := Invitation{ID: i.ID, Email: i.Email, Roles: i.Roles, CreatedAt: i.CreatedAt, SentAt: i.SentAt, ExpiresAt: i.ExpiresAt}
	if v.Roles == nil {
		v.Roles = []string{}
	}
	v.InvitedBy = next(i.InvitedBy)
	return v
}

type listInvitationsIn struct {
	OrgRef
	Part
}

type inviteIn struct {
	OrgRef
	Body struct {
		Email string   `json:"email" maxLength:"320"`
		Roles []string `json:"roles,omitempty" maxItems:"50" doc:"Ids or keys; member when left out."`
	}
}

type invitationRef struct {
	OrgRef
	ID string `path:"id" maxLength:"100"`
}

type tokenRef struct {
	Token string `path:"token" maxLength:"200"`
}

type acceptIn struct {
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"From the mail."`
	}
}

func (s *API) invitations() {
	tags := []string{"Organizations"}
	at := "/api/v1/orgs/{org}/invitations"
	operation(s, huma.Operation{Method: "GET", Path: at, Summary: "Who was asked and has not answered", Tags: tags}, user|keyed, func(q *call, in *listInvitationsIn) (Invitations, error) {
		if in.Cursor != "" && !id.Valid("inv", in.Cursor) {
			return Invitations{}, ErrCursor
		}
		p, err := s.app.Orgs.Invitations(q, q.caller(), in.Org, in.Cursor, in.Limit)
		return Invitations{mapped(p.Items, newInvitation), next(p.Next)}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: at, Summary: "Ask somebody to join", DefaultStatus: http.StatusCreated, Tags: tags}, user|keyed|limited, func(q *call, in *inviteIn) (Invitation, error) {
		if len(in.Body.Roles) == 0 {
			in.Body.Roles = []string{"member"}
		}
		i, err := s.app.Orgs.Invite(q, q.caller(), in.Org, in.Body.Email, in.Body.Roles)
		return newInvitation(i), err
	})
	operation(s, huma.Operation{Method: "POST", Path: at + "/{id}/resend", Summary: "Send it again; the mail before is worth nothing", Tags: tags}, user|keyed|limited, func(q *call, in *invitationRef) (Invitation, error) {
		i, err := s.app.Orgs.Resend(q, q.caller(), in.Org, in.ID)
		return newInvitation(i), err
	})
	operation(s, huma.Operation{Method: "DELETE", Path: at + "/{id}", Summary: "Take it back", DefaultStatus: http.StatusNoContent, Tags: tags}, user|keyed, func(q *call, in *invitationRef) (nothing, error) {
		return nothing{}, s.app.Orgs.Revoke(q, q.caller(), in.Org, in.ID)
	})
	operation(s, huma.Operation{Method: "GET", Path: "/api/v1/invitations/{token}", Summary: "What a token invites to", Tags: tags}, limited, func(q *call, in *tokenRef) (InvitationShown, error) {
		v, err := s.app.Orgs.Show(q, in.Token)
		return InvitationShown{v.Invitation.Email, newOrg(v.Org), v.Inviter, newHeld(v.Roles), v.Known, v.Invitation.ExpiresAt}, err
	})
	operation(s, huma.Operation{Method: "POST", Path: "/api/v1/invitations/accept", Summary: "Join, with the token that was sent to your address", Tags: tags}, user|limited, func(q *call, in *acceptIn) (Member, error) {
		m, err := s.app.Orgs.Accept(q, q.caller(), in.Body.Token)
		return newMember(m), s.changed(q, err)
	})
}
