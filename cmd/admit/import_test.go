package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/scrypt"

	"github.com/admit-dev/admit/internal/testkit"
	"github.com/admit-dev/admit/internal/transfer"
)

const (
	kinds     = 4                                  // ways that a generated export has of hashing
	few       = 32                                 // different passwords of better-auth, whose hash has one cost, and a high one: more people than these share them
	appSecret = "MFXCAYLQOAQGQYLTEB2GQ2LTEBVWK6JB" // of the app of the first person of each source that exports one
	sealedBy  = "the secret of better-auth, long enough"
)

type obj = map[string]any

// generated is an export of n people: person i has the address <format>-<i>@example.com and a password of their own, hashed in way i % kinds.
type generated struct {
	format   string
	flags    []string
	app      bool     // the first person has an authenticator app
	verified bool     // every address is, not only every other
	roles    []string // that everybody has here
	belongs  string   // the organization here and the role in it of the first person
	make     func(n int) map[string]string
}

func oldPassword(format string, i int) string {
	if format == "better-auth" {
		i %= few
	}
	return fmt.Sprintf("old password %d of %s", i, format)
}

func oldAddress(format string, i int) string { return fmt.Sprintf("%s-%d@example.com", format, i) }

// hashes makes the hash of everybody's password.
func hashes(format string, n int, hash func(kind int, password string) string) []string {
	list, made := make([]string, n), map[string]string{}
	for i := range list {
		password := oldPassword(format, i)
		if made[password] == "" {
			made[password] = hash(i%kinds, password)
		}
		list[i] = made[password]
	}
	return list
}

func bcrypted(t *testing.T) func(int, string) string {
	return func(_ int, password string) string {
		h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return string(h)
	}
}

