-- A passkey: the public half of a key that its person's device or password manager holds (WebAuthn, section 4, credential record).
CREATE TABLE passkeys (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	credential_id BYTEA NOT NULL UNIQUE,
	public_key BYTEA NOT NULL,
	sign_count BIGINT NOT NULL,
	aaguid BYTEA NOT NULL,
	transports TEXT NOT NULL,
	backup_eligible BOOLEAN NOT NULL,
	backed_up BOOLEAN NOT NULL,
	user_verified BOOLEAN NOT NULL,
	name TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	last_used_at BIGINT,
	suspected_at BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- What a session was asked to sign: a registration, or a proof that it is still its person. Using it deletes the row.
CREATE TABLE passkey_ceremonies (
	session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
	purpose TEXT NOT NULL,
	challenge BYTEA NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (session_id, purpose)
);
