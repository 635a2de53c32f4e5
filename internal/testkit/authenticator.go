package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// Authenticator is a device that makes and keeps passkeys: ES256, attestation "none" (WebAuthn, sections 6 and 8.7).
type Authenticator struct {
	T      testing.TB
	Origin string   // of the page in its browser
	AAGUID [16]byte // its model
	Flags  byte     // of every answer
	Keys   []*Key
}

// Key is one passkey.
type Key struct {
	ID     []byte
	Handle []byte // whose it is
	RPID   string
	Count  uint32 // what its last signature said; 0 does not count

	private *ecdsa.PrivateKey
}

// The flags of authenticator data.
const (
	UP byte = 0x01 // somebody was there
	UV byte = 0x04 // and it was them
	BE byte = 0x08 // there may be copies
	BS byte = 0x10 // there are
	at byte = 0x40 // a key follows
	ed byte = 0x80 // extensions follow
)

// NewAuthenticator is one in a browser that shows pages of this server.
func (s *Server) NewAuthenticator() *Authenticator {
	return &Authenticator{T: s.T, Origin: s.Config.Web.Origin(), Flags: UP | UV}
}

// Ceremony is all that an authenticator and its browser are about to say. A test may change any of it.
type Ceremony struct {
	Client    map[string]any // clientDataJSON
	RPID      string
	Flags     byte
	ID        []byte
	Count     uint32
	Handle    []byte // userHandle of an assertion
	Algorithm int    // of the key that is registered, as COSE counts
	Format    string // of the attestation
	Statement []byte // of the attestation, CBOR
	Extra     []byte // behind the authenticator data
	Signature func(signed []byte) []byte
	JSON      func(credential M) // what the page sends
}

// Create makes a passkey from PublicKeyCredentialCreationOptionsJSON and gives PublicKeyCredential.toJSON().
func (a *Authenticator) Create(options M, change ...func(*Ceremony)) M {
	a.T.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.T.Fatal(err)
	}
	id := make([]byte, 20)
	rand.Read(id)
	rpID, _ := options["rp"].(map[string]any)["id"].(string)
	handle, err := base64.RawURLEncoding.DecodeString(options["user"].(map[string]any)["id"].(string))
	if err != nil {
		a.T.Fatal(err)
	}
	c := &Ceremony{Client: a.client("webauthn.create", options), RPID: rpID, Flags: a.Flags | at, ID: id, Algorithm: -7, Format: "none", Statement: []byte{0xa0}}
	for _, f := range change {
		f(c)
	}
	a.Keys = append(a.Keys, &Key{ID: c.ID, Handle: handle, RPID: rpID, Count: c.Count, private: private})
	data := append(c.data(), a.AAGUID[:]...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(c.ID)))
	data = append(append(append(data, c.ID...), cose(private, c.Algorithm)...), c.Extra...)
	object := []byte{0xa3}
	object = append(append(object, cborText("fmt")...), cborText(c.Format)...)
	object = append(append(object, cborText("attStmt")...), c.Statement...)
	object = append(append(object, cborText("authData")...), cborBytes(data)...)
	return c.credential(M{"clientDataJSON": encode(c.clientData(a.T)), "attestationObject": encode(object), "transports": []string{"internal", "hybrid"}})
}

// Get signs PublicKeyCredentialRequestOptionsJSON with the newest passkey that suits and gives PublicKeyCredential.toJSON().
func (a *Authenticator) Get(options M, change ...func(*Ceremony)) M {
	a.T.Helper()
	rpID, _ := options["rpId"].(string)
	key := a.suits(options, rpID)
	if key.Count > 0 {
		key.Count++
	}
	c := &Ceremony{Client: a.client("webauthn.get", options), RPID: rpID, Flags: a.Flags, ID: key.ID, Count: key.Count, Handle: key.Handle}
	c.Signature = func(signed []byte) []byte {
		sum := sha256.Sum256(signed)
		signature, err := ecdsa.SignASN1(rand.Reader, key.private, sum[:])
		if err != nil {
			a.T.Fatal(err)
		}
		return signature
	}
	for _, f := range change {
		f(c)
	}
	client := c.clientData(a.T)
	hash := sha256.Sum256(client)
	data := append(c.data(), c.Extra...)
	response := M{"clientDataJSON": encode(client), "authenticatorData": encode(data), "signature": encode(c.Signature(append(data[:len(data):len(data)], hash[:]...)))}
	if c.Handle != nil {
		response["userHandle"] = encode(c.Handle)
	}
	return c.credential(response)
}

// suits finds the newest passkey of the site, of those that are asked for.
func (a *Authenticator) suits(options M, rpID string) *Key {
	a.T.Helper()
	allowed, _ := options["allowCredentials"].([]any)
	for i := len(a.Keys) - 1; i >= 0; i-- {
		k := a.Keys[i]
		ok := k.RPID == rpID && len(allowed) == 0
		for _, one := range allowed {
			ok = ok || k.RPID == rpID && one.(map[string]any)["id"] == encode(k.ID)
		}
		if ok {
			return k
		}
	}
	a.T.Fatalf("there is no passkey for %v", options)
	return nil
}

func (a *Authenticator) client(kind string, options M) map[string]any {
	return map[string]any{"type": kind, "challenge": options["challenge"], "origin": a.Origin, "crossOrigin": false}
}

func (c *Ceremony) clientData(t testing.TB) []byte {
	text, err := json.Marshal(c.Client)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// data is the beginning of the authenticator data: whom it is for, the flags, the counter.
func (c *Ceremony) data() []byte {
	hash := sha256.Sum256([]byte(c.RPID))
	return binary.BigEndian.AppendUint32(append(hash[:], c.Flags), c.Count)
}

func (c *Ceremony) credential(response M) M {
	v := M{"id": encode(c.ID), "rawId": encode(c.ID), "type": "public-key", "authenticatorAttachment": "platform", "clientExtensionResults": M{}, "response": response}
	if c.JSON != nil {
		c.JSON(v)
	}
	return v
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// cose is a public key on P-256 as RFC 9053 writes it.
func cose(key *ecdsa.PrivateKey, algorithm int) []byte {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err) // a key that was made here
	}
	b := []byte{0xa5, 0x01, 0x02, 0x03}
	b = append(b, cborHead(0x20, -1-algorithm)...)
	b = append(append(b, 0x20, 0x01, 0x21), cborBytes(point[1:33])...)
	return append(append(b, 0x22), cborBytes(point[33:])...)
}

func cborText(s string) []byte  { return append(cborHead(0x60, len(s)), s...) }
func cborBytes(b []byte) []byte { return append(cborHead(0x40, len(b)), b...) }

// cborHead is the head of an item (RFC 8949, section 3).
func cborHead(major byte, n int) []byte {
	switch {
	case n < 24:
		return []byte{major | byte(n)}
	case n < 1<<8:
		return []byte{major | 24, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n))
	default:
		return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n))
	}
}
