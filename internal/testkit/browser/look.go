package browser

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe is axe-core 4.14.1 as npm has it (MPL 2.0, see axe.LICENSE): it finds what keeps people from using a page.
//
//go:embed testdata/axe.min.js.gz
var axe []byte

// View makes the window as wide as a device, in light or in dark.
func (b *Browser) View(width int64, dark bool) {
	b.T.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.do(func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return none, err
	})
	b.do(chromedp.EmulateViewport(width, 800))
}

// Picture is the whole page as a PNG.
func (b *Browser) Picture() []byte {
	b.T.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.T.Fatal(err)
	}
	return picture
}

// Violations are what axe-core finds on the page, each with where it is; with rules it looks for these alone. Nothing is the best.
func (b *Browser) Violations(rules ...string) (list []string) {
	b.T.Helper()
	if has := b.Run(`return {has: !!globalThis.axe}`); has["has"] != true {
		r, err := gzip.NewReader(bytes.NewReader(axe))
		if err != nil {
			b.T.Fatal(err)
		}
		source, err := io.ReadAll(r)
		if err != nil {
			b.T.Fatal(err)
		}
		if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](string(source)+";true")); err != nil {
			b.T.Fatal(err)
		}
	}
	only := ""
	if len(rules) > 0 {
		only = `, runOnly: ['` + strings.Join(rules, `', '`) + `']`
	}
	found := b.Run(`const r = await axe.run(document, {resultTypes: ['violations']` + only + `});
		return {list: r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).slice(0, 3).join(' | '))};`)
	text, err := json.Marshal(found["list"])
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		b.T.Fatal(err)
	}
	return list
}

// Settle waits until the page that a form leads to is there.
func (b *Browser) Settle() {
	b.T.Helper()
	b.Wait(`document.readyState === "complete" && !window.leaving`)
}

// Wait waits until something is so on the page, whichever that is by then.
func (b *Browser) Wait(condition string) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition))
		if err == nil && is {
			return
		}
		if ctx.Err() != nil {
			b.T.Fatalf("never %s", condition)
		}
	}
}

// Unreached is what can be pressed on the page and Tab does not come to, going once around it. What a page hides from everybody is not meant.
func (b *Browser) Unreached() (list []string) {
	b.T.Helper()
	left := b.Run(`const can = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
			.filter(e => e.checkVisibility() && !e.disabled && !e.closest('[aria-hidden=true]'));
		window.unreached = new Set(can);
		document.addEventListener('focusin', (e) => window.unreached.delete(e.target));
		document.activeElement.blur();
		return {n: can.length};`)
	for range 2*int(left["n"].(float64)) + 4 { // it may begin in the middle
		b.do(chromedp.KeyEvent("\t"))
	}
	found := b.Run(`return {list: [...window.unreached].map(e => e.outerHTML.slice(0, 200))};`)
	for _, one := range found["list"].([]any) {
		list = append(list, one.(string))
	}
	return list
}
