package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// workers is how many passwords Admit hashes at once where the servers run.
func (b *bench) workers() int {
	if b.pin.works() {
		return 1
	}
	return runtime.NumCPU()
}

// starts is the time from the start of the process to the first answer.
func (b *bench) starts() error {
	dir, err := b.dataDir()
	if err != nil {
		return err
	}
	var empty, existing []float64
	for range b.pairs + 1 {
		for _, at := range []struct {
			dir  string
			list *[]float64
		}{{"", &empty}, {dir, &existing}} {
			s, err := b.server(at.dir)
			if err != nil {
				return err
			}
			s.stop()
			*at.list = append(*at.list, s.ready.Seconds()*1e3)
		}
	}
	b.add(result{Name: "start, empty data directory"}, most("ready after", median(empty), 50, "ms"))
	b.add(result{Name: "start, existing database"}, most("ready after", median(existing[1:]), 20, "ms"))
	info, err := os.Stat(b.admit)
	if err != nil {
		return err
	}
	b.add(result{Name: "binary, -ldflags '-s -w'"}, most("size", float64(info.Size())/1e6, 60, "MB"))
	return nil
}

// idle is what a server costs that nobody asks.
func (b *bench) idle() error {
	s, _, err := b.signedUp(cheap.env()...)
	if err != nil {
		return err
	}
	defer s.stop()
	time.Sleep(time.Second)
	before, err := s.cpu()
	if err != nil {
		return err
	}
	begin := time.Now()
	time.Sleep(5 * time.Second)
	after, err := s.cpu()
	if err != nil {
		return err
	}
	rss, err := s.memory("VmRSS")
	if err != nil {
		return err
	}
	b.add(result{Name: "idle"}, most("RSS", rss/1e6, 40, "MB"),
		most("CPU", (after-before).Seconds()*1e3/time.Since(begin).Seconds(), 0.5, "ms/s"))
	return nil
}

// reads holds that nothing is written by asking who one is.
func (b *bench) reads() error {
	dir, err := b.dataDir()
	if err != nil {
		return err
	}
	s, err := b.server(dir, cheap.env()...)
	if err != nil {
		return err
	}
	defer s.stop()
	a, err := asked(s.addr, request("POST", "/auth/signup", signIn), 201)
	if err != nil {
		return err
	}
	n := int64(200_000)
	if b.quick {
		n = 50_000
	}
	f, err := newFleet(s.addr, connections, times(n, me(a.cookie("session_id")), 200))
	if err != nil {
		return err
	}
	defer f.close()
	time.Sleep(time.Second)
	disk, files, err := s.state(dir)
	if err != nil {
		return err
	}
	if _, err := f.run(b.ctx, time.Minute); err != nil {
		return err
	}
	time.Sleep(time.Second)
	disk2, files2, err := s.state(dir)
	if err != nil {
		return err
	}
	changed := 0.0
	if files != files2 {
		changed = 1
	}
	b.add(result{Name: fmt.Sprintf("%d reads of me, cached", n)}, most("written", disk2-disk, 0, "bytes"), most("files changed", changed, 0, ""))
	return nil
}

// state is what the process has written so far, and the size and time of every file in its data directory.
func (c *child) state(dir string) (written float64, files string, err error) {
	if written, err = c.written(); err != nil {
		return 0, "", err
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && filepath.Ext(path) != ".db-shm" { // readers take their locks there; it is memory
			files += fmt.Sprintln(path, info.Size(), info.ModTime())
		}
		return err
	})
	return written, files, err
}
