// Package browser is a real Chromium in a test. It stands beside testkit so that only the tests that want one carry it.
package browser

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Browser is a page in a real Chromium without a window.
type Browser struct {
	T   testing.TB
	ctx context.Context
	off bool // pages run no scripts of their own
}

// patience is how long a browser may take for one thing, on a machine that is busy.
const patience = 2 * time.Minute

// New starts the Chromium that CHROMIUM names. It ends with the test. make test says where it is; make test-fast, and
// whoever names the engines without it, goes without.
func New(t testing.TB) *Browser {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	switch {
	case path != "":
	case testing.Short() || os.Getenv("TEST_ENGINES") != "":
		t.Skip("CHROMIUM is not set")
	default:
		t.Fatal("CHROMIUM is not set. Run make test, which finds or installs Chromium, or set CHROMIUM to the path of one; make test-fast does without.")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has none for root
	}
	all, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(all)
	t.Cleanup(cancel)
	b := &Browser{T: t, ctx: ctx}
	b.do(func(context.Context, *chromedp.Target) (chromedp.Void, error) { return chromedp.Void{}, nil }) // starts it: that context may not end sooner
	return b
}

func (b *Browser) do(f chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	if err := chromedp.Do(b.ctx, f); err != nil {
		b.T.Fatal(err)
	}
}

// Tab opens another tab of the same browser: it has the same cookies.
func (b *Browser) Tab() *Browser {
	b.T.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.T.Cleanup(cancel)
	tab := &Browser{T: b.T, ctx: ctx}
	tab.do(func(context.Context, *chromedp.Target) (chromedp.Void, error) { return chromedp.Void{}, nil })
	return tab
}

// Device gives the browser a device that keeps passkeys and knows its owner, such as a phone.
func (b *Browser) Device() {
	b.T.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		if _, err = cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return none, err
		}
		_, err = cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Ctap2version: "ctap2_1", Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
			AutomaticPresenceSimulation: true, IsUserVerified: true, DefaultBackupEligibility: true, DefaultBackupState: true}})
		return none, err
	})
}

// Open goes to an address. What the test does on the page is not bound by the page's policy.
func (b *Browser) Open(url string) {
	b.T.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
		return none, err
	})
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		b.T.Fatal(err)
	}
}

// Run runs the body of an async function on the page, as if somebody had clicked, and gives the object that it returns.
func (b *Browser) Run(body string) map[string]any {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	gesture := func(p *runtime.EvaluateParams) { yes := true; p.UserGesture = &yes }
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => JSON.stringify(await (async () => {`+body+`})()))()`, chromedp.EvalAwaitPromise, gesture))
	if err != nil {
		b.T.Fatalf("%v\n%s", err, strings.TrimSpace(body))
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.T.Fatal(err)
	}
	return v
}

// Scripts says whether pages run scripts of their own. What the test runs on them is run in any case.
func (b *Browser) Scripts(on bool) {
	b.T.Helper()
	b.off = !on
	b.do(func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return none, err
	})
}

// Submit types a text into a field, unless it is empty, presses the only button of the form, and waits until that form is gone.
func (b *Browser) Submit(form, field, text string) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	steps := []chromedp.Action[chromedp.Void]{chromedp.Click(form + " button"), chromedp.WaitNotPresent(form)}
	if text != "" {
		steps = append([]chromedp.Action[chromedp.Void]{chromedp.SendKeys(form+" "+field, text)}, steps...)
	}
	for _, one := range steps {
		if err := chromedp.Do(ctx, one); err != nil {
			b.T.Fatal(err)
		}
	}
}

// Fill types into fields of a form by their names, presses the button that sends it, the first of the primary ones, unless a script sends a whole code by itself, and waits for
// the page that it leads to.
func (b *Browser) Fill(form string, typed ...string) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	var steps []chromedp.Action[chromedp.Void]
	for i := 0; i < len(typed); i += 2 {
		steps = append(steps, chromedp.SendKeys(form+` [name="`+typed[i]+`"]`, typed[i+1]))
	}
	on := b.Run(`window.leaving = true; const has = (what) => !!document.querySelector('` + form + ` ' + what); return {code: has('[data-code]'), primary: has('button.primary')};`)
	if b.off || on["code"] != true {
		button := " button:not([type=button])"
		if on["primary"] == true {
			button = " button.primary"
		}
		steps = append(steps, chromedp.Click(form+button))
	}
	for _, one := range steps {
		if err := chromedp.Do(ctx, one); err != nil {
			b.T.Fatalf("%s: %v", form, err)
		}
	}
	b.Settle()
}

// Press presses a button, and waits for the page that it leads to. It needs no scripts of the page.
func (b *Browser) Press(button string) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	b.Run(`window.leaving = true; return {};`)
	if err := chromedp.Do(ctx, chromedp.Click(button)); err != nil {
		b.T.Fatalf("%s: %v", button, err)
	}
	b.Settle()
}

// Reads is what the page that is open says to people.
func (b *Browser) Reads() string {
	b.T.Helper()
	text, _ := b.Run(`return {text: document.body.innerText};`)["text"].(string)
	return text
}
