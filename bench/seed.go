package main

import (
	"context"
	"fmt"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/id"
	"github.com/admit-dev/admit/internal/secret"
)

// seed makes a database with n people and a session of each.
func seed(ctx context.Context, url string, n int) error {
	db, err := database.Open(ctx, database.Config{URL: url, Synchronous: "normal", MaxConnections: 4}, database.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		return err
	}
	const batch = 2000
	for from := 0; from < n; from += batch {
		err := db.Write(ctx, func(tx *database.Tx) error {
			tx.Quiet()
			for i := from; i < min(from+batch, n); i++ {
				if err := seedOne(tx, int64(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func seedOne(tx *database.Tx, i int64) error {
	user := id.New("usr")
	at := tx.Now
	_, err := tx.Exec(`INSERT INTO users (id, name, created_at, updated_at) VALUES ($1, '', $2, $2)`, user, at)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO identifiers (kind, value, user_id, is_primary, created_at) VALUES ('email', $1, $2, TRUE, $3)`,
		fmt.Sprintf("seed%d@example.com", i), user, at)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO sessions (id, user_id, cookie_hash, transport, salt, generation, amr, auth_at, ip, user_agent, created_at, seen_at, expires_at)
		VALUES ($1, $2, $3, 'cookie', $4, 0, 'pwd', $5, '127.0.0.1', 'admit-bench', $5, $5, $6)`,
		id.New("ses"), user, secret.Sum(seedCookie(i)), secret.Random(16), at, at.Add(24*time.Hour))
	return err
}
