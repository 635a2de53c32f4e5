package organization

import (
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/org"
)

// matrixPage is what each role may do: a row for each permission, a column for each role.
type matrixPage struct {
	*visit
	Text     string
	Only     bool // rows in which the roles differ
	Columns  []column
	Groups   []group
	Changes  int  // cells that are other than what holds
	Editable bool // there is a column that the visitor may change
}

// column is a role with what is chosen for it, saved or not.
type column struct {
	org.Role
	Title    string
	Editable bool
	Shown    bool     // where only one column has room
	Was      []string // what it grants
	Chosen   []string // what it is to grant
	Beside   []string // of those, what no row on the page shows

	gives []authz.Grant // with those of its base
}

// group is the permissions that begin alike.
type group struct {
	Title string
	Rows  []row
}

// row is one permission, or a pattern that stands for several.
type row struct {
	Key, Title string
	Lacking    bool // the visitor does not hold it, and so cannot give it
	Cells      []cell
}

// cell is whether a role grants it.
type cell struct {
	Role, Label                   string
	On, Changed, Locked, Disabled bool
	Shown                         bool
	Through                       string // the wider pattern, or the built-in role, that gives it as well
}

// draft is the roles with what was chosen for each on the page, whatever somebody else changed meanwhile.
func (s *organization) draft(v *visit) ([]column, error) {
	roles, err := s.app.Orgs.Roles(v, v.Caller(), v.Org.ID)
	if err != nil {
		return nil, err
	}
	list := make([]column, len(roles))
	for i, r := range roles {
		c := column{Role: r, Title: v.roleName(r.ID, r.Name), Editable: v.May.ChangeRole && !r.System, Was: texts(r.Grants)}
		c.Chosen = c.Was
		if c.Editable && v.Form.Values.Has("was."+r.ID) {
			c.Chosen = merge(c.Was, lines(v.TypedAll("was."+r.ID)), lines(v.TypedAll("grant."+r.ID)))
		}
		if r.Base != "" {
			c.gives, _ = v.root.RoleGrants(v.Org.ID, []string{r.Base})
		}
		list[i] = c
	}
	return list, nil
}

// lines is every line of what was typed, with something on it.
func lines(values []string) (list []string) {
	for _, value := range values {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); line != "" {
				list = append(list, line)
			}
		}
	}
	return list
}

func texts(grants []authz.Grant) []string {
	list := make([]string, len(grants))
	for i, g := range grants {
		list[i] = g.String()
	}
	return list
}

// changed counts what is other than what holds.
func (c *column) changed() (added, taken []string) {
	for _, g := range c.Chosen {
		if !slices.Contains(c.Was, g) {
			added = append(added, g)
		}
	}
	for _, g := range c.Was {
		if !slices.Contains(c.Chosen, g) {
			taken = append(taken, g)
		}
	}
	return added, taken
}

func (s *organization) showMatrix(v *visit) error {
	columns, err := s.draft(v)
	if err != nil {
		return err
	}
	p := matrixPage{visit: v, Text: v.Asked("q"), Only: v.Asked("only") == "differences", Columns: columns}
	p.choose()
	hold := v.root.Held(authz.Actor{User: v.me(), Org: v.Org.ID, Now: v.Now, Ceiling: v.Caller().Ceiling})
	shown := map[string]bool{}
	for _, g := range v.rows(columns) {
		kept := group{Title: g.Title}
		for _, r := range g.Rows {
			one, err := authz.ParseGrant(r.Key)
			r.Lacking = err != nil || !authz.CoversGrant(hold, one)
			if p.fill(&r, one); p.wanted(r) {
				kept.Rows, shown[r.Key] = append(kept.Rows, r), true
			}
		}
		if len(kept.Rows) > 0 {
			p.Groups = append(p.Groups, kept)
		}
	}
	for i := range p.Columns {
		c := &p.Columns[i]
		added, taken := c.changed()
		p.Changes += len(added) + len(taken)
		for _, g := range c.Chosen {
			if !shown[g] {
				c.Beside = append(c.Beside, g)
			}
		}
	}
	return v.show(s.matrix, v.T("org.roles"), "roles", p)
}

