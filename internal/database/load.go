package database

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Filling is how an empty store is filled.
type Filling struct {
	Schema  int64               // the step that the rows are of
	Replace bool                // what is there goes
	From    func(to Sink) error // gives every table and row
	Finish  func(tx *Tx) error  // is part of the change; it tells of it
	Checked func(list []Count)  // told what stands in the store, when that is what was given
}

// Fill makes the tables as they were at a step, fills them, reads everything back, and brings them up to date: all of it, or
// nothing. Events keep their places, and those to come get later ones than were ever given before: no place that a reader has
// kept, and no copy of a row that goes by one, leads into the new store.
func (d *DB) Fill(ctx context.Context, in Filling) error {
	if in.Schema < 1 || in.Schema > Newest() {
		return ErrNewer
	}
	again := false
	return d.migrating(ctx, func(tx *Tx, all []Migration, done map[int64]appliedRow) error {
		if again {
			return fmt.Errorf("database: what fills a store is read once") // nobody else is there to lose a race to
		}
		again = true
		if err := d.clear(tx, all, done, in.Replace); err != nil {
			return err
		}
		if err := d.climb(tx, all[:in.Schema]); err != nil {
			return err
		}
		if err := tx.Enter(AllOrgs); err != nil {
			return err
		}
		l := &loader{d: d, tx: tx, known: map[string]bool{}}
		given := Tally{To: l}
		err := l.begin(in.Schema)
		if err == nil {
			err = in.From(&given)
		}
		if err == nil {
			err = l.flush()
		}
		if err == nil {
			err = l.compare(given.Counts())
		}
		if err != nil {
			return err
		}
		if err := d.climb(tx, all[in.Schema:]); err != nil {
			return err
		}
		if err := d.goOn(tx); err != nil {
			return err
		}
		return in.Finish(tx)
	})
}

// clear takes everything back, if it may: a store in which nothing ever happened has no events.
func (d *DB) clear(tx *Tx, all []Migration, done map[int64]appliedRow, replace bool) error {
	if len(done) == 0 {
		return nil
	}
	for v := range done {
		if v > int64(len(all)) {
			return ErrNewer
		}
	}
	n, err := One[int64](tx.ctx, tx, `SELECT COUNT(*) FROM events`)
	if err != nil {
		return err
	}
	if n > 0 && !replace {
		return ErrNotEmpty
	}
	back := slices.Clone(all)
	slices.Reverse(back)
	return d.descend(tx, slices.DeleteFunc(back, func(m Migration) bool { _, ok := done[m.Version]; return !ok }))
}

// loader writes what it is given, many rows with one statement.
type loader struct {
	d     *DB
	tx    *Tx
	known map[string]bool
	list  []Table

	now     Table
	columns []int // those of a row that are written
	rows    []any
	waiting int
}

const rowsAtOnce = 50

func (l *loader) begin(schema int64) error {
	names, err := tablesOf(schema)
	for _, n := range names {
		l.known[n] = true
	}
	return err
}

// Table begins a table: its names are held to those that there are.
func (l *loader) Table(t Table) error {
	if err := l.flush(); err != nil {
		return err
	}
	if !l.known[t.Name] {
		return fmt.Errorf("database: there is no table %q at that step, or it was given twice", t.Name)
	}
	delete(l.known, t.Name)
	there, err := l.d.columns(l.tx.ctx, l.tx, t.Name)
	if err != nil {
		return err
	}
	if len(there.Columns) != len(t.Columns) {
		return fmt.Errorf("database: %s has %d columns, not %d", t.Name, len(there.Columns), len(t.Columns))
	}
	l.now, l.columns = t, nil
	for i, c := range t.Columns {
		if !slices.Contains(there.Columns, c) {
			return fmt.Errorf("database: %s has no column %s of type %s", t.Name, c.Name, c.Type)
		}
		if c.Name != order || !l.d.unordered(t.Name) {
			l.columns = append(l.columns, i)
		}
	}
	l.list = append(l.list, t)
	if t.Name == floorTable {
		return nil
	}
	_, err = l.tx.Exec(`DELETE FROM ` + t.Name) // what a migration put there
	return err
}

// floorTable has one row, which its triggers keep.
const floorTable = "audit_floor"