func scrypted(t *testing.T, password, salt []byte, n, r, p, size int) []byte {
	key, err := scrypt.Key(password, salt, n, r, p, size)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func text(t *testing.T, v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func salted() []byte {
	salt := make([]byte, 16)
	rand.Read(salt)
	return salt
}

func exports(t *testing.T) []generated {
	b64 := base64.StdEncoding.EncodeToString
	return []generated{
		{"auth0", []string{"--role", "editor=manager"}, true, false, []string{"manager"}, "acme|admin", func(n int) map[string]string {
			var people, secrets strings.Builder
			hash := hashes("auth0", n, bcrypted(t))
			for i := range n {
				oid := fmt.Sprintf("60425dc43519d9%010x", i)
				u := obj{"user_id": "auth0|" + oid, "email": oldAddress("auth0", i), "email_verified": i%2 == 0, "name": oldAddress("auth0", i), "nickname": "nick " + strconv.Itoa(i),
					"created_at": "2021-03-05T16:31:52.711Z", "app_metadata": obj{"roles": []string{"editor"}}, "identities": []obj{
						{"connection": "Username-Password-Authentication", "provider": "auth0", "user_id": oid, "isSocial": false},
						{"connection": "google-oauth2", "provider": "google-oauth2", "user_id": fmt.Sprint(1000000 + i), "isSocial": true}}}
				if i == 0 {
					u["mfa_factors"] = []obj{{"totp": obj{"secret": appSecret}}}
				}
				people.WriteString(text(t, u) + "\n")
				secrets.WriteString(text(t, obj{"_id": obj{"$oid": oid}, "email": oldAddress("auth0", i), "passwordHash": hash[i], "connection": "Username-Password-Authentication",
					"password_set_date": obj{"$date": "2021-03-05T16:31:52.711Z"}}) + "\n")
			}
			org := obj{"id": "org_9ybsU1dN2dKfDkBi", "name": "acme", "display_name": "Acme of Auth0", "members": []obj{{"user_id": "auth0|60425dc43519d90000000000", "roles": []obj{{"name": "Admin"}}}}}
			return map[string]string{"users.ndjson": people.String(), "hashes.ndjson": secrets.String(), "orgs.ndjson": text(t, org)}
		}},
		{"firebase", nil, false, false, nil, "", func(n int) map[string]string {
			const signer = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
			raw, _ := base64.StdEncoding.DecodeString(signer)
			salt := []byte("a salt of it")
			hash := hashes("firebase", n, func(_ int, password string) string {
				block, err := aes.NewCipher(scrypted(t, []byte(password), append(slices.Clone(salt), 7), 1<<10, 8, 1, 32))
				if err != nil {
					t.Fatal(err)
				}
				out := make([]byte, len(raw))
				cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(out, raw)
				return base64.URLEncoding.EncodeToString(out)
			})
			var people []obj
			for i := range n {
				people = append(people, obj{"localId": fmt.Sprintf("fb%026d", i), "email": oldAddress("firebase", i), "emailVerified": i%2 == 0, "passwordHash": hash[i], "salt": b64(salt),
					"displayName": "Person " + strconv.Itoa(i), "createdAt": "1614961912711", "lastSignedInAt": "1614961912711", "customAttributes": `{"editor":true}`,
					"providerUserInfo": []obj{{"providerId": "google.com", "rawId": fmt.Sprint(2000000 + i), "email": oldAddress("firebase", i)}, {"providerId": "password"}}})
			}
			return map[string]string{"users.json": text(t, obj{"users": people}), "hash_config.txt": "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: " + signer +
				",\n  base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 10,\n}\n"}
		}},
		{"supabase", nil, true, true, nil, "", func(n int) map[string]string {
			hash := hashes("supabase", n, func(k int, password string) string {
				return strings.Replace(bcrypted(t)(k, password), "$2b$", "$2a$", 1)
			})
			var people, identities strings.Builder
			people.WriteString("id,aud,role,email,encrypted_password,email_confirmed_at,phone,raw_app_meta_data,raw_user_meta_data,created_at,is_anonymous\n")
			for i := range n {
				id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
				fmt.Fprintf(&people, `%s,authenticated,authenticated,%s,%s,2021-03-05 16:31:52.711+00,,"{""provider"": ""email""}","{""full_name"": ""Person %d""}",2021-03-05 16:31:52.711232+00,f`+"\n",
					id, oldAddress("supabase", i), hash[i], i)
				identities.WriteString(text(t, obj{"provider_id": strconv.Itoa(3000000 + i), "user_id": id, "provider": "github", "identity_data": obj{"sub": "x", "email": oldAddress("supabase", i)}}) + "\n")
			}
			return map[string]string{"users.csv": people.String(), "identities.json": "[" + strings.ReplaceAll(strings.TrimSpace(identities.String()), "\n", ",\n") + "]",
				"mfa.json": text(t, []obj{{"id": "x", "user_id": "00000000-0000-4000-8000-000000000000", "factor_type": "totp", "status": "verified", "secret": appSecret}})}
		}},
		{"keycloak", []string{"--role", "staff=manager", "--org-role", "bosses=owner"}, true, false, []string{"manager"}, "globex|owner", func(n int) map[string]string {
			hash := hashes("keycloak", n, func(k int, password string) string {
				salt := salted()
				var key []byte
				how := obj{"hashIterations": 1000, "algorithm": "pbkdf2-sha256", "additionalParameters": obj{}}
				switch k {
				case 0:
					key, _ = pbkdf2.Key(sha256.New, password, salt, 1000, 64)
				case 1:
					how["algorithm"] = "pbkdf2-sha512"
					key, _ = pbkdf2.Key(sha512.New, password, salt, 1000, 64)
				case 2:
					how["algorithm"] = "pbkdf2"
					key, _ = pbkdf2.Key(sha1.New, password, salt, 1000, 64)
				default:
					how = obj{"hashIterations": 5, "algorithm": "argon2", "additionalParameters": obj{"hashLength": []string{"32"}, "memory": []string{"7168"}, "type": []string{"id"},
						"version": []string{"1.3"}, "parallelism": []string{"1"}}}
					key = argon2.IDKey([]byte(password), salt, 5, 7168, 1, 32)
				}
				return text(t, obj{"value": b64(key), "salt": b64(salt), "additionalParameters": obj{}}) + "\n" + text(t, how)
			})
			var people []obj
			for i := range n {
				secret, how, _ := strings.Cut(hash[i], "\n")
				u := obj{"id": fmt.Sprintf("10000000-0000-4000-8000-%012d", i), "username": fmt.Sprintf("kc-user-%d", i), "email": oldAddress("keycloak", i), "emailVerified": i%2 == 0, "enabled": true,
					"firstName": "Person", "lastName": strconv.Itoa(i), "createdTimestamp": 1614961912711, "realmRoles": []string{"default-roles-acme", "staff"}, "groups": []string{"/globex/bosses", "/globex"},
					"credentials": []obj{{"type": "password", "secretData": secret, "credentialData": how}}, "federatedIdentities": []obj{{"identityProvider": "discord", "userId": fmt.Sprint(4000000 + i)}}}
				if i == 0 {
					raw, _ := base32.StdEncoding.DecodeString(appSecret)
					u["credentials"] = append(u["credentials"].([]obj), obj{"type": "otp", "secretData": text(t, obj{"value": string(raw)}),
						"credentialData": `{"subType":"totp","digits":6,"counter":0,"period":30,"algorithm":"HmacSHA1"}`})
				}
				people = append(people, u)
			}
			realm, err := json.MarshalIndent(obj{"id": "acme", "realm": "acme", "roles": obj{"realm": []obj{{"name": "staff"}}}, "groups": []obj{{"name": "globex", "path": "/globex"}}, "users": people}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			return map[string]string{"realm.json": string(realm)}
		}},
		{"django", []string{"--role", "staff=manager", "--role", "editors=internal"}, true, false, []string{"internal", "manager"}, "", func(n int) map[string]string {
			hash := hashes("django", n, func(k int, password string) string {
				salt := hex.EncodeToString(salted()[:11])
				switch k {
				case 0:
					key, _ := pbkdf2.Key(sha256.New, password, []byte(salt), 1000, 32)
					return "pbkdf2_sha256$1000$" + salt + "$" + b64(key)
				case 1:
					key, _ := pbkdf2.Key(sha1.New, password, []byte(salt), 1000, 20)
					return "pbkdf2_sha1$1000$" + salt + "$" + b64(key)
				case 2:
					return "scrypt$1024$" + salt + "$8$1$" + b64(scrypted(t, []byte(password), []byte(salt), 1024, 8, 1, 64))
				}
				sum := sha256.Sum256([]byte(password))
				return "bcrypt_sha256$" + bcrypted(t)(k, hex.EncodeToString(sum[:]))
			})
			raw, _ := base32.StdEncoding.DecodeString(appSecret)
			list := []obj{{"model": "auth.group", "pk": 1, "fields": obj{"name": "editors", "permissions": []int{}}}, {"model": "contenttypes.contenttype", "pk": 1, "fields": obj{"app_label": "auth", "model": "user"}}}
			for i := range n {
				list = append(list, obj{"model": "auth.user", "pk": i + 1, "fields": obj{"password": hash[i], "last_login": nil, "is_superuser": false, "username": fmt.Sprintf("django_%d", i),
					"first_name": "Person", "last_name": strconv.Itoa(i), "email": oldAddress("django", i), "is_staff": true, "is_active": true, "date_joined": "2021-03-05T16:31:52.711Z",
					"groups": []int{1}, "user_permissions": []int{}}})
			}
			return map[string]string{"dump.json": text(t, append(list,
				obj{"model": "account.emailaddress", "pk": 1, "fields": obj{"user": 1, "email": oldAddress("django", 0), "verified": true, "primary": true}},
				obj{"model": "otp_totp.totpdevice", "pk": 1, "fields": obj{"user": 1, "name": "default", "confirmed": true, "key": hex.EncodeToString(raw), "step": 30, "t0": 0, "digits": 6}}))}
		}},
		{"better-auth", nil, true, false, nil, "initech|admin", func(n int) map[string]string {
			hash := hashes("better-auth", n, func(_ int, password string) string {
				salt := hex.EncodeToString(salted())
				return salt + ":" + hex.EncodeToString(scrypted(t, []byte(password), []byte(salt), 16384, 16, 1, 64))
			})
			raw, _ := base32.StdEncoding.DecodeString(appSecret)
			key := sha256.Sum256([]byte(sealedBy))
			aead, err := chacha20poly1305.NewX(key[:])
			if err != nil {
				t.Fatal(err)
			}
			nonce := append(salted(), salted()[:8]...)
			var people, accounts, members []obj
			for i := range n {
				id := fmt.Sprintf("ba%030d", i)
				people = append(people, obj{"id": id, "name": "Person " + strconv.Itoa(i), "email": oldAddress("better-auth", i), "emailVerified": i%2 == 0, "createdAt": "2021-03-05T16:31:52.711Z", "role": "user"})
				accounts = append(accounts, obj{"id": "a" + id, "userId": id, "accountId": id, "providerId": "credential", "password": hash[i]},
					obj{"id": "g" + id, "userId": id, "accountId": fmt.Sprint(5000000 + i), "providerId": "google"})
				members = append(members, obj{"id": "m" + id, "userId": id, "organizationId": "o1", "role": "admin", "createdAt": "2021-03-05T16:31:52.711Z"})
			}
			return map[string]string{"tables.json": text(t, obj{"user": people, "account": accounts, "organization": []obj{{"id": "o1", "name": "Initech", "slug": "initech"}}, "member": members,
				"twoFactor": []obj{{"id": "t1", "userId": fmt.Sprintf("ba%030d", 0), "secret": hex.EncodeToString(aead.Seal(nonce, nonce, raw, nil)), "backupCodes": "x"}}, "session": []obj{}})}
		}},
		{"csv", nil, true, true, nil, "umbrella|admin", func(n int) map[string]string {
			hash := hashes("csv", n, bcrypted(t))
			var w strings.Builder
			w.WriteString("id,email,email_verified,username,name,password_hash,totp_secret,organizations\n")
			for i := range n {
				app := ""
				if i == 0 {
					app = appSecret
				}
				fmt.Fprintf(&w, "%d,%s,true,csv-%d,\"Person, %d\",%s,%s,\"Umbrella:admin\"\n", i, oldAddress("csv", i), i, i, hash[i], app)
			}
			return map[string]string{"people.csv": w.String()}
		}},
	}
}

// written puts files into the directory of the bench and gives their paths.
func (b *bench) written(files map[string]string) (paths []string) {
	b.Helper()
	dir := b.T.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

func (a answer) report() (r transfer.Report) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.out), &r); err != nil {
		a.t.Fatalf("%v in %s", err, a.out)
	}
	if r.Read != r.Created+r.AlreadyThere+r.Conflicts+r.Refused || len(r.Items) != r.Read {
		a.t.Fatalf("the sums do not agree: %+v", r)
	}
	return r
}

// old signs in as somebody did where they came from.
func old(s served, t *testing.T, format string, i int, app bool) {
	t.Helper()
	c := s.client(t)
	in := func() testkit.Answer {
		return c.Post("/auth/login", testkit.M{"email": oldAddress(format, i), "password": oldPassword(format, i)})
	}
	a := in()
	for a.Status == 503 { // the machine is busy with something else
		a = in()
	}
	if !app || i != 0 {
		a.Want(200)
		return
	}
	code, err := totp.GenerateCode(appSecret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c.Post("/auth/mfa/verify", testkit.M{"attempt": a.Want(401, "step_required").JSON["attempt"].(testkit.M)["id"], "code": code}).Want(200)
}

// TestImportedPeopleSignIn imports from every source while the server runs, and has everybody sign in with the password they had: 16 people
// of each, or as many as PEOPLE says.
func TestImportedPeopleSignIn(t *testing.T) {
	n := people(16)
	sources := exports(t)
	files := make([]func() map[string]string, len(sources))
	for i, g := range sources {
		files[i] = sync.OnceValue(func() map[string]string { return g.make(n) })
	}
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "PASSWORD_HASH_TIMEOUT_SECONDS=20")
			b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
			b.run("user", "create", "--email", "boss@example.com", "--no-password", "--role", "super_admin").want(0)
			key := b.written(map[string]string{"key": sealedBy + "\n"})[0]
			s := b.serve()
			all := 0
			for i, g := range sources {
				t.Run(g.format, func(t *testing.T) {
					b := *b
					b.T = t
					b.imports(s, g, n, b.written(files[i]()), "--key-file", key)
					all += n
				})
			}
			b.run("message", "list", "--json").want(0, `"items": []`) // nobody was written to
			if out := b.run("audit", "export", "--type", "user.imported").want(0).out; strings.Count(out, "\n") != all {
				t.Fatal("events", strings.Count(out, "\n"))
			}
		})
	}
}

