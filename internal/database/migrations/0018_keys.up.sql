-- A key that programs act with for whoever it belongs to. Of the key itself only a hash is kept, made with a key of the server's.
-- Ending one deletes its row; that it was is an event.
CREATE TABLE api_keys (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	hash BYTEA NOT NULL UNIQUE,
	hint TEXT NOT NULL,
	name TEXT NOT NULL,
	scopes TEXT NOT NULL,
	org_id TEXT NOT NULL,
	created_by TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT,
	seen_at BIGINT,
	replaced_by TEXT NOT NULL
);
CREATE INDEX api_keys_user ON api_keys (user_id);
CREATE INDEX api_keys_org ON api_keys (org_id) WHERE org_id <> '';
CREATE INDEX api_keys_expires ON api_keys (expires_at) WHERE expires_at IS NOT NULL;

-- A program that acts for itself: it has no way to sign in, holds roles as people do, and has keys.
ALTER TABLE users ADD COLUMN service BOOLEAN NOT NULL DEFAULT FALSE;

-- Whose a service account is: an organization, or with an empty one the site.
CREATE TABLE service_accounts (
	user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	org_id TEXT NOT NULL,
	description TEXT NOT NULL,
	created_by TEXT NOT NULL
);
CREATE INDEX service_accounts_org ON service_accounts (org_id);
