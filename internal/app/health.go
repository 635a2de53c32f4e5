package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/authz"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/notify"
	"github.com/admit-dev/admit/internal/notify/mail"
	"github.com/admit-dev/admit/internal/notify/sms"
	"github.com/admit-dev/admit/internal/outbound"
	"github.com/admit-dev/admit/internal/part"
	"github.com/admit-dev/admit/internal/redis"
)

// Operate is the permission of who may see how the server itself stands.
const Operate = "sys:server:read"

// The ways a check ends.
const (
	Fine    = "ok"
	Warning = "warning"
	Problem = "problem"
)

// Check is what was found of one thing.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status" enum:"ok,warning,problem"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty" doc:"What to do about it."`
}

// Examination is what was found of several things, as admit doctor and the page of the health say it.
type Examination struct{ Checks []Check }

// Note adds what was found.
func (e *Examination) Note(status, name, detail, fix string) {
	e.Checks = append(e.Checks, Check{name, status, detail, fix})
}

// Examine is how the server stands, for holders of sys:server:read. With services, those that carry mail and texts and those people sign
// in with are asked too, which takes a while.
func (a *App) Examine(ctx context.Context, c authz.Caller, services bool) ([]Check, error) {
	if err := a.Authz.Require(ctx, c, Operate, ""); err != nil {
		return nil, err
	}
	e := &Examination{}
	e.database(ctx, a)
	if a.Redis != nil {
		e.Redis(ctx, a.Redis)
	}
	e.Inside(ctx, a)
	e.Address(&a.Config)
	for _, f := range a.Report.Warnings {
		e.Note(Warning, "config", f.String(), "")
	}
	if services {
		e.Services(ctx, &a.Config, a.Config.Production(), a.DB.Now)
		e.Providers(ctx, &a.Config, a.DB.Now)
	}
	return e.Checks, nil
}

func (e *Examination) database(ctx context.Context, a *App) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	version, err := a.DB.Version(ctx)
	if err == nil {
		err = a.DB.Ping(ctx)
	}
	if err != nil {
		e.Ill(err)
		return
	}
	e.Note(Fine, "database", version+" answers", "")
	e.Replicas(ctx, a.DB)
}

// Replicas checks each standby.
func (e *Examination) Replicas(ctx context.Context, db *database.DB) {
	for _, r := range db.Replicas(ctx) {
		switch {
		case r.Err != nil:
			e.Note(Problem, "replica", r.Name+": "+r.Err.Error(), "See that it is a standby of the server of DATABASE_URL and that this machine reaches it. Sessions are looked for in the database meanwhile.")
		case r.Lag > time.Minute:
			e.Note(Warning, "replica", fmt.Sprintf("%s is behind by %s", r.Name, r.Lag.Round(time.Second)), "What it does not know yet is asked of the database. See what keeps it: pg_stat_replication on the server of DATABASE_URL.")
		default:
			e.Note(Fine, "replica", r.Name+" follows", "")
		}
	}
}

// Redis checks that it answers.
func (e *Examination) Redis(ctx context.Context, c *redis.Client) {
	if err := c.Ping(ctx); err != nil {
		e.Note(Problem, "redis", "it does not answer, or not within a tenth of a second", "See that REDIS_URL is right and that this machine reaches it. Servers go on without: each counts by itself and asks the database.")
		return
	}
	e.Note(Fine, "redis", "it answers", "")
}

// Ill notes a database that does not do what is asked of it.
func (e *Examination) Ill(err error) {
	text := err.Error()
	if no, ok := errors.AsType[*apperr.Error](err); ok {
		text = no.Message
	}
	e.Note(Problem, "database", text, "See that it runs and that DATABASE_URL leads to it: admit config explain DATABASE_URL.")
}

// Inside checks the signing key, the owner, the messages and where events go.
func (e *Examination) Inside(ctx context.Context, a *App) {
	if a.Config.Parts.On(part.Tokens) {
		e.signing(ctx, a)
	}
	nobody, err := a.Owner.Missing(ctx)
	switch {
	case err != nil:
		e.Ill(err)
	case nobody:
		e.Note(Warning, "owner", "nobody can sign in as owner", "admit admin link")
	default:
		e.Note(Fine, "owner", "there is one who can sign in", "")
	}
	e.messages(ctx, a)
	e.events(ctx, a)
}

// signing checks that a key can sign access tokens.
func (e *Examination) signing(ctx context.Context, a *App) {
	keyID, algorithm, err := a.Tokens.Signing(ctx)
	switch {
	case err != nil:
		e.Ill(err)
	case keyID != "":
		e.Note(Fine, "signing key", algorithm+", "+keyID, "")
	case a.Tokens.Keys() > 0:
		e.Note(Problem, "signing key", several(int64(a.Tokens.Keys()), "key")+" in the database, and none can sign with this root key", "Give back the SESSION_SECRET_KEY they were made with. Otherwise the next start makes a new one, and everybody signs in again.")
	default:
		e.Note(Warning, "signing key", "there is none yet", "Run admit serve once.")
	}
}

// messages checks whether any wait too long or were given up.
func (e *Examination) messages(ctx context.Context, a *App) {
	b, err := a.Notify.Backlog(ctx)
	switch {
	case err != nil:
		e.Ill(err)
	case b.Failed > 0:
		e.Note(Warning, "messages", several(b.Failed, "message")+" could not be delivered within the last day", "See admit message list --state failed.")
	case b.Waiting > 0 && b.Oldest > 5*time.Minute:
		e.Note(Warning, "messages", fmt.Sprintf("%s, the oldest for %s", several(b.Waiting, "message")+" waiting", b.Oldest.Round(time.Minute)), "See admit message list --state queued, and that a server runs.")
	case b.Waiting > 0:
		e.Note(Fine, "messages", several(b.Waiting, "message")+" waiting", "")
	}
}

