package authz

import (
	"fmt"
	mathbits "math/bits"
	"slices"
	"strings"
)

// bits is a set of declared permissions.
type bits []uint64

func (b bits) has(i int) bool { return i>>6 < len(b) && b[i>>6]&(1<<(i&63)) != 0 }

// with gives the union, sharing b when there is nothing to add to it.
func (b bits) with(more bits) bits {
	if len(b) == 0 {
		return more
	}
	var union bits
	for i, word := range more {
		if word&^b[i] != 0 && union == nil {
			union = slices.Clone(b)
		}
		if union != nil {
			union[i] |= word
		}
	}
	if union == nil {
		return b
	}
	return union
}

// catalogue is the declared permissions, each with its place in every bits.
type catalogue struct {
	rows  []Permission   // as given, aliases too
	list  []declared     // by name, without aliases: the position is the bit
	bit   map[string]int // of every name, an alias having that of its target
	names []string       // all of them, sorted
	only  []scopeByte    // by bit
}

// scopeByte is a Scope that lies close to the others.
type scopeByte uint8

const (
	anywhere scopeByte = iota
	onlyGlobal
	onlyOrg
)

// nowhere reports whether the permission is never asked there.
func (c *catalogue) nowhere(bit int, org string) bool {
	only := c.only[bit]
	return only == onlyOrg && org == "" || only == onlyGlobal && org != ""
}

type declared struct {
	name  string
	names []Pattern // its own first, then its aliases
}

func newCatalogue(rows []Permission) (*catalogue, error) {
	c := &catalogue{rows: slices.Clone(rows), bit: make(map[string]int, len(rows))}
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, func(a, b Permission) int { return strings.Compare(a.Name, b.Name) })
	for i, p := range sorted {
		if _, err := ParseName(p.Name); err != nil {
			return nil, fmt.Errorf("permission %q: %w", p.Name, err)
		}
		if i > 0 && sorted[i-1].Name == p.Name {
			return nil, fmt.Errorf("permission %s is declared twice", p.Name)
		}
		c.names = append(c.names, p.Name)
		scope := anywhere
		switch p.Scope {
		case "":
		case ScopeGlobal:
			scope = onlyGlobal
		case ScopeOrg:
			scope = onlyOrg
		default:
			return nil, fmt.Errorf("permission %s: there is no scope %q", p.Name, p.Scope)
		}
		if p.AliasOf == "" {
			c.bit[p.Name] = len(c.list)
			c.list = append(c.list, declared{p.Name, []Pattern{{p.Name}}})
			c.only = append(c.only, scope)
		}
	}
	targets := len(c.list)
	for _, p := range sorted {
		if p.AliasOf == "" {
			continue
		}
		i, ok := slices.BinarySearchFunc(c.list[:targets], p.AliasOf, func(d declared, name string) int { return strings.Compare(d.name, name) })
		if !ok {
			return nil, fmt.Errorf("permission %s is an alias of %q, which is not a declared permission", p.Name, p.AliasOf)
		}
		if strings.HasPrefix(p.Name, reserved) != strings.HasPrefix(p.AliasOf, reserved) {
			return nil, fmt.Errorf("permission %s: an alias may not lead into sys: or out of it", p.Name)
		}
		c.list[i].names = append(c.list[i].names, Pattern{p.Name})
		c.bit[p.Name] = i
	}
	return c, nil
}

// matches reports whether the pattern covers the permission under any of its names.
func (c *catalogue) matches(p Pattern, bit int) bool {
	for _, name := range c.list[bit].names {
		if Covers(p, name) {
			return true
		}
	}
	return false
}

// add puts what the pattern covers into b.
func (c *catalogue) add(b bits, p Pattern) {
	if !p.wide() {
		if i, ok := c.bit[p.text]; ok {
			b[i>>6] |= 1 << (i & 63)
		}
		return
	}
	prefix := p.text[:len(p.text)-1]
	from, _ := slices.BinarySearch(c.names, prefix)
	for _, name := range c.names[from:] {
		if !strings.HasPrefix(name, prefix) {
			break
		}
		if Covers(p, Pattern{name}) {
			i := c.bit[name]
			b[i>>6] |= 1 << (i & 63)
		}
	}
}

func (c *catalogue) empty() bits { return make(bits, (len(c.list)+63)/64) }

// unknown says that a permission was never declared, and what it was probably meant to be.
func (c *catalogue) unknown(name string) error {
	if !isName(name) {
		return ErrUnknownPermission.Say("This permission was never declared: it is no permission name.").Because(ErrPermission)
	}
	if n := nearest(name, c.names); n != "" {
		return ErrUnknownPermission.Say("This permission was never declared. Did you mean " + n + "?")
	}
	return ErrUnknownPermission
}

func (b bits) count() int {
	n := 0
	for _, word := range b {
		n += mathbits.OnesCount64(word)
	}
	return n
}