// imports takes n people over, and tries everything of theirs.
func (b *bench) imports(s served, g generated, n int, files []string, flags ...string) {
	args := append(append(append([]string{"import", g.format, "--json"}, flags...), g.flags...), files...)
	dry := b.run(append(args, "--dry-run")...).want(0).report()
	if dry.Created != n || !dry.DryRun || dry.Noted != 0 {
		b.Fatalf("dry: %+v %v", dry.Items[0], dry.Notes)
	}
	b.run("user", "get", oldAddress(g.format, 0)).want(3)
	began := time.Now()
	made := b.run(args...).want(0).report()
	imported := time.Since(began)
	if made.Created != n || made.Noted != 0 || made.Items[0].UserID == "" || made.Organizations != dry.Organizations || len(made.Notes) != 0 {
		b.Fatalf("%d of %d, %+v, %v", made.Created, n, made.Items[0], made.Notes)
	}
	again := b.run(args...).want(0).report()
	if again.AlreadyThere != n || again.Created != 0 || again.Organizations.Created != 0 || again.Items[1].UserID != made.Items[1].UserID {
		b.Fatalf("again: %+v", again)
	}
	began = time.Now()
	var in sync.WaitGroup
	for hand := range 4 {
		in.Go(func() {
			for i := hand; i < n; i += 4 {
				old(s, b.T, g.format, i, g.app)
			}
		})
	}
	in.Wait()
	b.Logf("%d people are here after %.1f s, and have all signed in %.1f s later", n, imported.Seconds(), time.Since(began).Seconds())
	s.client(b.T).Post("/auth/login", testkit.M{"email": oldAddress(g.format, 1), "password": oldPassword(g.format, 2)}).Want(401)
	u := b.run("user", "get", oldAddress(g.format, 1), "--json").want(0)
	if strings.Contains(u.out, `"email_verified": true`) != g.verified || !slices.Equal(u.json().Roles, g.roles) {
		b.Fatalf("an address is verified that was not, or the roles are others: %s", u.out)
	}
	org, role, _ := strings.Cut(g.belongs, "|")
	if org == "" || n > 1000 {
		return
	}
	members := b.run("org", "members", org, "--limit", "1000").want(0).out
	if !slices.ContainsFunc(strings.Split(members, "\n"), func(l string) bool { return strings.Contains(l, oldAddress(g.format, 0)) && strings.Contains(l, role) }) {
		b.Fatal(members)
	}
}

