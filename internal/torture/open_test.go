package torture_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/admit-dev/admit/internal/database"
)

// Programs that open one new SQLite file at the same instant wait for each other.
func TestOpenTogether(t *testing.T) {
	for round := range times(100) {
		cfg := database.Config{URL: "sqlite:///" + filepath.Join(t.TempDir(), "admit.db"), Synchronous: "full"}
		var open, done sync.WaitGroup
		open.Add(8)
		for range 8 {
			done.Go(func() {
				open.Done()
				open.Wait()
				if err := openAndMigrate(t.Context(), cfg); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		done.Wait()
	}
}

func openAndMigrate(ctx context.Context, cfg database.Config) error {
	db, err := database.Open(ctx, cfg, database.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Migrate(ctx)
	return err
}