// Address checks that BASE_URL, the cookies and the proxy fit each other.
func (e *Examination) Address(cfg *config.Config) {
	web, before := cfg.Web, len(e.Checks)
	base := web.Base()
	u, _ := url.Parse(base) // Base has parsed it before
	if !web.HTTPS() && !loopback(u.Hostname()) {
		e.Note(Warning, "address", "BASE_URL is "+base+": passwords and cookies cross the network in the clear, and passkeys need https", "Put TLS in front and set BASE_URL=https://"+u.Hostname()+web.Path())
	}
	if web.HTTPS() && web.CookieSecure == "false" {
		e.Note(Warning, "address", "COOKIE_SECURE=false, though BASE_URL is https: the cookies would also be sent in the clear", "Remove COOKIE_SECURE.")
	}
	if web.CookieSecure == "true" && !web.HTTPS() {
		e.Note(Warning, "address", "COOKIE_SECURE=true, though BASE_URL is http: some browsers and most programs drop the cookies, and signing in goes round in circles", "Remove COOKIE_SECURE, or make BASE_URL https.")
	}
	if web.HTTPS() && len(web.TrustedProxies) == 0 {
		e.Note(Warning, "address", "TLS ends at a proxy, and TRUSTED_PROXIES is empty: everybody seems to come from the proxy, also to the rate limits", "Set TRUSTED_PROXIES to the address of the proxy.")
	}
	if host, _, err := net.SplitHostPort(cfg.Server.Addr); err == nil && !cfg.Production() && !loopback(host) {
		e.Note(Warning, "address", "ADDR "+cfg.Server.Addr+" can be reached from other machines, and this is development", "Set ENVIRONMENT=production, or listen on 127.0.0.1.")
	}
	if len(e.Checks) == before {
		e.Note(Fine, "address", base+" fits the cookies", "")
	}
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Services checks whether mail and texts would be taken, without sending any.
func (e *Examination) Services(ctx context.Context, cfg *config.Config, production bool, now func() time.Time) {
	if cfg.Mail.Own {
		e.Note(Fine, "mail", "the program hands it over itself", "")
	} else if cfg.Mail.Host == "" {
		e.unsent(cfg, production)
	} else if post, err := mail.New(cfg.Mail); err != nil {
		e.Note(Problem, "mail", err.Error(), "See admit config explain SMTP_HOST.")
	} else {
		port := "its usual port"
		if cfg.Mail.Port != 0 {
			port = strconv.Itoa(cfg.Mail.Port)
		}
		e.reach(ctx, "mail", net.JoinHostPort(cfg.Mail.Host, port)+", "+cfg.Mail.TLS, post, "Set SMTP_HOST, SMTP_PORT, SMTP_TLS, SMTP_USERNAME and SMTP_PASSWORD to what the mail server wants.")
	}
	if cfg.SMS.Provider == "" {
		return
	}
	text, err := sms.New(cfg.SMS, cfg.Outbound, now)
	if err != nil {
		e.Note(Problem, "texts", err.Error(), "See admit config explain SMS_PROVIDER.")
		return
	}
	e.reach(ctx, "texts", cfg.SMS.Provider, text, "See that this machine reaches the service, and that SMS_URL is right.")
}

// unsent says what becomes of mail without a mail server.
func (e *Examination) unsent(cfg *config.Config, production bool) {
	if production || cfg.Production() {
		e.Note(Warning, "mail", "SMTP_HOST is not set: no password reset, no confirmation and no invitation reaches anybody", "Set SMTP_HOST and MAIL_FROM.")
		return
	}
	e.Note(Fine, "mail", "stays here: "+cfg.Web.Base()+"/dev/inbox", "")
}

func (e *Examination) reach(ctx context.Context, name, whom string, s notify.Sender, fix string) {
	ctx, cancel := context.WithTimeout(ctx, min(s.Timeout(), 10*time.Second))
	defer cancel()
	if err := s.Check(ctx); err != nil {
		e.Note(Problem, name, whom+": "+err.Error(), fix)
		return
	}
	e.Note(Fine, name, whom+" answers", "")
}

// Providers checks whether the services that people sign in with would be found, and says where they must lead back to: that only they
// know.
func (e *Examination) Providers(ctx context.Context, cfg *config.Config, now func() time.Time) {
	list, err := cfg.Social.Providers(cfg.Production())
	if err != nil {
		e.Note(Problem, "provider", err.Error(), "See docs/providers.md.")
		return
	}
	for _, p := range list {
		err := p.Reach(ctx, cfg.Outbound, time.Duration(cfg.Social.TimeoutSeconds)*time.Second, now)
		switch {
		case errors.Is(err, outbound.ErrPrivate):
			e.Note(Problem, "provider", p.Title+": "+err.Error(), "Name its network in OUTBOUND_PRIVATE_NETWORKS, if it is yours.")
		case err != nil:
			e.Note(Problem, "provider", p.Title+": "+err.Error(), "See that this machine reaches "+p.Issuer+", and that the provider calls itself exactly that.")
		default:
			e.Note(Fine, "provider", p.Title+" leads back to "+cfg.Web.Base()+"/auth/"+p.Name+"/callback: it must know exactly that", "")
		}
	}
}

// several is a number of things, in words.
func several(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
