// Command admit is the whole of Admit in one program: the server, and what its operator does on the command line.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/database"
)

// version is set by the release: -ldflags "-X main.version=v1.2.3".
var version = "dev"

// commands is every command, in the order of the help.
type commands struct {
	shared
	ShowVersion kong.VersionFlag `name:"version" hidden:"" help:"Print the version."`

	Serve      serveCmd      `cmd:"" help:"Run the server."`
	Doctor     doctorCmd     `cmd:"" help:"Check that everything is in order, and say how to put right what is not."`
	User       userCmd       `cmd:"" help:"People: list, create, get, disable, enable, sessions, logout, delete."`
	Role       roleCmd       `cmd:"" help:"Global roles of people."`
	Admin      adminCmd      `cmd:"" help:"The way in for an owner."`
	Message    messageCmd    `cmd:"" help:"Mail and texts: list, test."`
	Config     configCmd     `cmd:"" help:"Settings: list, explain, check."`
	Migrate    migrateCmd    `cmd:"" help:"The schema of the database."`
	Keygen     keygenCmd     `cmd:"" help:"Make a random key, as SESSION_SECRET_KEY wants it."`
	Completion completionCmd `cmd:"" help:"Print a completion script for a shell."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// shared is what every command understands.
type shared struct {
	JSON    bool `name:"json" help:"Print data as JSON, with the field names of the API."`
	Quiet   bool `short:"q" help:"Print data and errors, and nothing else."`
	NoInput bool `help:"Never ask; fail where an answer is needed."`
}

// program is what a command works with: the process itself in main, something smaller in a test.
type program struct {
	shared
	ctx            context.Context
	dir            string // where migrate new looks for the source tree
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	envFile        string
	terminal       terminals
	hidden         func() (string, error) // reads a line from the terminal without showing it
	model          *kong.Kong
}

// terminals says which streams a person sits at.
type terminals struct{ in, out, err bool }

func main() {
	admit.Version = version
	is := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	p := &program{
		ctx: context.Background(), dir: ".", stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(), envFile: ".env",
		terminal: terminals{is(os.Stdin), is(os.Stdout), is(os.Stderr)},
		hidden:   hidden,
	}
	os.Exit(p.run(os.Args[1:]))
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
		os.Exit(exitInterrupted)
	}()
	text, err := term.ReadPassword(fd)
	return string(text), err
}

// exited is how the help ends a command from within the parser.
type exited int

// run is the program: it does what the arguments ask for and gives the exit code.
func (p *program) run(args []string) (code int) {
	p.ctx = database.WithOrigin(p.ctx, &database.Origin{Actor: "cli", UserAgent: "admit cli"})
	var c commands
	p.model = kong.Must(&c, kong.Name("admit"),
		kong.Description("One server that answers two questions for every app: who is this, and what may they do?"),
		kong.Writers(p.stdout, p.stderr), kong.Exit(func(code int) { panic(exited(code)) }),
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
	parsed, err := p.model.Parse(args)
	if err != nil {
		return p.fail(usage(err))
	}
	p.shared = c.shared
	return p.fail(parsed.Run())
}