// TestImportGoesOn interrupts an import after its first change and kills the next one in the middle: the third makes who is missing.
func TestImportGoesOn(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			url := testkit.DatabaseURL(t, engine)
			b.env = append(b.env, "DATABASE_URL="+url)
			const n = 2000
			var w strings.Builder
			w.WriteString("id,email,organizations\n")
			for i := range n {
				fmt.Fprintf(&w, "%d,%s,Acme\n", i, oldAddress("csv", i))
			}
			file, report := b.written(map[string]string{"people.csv": w.String()})[0], filepath.Join(b.dir, "report.json")
			ctx, cancel := context.WithCancel(t.Context())
			p, _, said := b.program(ctx, "")
			p.Terminal.Err, p.Stderr = true, seen{said, cancel}
			if code := run(p, []string{"import", "csv", file, "--report", report}); code == 0 || !strings.Contains(said.String(), "It ended after 200 accounts.") {
				t.Fatal(code, said.String())
			}
			if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), `"created": 200,`) {
				t.Fatal(err, string(text[:min(len(text), 1000)]))
			}
			db := opened(t, url)
			there := func() (count int) {
				if err := db.QueryRow(`SELECT COUNT(*) FROM imported_users`).Scan(&count); err != nil {
					t.Fatal(err)
				}
				return count
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "import", "csv", file)
			cmd.Env, cmd.Dir = append([]string{"TEST_RUN_MAIN=1"}, b.env...), b.dir
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, time.Minute, "more people", func() bool { return there() > 200 })
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			before := there()
			t.Logf("killed after %d of %d", before, n)
			r := b.run("import", "csv", file, "--json").want(0).report()
			if r.Read != n || r.AlreadyThere != before || r.Created != n-before || there() != n || r.Organizations.AlreadyThere != 1 || r.Organizations.Created != 0 {
				t.Fatalf("%d before, %d after, %d created, %d already there, %+v", before, there(), r.Created, r.AlreadyThere, r.Organizations)
			}
		})
	}
}

