package cli

import (
	"fmt"
	"strings"
)

// Bar shows how far something is that takes its time, where somebody reads it.
type Bar struct {
	p     *Program
	what  string
	shown string
}

// Progress begins a bar.
func (p *Program) Progress(what string) *Bar { return &Bar{p: p, what: what} }

const barWidth = 30

// Show draws the bar anew, if it looks different now.
func (b *Bar) Show(done, of int64) {
	if b.p.Quiet || !b.p.Terminal.Err || of <= 0 {
		return
	}
	done = min(max(done, 0), of)
	full := int(done * barWidth / of)
	line := fmt.Sprintf("%s [%s%s] %3d %%", b.what, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), done*100/of)
	if line != b.shown {
		b.shown = line
		fmt.Fprint(b.p.Stderr, "\r"+line)
	}
}

// Done takes the bar away.
func (b *Bar) Done() {
	if b.shown != "" {
		fmt.Fprint(b.p.Stderr, "\r"+strings.Repeat(" ", len(b.shown))+"\r")
	}
}
