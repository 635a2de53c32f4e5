package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/secret"
)

// seal is what the database cannot make: the key that signs checkpoints, and its name.
type seal struct {
	key []byte
	id  string
}

func newSeal(box *secret.Box) seal {
	return seal{box.Derive("audit", 32), hex.EncodeToString(box.Derive("audit key id", 8))}
}

func (s seal) mac(parts ...[]byte) []byte {
	m := hmac.New(sha256.New, s.key)
	write(m, parts...)
	return m.Sum(nil)
}

// write takes in each part with its length, so that no two lists are the same bytes.
func write(h hash.Hash, parts ...[]byte) {
	for _, p := range parts {
		_ = binary.Write(h, binary.BigEndian, uint32(len(p))) // a hash never fails
		h.Write(p)
	}
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// sealed is what the seal knows of an address and a user agent. Who has not the salt learns nothing of them from it.
func sealed(r *row, salt []byte) []byte {
	if !personal(r) {
		return nil
	}
	m := hmac.New(sha256.New, salt)
	write(m, []byte(r.ID), []byte(r.IP), []byte(r.UserAgent))
	return m.Sum(nil)
}

// leaf is what the seal knows of a row: every column of it, its place included.
func leaf(r *row, personal []byte) []byte {
	h := sha256.New()
	write(h, number(r.Tx), number(r.Seq), []byte(r.ID), number(r.At.UnixMicro()), []byte(r.Kind), []byte(r.Subject), []byte(r.Outcome), []byte(r.Actor),
		[]byte(r.Session), []byte(r.Org), []byte(r.RequestID), []byte(r.Data), personal)
	return h.Sum(nil)
}

// entry is what a checkpoint keeps of each row, so that the one that was changed can be named: its number, its id, and the
// beginning of its leaf. The whole leaves are in the digest.
type entry struct {
	seq  int64
	id   [16]byte
	leaf [8]byte
}

const entrySize = 32

func newEntry(r *row, leaf []byte) entry { return entry{r.Seq, id.Raw(r.ID), [8]byte(leaf)} }

func (e entry) append(to []byte) []byte {
	return append(append(append(to, number(e.seq)...), e.id[:]...), e.leaf[:]...)
}

func entriesOf(c *checkpoint) []entry {
	list := make([]entry, 0, len(c.Entries)/entrySize)
	for b := range slices.Chunk(c.Entries, entrySize) {
		if len(b) == entrySize {
			list = append(list, entry{int64(binary.BigEndian.Uint64(b)), [16]byte(b[8:]), [8]byte(b[24:])})
		}
	}
	return list
}

func (c *checkpoint) body() [][]byte {
	return [][]byte{[]byte("checkpoint"), number(c.Number), c.Previous, []byte(c.KeyID), number(c.At.UnixMicro()), number(c.Since.UnixMicro()),
		number(c.AfterTx), number(c.AfterSeq), number(c.LastTx), number(c.LastSeq), c.Entries, c.Digest}
}

// hash is what the next checkpoint knows of this one, and what is kept of it outside the database.
func (c *checkpoint) hash() []byte {
	if c.Number == 0 {
		return []byte{} // before the first
	}
	h := sha256.New()
	write(h, append(c.body(), c.MAC)...)
	return h.Sum(nil)
}

func (c *checkpoint) after() database.Cursor { return database.Cursor{Tx: c.AfterTx, Seq: c.AfterSeq} }
func (c *checkpoint) last() database.Cursor  { return database.Cursor{Tx: c.LastTx, Seq: c.LastSeq} }
func (c *checkpoint) head() Head             { return Head{c.Number, hex.EncodeToString(c.hash())} }

func (s seal) floor(c *checkpoint) []byte { return s.mac([]byte("floor"), number(c.Number), c.hash()) }

// next seals rows behind a checkpoint. Every person in them has a salt.
func (s seal) next(last *checkpoint, rows []row, salts map[string][]byte) checkpoint {
	end := rows[len(rows)-1]
	c := checkpoint{Number: last.Number + 1, Previous: last.hash(), KeyID: s.id, Since: rows[0].At,
		AfterTx: last.LastTx, AfterSeq: last.LastSeq, LastTx: end.Tx, LastSeq: end.Seq}
	digest := sha256.New()
	for i := range rows {
		r := &rows[i]
		l := leaf(r, sealed(r, salts[personOf(r)]))
		digest.Write(l)
		c.Entries = newEntry(r, l).append(c.Entries)
		if r.At.Before(c.Since) {
			c.Since = r.At
		}
	}
	c.Digest = digest.Sum(nil)
	return c
}

func (s seal) sign(c *checkpoint) { c.MAC = s.mac(c.body()...) }

// signed reports whether the checkpoint carries this key's signature. One of another key is judged by what follows it.
func (s seal) signed(c *checkpoint) bool { return hmac.Equal(c.MAC, s.mac(c.body()...)) }

// Head is the newest checkpoint in few words: whoever keeps it elsewhere finds a log that was cut off, or made anew.
type Head struct {
	Number int64
	Hash   string
}

// String gives the head in the form ParseHead reads.
func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Number, h.Hash) }

// ParseHead reads what String gave.
func ParseHead(text string) (Head, error) {
	a, b, _ := strings.Cut(strings.TrimSpace(text), ":")
	n, err := strconv.ParseInt(a, 10, 64)
	if raw, bad := hex.DecodeString(b); err != nil || bad != nil || n < 1 || len(raw) != sha256.Size {
		return Head{}, ErrHead
	}
	return Head{n, strings.ToLower(b)}, nil
}

// mostOfAWord and mostWords bound what one event adds to the search.
const (
	mostOfAWord = 64
	mostWords   = 60
)

// wordsOf is what an event is found by: its ids, its address, its kind, and the words of its data.
func wordsOf(r *row) []string {
	list := []string{r.Kind}
	add := func(words ...string) {
		for _, w := range words {
			if w != "" && len(w) <= mostOfAWord && len(list) < mostWords && !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
	}
	add(strings.ToLower(r.Actor), strings.ToLower(r.Subject), strings.ToLower(r.Org), strings.ToLower(r.IP))
	if r.Outcome == "failure" {
		add(r.Outcome)
	}
	add(strings.FieldsFunc(r.Kind, func(c rune) bool { return c == '.' || c == '_' })...)
	var data any
	d := json.NewDecoder(strings.NewReader(r.Data))
	d.UseNumber()
	if d.Decode(&data) == nil {
		spell(data, func(text string) { add(split(text)...) })
	}
	return list
}

// spell calls f with every text and number of a value.
func spell(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case json.Number:
		f(v.String())
	case []any:
		for _, each := range v {
			spell(each, f)
		}
	case map[string]any:
		for _, each := range v {
			spell(each, f)
		}
	}
}

// split is the words of a text: letters, digits, and what holds an id, an address or a name of ours together.
func split(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r < 0x80 && !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("_-:@.", r))
	})
	for i, w := range words {
		words[i] = strings.Trim(w, ".:-")
	}
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}
