package database

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/admit-dev/admit/internal/breaker"
)

// ErrNoReplica says that no standby has answered, and that the store itself is to be asked.
var ErrNoReplica = errors.New("database: no replica answers")

const near = 500 * time.Millisecond // how long a standby is waited for

// replica is a standby server of the store (PostgreSQL's hot standby), which is behind by nobody knows how much.
type replica struct {
	name    string
	pool    *sql.DB
	breaker *breaker.Breaker
}

// openReplicas makes a pool for each standby that the settings name. None of them has to answer yet.
func (d *DB) openReplicas(cfg Config) error {
	for _, address := range cfg.ReplicaURLs {
		t, err := parse("DATABASE_REPLICA_URLS", address)
		if err != nil {
			return err
		}
		pg, err := parsePostgres("DATABASE_REPLICA_URLS", t.postgres)
		if err != nil {
			return err
		}
		if pg.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
			pg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // which works behind PgBouncer too
		}
		pool := stdlib.OpenDB(*pg, stdlib.OptionAfterConnect(d.follows))
		pool.SetMaxOpenConns(cfg.MaxConnections)
		pool.SetMaxIdleConns(cfg.MaxConnections)
		pool.SetConnMaxLifetime(time.Hour)
		d.replicas = append(d.replicas, &replica{t.name(), pool, breaker.New(d.opt.Log.With("replica", t.name()), "a replica does not answer as it should: sessions are looked for in the database", "the replica answers again")})
	}
	return nil
}

// known is the newest settled event of a standby. A transaction that is older than all that run is seen as a whole, on a standby too.
const known = `SELECT pg_is_in_recovery(), tx, seq, id FROM events WHERE tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + admit_tx_base() ORDER BY tx DESC, seq DESC LIMIT 1`

type knownEvent struct {
	Standby bool   `db:"standby"`
	Tx      int64  `db:"tx"`
	Seq     int64  `db:"seq"`
	ID      string `db:"id"`
}

// follows refuses a connection to anything but a standby of this very store: what another server says, a copy that was restored for a test
// for example, would bring ended sessions back.
func (d *DB) follows(ctx context.Context, conn *pgx.Conn) error {
	var k knownEvent
	err := conn.QueryRow(ctx, known).Scan(&k.Standby, &k.Tx, &k.Seq, &k.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return errors.New("it has nothing yet")
	}
	if err != nil {
		return err
	}
	if !k.Standby {
		return errNoStandby
	}
	same, err := One[int64](ctx, d, `SELECT COUNT(*) FROM events WHERE tx = $1 AND seq = $2 AND id = $3`, k.Tx, k.Seq, k.ID)
	if err == nil && same == 0 {
		err = errors.New("it follows another server than that of DATABASE_URL: the newest event it has is not there")
	}
	return err
}

var errNoStandby = errors.New("it is no standby (pg_is_in_recovery() is false): what is there may differ from what is in the database")

// Near runs f on a standby, where DATABASE_REPLICA_URLS names one that answers; ErrNoReplica otherwise. Its result is the place up to which f sees
// what every event did, and perhaps more: the caller knows what has happened since, and decides. A row that f does not find may be there by now.
func (d *DB) Near(ctx context.Context, f func(ctx context.Context, q Querier) error) (Cursor, error) {
	if len(d.replicas) == 0 {
		return Cursor{}, ErrNoReplica
	}
	first := int(d.turn.Add(1) % uint64(len(d.replicas)))
	for i := range d.replicas {
		r := d.replicas[(first+i)%len(d.replicas)]
		if !r.breaker.May() {
			continue
		}
		at, err, ill := r.ask(ctx, f)
		r.breaker.Done(ill)
		if ill == nil {
			return at, err
		}
	}
	return Cursor{}, ErrNoReplica
}

// ask gives the error of f and, apart from it, what is wrong with the standby.
func (r *replica) ask(ctx context.Context, f func(ctx context.Context, q Querier) error) (at Cursor, err, ill error) {
	// Whoever hangs up is no sign that a standby is ill.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), near)
	defer cancel()
	conn, ill := r.pool.Conn(ctx) // both statements have to reach the same server
	if ill != nil {
		return at, nil, ill
	}
	defer func() { _ = conn.Close() }()
	k, ill := One[knownEvent](ctx, standby{conn}, known)
	if ill == nil && !k.Standby {
		ill = errNoStandby // any more
	}
	if ill != nil {
		return at, nil, ill
	}
	err = f(ctx, standby{conn})
	if _, ok := errors.AsType[*pgconn.PgError](err); ok || errors.Is(err, ErrUnavailable) {
		ill = err
	}
	return Cursor{k.Tx, k.Seq}, err, ill
}

// standby is one connection to a standby.
type standby struct{ conn *sql.Conn }

func (s standby) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	done := traced(ctx, postgresName, text)
	rows, err := s.conn.QueryContext(ctx, text, args...)
	done(err)
	return rows, err
}

// Replica is how a standby stands.
type Replica struct {
	Name string        // host:port/database
	Err  error         // why it is not asked, nil while it is
	Lag  time.Duration // how old the newest change is that it has not taken on, 0 when it has all
}

// Replicas asks every standby that DATABASE_REPLICA_URLS names how it stands.
func (d *DB) Replicas(ctx context.Context) []Replica {
	list := make([]Replica, len(d.replicas))
	var all sync.WaitGroup
	for i, r := range d.replicas {
		all.Go(func() {
			lag, err := r.lag(ctx)
			list[i] = Replica{r.name, err, lag}
		})
	}
	all.Wait()
	return list
}

func (r *replica) lag(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, near)
	defer cancel()
	conn, err := r.pool.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	microseconds, err := One[int64](ctx, standby{conn}, `SELECT CASE WHEN NOT pg_is_in_recovery() THEN -1 WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
		ELSE COALESCE((EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000000)::bigint, 0) END`)
	if err == nil && microseconds < 0 {
		err = errNoStandby
	}
	return max(0, time.Duration(microseconds)*time.Microsecond), err
}

// HasReplicas reports whether DATABASE_REPLICA_URLS names any.
func (d *DB) HasReplicas() bool { return len(d.replicas) > 0 }

func (d *DB) closeReplicas() (err error) {
	for _, r := range d.replicas {
		err = errors.Join(err, r.pool.Close())
	}
	return err
}
