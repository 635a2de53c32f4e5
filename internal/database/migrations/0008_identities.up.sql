-- An account at another service that opens an account here. Who it is, issuer and subject say, and never an address.
CREATE TABLE identities (
	id TEXT PRIMARY KEY,
	provider TEXT NOT NULL,
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	email TEXT NOT NULL,
	name TEXT NOT NULL,
	picture TEXT NOT NULL,
	tokens BYTEA,
	created_at BIGINT NOT NULL,
	last_used_at BIGINT NOT NULL,
	UNIQUE (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);

-- Somebody who is on the way to another service, or from here to an app of theirs. The secret they carry finds the row, and what
-- they left from (a browser, an app) must be what they come back to. Whoever takes the row out is the one who has come back.
CREATE TABLE social_trips (
	key_hash BYTEA PRIMARY KEY,
	bound_hash BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX social_trips_expiry ON social_trips (expires_at);