// Row writes a row of the last table.
func (l *loader) Row(values []any) error {
	for i := range l.now.Columns {
		if l.now.Columns[i].Name == order && l.d.unordered(l.now.Name) && values[i] != int64(0) {
			return ErrOrder
		}
	}
	for _, i := range l.columns {
		l.rows = append(l.rows, values[i])
	}
	if l.waiting++; l.waiting < rowsAtOnce {
		return nil
	}
	return l.flush()
}

// flush writes the rows that wait: all with one statement, or one by one where they are fewer than that, so that each table has
// two texts.
func (l *loader) flush() error {
	at := l.waiting
	if at < rowsAtOnce {
		at = 1
	}
	for ; l.waiting > 0; l.waiting -= at {
		n := at * len(l.columns)
		if _, err := l.tx.Exec(l.text(at), l.rows[:n]...); err != nil {
			return fmt.Errorf("database: %s: %w", l.now.Name, err)
		}
		l.rows = l.rows[n:]
	}
	l.rows = nil
	return nil
}

func (l *loader) text(rows int) string {
	var names, values []string
	for _, i := range l.columns {
		names = append(names, l.now.Columns[i].Name)
	}
	for r := range rows {
		marks := make([]string, len(names))
		for i := range marks {
			marks[i] = fmt.Sprintf("$%d", r*len(names)+i+1)
		}
		values = append(values, "("+strings.Join(marks, ", ")+")")
	}
	text := `INSERT INTO ` + l.now.Name + ` (` + strings.Join(names, ", ") + `)`
	if l.now.Name == "events" && l.d.engine.name == postgresName {
		text += ` OVERRIDING SYSTEM VALUE`
	}
	text += ` VALUES ` + strings.Join(values, ", ")
	if l.now.Name == floorTable {
		text += ` ON CONFLICT (one) DO UPDATE SET number = excluded.number, mac = excluded.mac, turn = excluded.turn`
	}
	return text
}

// compare reads everything back, and holds that it is what was given.
func (l *loader) compare(given []Count) error {
	if len(l.known) > 0 {
		return fmt.Errorf("database: tables are missing: %v", l.known)
	}
	for i, t := range l.list {
		var read Tally
		err := read.Table(t)
		if err == nil {
			err = l.d.each(l.tx.ctx, l.tx, t, read.Row)
		}
		if err != nil {
			return err
		}
		if got := read.Counts()[0]; got != given[i] {
			return fmt.Errorf("database: %s was given %d rows with the sum %s, and has %d with %s: nothing was changed", t.Name, given[i].Rows, given[i].Sum, got.Rows, got.Sum)
		}
	}
	return nil
}

// goOn has the places of events go on at the microsecond, which is later than any that was given: there is no more than one event in one.
func (d *DB) goOn(tx *Tx) error {
	from := tx.Now.UnixMicro()
	if d.engine.name == sqliteName {
		newest, err := One[int64](tx.ctx, tx, `SELECT COALESCE(MAX(seq), 0) FROM events`)
		if err == nil {
			_, err = tx.Exec(`DELETE FROM sqlite_sequence WHERE name = 'events'`)
		}
		if err == nil {
			_, err = tx.Exec(`INSERT INTO sqlite_sequence (name, seq) VALUES ('events', $1)`, max(from, newest))
		}
		return err
	}
	newest, err := One[int64](tx.ctx, tx, `SELECT COALESCE(MAX(tx), 0) FROM events`)
	if err != nil {
		return err
	}
	current, err := One[int64](tx.ctx, tx, `SELECT pg_current_xact_id()::text::bigint`)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION admit_tx_base() RETURNS BIGINT LANGUAGE sql STABLE AS 'SELECT %d::bigint'`, max(from, newest+1)-current)); err != nil {
		return err
	}
	_, err = One[int64](tx.ctx, tx, `SELECT setval(pg_get_serial_sequence('events', 'seq'), (SELECT COALESCE(MAX(seq), 0) + 1 FROM events))`)
	return err
}

var tableMade = regexp.MustCompile(`(?m)^(?:--\w+ )?(CREATE|DROP) TABLE (\w+)`)

// tablesOf lists the tables there are at a step, in the order they were made in: what a row refers to is in an earlier one.
func tablesOf(schema int64) ([]string, error) {
	all, err := steps(migrationFiles)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, m := range all[:schema] {
		for _, found := range tableMade.FindAllStringSubmatch(m.up, -1) {
			list = slices.DeleteFunc(list, func(name string) bool { return name == found[2] })
			if found[1] == "CREATE" {
				list = append(list, found[2])
			}
		}
	}
	return list, nil
}
