package cli

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

// Load reads the settings. The report is there also when there are faults.
func (p *Program) Load(overrides map[string]config.Override) (config.Config, *config.Report, error) {
	var c config.Config
	report, err := config.Load(&c, config.Source{Environ: p.Environ, EnvFile: p.EnvFile, Overrides: overrides})
	if _, port, bad := net.SplitHostPort(c.Server.Addr); bad == nil {
		Follow(&c, report, port)
	}
	return c, report, err
}

// Follow has a public address that nobody gave use the port that is listened on, and https where that is served: what is printed must be reachable.
func Follow(c *config.Config, report *config.Report, port string) {
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

// Open gives a command the parts of the server. Only a command that may begin a new store does so: any other would leave an
// empty one behind in whatever directory it was called in.
func (p *Program) Open(begin bool) (*app.App, error) {
	a, err := p.Connect(begin)
	if err != nil {
		return nil, err
	}
	if err := p.prepare(a, begin); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (p *Program) prepare(a *app.App, begin bool) error {
	if begin && a.Config.Database.MigrateOnStart {
		steps, err := a.DB.Migrations(p.Ctx)
		if err != nil {
			return err
		}
		if len(Applied(steps)) == 0 {
			if _, err := a.DB.Migrate(p.Ctx); err != nil {
				return err
			}
		}
	}
	return a.DB.CheckSchema(p.Ctx)
}

// Connect opens the store as it is.
func (p *Program) Connect(begin bool) (*app.App, error) {
	c, _, err := p.Load(nil)
	if err != nil {
		return nil, err
	}
	if file := app.DatabaseFile(c); !begin && Missing(file) {
		return nil, Refuse(ExitFailed, "There is no database at %s yet. Run admit serve once, or set DATA_DIR or DATABASE_URL to where it is.", file)
	}
	return app.Open(p.Ctx, c, app.Options{Log: p.Log(slog.LevelWarn, false), Terminal: p.Stderr})
}

// Missing reports whether a file that is named is not there.
func Missing(file string) bool {
	if file == "" {
		return false
	}
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

// Applied is the steps of the schema that have been made.
func Applied(steps []database.Migration) []database.Migration {
	var done []database.Migration
	for _, m := range steps {
		if m.AppliedAt != nil {
			done = append(done, m)
		}
	}
	return done
}

// Log writes to standard error.
func (p *Program) Log(level slog.Level, json bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(slog.NewJSONHandler(p.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(p.Stderr, options))
}
