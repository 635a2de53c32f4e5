package backup_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/backup"
	"github.com/admit-dev/admit/internal/database"
)

type happened struct {
	What string `json:"what"`
}

func (happened) Kind() string    { return "test.happened" }
func (happened) Subject() string { return "" }

func store(t *testing.T) *database.DB {
	t.Helper()
	at := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	d, err := database.Open(t.Context(), database.Config{URL: "sqlite:///" + filepath.Join(t.TempDir(), "a.db"), Synchronous: "normal"},
		database.Options{Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func emit(t *testing.T, d *database.DB, what string) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *database.Tx) error { tx.Emit(happened{what}); return nil }); err != nil {
		t.Fatal(err)
	}
}

func key(t *testing.T) (pair, public backup.Key, mine *age.X25519Identity) {
	t.Helper()
	file, half, err := backup.NewKey(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if pair, err = backup.ParseKey(file); err != nil {
		t.Fatal(err)
	}
	if public, err = backup.ParseKey(half + "\n"); err != nil {
		t.Fatal(err)
	}
	list, err := age.ParseIdentities(strings.NewReader(file)) // age reads it, too
	if err != nil {
		t.Fatal(err)
	}
	return pair, public, list[0].(*age.X25519Identity)
}

// contents is what is inside a backup, and packed makes one of it.
func contents(t *testing.T, text []byte, mine *age.X25519Identity) string {
	t.Helper()
	plain, err := age.Decrypt(bytes.NewReader(text), mine)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(plain)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(inside)
}

func packed(t *testing.T, inside string, mine *age.X25519Identity) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, mine.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(w)
	_, err = zip.Write([]byte(inside))
	if err := errors.Join(err, zip.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const root = "7f2c1a9be04d4c5f8a36d15e90b7c2f4"

func sealed(t *testing.T, d *database.DB, k backup.Key) ([]byte, backup.Summary) {
	t.Helper()
	var out bytes.Buffer
	s, err := backup.Write(t.Context(), d, &out, k, backup.Secrets{RootKey: root, Head: "3:ab"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), s
}

func read(text []byte, k backup.Key) (backup.Summary, error) {
	f, err := backup.Open(bytes.NewReader(text), k)
	if err != nil {
		return backup.Summary{}, err
	}
	return f.Each(nil)
}

// What is sealed with the public half opens with the key, and says nothing to anybody else: not even that half opens it.
func TestSealed(t *testing.T) {
	d := store(t)
	emit(t, d, "something nobody else may read")
	pair, public, _ := key(t)
	text, s := sealed(t, d, public)
	if bytes.Contains(text, []byte(root)) || bytes.Contains(text, []byte("happened")) {
		t.Error("it can be read")
	}
	got, err := read(text, pair)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(s) || got.Rows < 6 || got.Head != "3:ab" || got.Engine != "sqlite" || got.Schema != database.Newest() {
		t.Errorf("%+v %v, want %+v", got, err, s)
	}
	f, err := backup.Open(bytes.NewReader(text), pair)
	if err != nil || f.Secret() != root {
		t.Error(err)
	}
	other, _, _ := key(t)
	for _, k := range []backup.Key{other, public} {
		if _, err := read(text, k); !errors.Is(err, backup.ErrKey) {
			t.Error(err)
		}
	}
}

// A passphrase seals and opens as well; a short one, two lines and half a key are refused.
func TestKeys(t *testing.T) {
	k, err := backup.ParseKey("correct horse battery\n")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := sealed(t, store(t), k)
	if _, err := read(text, k); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "short", "one passphrase\nand another one", "AGE-SECRET-KEY-1QQQ", "age1qqq", "# age1"} {
		if _, err := backup.ParseKey(bad); !errors.Is(err, backup.ErrNoKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Wherever a bit is flipped or the end cut off, it is found, and a store that was to be filled stays empty.
func TestDamageIsFound(t *testing.T) {
	d := store(t)
	noise := rand.NewChaCha8([32]byte{})
	for range 100 {
		part := make([]byte, 1000)
		_, _ = noise.Read(part)
		emit(t, d, hex.EncodeToString(part)) // what does not get smaller: more than age seals as one piece
	}
	pair, public, _ := key(t)
	text, _ := sealed(t, d, public)
	found := func(err error) bool {
		return errors.Is(err, backup.ErrDamaged) || errors.Is(err, backup.ErrKey) || errors.Is(err, backup.ErrFormat)
	}
	step := max(len(text)/200, 1)
	for at := 0; at < len(text); at += step {
		flipped := bytes.Clone(text)
		flipped[at] ^= 1 << (at % 8)
		if _, err := read(flipped, pair); !found(err) {
			t.Fatalf("a bit of byte %d of %d was flipped: %v", at, len(text), err)
		}
		if _, err := read(text[:at], pair); !found(err) {
			t.Fatalf("cut off at %d of %d: %v", at, len(text), err)
		}
	}
	if _, err := read(append(bytes.Clone(text), 0), pair); !errors.Is(err, backup.ErrDamaged) {
		t.Error(err)
	}
	flipped := bytes.Clone(text)
	flipped[len(flipped)-20] ^= 1
	f, err := backup.Open(bytes.NewReader(flipped), pair)
	if err != nil {
		t.Fatal(err)
	}
	empty := store(t)
	if _, err := f.Restore(t.Context(), empty, false); !errors.Is(err, backup.ErrDamaged) {
		t.Error(err)
	}
	if last, err := empty.LastEvent(t.Context()); err != nil || last != (database.Cursor{}) {
		t.Errorf("%v %v", last, err)
	}
}

// What opens and is no backup, or one that somebody put together, is refused in words.
func TestFalseBackups(t *testing.T) {
	pair, _, mine := key(t)
	d := store(t)
	text, _ := sealed(t, d, pair)
	whole := contents(t, text, mine)
	for what, change := range map[string]func(string) string{
		"another kind of file": func(string) string { return "hello\n" },
		"a later format":       func(s string) string { return strings.Replace(s, `"admit_backup":1`, `"admit_backup":2`, 1) },
		"a step before the first": func(s string) string {
			return strings.Replace(s, fmt.Sprintf(`"schema":%d`, database.Newest()), `"schema":-1`, 1)
		},
		"a step of a newer one": func(s string) string {
			return strings.Replace(s, fmt.Sprintf(`"schema":%d`, database.Newest()), `"schema":9999`, 1)
		},
		"another row":            func(s string) string { return strings.Replace(s, `"Manager"`, `"Owner"`, 1) },
		"a row of another width": func(s string) string { return strings.Replace(s, `"Manager",`, ``, 1) },
		"a row that is missing":  func(s string) string { return s[:strings.Index(s, `["manager"`)] + s[strings.Index(s, `["internal"`):] },
		"a number for a text":    func(s string) string { return strings.Replace(s, `"Manager"`, `7`, 1) },
		"rows of no table":       func(s string) string { return strings.Replace(s, "\n", "\n[1]\n", 1) },
		"no end":                 func(s string) string { return s[:strings.LastIndex(s, `{"counts"`)] },
	} {
		text := change(whole)
		if text == whole {
			t.Fatalf("%s: nothing was changed", what)
		}
		f, err := backup.Open(bytes.NewReader(packed(t, text, mine)), pair)
		if err == nil {
			_, err = f.Restore(t.Context(), store(t), false)
		}
		if _, said := errors.AsType[*apperr.Error](err); !said {
			t.Errorf("%s: %v", what, err)
		}
	}
}
