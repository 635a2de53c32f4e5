package main

import (
	"io"

	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/gateway"
)

// snippetCmd prints the configuration of a proxy.
type snippetCmd struct {
	Proxy      string `arg:"" enum:"caddy,envoy,nginx,traefik" help:"Which proxy: caddy, envoy, nginx or traefik."`
	App        string `default:"http://127.0.0.1:3000" help:"Where the app listens." placeholder:"URL"`
	Permission string `help:"A permission that everybody needs who passes." placeholder:"NAME"`
	Org        string `help:"The organization, by id or slug, in which they need it. The whole platform when left out." placeholder:"ORG"`
}

// Help is the example of the help page.
func (snippetCmd) Help() string {
	return "It lets nobody pass who is not signed in, and tells the app who asks. See docs/gateways.md.\n\nExample:\n\n\tadmit snippet caddy --app http://127.0.0.1:3000 --permission post_job --org acme > Caddyfile"
}

// Run prints it.
func (c *snippetCmd) Run(p *cli.Program) error {
	cfg, _, err := p.Load(nil)
	if err != nil {
		return err
	}
	if c.Org != "" && c.Permission == "" {
		return cli.Refuse(cli.ExitUsage, "--org says where a permission is needed: name it with --permission.")
	}
	text, err := gateway.Snippet(c.Proxy, gateway.Setup{Base: cfg.Web.Base(), Admit: gateway.Local(cfg.Server.Addr), App: c.App, Permission: c.Permission, Org: c.Org})
	if err != nil {
		return err
	}
	if p.JSON {
		return p.Print(map[string]string{"proxy": c.Proxy, "text": text})
	}
	_, err = io.WriteString(p.Stdout, text)
	return err
}
