package main

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/admit-dev/admit/internal/cli"
)

// findBeside is the program to run beside the server, nil when none is asked for.
func findBeside(words []string) ([]string, error) {
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil, nil
	}
	path, err := exec.LookPath(words[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return nil, cli.Refuse(cli.ExitUsage, "There is no program %s to run beside the server. See admit serve --help.", words[0])
	}
	return append([]string{path}, words[1:]...), nil
}

// runBeside runs a program until it ends, or is told to when ctx is, and then tells how it ended: its exit code is that of the command. It finds the
// server in ADMIT_URL. Without a program nothing ends.
func runBeside(ctx context.Context, p *cli.Program, program []string, base string) <-chan error {
	if program == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Dir, p.Stdin, p.Stdout, p.Stderr
	cmd.Env = append(slices.Clone(p.Environ), "ADMIT_URL="+base)
	cmd.Cancel = func() error {
		if cmd.Process.Signal(syscall.SIGTERM) != nil {
			return cmd.Process.Kill() // Windows has no such signal
		}
		return nil
	}
	cmd.WaitDelay = patience
	over := make(chan error, 1)
	go func() {
		err := cmd.Run()
		var ended *exec.ExitError
		switch {
		case ctx.Err() != nil || err == nil:
			over <- nil
		case errors.As(err, &ended):
			over <- cli.Silent(max(ended.ExitCode(), 1)) // it has said why
		default:
			over <- cli.Refuse(cli.ExitFailed, "%s cannot be run: %s.", strings.Join(program, " "), err)
		}
	}()
	return over
}