// seen cancels as soon as a bar is shown.
type seen struct {
	io.Writer
	cancel func()
}

func (s seen) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "importing [") {
		s.cancel()
	}
	return s.Writer.Write(p)
}

// TestExportComesBack takes everything out of one installation and into another, twice, and compares.
func TestExportComesBack(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			bench := func() *bench {
				b := newBench(t)
				b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
				return b
			}
			from, to := bench(), bench()
			for _, g := range exports(t) {
				if g.format == "csv" || g.format == "keycloak" {
					from.run(append(append([]string{"import", g.format}, g.flags...), from.written(g.make(6))...)...).want(0)
				}
			}
			from.run("permission", "declare", "jobs:read").want(0)
			from.run("permission", "declare", "jobs:write").want(0)
			from.run("role", "create", "Reader", "--permission", "jobs:read").want(0)
			from.run("org", "role", "create", "umbrella", "Poster", "--permission", "jobs:write").want(0)
			from.run("org", "role", "grant", "umbrella", oldAddress("csv", 1), "poster", "--for", "9000h").want(0)
			from.run("role", "grant", oldAddress("csv", 1), "reader").want(0)
			from.run("user", "disable", oldAddress("csv", 2)).want(0)
			bare := from.run("export").want(0).out
			if strings.Contains(bare, appSecret) || !strings.Contains(bare, "$2") {
				t.Fatal("the secret of an app is in an export without --secrets, or a hash is not")
			}
			out := from.run("export", "--secrets").want(0).out
			if !strings.Contains(out, appSecret) {
				t.Fatal(out)
			}
			file := to.written(map[string]string{"people.jsonl": out})[0]
			args := []string{"import", "admit", file, "--role", "manager=manager", "--role", "reader=reader", "--json"}
			if r := to.run(args...).want(0).report(); r.Created != 12 || r.Noted != 0 || r.Organizations.Created != 2 {
				t.Fatalf("%+v", r)
			}
			if r := to.run(args...).want(0).report(); r.AlreadyThere != 12 {
				t.Fatalf("%+v", r)
			}
			if back := to.run("export", "--secrets").want(0).out; same(back) != same(out) {
				t.Fatalf("what came back is other:\n%s\n%s", same(out), same(back))
			}
			s := to.serve()
			old(s, t, "csv", 0, true)
			old(s, t, "csv", 1, true)
			old(s, t, "keycloak", 3, true)
			s.client(t).Post("/auth/login", testkit.M{"email": oldAddress("csv", 2), "password": oldPassword("csv", 2)}).Want(403)
		})
	}
}

