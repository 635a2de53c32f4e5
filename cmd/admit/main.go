// Command admit is the whole of Admit in one program: the server, and what its operator does on the command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/cli"
	"github.com/admit-dev/admit/internal/cli/hooks"
	"github.com/admit-dev/admit/internal/cli/programs"
	"github.com/admit-dev/admit/internal/cli/rights"
	"github.com/admit-dev/admit/internal/cli/scaffold"
	"github.com/admit-dev/admit/internal/cli/store"
	"github.com/admit-dev/admit/internal/database"
)

// version is set by the release: -ldflags "-X main.version=v1.2.3".
var version = "dev"

// commands is every command, in the order of the help.
type commands struct {
	cli.Shared
	ShowVersion kong.VersionFlag `name:"version" hidden:"" help:"Print the version."`

	Serve          serveCmd          `cmd:"" help:"Run the server."`
	Init           scaffold.Init     `cmd:"" help:"Begin an app that has accounts, with a guarded route and a test: go, fastapi, express, static."`
	Doctor         doctorCmd         `cmd:"" help:"Check that everything is in order, and say how to put right what is not."`
	User           userCmd           `cmd:"" help:"People: list, create, get, disable, enable, sessions, logout, delete."`
	Org            rights.Org        `cmd:"" help:"Organizations: their members, invitations and roles."`
	Role           rights.Role       `cmd:"" help:"Global roles, and who holds them."`
	Permission     rights.Permission `cmd:"" help:"What can be asked about, who may do it, and why."`
	Guard          rights.Guard      `cmd:"" help:"Conditions that must hold wherever something is asked about."`
	Key            programs.Key      `cmd:"" help:"API keys: list, create, rotate, revoke."`
	ServiceAccount programs.Account  `cmd:"" name:"service-account" help:"Accounts of programs that act for themselves: list, create, disable, delete."`
	Webhook        hooks.Webhook     `cmd:"" help:"Servers that are told of events: list, create, update, rotate, pause, resume, delete, deliveries, replay."`
	Import         store.Import      `cmd:"" help:"Take people over from another service, with their passwords."`
	Export         store.Export      `cmd:"" help:"Print everything that another server needs to go on with the people of this one."`
	Audit          auditCmd          `cmd:"" help:"The log of everything that happened: tail, export, verify."`
	Admin          adminCmd          `cmd:"" help:"The way in for an owner."`
	Message        messageCmd        `cmd:"" help:"Mail and texts: list, test."`
	Config         configCmd         `cmd:"" help:"Settings: list, explain, check."`
	Migrate        store.Migrate     `cmd:"" help:"The schema of the database."`
	Backup         store.Backup      `cmd:"" help:"Copies of everything, sealed: create, verify, restore."`
	DB             store.DB          `cmd:"" help:"Move to another database."`
	Keygen         keygenCmd         `cmd:"" help:"Make a random key, as SESSION_SECRET_KEY wants it."`
	Snippet        snippetCmd        `cmd:"" help:"Print the configuration of a proxy that lets pass who may: nginx, Caddy, Traefik, Envoy."`
	Completion     completionCmd     `cmd:"" help:"Print a completion script for a shell."`
	Version        versionCmd        `cmd:"" help:"Print the version."`
}

func main() {
	admit.Version = version
	is := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	p := &cli.Program{
		Ctx: context.Background(), Dir: ".", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(), EnvFile: ".env",
		Terminal: cli.Terminals{In: is(os.Stdin), Out: is(os.Stdout), Err: is(os.Stderr)},
		Hidden:   hidden,
	}
	os.Exit(run(p, os.Args[1:]))
}

// hidden reads a line from the terminal without showing it. Whoever gives up gets a terminal back that shows what is typed.
func hidden() (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupted)
	go func() {
		<-interrupted
		_ = term.Restore(fd, before)
		os.Exit(cli.ExitInterrupted)
	}()
	text, err := term.ReadPassword(fd)
	return string(text), err
}

// exited is how the help ends a command from within the parser.
type exited int

// run is the program: it does what the arguments ask for and gives the exit code.
func run(p *cli.Program, args []string) (code int) {
	p.Ctx = database.WithOrigin(p.Ctx, &database.Origin{Actor: "cli", UserAgent: "admit cli"})
	var c commands
	p.Model = kong.Must(&c, kong.Name("admit"),
		kong.Description("One server that answers two questions for every app: who is this, and what may they do?"),
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.Vars{"version": "admit " + version}, kong.Bind(p),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 120}))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exited:
			code = int(r)
		default:
			panic(r)
		}
	}()
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help":
		args = append(args[1:], "--help")
	}
	parsed, err := p.Model.Parse(args)
	if err != nil {
		return p.Fail(cli.Usage(err))
	}
	p.Shared = c.Shared
	return p.Fail(parsed.Run())
}
