package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/admit-dev/admit/internal/app"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/database"
)

// load reads the settings. The report is there also when there are faults.
func (p *program) load(overrides map[string]config.Override) (config.Config, *config.Report, error) {
	var c config.Config
	report, err := config.Load(&c, config.Source{Environ: p.environ, EnvFile: p.envFile, Overrides: overrides})
	if _, port, bad := net.SplitHostPort(c.Server.Addr); bad == nil {
		follow(&c, report, port)
	}
	return c, report, err
}

// follow has a public address that nobody gave use the port that is listened on, and https where that is served: what is printed must be reachable.
func follow(c *config.Config, report *config.Report, port string) {
	n, err := strconv.Atoi(port)
	for i, s := range report.Settings {
		if s.Name != "BASE_URL" || s.Given || err != nil || n == 0 {
			continue
		}
		c.Web.BaseURL = "http://localhost:" + port
		if c.Server.TLSCert != "" {
			c.Web.BaseURL = "https://localhost:" + port
		}
		if c.Web.BaseURL != s.Default {
			report.Settings[i].Value, report.Settings[i].From = c.Web.BaseURL, "default, with the port of ADDR and the scheme that is served"
		}
	}
}

// open gives a command the parts of the server. Only a command that may begin a new store does so: any other would leave an
// empty one behind in whatever directory it was called in.
func (p *program) open(begin bool) (*app.App, error) {
	a, err := p.connect(begin)
	if err != nil {
		return nil, err
	}
	if err := p.prepare(a, begin); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (p *program) prepare(a *app.App, begin bool) error {
	if begin && a.Config.Database.MigrateOnStart {
		steps, err := a.DB.Migrations(p.ctx)
		if err != nil {
			return err
		}
		if len(applied(steps)) == 0 {
			if _, err := a.DB.Migrate(p.ctx); err != nil {
				return err
			}
		}
	}
	return a.DB.CheckSchema(p.ctx)
}

// connect opens the store as it is.
func (p *program) connect(begin bool) (*app.App, error) {
	c, _, err := p.load(nil)
	if err != nil {
		return nil, err
	}
	if file := app.DatabaseFile(c); !begin && missing(file) {
		return nil, refuse(exitFailed, "There is no database at %s yet. Run admit serve once, or set DATA_DIR or DATABASE_URL to where it is.", file)
	}
	return app.Open(p.ctx, c, app.Options{Log: p.log(slog.LevelWarn, false), Terminal: p.stderr})
}

func missing(file string) bool {
	if file == "" {
		return false
	}
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

func applied(steps []database.Migration) []database.Migration {
	var done []database.Migration
	for _, m := range steps {
		if m.AppliedAt != nil {
			done = append(done, m)
		}
	}
	return done
}

func (p *program) log(level slog.Level, json bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(slog.NewJSONHandler(p.stderr, options))
	}
	return slog.New(slog.NewTextHandler(p.stderr, options))
}