var orgIDs = regexp.MustCompile(`org_[0-9a-z]+`)

// same is an export without the ids of organizations, which are made anew.
func same(export string) string {
	var lines []string
	for line := range strings.Lines(export) {
		lines = append(lines, orgIDs.ReplaceAllString(line, "org"))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// TestImportTellsWhatIsWrong holds that whoever cannot be taken over is named with their line, and that the others are.
func TestImportTellsWhatIsWrong(t *testing.T) {
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.env = append(b.env, "DATABASE_URL="+testkit.DatabaseURL(t, engine))
			ann := strings.TrimSpace(b.run("user", "create", "--email", "ann@example.com", "--no-password").want(0).out)
			file := b.written(map[string]string{"people.csv": "id,email,email_verified,username,password_hash,roles,organizations\n" +
				"1,ann@example.com,true,,,super_admin,\n" + // 2: somebody has it
				"2,bob@example.com,true,,md5$salt$0123456789abcdef0123456789abcdef,boss,Acme:chief\n" + // 3: without a password and a role
				"3,BOB@example.com,true,,,,\n" + // 4: twice in the file
				"4,not an address,true,,,,\n" + // 5: nothing to find them by
				"2,eve@example.com,true,,,,\n" + // 6: the id twice
				"5,cas@example.com,maybe,,,,\n" + // 7: no truth
				"6,dan@example.com,true\n" + // 8: too short a row
				"7,not an address,true,dan-dan,,,\n"})[0] // 9: by the username
			args := []string{"import", "csv", file, "--json", "--role", "boss=manager"}
			for _, step := range []struct {
				flag  string
				there transfer.Outcome
			}{{"--dry-run", transfer.Made}, {"--no-input", transfer.Made}, {"--dry-run", transfer.Already}, {"--no-input", transfer.Already}} {
				var lines []string
				for _, i := range b.run(append(slices.Clone(args), step.flag)...).want(10).report().Items {
					lines = append(lines, fmt.Sprintf("%d %s", i.Line, i.Outcome))
				}
				slices.Sort(lines)
				if want := []string{"2 conflict", "3 " + string(step.there), "4 refused", "5 refused", "6 refused", "7 refused", "8 refused", "9 " + string(step.there)}; !slices.Equal(lines, want) {
					t.Fatalf("%s: %v, want %v", step.flag, lines, want)
				}
			}
			if u := b.run("user", "get", ann, "--json").want(0).json(); len(u.Roles) != 0 {
				t.Fatal("an account that was there has a role by an import", u.Roles)
			}
			if u := b.run("user", "get", "bob@example.com", "--json").want(0).json(); !slices.Equal(u.Roles, []string{"manager"}) {
				t.Fatal(u.Roles)
			}
			b.run("import", "csv", file).want(10, "people.csv\t2\t1\tconflict\tthe account "+ann+" has the e-mail address\n")
			b.run("import", "csv", file, "--role", "boss=super_admin").want(2, "Nobody becomes super_admin")
			b.run("import", "csv", file, "--role", "boss=nobody").want(3, "no such role")
			b.run("import", "csv", file, "--org", "nowhere").want(3)
			b.run("import", "csv", file, "--source", "Not A Word").want(2)
			b.run("import", "csv", filepath.Join(b.dir, "none")).want(1, "no such file")
			b.run("import", "csv", file, "--report", filepath.Join(b.dir, "no", "report.json")).want(1, "no such file")
			fresh := newBench(t)
			fresh.run("import", "csv", file, "--dry-run").want(1, "There is no database at")
			costs := b.written(map[string]string{"people.csv": "id,email,password_hash,identities,organizations\n" +
				"1,fay@example.com,$2b$31$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG,google:a\x01b,\n" +
				"2,gus@example.com,pbkdf2_sha256$1000000000$s$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=,google:" + strings.Repeat("9", 300) + ",Bad\x00Name\n"})[0]
			for _, i := range b.run("import", "csv", costs, "--json", "--source", "costs").want(10).report().Items {
				if i.Outcome != transfer.Made || !strings.Contains(strings.Join(i.Notes, "; "), "too costly; the account at google") {
					t.Fatalf("%+v", i)
				}
			}
			b.run("import", "firebase", file).want(1, "hash_config")
			b.run("import", "ldap", file).want(2)
			other := b.written(map[string]string{"people.csv": "id,email\n1,zoe@example.com\n"})[0]
			report := filepath.Join(b.dir, "report.json")
			b.run("import", "csv", other, "--source", "old-site", "--org", "acme", "--report", report).want(0)
			if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), `"outcome": "created"`) {
				t.Fatal(err, string(text))
			}
			b.run("org", "members", "acme").want(0, "zoe@example.com")
			twin := b.written(map[string]string{"tables.json": text(t, obj{"user": []obj{{"id": "u", "email": "yan@example.com"}}, "organization": []obj{{"id": "o", "name": "Acme", "slug": "acme"}}})})[0]
			b.run("import", "better-auth", twin, "--dry-run").want(0, "the slug acme of the organization Acme would be another here")
			b.run("import", "better-auth", twin).want(0, "the slug acme of the organization Acme is acme-")
		})
	}
}
