package passkey

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/device"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/notice"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// Service adds, names and removes passkeys.
type Service struct {
	Method
	door *login.Service
}

// NewService works with the passkeys of m.
func NewService(m Method, door *login.Service) *Service { return &Service{m, door} }

// List is every passkey of a person, the oldest first.
func (s *Service) List(ctx context.Context, userID string) ([]Passkey, error) {
	rows, err := listOf(ctx, s.db, userID)
	list := make([]Passkey, len(rows))
	for i, r := range rows {
		list[i] = r.passkey()
	}
	return list, err
}

// parameters are the kinds of keys that are taken, those of WebAuthn Level 3: EdDSA, ES256, RS256.
func parameters() []protocol.CredentialParameter { return webauthn.CredentialParametersRecommendedL3() }

// RegisterOptions says what a browser is to make a passkey from. It is good once, in this session, for five minutes.
func (s *Service) RegisterOptions(ctx context.Context, u user.User, sessionID string) (Options, error) {
	if !s.On() {
		return Options{}, ErrOff
	}
	rows, err := listOf(ctx, s.db, u.ID)
	if err != nil {
		return Options{}, err
	}
	if len(rows) >= Most {
		return Options{}, ErrFull
	}
	challenge, err := s.begin(ctx, sessionID, registering)
	if err != nil {
		return Options{}, err
	}
	return s.creation(u, rows, challenge)
}

// creation is what a browser is to make a passkey from.
func (m Method) creation(u user.User, rows []row, challenge []byte) (Options, error) {
	asked, _, err := m.lib.BeginRegistration(newOwner(u, rows), webauthn.WithCredentialParameters(parameters()), webauthn.WithExclusions(descriptors(rows)),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationPreferred}),
		func(o *protocol.PublicKeyCredentialCreationOptions) error { o.Challenge = challenge; return nil })
	if err != nil {
		return Options{}, err
	}
	return Options{asked.Response}, nil
}

// Register adds the passkey that was made from the options of this session. name is what its owner calls it; "" has it named after
// what keeps it.
func (s *Service) Register(ctx context.Context, u user.User, sessionID, credential, name string) (Passkey, error) {
	if !s.On() {
		return Passkey{}, ErrOff
	}
	if name != "" {
		var err error
		if name, err = parseName(name); err != nil {
			return Passkey{}, err
		}
	}
	challenge, err := ceremony(ctx, s.db, sessionID, registering, s.db.Now())
	if err != nil {
		return Passkey{}, err
	}
	if challenge == nil {
		return Passkey{}, ErrNotBegun
	}
	made, err := s.made(u, challenge, credential)
	if err != nil {
		return Passkey{}, ErrInvalid.Because(err)
	}
	var r row
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		ok, err := spend(tx, sessionID, registering, challenge)
		if err == nil && !ok {
			return ErrNotBegun
		}
		if err != nil {
			return err
		}
		if r, err = s.add(tx, u.ID, made, name); err != nil {
			return err
		}
		return session.Raise(tx, u.ID, sessionID)
	})
	return r.passkey(), err
}

// Offer says what a browser is to make a passkey from, inside a sign-in.
func (m Method) Offer(_ context.Context, a login.Attempt) (login.Prompt, error) {
	options, err := m.creation(*a.User, nil, m.challengeOf("enrol "+a.ID))
	return login.Prompt{Fields: []login.Field{}, Challenge: options}, err
}

// Confirm judges the passkey that was made. The attempt is good once, and so is what was asked in it.
func (m Method) Confirm(_ context.Context, a login.Attempt, in login.Answer) (login.Proof, error) {
	made, err := m.made(*a.User, m.challengeOf("enrol "+a.ID), in["credential"])
	if err != nil {
		return login.Proof{}, errWrong.Because(err)
	}
	return login.Proof{AMR: amrOf(made.Flags.BackupEligible), Consume: func(tx *database.Tx) error {
		_, err := m.add(tx, a.User.ID, made, "")
		return err
	}}, nil
}

// made has the library hold that a passkey was made as asked (WebAuthn, section 7.1).
func (m Method) made(u user.User, challenge []byte, credential string) (*webauthn.Credential, error) {
	if len(credential) > largest {
		return nil, fmt.Errorf("passkey: the credential has %d bytes", len(credential))
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(credential))
	if err != nil {
		return nil, err
	}
	asked := webauthn.SessionData{Challenge: protocol.URLEncodedBase64(challenge).String(), RelyingPartyID: m.lib.Config.RPID, UserID: []byte(u.ID),
		UserVerification: protocol.VerificationPreferred, CredParams: parameters()}
	made, err := m.lib.CreateCredential(newOwner(u, nil), asked, parsed)
	if err != nil {
		return nil, err
	}
	return made, ofItsKind(made.PublicKey)
}

