package rights

import (
	"strings"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/cli"
)

// reasons words an explanation for an operator.
type reasons struct {
	check.Explanation
	who, org string // by which people know them; org is "" for the platform
}

// in names an organization behind what happens there.
func in(slug string) string {
	if slug == "" {
		return ""
	}
	return " in " + slug
}

// lines is the answer, then everything that led to it, one sentence each.
func (r reasons) lines() []string {
	not := ""
	if !r.Allowed {
		not = "not "
	}
	list := []string{r.who + " is " + not + "allowed " + r.Permission + in(r.org) + "."}
	if said := r.nowhere(); said != "" {
		return append(list, said)
	}
	for _, g := range r.GrantedBy {
		list = append(list, "It is given by "+r.path(g)+".")
	}
	if r.AcrossOrgs {
		list = append(list, "They are no active member of "+r.org+": only global roles count for them there.")
	}
	list = append(list, r.against()...)
	if len(r.GrantedBy) == 0 {
		list = append(list, r.missing()...)
	}
	return list
}

// nowhere is said where no role was looked at.
func (r reasons) nowhere() string {
	switch r.Code {
	case authz.WrongScope:
		if r.org == "" {
			return "It is asked of an organization. Say which with --org."
		}
		return "It is asked of the whole platform. Leave --org out."
	case authz.UserSuspended:
		return "The account is disabled, so nothing that it holds counts."
	case authz.OrgSuspended:
		return "The organization is suspended, so nothing in it is allowed."
	case authz.EngineError:
		return "The policy engine gave no answer, so the answer is no. See the log of the server."
	}
	return ""
}

func (r reasons) path(g check.Path) string {
	if g.Scope == authz.ScopeEngine {
		return "the policy engine " + g.Role
	}
	s := "the role " + r.role(g.Scope, g.Role) + ", which permits " + g.Pattern
	if g.Via != nil {
		s += " through " + *g.Via
	}
	if g.Condition != nil {
		s += " if " + *g.Condition
	}
	if g.ExpiresAt != nil {
		s += ", until " + cli.Stamp(*g.ExpiresAt)
	}
	return s
}

func (r reasons) role(scope authz.Scope, key string) string {
	if scope == authz.ScopeGlobal {
		return key + " (global)"
	}
	return key + " of " + r.org
}

const ungiven = "That cannot be answered with what is given: it reads more of resource or context. See --resource and --context."

// against is what stands in the way although a role may give it.
func (r reasons) against() []string {
	return cli.Mapped(r.BlockedBy, func(b check.Block) string {
		switch {
		case b.Engine != nil:
			return "The policy engine " + *b.Engine + " says no."
		case b.Code == authz.MemberSuspended:
			return "Their membership in " + r.org + " is suspended."
		case b.Guard == nil:
			return string(b.Code)
		}
		said := "A guard that holds everywhere"
		if b.OrgID != nil {
			said = "A guard of " + r.org
		}
		said += " (" + *b.Guard + ") stands against it: " + *b.Pattern + " is permitted only if " + *b.Condition + "."
		switch b.Code {
		case authz.NeedsStepUp:
			said += " Whoever has just proved again that it is them may."
		case authz.ConditionError:
			said += " " + ungiven
		}
		return said
	})
}

// missing is why no role gives it, and which would.
func (r reasons) missing() (list []string) {
	if r.Code == authz.NotAMember {
		list = append(list, "They do not belong to "+r.org+".")
	}
	for _, g := range r.Unmet {
		said := "It would be given by " + r.path(g) + "."
		if g.Code == authz.ConditionError {
			said += " " + ungiven
		} else {
			said += " That does not hold."
		}
		list = append(list, said)
	}
	held := cli.Mapped(r.HeldRoles, func(h check.Held) string { return r.role(h.Scope, h.Role) })
	switch {
	case len(held) == 0:
		list = append(list, "No role of theirs counts here.")
	case len(r.Unmet) == 0:
		list = append(list, "None of their roles gives it: "+strings.Join(held, ", ")+".")
	}
	would := cli.Mapped(r.WouldAllow, func(s check.Suggestion) string { return r.role(s.Scope, s.Role) + ", which permits " + s.Pattern })
	switch {
	case len(would) > 0:
		list = append(list, "Any of these roles would give it: "+strings.Join(would, "; ")+".")
	case len(r.BlockedBy) == 0:
		list = append(list, "There is no role that would give it.")
	}
	return list
}

// ways is the commands that would turn a denial, those that give least first.
func (r reasons) ways() []string {
	switch r.Code {
	case authz.UserSuspended:
		return []string{"admit user enable " + r.who}
	case authz.OrgSuspended:
		return []string{"admit org reinstate " + r.org}
	case authz.MemberSuspended:
		return []string{"admit org reinstate " + r.org + " " + r.who}
	}
	return cli.Mapped(r.WouldAllow, func(s check.Suggestion) string {
		switch {
		case s.Scope == authz.ScopeGlobal:
			return "admit role grant " + r.who + " " + s.Role
		case r.Code == authz.NotAMember:
			return "admit org add-member " + r.org + " " + r.who + " --role " + s.Role
		}
		return "admit org role grant " + r.org + " " + r.who + " " + s.Role
	})
}
