// Package app puts the parts together: everything Admit can do, without a word of HTTP. The server and the command line
// stand on it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/admit-dev/admit/internal/account"
	"github.com/admit-dev/admit/internal/address"
	"github.com/admit-dev/admit/internal/apikey"
	"github.com/admit-dev/admit/internal/audit"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/authzen"
	"github.com/admit-dev/admit/internal/challenge"
	"github.com/admit-dev/admit/internal/check"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/consent"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/event"
	"github.com/admit-dev/admit/internal/export"
	"github.com/admit-dev/admit/internal/idempotency"
	"github.com/admit-dev/admit/internal/impersonation"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/login"
	"github.com/admit-dev/admit/internal/method/anonymous"
	"github.com/admit-dev/admit/internal/method/otp"
	"github.com/admit-dev/admit/internal/method/passkey"
	"github.com/admit-dev/admit/internal/method/password"
	"github.com/admit-dev/admit/internal/method/recoverycode"
	"github.com/admit-dev/admit/internal/method/social"
	"github.com/admit-dev/admit/internal/method/totp"
	"github.com/admit-dev/admit/internal/mfa"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/org"
	"github.com/admit-dev/admit/internal/owner"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/ratelimit"
	"github.com/admit-dev/admit/internal/recovery"
	"github.com/admit-dev/admit/internal/redis"
	"github.com/admit-dev/admit/internal/revocation"
	"github.com/admit-dev/admit/internal/risk"
	"github.com/admit-dev/admit/internal/secret"
	"github.com/admit-dev/admit/internal/serviceaccount"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/sink"
	"github.com/admit-dev/admit/internal/token"
	"github.com/admit-dev/admit/internal/transfer"
	"github.com/admit-dev/admit/internal/user"
	"github.com/admit-dev/admit/internal/webhook"
)

// App is every part, made once.
type App struct {
	Config     config.Config
	Report     *config.Report // the settings as they were given
	Log        *slog.Logger
	DB         *database.DB
	Redis      *redis.Client // nil without one
	Hasher     *secret.Hasher
	Limiter    *ratelimit.Limiter // nil when limits are off
	Users      *user.Service
	Sessions   *session.Service
	Devices    *knowndevice.Service
	Consents   *consent.Service
	Locks      *lockout.Service
	Risk       *risk.Service
	Tokens     *token.Service
	Door       *login.Service
	MFA        *mfa.Policy
	Passwords  *password.Service
	Passkeys   *passkey.Service
	Codes      *otp.Service
	Guests     *anonymous.Service
	TOTP       *totp.Service
	Social     *social.Service
	Recovery   recoverycode.Method
	Owner      *owner.Service
	Authz      *authz.Service
	Checks     *check.Service
	AuthZEN    *authzen.Service
	Orgs       *org.Service
	Accounts   *account.Service
	Acting     *impersonation.Service
	Audit      *audit.Service
	Answers    *idempotency.Service
	Notify     *notify.Service
	Challenges *challenge.Service
	Addresses  *address.Service
	Resets     *recovery.Service
	Exports    *export.Service
	Transfer   *transfer.Service
	Revoked    *revocation.Service
	APIKeys    *apikey.Service
	Programs   *serviceaccount.Service
	Feed       *event.Feed
	Sinks      *sink.Service
	Webhooks   *webhook.Service

	file        *event.File
	permissions []authz.Permission // of the program
}

// Options are what a test or an embedding program brings along.
type Options struct {
	Now    func() time.Time // the one clock; time.Now when nil
	Log    *slog.Logger     // slog.Default() when nil
	Strict bool             // panic at a change that tells no one

	Permissions []authz.Permission   // what the program asks about, declared at each start
	Tracing     trace.TracerProvider // makes spans; nil makes none
	Mailer      notify.Sender        // carries mail; nil leaves that to SMTP_HOST
	Terminal    io.Writer            // gets a line for each message of the development inbox; none when nil
}

