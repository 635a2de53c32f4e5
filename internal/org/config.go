package org

import "time"

// Config is what an operator may say of organizations.
type Config struct {
	Creation        string `env:"ORG_CREATION" default:"everyone" oneof:"everyone,platform" doc:"Who may make organizations: everyone who is signed in, or only holders of sys:orgs:create."`
	InvitationHours int    `env:"INVITATION_EXPIRE_HOURS" default:"168" min:"1" max:"8760" doc:"Hours an invitation can be accepted."`
	MostPending     int    `env:"INVITATION_MAX_PENDING" default:"200" min:"1" max:"100000" doc:"Most invitations of one organization that wait at a time."`
	MostOwned       int    `env:"ORG_MAX_OWNED" default:"50" min:"1" max:"1000000" doc:"Most organizations that one person can make."`
}

func (c Config) invitationLife() time.Duration {
	return time.Duration(c.InvitationHours) * time.Hour
}
