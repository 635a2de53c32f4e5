-- What somebody agrees to: of each document the version they agreed to last.
CREATE TABLE consents (
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	document TEXT NOT NULL,
	version TEXT NOT NULL,
	given_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, document)
);
