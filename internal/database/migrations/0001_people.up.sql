-- What happened: the outbox, the audit trail and the invalidation feed at once. Rows are only ever added.
CREATE TABLE events (
--sqlite	seq INTEGER PRIMARY KEY AUTOINCREMENT,
--postgres	seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
--postgres	tx BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
	id TEXT NOT NULL,
	at BIGINT NOT NULL,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	outcome TEXT NOT NULL,
	actor TEXT NOT NULL,
	session_id TEXT NOT NULL,
	org_id TEXT NOT NULL,
	ip TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	request_id TEXT NOT NULL,
	data TEXT NOT NULL
);
--postgres CREATE UNIQUE INDEX events_order ON events (tx, seq);

-- A person.
CREATE TABLE users (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	disabled_at BIGINT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

-- What a person is found by: an e-mail address, a username, a phone number. The value is folded: equal means equal.
CREATE TABLE identifiers (
	kind TEXT NOT NULL,
	value TEXT NOT NULL,
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	is_primary BOOLEAN NOT NULL,
	verified_at BIGINT,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (kind, value)
);
CREATE UNIQUE INDEX identifiers_primary ON identifiers (user_id, kind) WHERE is_primary;

-- A role that holds everywhere.
CREATE TABLE user_roles (
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	role TEXT NOT NULL,
	granted_by TEXT NOT NULL,
	granted_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, role)
);
CREATE INDEX user_roles_role ON user_roles (role);

CREATE TABLE passwords (
	user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	hash TEXT NOT NULL,
	changed_at BIGINT NOT NULL
);

-- A session that is alive. Ending one deletes its row; that it was is an event.
CREATE TABLE sessions (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	cookie_hash BYTEA UNIQUE,
	transport TEXT NOT NULL,
	salt BYTEA NOT NULL,
	generation BIGINT NOT NULL,
	rotated_at BIGINT,
	amr TEXT NOT NULL,
	auth_at BIGINT NOT NULL,
	ip TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- A sign-in under way, found by the hash of its id.
CREATE TABLE login_attempts (
	id_hash BYTEA PRIMARY KEY,
	identifier TEXT NOT NULL,
	user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
	method TEXT NOT NULL,
	proofs TEXT NOT NULL,
	tries BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX login_attempts_expiry ON login_attempts (expires_at);

-- A key that signs access tokens. The private half is sealed with a key from outside the database.
CREATE TABLE signing_keys (
	id TEXT PRIMARY KEY,
	algorithm TEXT NOT NULL,
	public TEXT NOT NULL,
	private BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	active_at BIGINT NOT NULL
);

-- A printed link that makes its bearer the owner, once.
CREATE TABLE owner_links (
	token_hash BYTEA PRIMARY KEY,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);

-- The answer to a request that may be sent again, sealed. answer is NULL while the first is under way.
CREATE TABLE idempotency_keys (
	scope_hash BYTEA PRIMARY KEY,
	body_hash BYTEA NOT NULL,
	answer BYTEA,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
