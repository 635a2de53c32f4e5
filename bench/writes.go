package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
)

// writeFloor compares durable changes with what SQLite itself can do: one row a commit, synced.
func (b *bench) writeFloor() error {
	modes := []string{"raw", "1", "32"}
	rates := map[string][]float64{}
	for range b.pairs {
		for _, mode := range modes {
			rate, err := b.writeRate(mode, b.sample/2)
			if err != nil {
				return err
			}
			rates[mode] = append(rates[mode], rate)
		}
	}
	share := func(mode string) float64 {
		ratios := make([]float64, b.pairs)
		for i := range ratios {
			ratios[i] = rates[mode][i] / rates["raw"][i]
		}
		return median(ratios)
	}
	note := fmt.Sprintf("raw: %s commits/s of one event row, modernc, WAL, synchronous=FULL", number(median(rates["raw"])))
	b.add(result{Name: "durable change, 1 writer", PerSecond: median(rates["1"]), Note: note}, least("share of raw", 100*share("1"), 50, "%"))
	b.add(result{Name: "durable change, 32 writers", PerSecond: median(rates["32"])}, least("times raw", share("32"), 2, ""))
	return nil
}

func (b *bench) writeRate(mode string, d time.Duration) (float64, error) {
	dir, err := os.MkdirTemp(b.dir, "writes-")
	if err != nil {
		return 0, err
	}
	cmd := b.command(b.ctx, nil, b.self, "writes", mode, dir, d.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// tick is an event that tells of nothing.
type tick struct {
	N int `json:"n"`
}

func (tick) Kind() string    { return "bench.tick" }
func (tick) Subject() string { return "" }

// writes commits event rows for a while and prints how many in a second.
func writes(ctx context.Context, args []string) error {
	mode, path := args[0], filepath.Join(args[1], "admit.db")
	d, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	db, err := database.Open(ctx, database.Config{URL: "sqlite:///" + path, Synchronous: "full"}, database.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		return err
	}
	one, writers := func() error {
		return db.Write(ctx, func(tx *database.Tx) error { tx.Emit(tick{1}); return nil })
	}, 1
	if mode == "raw" {
		if one, err = rawCommit(ctx, path); err != nil {
			return err
		}
	} else if writers, err = strconv.Atoi(mode); err != nil {
		return err
	}
	for range 50 { // the first ones make the file larger
		if err := one(); err != nil {
			return err
		}
	}
	var n atomic.Int64
	begin := time.Now()
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for time.Since(begin) < d {
				if err := one(); err != nil {
					panic(err)
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	fmt.Println(float64(n.Load()) / time.Since(begin).Seconds())
	return nil
}

// rawCommit writes the same row with nothing between it and the driver.
func rawCommit(ctx context.Context, path string) (func() error, error) {
	pool, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	insert, err := pool.PrepareContext(ctx, `INSERT INTO events (id, at, kind, subject, outcome, actor, session_id, org_id, ip, user_agent, request_id, data)
		VALUES ($1, $2, 'bench.tick', '', 'success', '', '', '', '', '', '', '{"n":1}')`)
	if err != nil {
		return nil, err
	}
	return func() error {
		_, err := insert.ExecContext(ctx, id.New("evt"), time.Now().UnixMicro())
		return err
	}, nil
}