// ofItsKind holds that a key is of the kind its algorithm signs with (WebAuthn, section 5.8.5). The library compares the algorithm
// alone, and one of another kind could never sign in.
func ofItsKind(public []byte) error {
	key, err := webauthncose.ParsePublicKey(public)
	if err != nil {
		return err
	}
	ok := false
	switch k := key.(type) {
	case webauthncose.EC2PublicKeyData:
		ok = webauthncose.COSEAlgorithmIdentifier(k.Algorithm) == webauthncose.AlgES256 && webauthncose.COSEEllipticCurve(k.Curve) == webauthncose.P256
	case webauthncose.OKPPublicKeyData:
		ok = webauthncose.COSEAlgorithmIdentifier(k.Algorithm) == webauthncose.AlgEdDSA && webauthncose.COSEEllipticCurve(k.Curve) == webauthncose.Ed25519
	case webauthncose.RSAPublicKeyData:
		ok = webauthncose.COSEAlgorithmIdentifier(k.Algorithm) == webauthncose.AlgRS256
	}
	if !ok {
		return fmt.Errorf("passkey: a key of type %T for another algorithm", key)
	}
	return nil
}

// add keeps a passkey, and tells its owner.
func (m Method) add(tx *database.Tx, userID string, made *webauthn.Credential, name string) (row, error) {
	u, err := user.ByID(tx.Context(), tx, userID)
	if err != nil {
		return row{}, err
	}
	others, err := listOf(tx.Context(), tx, userID)
	if err != nil {
		return row{}, err
	}
	if len(others) >= Most {
		return row{}, ErrFull
	}
	r := row{ID: id.New("pky"), UserID: userID, CredentialID: made.ID, PublicKey: made.PublicKey, SignCount: int64(made.Authenticator.SignCount), AAGUID: made.Authenticator.AAGUID,
		Transports: transportsOf(made.Transport), BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState, UserVerified: made.Flags.UserVerified, Name: name, CreatedAt: tx.Now}
	if name == "" {
		r.Name = freeName(firstOf(providerOf(r.AAGUID), browser(tx), "Passkey"), others)
	}
	if err := insert(tx, r); err != nil {
		return row{}, err
	}
	tx.Emit(Added{userID, r.ID, providerOf(r.AAGUID), !r.BackupEligible})
	return r, m.notices.Tell(tx, u, u.Email, notice.Change{What: notice.FactorAdded, Value: Name, ID: r.ID}, func(notMe string, w notify.Where) notify.Content {
		return notify.FactorAdded{Factor: notify.Passkey, Label: r.Name, NotMe: notMe, Where: w}
	})
}

// browser is where a passkey was made, "" when that is not known.
func browser(tx *database.Tx) string {
	agent := database.OriginOf(tx.Context()).UserAgent
	if name, _ := device.Parse(agent); name == "" {
		return ""
	}
	return device.Name(agent)
}

// transportsOf keeps what browsers know: an authenticator may write anything there.
func transportsOf(list []protocol.AuthenticatorTransport) string {
	var known []string
	for _, t := range list {
		if slices.Contains([]protocol.AuthenticatorTransport{protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal}, t) && !slices.Contains(known, string(t)) {
			known = append(known, string(t))
		}
	}
	return strings.Join(known, " ")
}

// freeName is a name that none of the others has.
func freeName(name string, others []row) string {
	free := name
	for n := 2; slices.ContainsFunc(others, func(r row) bool { return r.Name == free }); n++ {
		free = fmt.Sprintf("%s (%d)", name, n)
	}
	return free
}

func parseName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > 60 || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrName
	}
	return name, nil
}

// Rename has a passkey be called something else.
func (s *Service) Rename(ctx context.Context, userID, passkeyID, name string) (Passkey, error) {
	name, err := parseName(name)
	if err != nil {
		return Passkey{}, err
	}
	var r row
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		ok, err := rename(tx, userID, passkeyID, name)
		if err != nil {
			return err
		}
		if !ok {
			return ErrNone
		}
		tx.Emit(Renamed{userID, passkeyID})
		list, err := listOf(ctx, tx, userID)
		for _, r = range list {
			if r.ID == passkeyID {
				break
			}
		}
		return err
	})
	return r.passkey(), err
}

// Remove forgets a passkey and tells its owner. The only way into an account stays.
func (s *Service) Remove(ctx context.Context, userID, passkeyID string) error {
	return s.db.Write(ctx, func(tx *database.Tx) error {
		u, err := user.ByID(ctx, tx, userID)
		if err != nil {
			return err
		}
		list, err := listOf(ctx, tx, userID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(r row) bool { return r.ID == passkeyID })
		if i < 0 {
			return ErrNone
		}
		ok, err := remove(tx, userID, passkeyID)
		if err == nil && !ok {
			return ErrNone
		}
		if err != nil {
			return err
		}
		open, err := s.door.Reachable(tx, userID)
		if err == nil && !open {
			err = ErrLast
		}
		if err != nil {
			return err
		}
		tx.Emit(Removed{userID, passkeyID})
		if err := login.Forget(tx, userID); err != nil {
			return err
		}
		left, err := user.ByID(ctx, tx, userID)
		if err == nil {
			err = s.door.Left(tx, left)
		}
		if err != nil {
			return err
		}
		return s.notices.Tell(tx, u, u.Email, notice.Change{What: notice.FactorRemoved, Value: Name, ID: passkeyID}, func(notMe string, w notify.Where) notify.Content {
			return notify.FactorRemoved{Factor: notify.Passkey, Label: list[i].Name, NotMe: notMe, Where: w}
		})
	})
}
