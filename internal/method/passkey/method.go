package passkey

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/user"
)

const (
	ceremonyLife = 5 * time.Minute
	largest      = 64 << 10 // bytes of a credential; real ones have a few thousand
)

// Method asks for a passkey.
type Method struct {
	db  *database.DB
	lib *webauthn.WebAuthn // nil where there are no passkeys
	key []byte             // what to sign at the door is derived with it

	notices *notice.Service
}

// NewMethod takes passkeys of a site that people know by a name.
func NewMethod(db *database.DB, site Site, name string, box *secret.Box, notices *notice.Service) (Method, error) {
	m := Method{db: db, key: box.Derive("passkey challenges", 32), notices: notices}
	if !site.On() {
		return m, nil
	}
	wait := webauthn.TimeoutConfig{Timeout: ceremonyLife, TimeoutUVD: ceremonyLife} // what browsers are told; here the clock of the store decides
	cfg := &webauthn.Config{
		RPID: site.RPID, RPDisplayName: name, AttestationPreference: protocol.PreferNoAttestation,
		Timeouts: webauthn.TimeoutsConfig{Login: wait, Registration: wait},
		// Password managers give outputs nobody asked for. Nothing here reads them.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	}
	for _, o := range site.Origins {
		if strings.HasPrefix(o, android) {
			cfg.RPOpaqueOrigins = append(cfg.RPOpaqueOrigins, o)
		} else {
			cfg.RPOrigins = append(cfg.RPOrigins, o)
		}
	}
	lib, err := webauthn.New(cfg)
	if err != nil {
		return m, fmt.Errorf("PASSKEY_RP_ID and PASSKEY_ORIGINS: %w", err)
	}
	m.lib = lib
	return m, nil
}

// On reports whether there are passkeys here.
func (m Method) On() bool { return m.lib != nil }

// Name is "passkey".
func (Method) Name() string { return Name }

// Uses are to open the door without a name, to be a second factor, and to show again who one is.
func (Method) Uses() login.Use {
	return login.First | login.Second | login.StepUp | login.Finds | login.Passes
}

// Reads takes an answer with a credential.
func (Method) Reads(in login.Answer) bool { return in["credential"] != "" }

// Begin says what to sign. At the door it names no passkey, so it is the same for everybody; after it, it names those of the person.
func (m Method) Begin(ctx context.Context, a login.Attempt) (login.Prompt, error) {
	challenge, err := m.ask(ctx, a)
	if err != nil {
		return login.Prompt{}, err
	}
	options := []webauthn.LoginOption{webauthn.WithChallenge(challenge), webauthn.WithUserVerification(verification(a))}
	if !atTheDoor(a) {
		list, err := listOf(ctx, m.db, a.User.ID)
		if err != nil {
			return login.Prompt{}, err
		}
		options = append(options, webauthn.WithAllowedCredentials(descriptors(list)))
	}
	assertion, _, err := m.lib.BeginDiscoverableLogin(options...)
	if err != nil {
		return login.Prompt{}, err
	}
	return login.Prompt{Fields: []login.Field{}, Challenge: Options{assertion.Response}}, nil
}

// atTheDoor reports whether an attempt asks for a first factor.
func atTheDoor(a login.Attempt) bool { return a.SessionID == "" && len(a.Shown) == 0 }

// verification is whether the device has to ask for a fingerprint, a face or a PIN. After a password, having the device is enough.
func verification(a login.Attempt) protocol.UserVerificationRequirement {
	if a.SessionID == "" && len(a.Shown) > 0 {
		return protocol.VerificationPreferred
	}
	return protocol.VerificationRequired
}

// ask is the challenge of an attempt: derived from its secret id, which is good once; or a new one, of somebody who is signed in.
func (m Method) ask(ctx context.Context, a login.Attempt) ([]byte, error) {
	if a.SessionID == "" {
		return m.challengeOf(a.ID), nil
	}
	return m.begin(ctx, a.SessionID, proving)
}

func (m Method) challengeOf(attemptID string) []byte {
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte(attemptID))
	return mac.Sum(nil)
}

// begin makes what a session is asked to sign.
func (m Method) begin(ctx context.Context, sessionID, purpose string) ([]byte, error) {
	challenge := secret.Random(32)
	return challenge, m.db.Write(ctx, func(tx *database.Tx) error {
		tx.Quiet() // nothing has happened yet
		return setCeremony(tx, sessionID, purpose, challenge, tx.Now.Add(ceremonyLife))
	})
}

// Verify finds whose passkey signed, and that it signed this. The change that uses the challenge up also looks at the counter.
func (m Method) Verify(ctx context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	challenge, err := m.asked(ctx, a)
	if err != nil {
		return login.Proof{}, err
	}
	signed, err := readAssertion(in["credential"])
	if err != nil || challenge == nil {
		return login.Proof{}, errWrong.Because(err)
	}
	r, err := byCredential(ctx, m.db, signed.RawID)
	if errors.Is(err, database.ErrNone) || err == nil && !(a.Nameless() || a.User != nil && a.User.ID == r.UserID) {
		return login.Proof{}, errWrong
	}
	if err != nil {
		return login.Proof{}, err
	}
	if err := m.check(a, r, challenge, signed); err != nil {
		return login.Proof{}, errWrong.Because(err)
	}
	flags := signed.Response.AuthenticatorData.Flags
	p := login.Proof{UserID: r.UserID, AMR: amrOf(r.BackupEligible), Whole: flags.UserVerified()}
	p.Consume = func(tx *database.Tx) error {
		if a.SessionID != "" {
			if ok, err := spend(tx, a.SessionID, proving, challenge); err != nil || !ok {
				return cmpErr(err, errWrong) // somebody was quicker with it
			}
		}
		return count(tx, r, int64(signed.Response.AuthenticatorData.Counter), flags)
	}
	return p, nil
}

