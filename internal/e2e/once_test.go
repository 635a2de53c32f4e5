package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/admit-dev/admit"
	"github.com/admit-dev/admit/internal/testkit"
)

// TestMain makes a server of this program where a test wants one beside its own: another process on the same store, by the same clock, which is
// kept in the file that E2E_CLOCK names.
func TestMain(m *testing.M) {
	if file := os.Getenv("E2E_CLOCK"); file != "" {
		if err := serveBeside(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveBeside says where it listens, and serves until nobody holds its input any more.
func serveBeside(file string) error {
	cfg, err := admit.ConfigFromEnv()
	if err != nil {
		return err
	}
	clock := func() time.Time {
		text, err := os.ReadFile(file)
		n, wrong := strconv.ParseInt(string(text), 10, 64)
		if err != nil || wrong != nil {
			panic("the clock cannot be read")
		}
		return time.UnixMicro(n)
	}
	srv, err := admit.New(context.Background(), cfg, admit.WithClock(clock), admit.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	defer srv.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	go func() { _ = http.Serve(l, srv) }()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// besides starts another process on the store of a server. set has it go by the time of that server now.
func besides(s *testkit.Server) (other *testkit.Server, set func()) {
	s.Helper()
	file := filepath.Join(s.TempDir(), "clock")
	set = func() {
		next := file + ".next"
		err := os.WriteFile(next, []byte(strconv.FormatInt(s.Now().UnixMicro(), 10)), 0o600)
		if err == nil {
			err = os.Rename(next, file)
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	set()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"E2E_CLOCK=" + file, "HOME=" + s.TempDir(), "DATABASE_URL=" + s.Config.Database.URL, "DATA_DIR=" + s.Config.Server.DataDir, "RATE_LIMIT=off", "EMAIL_VERIFICATION=off",
		"PASSWORD_HASH_MEMORY_KIB=64", "PASSWORD_HASH_ITERATIONS=1", "KNOWN_DEVICE_DAYS=0", "EVENT_FILE=off", "LOCKOUT_AFTER=" + strconv.Itoa(s.Config.Lockout.After)}
	cmd.Dir, cmd.Stderr = s.TempDir(), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			s.Error(err)
		}
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.Fatal(err)
	}
	copied := *s
	copied.URL = strings.TrimSpace(url)
	return &copied, set
}

// rounds is how often what may happen once is tried by sixteen at the same moment: ONCE_ROUNDS, or a few.
func rounds(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("ONCE_ROUNDS"))
	if os.Getenv("ONCE_ROUNDS") == "" {
		n, err = 5, nil
	}
	if err != nil {
		t.Fatal("ONCE_ROUNDS is no number")
	}
	return n
}

// single is something that may happen once. make prepares it for a round, and use tries it.
type single struct {
	what string
	make func(s *testkit.Server, round int) (use func(s *testkit.Server) testkit.Answer)
}

// Whatever is good once is used once: of sixteen who send it at the same moment to two processes on one store, one succeeds, and the others
// are refused as somebody who comes too late.
func TestGoodOnce(t *testing.T) {
	for _, engine := range testkit.Engines() {
		for _, o := range singles {
			t.Run(engine+"/"+o.what, func(t *testing.T) {
				t.Parallel()
				cfg, clock := testkit.Config(t, testkit.DatabaseURL(t, engine)), testkit.NewClock()
				if o.what == "unlock link" { // elsewhere those who come too late would lock the account
					cfg.Lockout.After = 3
				}
				one := testkit.Start(t, cfg, clock)
				other, set := besides(one)
				servers := []*testkit.Server{one, other}
				for round := range rounds(t) {
					use := o.make(one, round)
					set()
					var all sync.WaitGroup
					answers := make([]testkit.Answer, 16)
					for i := range answers {
						all.Go(func() { answers[i] = use(servers[i%2]) })
					}
					all.Wait()
					won := 0
					for _, a := range answers {
						switch {
						case a.Status == 200:
							won++
						case a.Status >= 500 || a.Status < 400:
							t.Errorf("round %d: %d %s", round, a.Status, a.Body)
						}
					}
					if won != 1 {
						t.Fatalf("round %d: %d succeeded", round, won)
					}
				}
			})
		}
	}
}

var singles = []single{
	{"verification link", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "verify" + strconv.Itoa(round) + "@example.com"
		person(s, email).Post("/auth/email/verify/resend", nil).Want(202)
		token := tokenIn(s, email)
		return func(s *testkit.Server) testkit.Answer {
			return s.Client().Post("/auth/email/verify", m{"token": token})
		}
	}},
	{"reset link", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "reset" + strconv.Itoa(round) + "@example.com"
		person(s, email)
		token := forgotten(s, email)
		return func(s *testkit.Server) testkit.Answer {
			return s.Client().Post("/auth/password/reset", m{"token": token, "password": "another sentence"})
		}
	}},
	{"not me", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "notme" + strconv.Itoa(round) + "@example.com"
		person(s, email).Post("/auth/password/change", m{"current_password": pass, "new_password": pass}).Want(200)
		token := tokenIn(s, email)
		return func(s *testkit.Server) testkit.Answer {
			return s.Client().Post("/auth/not-me", m{"token": token})
		}
	}},
	{"unlock link", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "unlock" + strconv.Itoa(round) + "@example.com"
		person(s, email)
		wrongly(s, email, s.Config.Lockout.After)
		token := tokenIn(s, email)
		return func(s *testkit.Server) testkit.Answer {
			return s.Client().Post("/auth/unlock", m{"token": token})
		}
	}},
	{"change of address", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "change" + strconv.Itoa(round) + "@example.com"
		person(s, email).Post("/auth/email/change", m{"email": "new-" + email}).Want(202)
		token := tokenIn(s, "new-"+email)
		return func(s *testkit.Server) testkit.Answer {
			return s.Client().Post("/auth/email/verify", m{"token": token})
		}
	}},
	{"magic link", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "link" + strconv.Itoa(round) + "@example.com"
		attempt := sendLink(s.Client(), email)
		token := tokenIn(s, email)
		return func(s *testkit.Server) testkit.Answer {
			return s.Client().Post("/auth/magic-link/verify", m{"token": token, "attempt": attempt})
		}
	}},
	{"magic link elsewhere", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "elsewhere" + strconv.Itoa(round) + "@example.com"
		sendLink(s.Client(), email)
		token, code := tokenIn(s, email), codeIn(s, email)
		return func(s *testkit.Server) testkit.Answer {
			return s.Client().Post("/auth/magic-link/verify", m{"token": token, "code": code})
		}
	}},
	{"code by mail", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "code" + strconv.Itoa(round) + "@example.com"
		person(s, email)
		attempt := sendCode(s.Client(), email)
		code := codeIn(s, email)
		return func(s *testkit.Server) testkit.Answer { return enterCode(s.Client(), attempt, code) }
	}},
	{"code by text", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		phone := fmt.Sprintf("+49171%07d", round)
		attempt := sendCode(s.Client(), phone)
		code := codeIn(s, phone)
		return func(s *testkit.Server) testkit.Answer { return enterCode(s.Client(), attempt, code) }
	}},
	{"number", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		phone := fmt.Sprintf("+49172%07d", round)
		c := person(s, "number"+strconv.Itoa(round)+"@example.com")
		c.Post("/auth/phone", m{"phone": phone}).Want(202)
		cookie, code := "session_id="+c.Cookie("/", "session_id"), codeIn(s, phone)
		return func(s *testkit.Server) testkit.Answer {
			return bearing(s, cookie).Post("/auth/phone/verify", m{"code": code})
		}
	}},
	{"second factor by text", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email, phone := "second"+strconv.Itoa(round)+"@example.com", fmt.Sprintf("+49173%07d", round)
		c := person(s, email)
		texted(s, c, phone)
		coded(s, c, "phone", phone)
		attempt := halfway(s, email)
		code := codeIn(s, phone)
		return func(s *testkit.Server) testkit.Answer { return verify(s.Client(), attempt, code) }
	}},
	{"recovery code", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "recovery" + strconv.Itoa(round) + "@example.com"
		_, spares := enrol(s, person(s, email))
		return func(s *testkit.Server) testkit.Answer {
			return verify(s.Client(), halfway(s, email), spares[0])
		}
	}},
	{"code of an app", func(s *testkit.Server, round int) func(*testkit.Server) testkit.Answer {
		email := "app" + strconv.Itoa(round) + "@example.com"
		app, _ := enrol(s, person(s, email))
		code := app.code(0)
		return func(s *testkit.Server) testkit.Answer { return verify(s.Client(), halfway(s, email), code) }
	}},
}