// Open connects to the store and makes every part. It starts nothing: see Run.
func Open(ctx context.Context, cfg config.Config, opt Options) (*App, error) {
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	report := cfg.Report()
	cfg, err := settle(cfg)
	if err != nil {
		return nil, err
	}
	box, err := secret.NewBox([]byte(cfg.Server.RootKey.Reveal()))
	if err != nil {
		return nil, err
	}
	a := &App{Config: cfg, Report: report, Log: opt.Log, permissions: opt.Permissions}
	a.DB, err = database.Open(ctx, cfg.Database, database.Options{Now: opt.Now, Strict: opt.Strict, Log: opt.Log})
	if err != nil {
		return nil, err
	}
	a.Hasher = secret.NewHasher(cfg.Hash)
	if a.Redis, err = redis.Open(ctx, cfg.Redis, opt.Log); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Limiter = cfg.RateLimit.Open(opt.Now, a.Redis, box)
	a.Feed = event.NewFeed(a.DB, opt.Log)
	a.Answers = idempotency.NewService(a.DB, box)
	if a.Notify, err = a.messages(opt, box); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Users = user.NewService(a.DB, cfg.User, a.Notify.Languages())
	policy, err := a.policy()
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Authz = authz.NewService(a.DB, a.Feed, policy, opt.Log) // before the sessions, whose copies are made from it
	a.Tokens, err = token.NewService(a.DB, cfg.Token, box, cfg.Web.Base(), a.Feed, opt.Log)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Sessions = session.NewService(a.DB, cfg.Session, box, a.Feed, a.Redis, a.verifier(), opt.Log)
	a.Revoked = revocation.NewService(a.DB, a.Authz, a.Tokens, cfg.Web.Base(), opt.Log)
	a.Devices = knowndevice.NewService(a.DB, cfg.Device)
	a.Consents = consent.NewService(a.DB)
	a.Orgs = org.NewService(a.DB, cfg.Org, a.Authz, a.Notify, cfg.Web.Base(), box)
	a.Checks = check.NewService(a.Authz, a.DB.Now)
	a.AuthZEN = authzen.NewService(a.Checks)
	a.MFA = mfa.NewPolicy(a.Config.MFA, a.Authz)
	a.Challenges = challenge.NewService(a.DB, box, a.Limiter, cfg.RateLimit)
	a.Accounts = account.NewService(a.DB, cfg.Account, a.Authz, a.Users, a.Sessions, a.Notify, a.Challenges, cfg.Web.Base())
	a.Acting = impersonation.NewService(a.DB, cfg.Impersonation, a.Authz, a.MFA, a.Sessions, a.Notify, cfg.Web.Base())
	a.Audit = audit.NewService(a.DB, cfg.Audit, a.Authz, a.Orgs, a.Users, box, headFile(cfg), opt.Log)
	if err := errors.Join(a.ways(box), a.tell(box)); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.copies(box)
	return a, nil
}

// copies makes what takes people out, and brings them in.
func (a *App) copies(box *secret.Box) {
	base := a.Config.Web.Base()
	a.Exports = export.NewService(export.Deps{DB: a.DB, Box: box, Users: a.Users, Sessions: a.Sessions, Devices: a.Devices, Consents: a.Consents, Keys: a.APIKeys, Passkeys: a.Passkeys, Social: a.Social,
		Recovery: a.Recovery, Authz: a.Authz, Orgs: a.Orgs, Audit: a.Audit, Notify: a.Notify, Base: base, Log: a.Log})
	a.Transfer = transfer.NewService(a.DB, a.Users, a.Orgs, a.Authz, a.TOTP.Method, a.Config.Social, base)
}

// verifier reads access tokens; there is none where there are none.
func (a *App) verifier() session.Verifier {
	if !a.Config.Parts.On(part.Tokens) {
		return nil
	}
	return a.verify
}

func (a *App) verify(ctx context.Context, text string) (session.Verified, error) {
	c, err := a.Tokens.Verify(ctx, text)
	v := session.Verified{SessionID: c.SessionID, Until: time.Unix(c.ExpiresAt, 0), Scope: []authz.Pattern{}}
	for _, text := range strings.Fields(c.Scope) {
		p, wrong := authz.ParsePattern(text)
		if wrong != nil {
			return v, token.ErrInvalid
		}
		v.Scope = append(v.Scope, p)
	}
	return v, err
}