// amrOf is what RFC 8176 calls a passkey.
func amrOf(synced bool) string {
	if synced {
		return "swk user" // the key is copied to other devices
	}
	return "hwk user"
}

// asked is what an attempt was told to sign; nil when that is nothing.
func (m Method) asked(ctx context.Context, a login.Attempt) ([]byte, error) {
	switch {
	case a.SessionID != "":
		return ceremony(ctx, m.db, a.SessionID, proving, m.db.Now())
	case a.ID != "":
		return m.challengeOf(a.ID), nil
	}
	return nil, nil // a sign-in in one request was told nothing
}

// check has the library compare what was signed with what was asked (WebAuthn, section 7.2).
func (m Method) check(a login.Attempt, r row, challenge []byte, signed *protocol.ParsedCredentialAssertionData) error {
	owner := &owner{id: r.UserID, passkeys: []row{r}}
	asked := webauthn.SessionData{Challenge: protocol.URLEncodedBase64(challenge).String(), RelyingPartyID: m.lib.Config.RPID, UserVerification: verification(a)}
	if a.Nameless() { // the passkey itself has to say whose it is
		_, _, err := m.lib.ValidatePasskeyLogin(func([]byte, []byte) (webauthn.User, error) { return owner, nil }, asked, signed)
		return err
	}
	asked.UserID = owner.WebAuthnID()
	_, err := m.lib.ValidateLogin(owner, asked, signed)
	return err
}

// count notes the use of a passkey. A counter that does not go forward is refused: there may be a copy of the key.
func count(tx *database.Tx, r row, counter int64, flags protocol.AuthenticatorFlags) error {
	ok, err := use(tx, r.ID, counter, flags.HasBackupState(), flags.UserVerified())
	if err != nil || ok {
		return err
	}
	stored, err := suspect(tx, r.ID)
	if errors.Is(err, database.ErrNone) {
		return login.ErrChanged // it was removed meanwhile
	}
	if err != nil {
		return err
	}
	tx.Emit(CloneSuspected{r.UserID, r.ID, counter, stored})
	return tx.Refuse(errWrong)
}

// Discard takes a person's passkeys away.
func (Method) Discard(tx *database.Tx, userID string) error {
	gone, err := removeAll(tx, userID)
	for _, id := range gone {
		tx.Emit(Removed{userID, id})
	}
	return err
}

// Opens reports whether a person has a passkey.
func (m Method) Opens(ctx context.Context, q database.Querier, userID string) (bool, error) {
	list, err := listOf(ctx, q, userID)
	return len(list) > 0, err
}

// DiscardOne takes one of a person's passkeys away, if it is there still.
func (Method) DiscardOne(tx *database.Tx, userID, passkeyID string) error {
	ok, err := remove(tx, userID, passkeyID)
	if ok {
		tx.Emit(Removed{userID, passkeyID})
	}
	return err
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// readAssertion reads the JSON of a PublicKeyCredential.
func readAssertion(text string) (*protocol.ParsedCredentialAssertionData, error) {
	if len(text) > largest {
		return nil, errors.New("passkey: the credential is too large")
	}
	return protocol.ParseCredentialRequestResponseBytes([]byte(text))
}

// owner is a person as the library sees them.
type owner struct {
	id, name, display string
	passkeys          []row
}

func newOwner(u user.User, passkeys []row) *owner {
	o := &owner{id: u.ID, name: firstOf(u.Email, u.Username, u.Phone, u.ID), display: u.Name, passkeys: passkeys}
	o.display = firstOf(o.display, o.name)
	return o
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// WebAuthnID is the user handle.
func (o *owner) WebAuthnID() []byte { return []byte(o.id) }

// WebAuthnName is what tells accounts apart.
func (o *owner) WebAuthnName() string { return o.name }

// WebAuthnDisplayName is what the person is called.
func (o *owner) WebAuthnDisplayName() string { return o.display }

// WebAuthnCredentials are the passkeys.
func (o *owner) WebAuthnCredentials() []webauthn.Credential {
	list := make([]webauthn.Credential, len(o.passkeys))
	for i, r := range o.passkeys {
		list[i] = webauthn.Credential{ID: r.CredentialID, PublicKey: r.PublicKey, Authenticator: webauthn.Authenticator{AAGUID: r.AAGUID, SignCount: uint32(r.SignCount)},
			Flags: webauthn.CredentialFlags{UserPresent: true, BackupEligible: r.BackupEligible, BackupState: r.BackedUp, UserVerified: r.UserVerified}}
	}
	return list
}

func descriptors(list []row) []protocol.CredentialDescriptor {
	out := make([]protocol.CredentialDescriptor, len(list))
	for i, r := range list {
		out[i] = protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: r.CredentialID}
		for _, t := range r.transports() {
			out[i].Transport = append(out[i].Transport, protocol.AuthenticatorTransport(t))
		}
	}
	return out
}
