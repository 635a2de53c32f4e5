package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/admit-dev/admit/internal/secret"
)

// cost is what a password hash costs.
type cost struct{ KiB, Passes int }

var (
	usual = cost{19456, 2}
	cheap = cost{8, 1} // so that everything but the hash can be seen
)

func (c cost) env() []string {
	return []string{fmt.Sprintf("PASSWORD_HASH_MEMORY_KIB=%d", c.KiB), fmt.Sprintf("PASSWORD_HASH_ITERATIONS=%d", c.Passes)}
}

// hashes is how many were made in how much CPU time.
type hashes struct {
	N   int
	CPU time.Duration
}

func (h hashes) each() float64 { return float64(h.CPU.Nanoseconds()) / 1e3 / float64(h.N) }

// bareHash has a process of its own hash for d, on the CPU of the servers.
func (b *bench) bareHash(c cost, d time.Duration) (h hashes, err error) {
	cmd := b.command(b.ctx, nil, b.self, "hash", fmt.Sprintf("--kib=%d", c.KiB), fmt.Sprintf("--passes=%d", c.Passes), "--for="+d.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(out, &h)
}

// hash verifies one password again and again, as a login does.
func hash(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("hash", flag.ContinueOnError)
	kib := flags.Int("kib", 0, "memory")
	passes := flags.Int("passes", 0, "passes over it")
	length := flags.Duration("for", time.Second, "how long")
	if err := flags.Parse(args); err != nil {
		return err
	}
	hasher := secret.NewHasher(secret.Config{MemoryKiB: *kib, Iterations: *passes})
	defer hasher.Close()
	phc, err := hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	before, err := processCPU(os.Getpid())
	if err != nil {
		return err
	}
	var h hashes
	for begin := time.Now(); time.Since(begin) < *length; h.N++ {
		if _, err := hasher.Verify(ctx, phc, password); err != nil {
			return err
		}
	}
	after, err := processCPU(os.Getpid())
	if err != nil {
		return err
	}
	h.CPU = after - before
	return json.NewEncoder(os.Stdout).Encode(h)
}
