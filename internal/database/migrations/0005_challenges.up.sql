-- What was sent to an address and has to come back: a link, a code, or both. Only hashes of them are kept. Using one deletes its row.
CREATE TABLE challenges (
	purpose TEXT NOT NULL,
	about TEXT NOT NULL,
	user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
	target TEXT NOT NULL,
	data TEXT NOT NULL,
	link_hash BYTEA UNIQUE,
	code_hash BYTEA,
	tries BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (purpose, about)
);
CREATE INDEX challenges_user ON challenges (user_id);
CREATE INDEX challenges_expiry ON challenges (expires_at);

-- Until when an address that was given up is kept for its person, who may have it back. Nobody signs in with it.
ALTER TABLE identifiers ADD COLUMN held_until BIGINT;
CREATE INDEX identifiers_held ON identifiers (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX identifiers_user ON identifiers (user_id);
