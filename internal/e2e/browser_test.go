package e2e_test

import (
	"testing"

	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/testkit/browser"
)

// ask sends JSON as a page does, and gives the status with the answer.
const ask = `
const ask = async (path, body, method = 'POST') => {
	const r = await fetch(path, {method, headers: {'Content-Type': 'application/json'}, body: body && JSON.stringify(body)});
	const text = await r.text();
	return {status: r.status, ...(text ? JSON.parse(text) : {})};
};
`

// In a real browser the button of a link signs in where it was asked for, and elsewhere the code of the same mail does. Neither needs a script.
func TestMagicLinkInABrowser(t *testing.T) {
	s := testkit.StartAt(t, testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), testkit.NewClock())
	mine, theirs := browser.New(t), browser.New(t)
	for _, b := range []*browser.Browser{mine, theirs} {
		mine.Open(s.Config.Web.BaseURL + "/docs/errors")
		if asked := mine.Run(ask + `return ask('/auth/magic-link', {email: 'ann@example.com', return_to: '/docs/errors'});`); asked["status"] != 202.0 {
			t.Fatal(asked)
		}
		code := ""
		if b == theirs {
			code = codeIn(s, "ann@example.com")
		}
		b.Scripts(false)
		b.Open(s.Config.Web.BaseURL + linkIn(s, "ann@example.com"))
		b.Submit("form[action='/signin/link']", "#code", code)
		b.Scripts(true)
		if in := b.Run(`return {at: location.pathname, me: await (await fetch('/auth/me')).json()};`); in["at"] != "/docs/errors" || in["me"].(m)["email"] != "ann@example.com" {
			t.Errorf("%v", in)
		}
	}
}

// In a real browser a passkey is made by a page of this server and opens the door without a name: when it is asked for, and from the
// suggestions of a form.
func TestPasskeyInABrowser(t *testing.T) {
	b := browser.New(t)
	s := testkit.StartAt(t, testkit.Config(t, testkit.DatabaseURL(t, "sqlite")), testkit.NewClock())
	b.Device()
	b.Open(s.Config.Web.BaseURL + "/docs/errors")
	made := b.Run(ask + `
		await ask('/auth/signup', {email: 'ann@example.com', password: '` + pass + `'});
		const options = await ask('/auth/passkeys/register/options');
		const made = await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey)});
		return ask('/auth/passkeys/register', {credential: made.toJSON(), name: 'Chromium'});`)
	if made["status"] != 201.0 || made["name"] != "Chromium" || made["synced"] != true || made["user_verified"] != true {
		t.Fatal(made)
	}
	for _, mediation := range []string{"optional", "conditional"} {
		b.Run(ask + `return ask('/auth/logout');`)
		in := b.Run(ask + `
			const before = await ask('/auth/me', null, 'GET');
			const options = await ask('/auth/passkeys/login/options');
			const shown = await navigator.credentials.get({mediation: '` + mediation + `', publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey)});
			const entered = await ask('/auth/passkeys/login', {attempt: options.attempt, credential: shown.toJSON()});
			return {before: before.status, status: entered.status, me: await ask('/auth/me', null, 'GET')};`)
		if in["before"] != 401.0 || in["status"] != 200.0 || in["me"].(m)["email"] != "ann@example.com" {
			t.Errorf("%s: %v", mediation, in)
		}
	}
	again := b.Run(ask + `
		const asked = await ask('/auth/reauthenticate/options', {method: 'passkey'});
		const shown = await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked.prompt.challenge.publicKey)});
		return ask('/auth/reauthenticate', {credential: shown.toJSON()});`)
	if again["status"] != 200.0 {
		t.Error(again)
	}
	twice := b.Run(ask + `
		const options = await ask('/auth/passkeys/register/options');
		try {
			await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey)});
			return {};
		} catch (no) { return {name: no.name}; }`)
	if twice["name"] != "InvalidStateError" { // the device has one already
		t.Error(twice)
	}
}