// Ready brings the schema up to date if it may, and holds that the app can serve: keys, the owner, the event file.
func (a *App) Ready(ctx context.Context) error {
	if a.Config.Database.MigrateOnStart {
		if _, err := a.DB.Migrate(ctx); err != nil {
			return err
		}
	}
	if err := a.DB.CheckSchema(ctx); err != nil {
		return err
	}
	tokens := a.Config.Parts.On(part.Tokens)
	if tokens {
		if err := a.Tokens.Load(ctx); err != nil {
			return err
		}
	}
	if err := a.declare(ctx); err != nil {
		return err
	}
	if tokens {
		if err := a.Revoked.Load(ctx); err != nil {
			return err
		}
	}
	if err := a.MFA.Known(ctx); err != nil {
		return err
	}
	if err := a.Owner.First(ctx); err != nil {
		return fmt.Errorf("the owner of OWNER_EMAIL could not be made: %w", err)
	}
	if a.Config.Event.File == "off" {
		return nil
	}
	path := a.Config.Event.File
	if path == "" {
		if err := os.MkdirAll(a.Config.Server.DataDir, 0o700); err != nil {
			return err
		}
		path = filepath.Join(a.Config.Server.DataDir, "events.jsonl")
	}
	var err error
	a.file, err = event.OpenFile(ctx, a.DB, path, a.Log)
	return err
}

// Run does what goes on in the background until ctx ends: hearing of changes, writing the event file, tidying. It calls
// ready once changes of other programs are heard of.
func (a *App) Run(ctx context.Context, ready func()) {
	var all sync.WaitGroup
	all.Go(func() { a.Feed.Run(ctx, ready) })
	all.Go(func() { a.Sessions.Run(ctx) })
	all.Go(func() { a.sweep(ctx) })
	if a.Config.Parts.On(part.Tokens) {
		all.Go(func() { a.Tokens.Run(ctx) })
		a.Feed.Subscribe(a.Revoked.Wake)
		all.Go(func() { a.Revoked.Run(ctx) })
	}
	all.Go(func() { a.Risk.Run(ctx) })
	a.Feed.Subscribe(a.Audit.Wake)
	all.Go(func() { a.Audit.Run(ctx) })
	a.Feed.Subscribe(a.Notify.Wake)
	all.Go(func() { a.Notify.Run(ctx) })
	a.Feed.Subscribe(a.Exports.Wake)
	all.Go(func() { a.Exports.Run(ctx) })
	if a.file != nil {
		a.Feed.Subscribe(a.file.Wake)
		all.Go(func() { a.file.Run(ctx) })
	}
	a.Feed.Subscribe(a.Sinks.Wake)
	all.Go(func() { a.Sinks.Run(ctx) })
	a.Feed.Subscribe(a.Webhooks.Wake)
	all.Go(func() { a.Webhooks.Run(ctx) })
	all.Wait()
	a.Sinks.Release(ctx)
}

func (a *App) sweep(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := errors.Join(a.Door.Sweep(ctx), a.Answers.Sweep(ctx), a.Orgs.Sweep(ctx), a.Authz.Sweep(ctx), a.Notify.Sweep(ctx), a.Challenges.Sweep(ctx), a.Users.Sweep(ctx),
				a.Guests.Sweep(ctx), a.Social.Sweep(ctx), a.Devices.Sweep(ctx), a.APIKeys.Sweep(ctx), a.Locks.Sweep(ctx), a.Exports.Sweep(ctx), a.Webhooks.Sweep(ctx), a.Accounts.Sweep(ctx), a.Audit.Prune(ctx)); err != nil && ctx.Err() == nil {
				a.Log.Warn("what has expired could not be deleted; trying again", "err", err)
			}
		}
	}
}

// Fresh reports whether the app hears of every change: what it remembers is trusted only then.
func (a *App) Fresh() bool { return a.Feed.Fresh() }

// Close ends every connection and worker.
func (a *App) Close() error {
	a.Hasher.Close()
	a.Redis.Close()
	a.Sinks.Close()
	return a.DB.Close()
}
