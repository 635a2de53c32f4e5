package transfer_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/transfer"
)

func read(t *testing.T, format string, files ...string) *transfer.Batch {
	t.Helper()
	b, err := reading(format, files...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func reading(format string, files ...string) (*transfer.Batch, error) {
	var list []transfer.File
	for i, text := range files {
		list = append(list, transfer.File{Name: fmt.Sprint("file", i+1), Reader: strings.NewReader(text)})
	}
	return transfer.Read(format, list, "")
}

// faults are the lines that nobody could be read from.
func faults(b *transfer.Batch) (lines []string) {
	for _, f := range b.Faults {
		lines = append(lines, fmt.Sprintf("%d: %s", f.Line, f.Reason))
	}
	return lines
}

// TestLinesAreNamed holds that a line that is wrong is named by its number, and that the others are read.
func TestLinesAreNamed(t *testing.T) {
	for format, c := range map[string]struct {
		text   string
		people int
		faults []string
	}{
		"auth0": {"{\"user_id\":\"a\",\"email\":\"a@b.c\"}\n\n{\"user_id\":\"b\",\nnonsense\n{\"user_id\":\"c\",\"email\":[1]}\n{\"email\":\"d@b.c\"}\n{\"user_id\":\"a\"}\n[]\n", 1,
			[]string{"3: this is no JSON object", "4: this is no JSON object", "5: email is not text", "6: there is no id", "7: the id stands in line 1 already", "8: this is no JSON object"}},
		"firebase": {"{\"kind\":{\"a\":[1,{}]},\n\"users\":[\n {\"localId\":\"a\",\n  \"email\":\"a@b.c\"},\n {\"localId\":\"b\",\"disabled\":\"perhaps\"}, 7,\n\n null ]}", 1,
			[]string{"5: disabled is not true or false", "5: this is no JSON object", "7: this is no JSON object"}},
		"supabase": {"id,email,encrypted_password\n1,\"a\n@b.c\",x\n2,b@b.c\n3,c@b.c,y,z\n4,d@b.c,\n", 2, []string{"4: the row has 2 cells, and the heading 3", "5: the row has 4 cells, and the heading 3"}},
		"keycloak": {"{\"users\":[{\"id\":\"a\",\"username\":\"ann\"},\n{\"id\":\"b\",\"credentials\":[{\"type\":\"password\",\"secretData\":\"{\"}]},\n{\"id\":\"c\",\"createdTimestamp\":\"soon\"}]}", 1,
			[]string{"2: secretData is not an object", "3: createdTimestamp is not a time"}},
		"django": {"[{\"model\":\"auth.user\",\"pk\":1,\"fields\":{\"password\":\"!\",\"username\":\"ann\"}},\n{\"pk\":2},\n{\"model\":\"auth.user\",\"pk\":3,\"fields\":{\"password\":\"!\",\"groups\":{}}}]", 1,
			[]string{"2: this is no object of dumpdata, which has a model", "3: groups is not an array"}},
		"better-auth": {"[{\"id\":\"1\",\"email\":\"a@b.c\",\"emailVerified\":1},\n{\"id\":\"2\",\"email\":\"b@b.c\",\"email_verified\":\"t\"},\n{\"x\":1}]", 2,
			[]string{"3: this is no row of the tables user, account, organization, member or twoFactor"}},
		"admit": {"{\"type\":\"admit\",\"version\":1}\n{\"type\":\"user\",\"id\":\"1\",\"email\":\"a@b.c\"}\n{\"type\":\"user\",\"id\":\"2\",\"nobody_knows\":1}\n{\"type\":\"thing\"}\n", 1,
			[]string{"3: json: unknown field \"nobody_knows\"", "4: this is no line of an export: it has no type, or one that is not known"}},
	} {
		if b := read(t, format, c.text); len(b.People) != c.people || !slices.Equal(faults(b), c.faults) {
			t.Errorf("%s: %d people, %q", format, len(b.People), faults(b))
		}
	}
}

// TestFilesThatBreakOff holds that nothing is taken from a file that cannot be read to its end.
func TestFilesThatBreakOff(t *testing.T) {
	for format, text := range map[string]string{
		"firebase": "{\"users\":[{\"localId\":\"a\"},\n{\"localId\":\"b\"", "django": "[{\"model\":\"auth.user\",\"pk\":1,\"fields\":{\"password\":\"!\"}}\n{", "csv": "id,email\n1,\"a@b.c\n2,b@b.c\n",
		"keycloak": "<realm/>", "auth0": "", "supabase": "{}", "admit": "{\"type\":\"admit\",\"version\":2}\n{\"type\":\"user\",\"id\":\"1\"}\n", "ldap": "x",
	} {
		if b, err := reading(format, text); err == nil {
			t.Errorf("%s is read: %+v", format, b)
		}
	}
	_, err := reading("firebase", "{\"users\":[{\"localId\":\"a\"},\n{\"localId\":\"b\"")
	if err == nil || !strings.Contains(err.Error(), "file1: it ends in the middle, after line 1") {
		t.Error(err)
	}
}

// TestHostileFiles holds that a file that is not what it should be ends with a word about it: not with the memory of the machine, and not
// with names that nobody has.
func TestHostileFiles(t *testing.T) {
	long := strings.Repeat("x", 17<<20)
	for name, c := range map[string]struct{ format, text, says string }{
		"a long line":      {"auth0", `{"user_id":"` + long, "more than 16 MiB"},
		"a long object":    {"firebase", `{"users":[{"localId":"` + long, "more than 16 MiB"},
		"a long cell":      {"csv", "id,email\n1,\"" + long, "more than 16 MiB"},
		"long parameters":  {"firebase", "hash_config " + long, "more than 16 MiB"},
		"a long member":    {"keycloak", `{"roles":{"a":"` + long, "more than 16 MiB"},
		"UTF-16":           {"csv", "\xFF\xFEi\x00d\x00", "UTF-16"},
		"a deep array":     {"keycloak", `{"users":[` + strings.Repeat("[", 1<<20), "depth"},
		"half a gzip file": {"csv", "\x1f\x8b\x08\x00", "unexpected EOF"},
	} {
		if _, err := reading(c.format, c.text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	many := strings.Repeat(`{"user_id":"`+strings.Repeat("x", 1<<20)+"\"}\n", 20)
	if b := read(t, "auth0", many); len(b.People)+len(b.Faults) != 20 {
		t.Error("what is long as a whole is not read")
	}
	for format, text := range map[string]string{"csv": "id,name\n1,J\xF6rg\n2,J\u00F6rg\n", "auth0": "{\"user_id\":\"1\",\"name\":\"J\xF6rg\"}\n{\"user_id\":\"2\",\"name\":\"J\u00F6rg\"}\n"} {
		if b := read(t, format, text); len(b.People) != 1 || b.People[0].Name != "J\u00F6rg" || len(b.Faults) != 1 || b.Faults[0].Reason != "this is not in UTF-8" {
			t.Errorf("%s: %+v", format, b.Faults)
		}
	}
}

// TestCostlyHashes holds that no reader makes of a hash that would cost too much one that is checked.
func TestCostlyHashes(t *testing.T) {
	const b16, b32 = "c2Vhc2FsdHNlYXNhbHQxMjM0", "CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY="
	django := func(hash string) string {
		return `[{"model":"auth.user","pk":1,"fields":{"username":"ann","password":"` + hash + `"}}]`
	}
	keycloak := func(how string) string {
		return fmt.Sprintf(`{"users":[{"username":"ann","credentials":[{"type":"password","secretData":"{\"value\":\"%s\",\"salt\":\"%s\"}","credentialData":%q}]}]}`, b32, b16, how)
	}
	config := func(memory, rounds string) string {
		return "algorithm: SCRYPT, base64_signer_key: " + b32 + ", base64_salt_separator: Bw==, rounds: " + rounds + ", mem_cost: " + memory
	}
	firebase := `{"users":[{"localId":"a","salt":"` + b16 + `","passwordHash":"` + b32 + `"}]}`
	for _, c := range []struct {
		format string
		files  []string
		known  bool
	}{
		{"django", []string{django("scrypt$16384$salt$8$1$" + b32)}, true},
		{"django", []string{django("scrypt$1099511627776$salt$8$1$" + b32)}, false},
		{"django", []string{django("scrypt$16384$salt$8$4096$" + b32)}, false},
		{"django", []string{django("pbkdf2_sha256$1200000$salt$" + b32)}, true},
		{"django", []string{django("pbkdf2_sha256$1000000000$salt$" + b32)}, false},
		{"django", []string{django("pbkdf2_sha1$1000000000$salt$" + b32)}, false},
		{"django", []string{django("argon2$argon2id$v=19$m=102400,t=2,p=8$" + b16 + "$" + b16)}, true},
		{"django", []string{django("argon2$argon2id$v=19$m=4194304,t=2,p=8$" + b16 + "$" + b16)}, false},
		{"keycloak", []string{keycloak(`{"algorithm":"pbkdf2-sha512","hashIterations":210000}`)}, true},
		{"keycloak", []string{keycloak(`{"algorithm":"pbkdf2-sha512","hashIterations":1000000000}`)}, false},
		{"keycloak", []string{keycloak(`{"algorithm":"pbkdf2-sha512","hashIterations":-1}`)}, false},
		{"keycloak", []string{keycloak(`{"algorithm":"argon2","hashIterations":5,"additionalParameters":{"memory":["7168"],"type":["id"],"parallelism":["1"]}}`)}, true},
		{"keycloak", []string{keycloak(`{"algorithm":"argon2","hashIterations":1000000000,"additionalParameters":{"memory":["7168"],"type":["id"],"parallelism":["1"]}}`)}, false},
		{"firebase", []string{firebase, config("14", "8")}, true},
		{"firebase", []string{firebase, config("40", "8")}, false},
		{"firebase", []string{firebase, config("14", "1000000")}, false},
		{"csv", []string{"id,password_hash\n1,$2b$31$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG\n"}, false},
	} {
		b := read(t, c.format, c.files...)
		if len(b.People) != 1 || b.People[0].PasswordHash == "" || secret.Known(b.People[0].PasswordHash) != c.known {
			t.Errorf("%s, %q: %+v %+v", c.format, c.files, b.People, b.Faults)
		}
	}
}

// TestWhatStandsApart joins tables in whatever order they come, compressed or not, with a byte order mark or without.
func TestWhatStandsApart(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "\uFEFFid,user_id,account_id,provider_id,password\n1,u1,u1,credential,hash\n2,u2,77,google,\n3,u9,u9,credential,hash\n")
	_ = z.Close()
	b := read(t, "better-auth", packed.String(), `[{"id":"u1","email":"a@b.c","emailVerified":true},{"id":"u2","email":"b@b.c","emailVerified":false}]`)
	if p := b.People; len(p) != 2 || p[0].PasswordHash != "hash" || p[1].PasswordHash != "" || len(p[1].Identities) != 1 || p[1].Identities[0].Subject != "77" || !p[0].EmailVerified || p[1].EmailVerified {
		t.Fatalf("%+v", b.People)
	}
}

// FuzzRead holds that no file makes a reader panic, whatever is in it.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"users":[{"localId":"a","mfaInfo":[{}],"customAttributes":"{\"a\":true}","providerUserInfo":[{"providerId":"x"}]}]}`,
		`[{"model":"auth.user","pk":["a"],"fields":{"password":"scrypt$3$a$8$1$b","groups":[[],[["x"]]]}},{"model":"organizations.organizationowner","pk":1,"fields":{"organization":{},"organization_user":[]}}]`,
		`{"users":[{"username":"a","groups":["/","//","/a/b/c"],"credentials":[{"type":"password","secretData":"{}","credentialData":"{\"algorithm\":\"argon2\"}"}]}],"organizations":[{"alias":"x","members":[{}]}]}`,
		"id,email,identities,organizations\n1,a,google,:\n2,b,google:1,acme:", "hash_config {\n algorithm: SCRYPT,\n base64_signer_key: a,\n rounds: 8,\n mem_cost: 14\n}",
		`{"user_id":"a","identities":[{"provider":"x"}],"_id":{"$oid":1},"passwordHash":"b"}`, `{"id":"org_a","members":[{"user_id":"a","roles":[1,"a",{"name":[]}]}]}`,
		`{"type":"user","id":"1","passkeys":[{"credential_id":"AA=="}]}`, `{"twoFactor":[{"userId":"a","secret":"$ba$1"}],"user":[{"id":"a","isAnonymous":"t"}],"member":[{"role":{}}]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range transfer.Formats() {
			if b, err := reading(format, text, text); err == nil && len(b.People)+len(b.Faults)+len(b.Orgs)+len(b.Permissions)+len(b.Roles) == 0 {
				t.Fatal("nothing was read, and nothing said")
			}
		}
	})
}
