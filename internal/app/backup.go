package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/backup"
	"github.com/admit-dev/admit/internal/config"
	"github.com/admit-dev/admit/internal/database"
)

// The refusals of restoring and moving.
var (
	ErrOtherKey = apperr.New(apperr.Conflict, "backup_of_other_key", "This backup is of another SESSION_SECRET_KEY than is set here.")
	ErrNotLite  = apperr.New(apperr.Conflict, "move_from_postgres", "Only a SQLite database is moved. From Postgres to Postgres: admit backup create, and restore.")
	ErrNotPG    = apperr.New(apperr.Invalid, "move_to_postgres", "A database is moved to Postgres: postgres://USER:PASSWORD@HOST/NAME.").In("to")
)

// Backup seals everything in the store, and what it needs to be read, in a new file. progress is told of rows.
func (a *App) Backup(ctx context.Context, path string, k backup.Key, progress func(done, of int64)) (backup.Summary, error) {
	secrets := backup.Secrets{RootKey: a.Config.Server.RootKey.Reveal()}
	head, err := a.Audit.Head()
	if err != nil {
		return backup.Summary{}, err
	}
	if head != nil {
		secrets.Head = head.String()
	}
	var s backup.Summary
	err = create(path, func(w io.Writer) (err error) {
		s, err = backup.Write(ctx, a.DB, w, k, secrets, progress)
		return err
	})
	if err != nil {
		return s, err
	}
	return s, backup.Told(ctx, a.DB, s)
}

// create makes a file that was not there, whole or not at all, for the eyes of its owner.
func create(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	err = write(temp)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// OpenBackup reads the beginning of a backup, and has progress told of bytes. Whoever calls it closes the file.
func OpenBackup(path string, k backup.Key, progress func(done, of int64)) (*backup.File, io.Closer, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	b, err := backup.Open(&watched{Reader: file, of: info.Size(), progress: progress}, k)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return b, file, nil
}

// watched tells how much of a file was read.
type watched struct {
	io.Reader
	done, of int64
	progress func(done, of int64)
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.done += int64(n)
	w.progress(w.done, w.of)
	return n, err
}

// Restore fills the store that cfg names with a backup, and gives DATA_DIR the key and the head of the log that belong to it. With
// replace, what is there goes.
func Restore(ctx context.Context, cfg config.Config, opt Options, f *backup.File, replace bool) (backup.Summary, error) {
	if err := settleStore(&cfg); err != nil {
		return backup.Summary{}, err
	}
	if err := fits(cfg, f.Secret()); err != nil {
		return backup.Summary{}, err
	}
	if err := database.Alone(ctx, cfg.Database); err != nil {
		return backup.Summary{}, err
	}
	db, err := database.Open(ctx, cfg.Database, database.Options{Now: opt.Now, Log: opt.Log})
	if err != nil {
		return backup.Summary{}, err
	}
	defer func() { _ = db.Close() }()
	s, err := f.Restore(ctx, db, replace)
	if err != nil {
		return s, err
	}
	return s, errors.Join(putKey(cfg, f.Secret(), "replaced-"+db.Now().Format("20060102T150405Z")), putHead(cfg, s.Head))
}

// fits refuses a backup whose key is not the one that is set, and puts that key where it can be set from.
func fits(cfg config.Config, key string) error {
	if KeyFile(cfg) != "" || cfg.Server.RootKey.Reveal() == key {
		return nil
	}
	path := filepath.Join(cfg.Server.DataDir, "session_secret_key.restored")
	err := os.MkdirAll(cfg.Server.DataDir, 0o700)
	if err == nil {
		_ = os.Remove(path) // it was put there before
		err = create(path, func(w io.Writer) error { _, err := io.WriteString(w, key+"\n"); return err })
	}
	if err != nil {
		return err
	}
	return ErrOtherKey.Because(fmt.Errorf("its key is in %s now: name that file in SESSION_SECRET_KEY_FILE, and restore again", path))
}

// putKey has the generated key be this one, and keeps the one before under another name.
func putKey(cfg config.Config, key, before string) error {
	path := KeyFile(cfg)
	if path == "" {
		return nil
	}
	old, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(old)) == key {
		return nil
	}
	if err == nil {
		err = os.Rename(path, path+"."+before)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(cfg.Server.DataDir, 0o700); err != nil {
		return err
	}
	return create(path, func(w io.Writer) error { _, err := io.WriteString(w, key+"\n"); return err })
}

// putHead has the log be known as the one that was restored.
func putHead(cfg config.Config, head string) error {
	path := headFile(cfg)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if head == "" {
		return nil
	}
	if err := os.MkdirAll(cfg.Server.DataDir, 0o700); err != nil {
		return err
	}
	return create(path, func(w io.Writer) error { _, err := io.WriteString(w, head+"\n"); return err })
}

// Move fills the empty Postgres database at the address to with everything in the SQLite database that cfg names. What is in
// DATA_DIR stays as it is, and serves the new one.
func Move(ctx context.Context, cfg config.Config, opt Options, to string, progress func(done, of int64)) (s backup.Summary, err error) {
	target := cfg.Database
	target.URL = to
	if err := settleStore(&cfg); err != nil {
		return s, err
	}
	if cfg.Database.File() == "" {
		return s, ErrNotLite
	}
	if err := target.Check(cfg.Production()); err != nil || target.File() != "" {
		return s, ErrNotPG.Because(err)
	}
	if err := database.Alone(ctx, cfg.Database); err != nil {
		return s, err
	}
	from, err := database.Open(ctx, cfg.Database, database.Options{Now: opt.Now, Log: opt.Log})
	if err != nil {
		return s, err
	}
	defer func() { _ = from.Close() }()
	store, err := database.Open(ctx, target, database.Options{Now: opt.Now, Log: opt.Log})
	if err != nil {
		return s, err
	}
	defer func() { _ = store.Close() }()
	return backup.Move(ctx, from, store, progress)
}
