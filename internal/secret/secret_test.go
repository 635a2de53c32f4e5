package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestStringNeverLeaks(t *testing.T) {
	const word = "hunter2"
	s := String(word)
	type conf struct {
		Key String
		Ptr *String
	}
	c := conf{s, &s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%10.3s"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", c)
		fmt.Fprintf(&out, verb+"\n", []String{s})
		fmt.Fprintf(&out, verb+"\n", map[String]String{s: s})
	}
	for _, v := range []any{s, c, []String{s}, map[string]String{"key": s}} {
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("start", "key", s, "conf", c)
	}
	fmt.Fprintln(&out, fmt.Errorf("no: %v %w", s, fmt.Errorf("%s", s)))
	for _, form := range []string{word, fmt.Sprintf("%x", word), fmt.Sprintf("%X", word)} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q leaked:\n%s", form, out.String())
		}
	}
	if s.Reveal() != word {
		t.Error("Reveal gives something else")
	}
	var empty, set String
	if b, err := json.Marshal(empty); err != nil || string(b) != `""` || fmt.Sprint(empty) != "" {
		t.Errorf("empty is %s %q", b, fmt.Sprint(empty))
	}
	if err := json.Unmarshal([]byte(`"a\"b"`), &set); err != nil || set.Reveal() != `a"b` {
		t.Errorf("unmarshalled %q %v", set.Reveal(), err)
	}
}

func TestRandom(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		for _, s := range []string{Hex32(), Text(), string(Random(16))} {
			if seen[s] {
				t.Fatalf("%q came twice", s)
			}
			seen[s] = true
		}
	}
	if len(Hex32()) != 64 || len(Text()) < 26 || len(Random(7)) != 7 {
		t.Error("a length is wrong")
	}
}

func TestSum(t *testing.T) {
	// FIPS 180-4, the example of "abc".
	if got := fmt.Sprintf("%x", Sum("abc")); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Error(got)
	}
	if !Equal(Sum("a"), Sum("a")) || Equal(Sum("a"), Sum("b")) || Equal(Sum("a"), nil) {
		t.Error("Equal")
	}
}

func TestBox(t *testing.T) {
	root := bytes.Repeat([]byte{7}, 32)
	box, err := NewBox(root)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewBox(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewBox(root)
	if err != nil {
		t.Fatal(err)
	}
	plain := []byte("JBSWY3DPEHPK3PXP")
	sealed := box.Seal(plain, "credential.secret:crd_1")
	if got, err := again.Open(sealed, "credential.secret:crd_1"); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("opened %q %v", got, err)
	}
	if bytes.Equal(sealed, box.Seal(plain, "credential.secret:crd_1")) || bytes.Contains(sealed, plain) {
		t.Error("sealing is not random, or not sealing")
	}
	if _, err := box.Open(sealed, "credential.secret:crd_2"); err != ErrSealed {
		t.Errorf("another place: %v", err)
	}
	if _, err := other.Open(sealed, "credential.secret:crd_1"); err != ErrSealed {
		t.Errorf("another root: %v", err)
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := box.Open(bad, "credential.secret:crd_1"); err != ErrSealed {
				t.Fatalf("bit %d of byte %d flipped: %v", bit, i, err)
			}
		}
		if _, err := box.Open(sealed[:i], "credential.secret:crd_1"); err != ErrSealed {
			t.Fatalf("cut to %d: %v", i, err)
		}
	}
	if got, err := box.Open(box.Seal(nil, ""), ""); err != nil || len(got) != 0 {
		t.Errorf("nothing sealed: %q %v", got, err)
	}
}

func TestBoxDerive(t *testing.T) {
	box, _ := NewBox(bytes.Repeat([]byte{7}, 32))
	other, _ := NewBox(bytes.Repeat([]byte{8}, 32))
	a := box.Derive("refresh", 32)
	if len(a) != 32 || !Equal(a, box.Derive("refresh", 32)) {
		t.Error("not the same key for the same label")
	}
	if Equal(a, box.Derive("csrf", 32)) || Equal(a, other.Derive("refresh", 32)) || Equal(box.Derive("seal", 32), box.expand("seal", 32)) {
		t.Error("keys that should differ do not")
	}
}

func TestBoxRefusesAShortRoot(t *testing.T) {
	if _, err := NewBox(make([]byte, 31)); err == nil || !strings.Contains(err.Error(), "openssl rand") {
		t.Errorf("err = %v", err)
	}
}

func TestConfigCheck(t *testing.T) {
	for _, c := range []struct {
		m, t, p    int
		production bool
		want       string // what the error names; empty for none
	}{
		{0, 0, 0, true, ""},
		{19456, 2, 1, true, ""},
		{12288, 3, 1, true, ""},
		{9216, 4, 1, true, ""},
		{7168, 5, 1, true, ""},
		{7168, 9, 1, true, ""},
		{47104, 1, 1, true, ""},
		{65536, 3, 4, true, ""},
		{19455, 2, 1, true, "19456"},
		{19456, 1, 1, true, "47104"},
		{12287, 3, 1, true, "12288"},
		{7167, 64, 1, true, "7168"},
		{19455, 2, 1, false, ""},
		{8, 1, 1, false, ""},
		{8, 1, 2, false, "PASSWORD_HASH_PARALLELISM=2"},
		{31, 1, 4, false, "32"},
	} {
		err := Config{MemoryKiB: c.m, Iterations: c.t, Parallelism: c.p}.Check(c.production)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "PASSWORD_HASH_MEMORY_KIB")) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
