package main

import (
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/outbound"
)

// providers checks whether the services that people sign in with would be found, and says where they must lead back to: that only they
// know.
func (e *examination) providers() {
	list, err := e.cfg.Social.Providers(e.cfg.Production())
	if err != nil {
		e.note(problem, "provider", err.Error(), "See docs/providers.md.")
		return
	}
	for _, p := range list {
		err := p.Reach(e.Ctx, e.cfg.Outbound, time.Duration(e.cfg.Social.TimeoutSeconds)*time.Second, time.Now)
		switch {
		case errors.Is(err, outbound.ErrPrivate):
			e.note(problem, "provider", p.Title+": "+err.Error(), "Name its network in OUTBOUND_PRIVATE_NETWORKS, if it is yours.")
		case err != nil:
			e.note(problem, "provider", p.Title+": "+err.Error(), "See that this machine reaches "+p.Issuer+", and that the provider calls itself exactly that.")
		default:
			e.note(fine, "provider", p.Title+" leads back to "+e.cfg.Web.Origin()+"/auth/"+p.Name+"/callback: it must know exactly that", "")
		}
	}
}
