// Package cli is what every command stands on: the streams, how data and refusals are shown, and how the store is opened.
package cli

import (
	"context"
	"io"

	"github.com/alecthomas/kong"
)

// Shared is what every command understands.
type Shared struct {
	JSON    bool `name:"json" help:"Print data as JSON, with the field names of the API."`
	Quiet   bool `short:"q" help:"Print data and errors, and nothing else."`
	NoInput bool `help:"Never ask; fail where an answer is needed."`
}

// Program is what a command works with: the process itself in main, something smaller in a test.
type Program struct {
	Shared
	Ctx            context.Context
	Dir            string // where migrate new looks for the source tree
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string
	EnvFile        string
	Terminal       Terminals
	Hidden         func() (string, error) // reads a line from the terminal without showing it
	Model          *kong.Kong
}

// Terminals says which streams a person sits at.
type Terminals struct{ In, Out, Err bool }
