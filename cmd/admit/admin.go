package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/owner"
)

// adminCmd is the way in for an owner.
type adminCmd struct {
	Link adminLinkCmd `cmd:"" help:"Print a link that makes whoever opens it first the owner."`
}

type adminLinkCmd struct{}

// Help is the example of the help page.
func (adminLinkCmd) Help() string {
	return "The link works once, for 30 minutes. Use it for the first owner, and when every owner has lost the way in.\n\nExample:\n\n\tadmit admin link"
}

// Run prints a new link.
func (c *adminLinkCmd) Run(p *cli.Program) error {
	a, err := p.Open(true)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	key, err := a.Owner.Link(p.Ctx)
	if err != nil {
		return err
	}
	base := a.Config.Web.Base()
	link, expires := startLink(base, key), a.DB.Now().Add(owner.Life)
	if p.JSON {
		err = p.Print(map[string]any{"url": link, "expires_at": expires})
	} else {
		err = p.Table(nil, [][]string{{link}})
	}
	p.Say("It makes whoever opens it first the owner, and works until %s.", cli.Stamp(expires))
	if _, ok := running(p.Ctx, base); !ok {
		p.Say("No server answers at %s: start it with admit serve, or set BASE_URL to where it is reached.", base)
	}
	return err
}

// running asks an address whether Admit answers there, and which version.
func running(ctx context.Context, base string) (version string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/", nil)
	if err != nil {
		return "", false
	}
	r.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", false
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Status, Version string }
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<10)).Decode(&answer)
	return answer.Version, err == nil && answer.Status == "running"
}
