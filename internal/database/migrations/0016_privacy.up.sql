-- What somebody wants pages and messages to speak, and which time they show. Empty is as the browser says, and UTC.
ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';

-- When everything of somebody is erased who asked for it. Until then their account is closed.
ALTER TABLE users ADD COLUMN erase_at BIGINT;
CREATE INDEX users_erasure ON users (erase_at) WHERE erase_at IS NOT NULL;

-- A copy of everything that is known of somebody, for themselves. It is claimed by moving due_at into the future; whoever claimed it and
-- died loses it when that time has come.
CREATE TABLE exports (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
	state TEXT NOT NULL,
	done BIGINT NOT NULL,
	total BIGINT NOT NULL,
	tries BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX exports_due ON exports (due_at) WHERE state = 'running';
CREATE INDEX exports_expiry ON exports (expires_at);

-- A file of an export, sealed.
CREATE TABLE export_files (
	export_id TEXT NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	content BYTEA NOT NULL,
	PRIMARY KEY (export_id, name)
);

-- What was sent to somebody.
CREATE INDEX deliveries_user ON deliveries (user_id);
