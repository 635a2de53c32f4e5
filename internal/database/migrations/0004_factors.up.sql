-- A second factor that a person has set up. Its secret is in the table of its method.
CREATE TABLE factors (
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	method TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, method)
);

-- The sealed secret of an authenticator app, and the one that waits to be confirmed. A time step counts once.
CREATE TABLE totp_secrets (
	user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	secret BYTEA,
	last_step BIGINT NOT NULL,
	pending BYTEA,
	pending_until BIGINT
);

-- A recovery code that has not been used. Using it deletes the row.
CREATE TABLE recovery_codes (
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	hash BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, hash)
);

-- When its person proved again that it is them, in a session that goes on.
ALTER TABLE sessions ADD COLUMN proved_at BIGINT;

ALTER TABLE login_attempts ADD COLUMN remember BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX login_attempts_user ON login_attempts (user_id);
