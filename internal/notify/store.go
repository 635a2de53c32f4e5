package notify

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/database"
)

// state is what has become of a message.
type state string

const (
	queued state = "queued"
	sent   state = "sent"
	caught state = "caught" // kept for the development inbox
	failed state = "failed"
)

type row struct {
	ID        string     `db:"id"`
	Channel   Channel    `db:"channel"`
	Template  string     `db:"template"`
	UserID    string     `db:"user_id"`
	Locale    string     `db:"locale"`
	Payload   []byte     `db:"payload"`
	State     state      `db:"state"`
	Tries     int64      `db:"tries"`
	Reply     string     `db:"reply"`
	DueAt     time.Time  `db:"due_at"`
	GiveUpAt  time.Time  `db:"give_up_at"`
	CreatedAt time.Time  `db:"created_at"`
	EndedAt   *time.Time `db:"ended_at"`
}

func newest(ctx context.Context, q database.Querier, limit int) ([]row, error) {
	return database.All[row](ctx, q, `SELECT `+database.Columns[row]()+` FROM deliveries ORDER BY id DESC LIMIT $1 + 0`, limit)
}