// choose says which column is shown where only one has room: the one that was asked for, or the first that can be changed.
func (p *matrixPage) choose() {
	want := p.Asked("role")
	if show := p.Typed("show"); show != "" {
		want = show
	}
	at := slices.IndexFunc(p.Columns, func(c column) bool { return c.ID == want })
	if at < 0 {
		at = max(0, slices.IndexFunc(p.Columns, func(c column) bool { return !c.System }))
	}
	for i := range p.Columns {
		p.Columns[i].Shown = i == at
		p.Editable = p.Editable || p.Columns[i].Editable
	}
}

// rows is what can be granted in an organization, by the beginning of its name: of the app first, then of the server, then whatever else
// a role grants.
func (v *visit) rows(columns []column) []group {
	list := []group{{Title: v.T("org_roles.everything"), Rows: []row{{Key: "*", Title: v.T("org_roles.all")}}}}
	server := group{Title: v.T("org_roles.server"), Rows: []row{{Key: "sys:*", Title: v.T("org_roles.all_server")}}}
	known := map[string]bool{"*": true, "sys:*": true}
	for _, p := range v.root.Catalogue() {
		if p.AliasOf != "" || p.Scope == authz.ScopeGlobal {
			continue
		}
		known[p.Name] = true
		r := row{Key: p.Name, Title: p.Title}
		head, _, deep := strings.Cut(p.Name, ":")
		switch last := &list[len(list)-1]; {
		case head == "sys":
			server.Rows = append(server.Rows, r)
		case !deep:
			list[0].Rows = append(list[0].Rows, r)
		case last.Title != head:
			known[head+":*"] = true
			list = append(list, group{head, []row{{Key: head + ":*", Title: v.T("org_roles.all_of", "Name", head)}, r}})
		default:
			last.Rows = append(last.Rows, r)
		}
	}
	other := group{Title: v.T("org_roles.beside")}
	for _, c := range columns {
		for _, g := range slices.Concat(c.Was, c.Chosen) {
			if !known[g] && !c.System {
				known[g] = true
				other.Rows = append(other.Rows, row{Key: g})
			}
		}
	}
	return append(list, server, other)
}

// fill makes the cells of a row.
func (p *matrixPage) fill(r *row, one authz.Grant) {
	title := r.Title
	if title == "" {
		title = r.Key
	}
	for i := range p.Columns {
		c := &p.Columns[i]
		is, was := slices.Contains(c.Chosen, r.Key), slices.Contains(c.Was, r.Key)
		cell := cell{Role: c.ID, Label: c.Title + ": " + title, On: is, Changed: is != was, Locked: !c.Editable, Shown: c.Shown, Through: p.through(c, r.Key, one)}
		cell.Disabled = cell.Locked || r.Lacking && !is && !was
		switch {
		case c.System:
			cell.On = is || cell.Through != ""
			cell.Label += ", " + p.T("org_roles.built_in")
		case cell.Locked:
		case cell.Disabled:
			cell.Label += ", " + p.T("org_roles.lacking")
		case cell.Through != "":
			cell.Label += ", " + p.T("org_roles.through", "What", cell.Through)
		}
		r.Cells = append(r.Cells, cell)
	}
}

// through is what gives a role something beside the grant itself, "" when nothing does.
func (p *matrixPage) through(c *column, key string, one authz.Grant) string {
	if one.Pattern == "" {
		return ""
	}
	for _, text := range c.Chosen {
		if g, err := authz.ParseGrant(text); err == nil && text != key && authz.CoversGrant([]authz.Grant{g}, one) {
			return g.Pattern
		}
	}
	if authz.CoversGrant(c.gives, one) {
		return p.roleName(c.Base, c.Base)
	}
	return ""
}

// wanted reports whether a row fits what is looked for.
func (p *matrixPage) wanted(r row) bool {
	text := strings.ToLower(p.Text)
	if !strings.Contains(strings.ToLower(r.Key), text) && !strings.Contains(strings.ToLower(r.Title), text) {
		return false
	}
	gives := func(c cell) bool { return c.On || c.Through != "" }
	return !p.Only || slices.ContainsFunc(r.Cells, func(c cell) bool { return gives(c) != gives(r.Cells[0]) })
}
