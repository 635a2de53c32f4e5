// Command make writes the list of package wordlist: it reads one entry from each line of stdin and writes a filter to stdout.
package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/FastFilter/xorfilter"

	"github.com/admit-dev/admit/internal/wordlist"
)

// shortest is the fewest characters of an entry: shorter ones are in everything.
const shortest = 4

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var keys []uint64
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if utf8.RuneCountInString(lines.Text()) >= shortest {
			keys = append(keys, wordlist.Key(lines.Text()))
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	f, err := xorfilter.NewBinaryFuse[uint16](keys)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, len(keys), "entries")
	return f.Save(os.Stdout)
}
