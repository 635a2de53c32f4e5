-- Who a person was where they came from: a name of the source, and their id there. Who is imported again is found by it.
CREATE TABLE imported_users (
	source TEXT NOT NULL,
	external_id TEXT NOT NULL,
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	at BIGINT NOT NULL,
	PRIMARY KEY (source, external_id)
);
CREATE INDEX imported_users_user ON imported_users (user_id);

-- The same of an organization.
CREATE TABLE imported_orgs (
	source TEXT NOT NULL,
	external_id TEXT NOT NULL,
	org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
	at BIGINT NOT NULL,
	PRIMARY KEY (source, external_id)
);
CREATE INDEX imported_orgs_org ON imported_orgs (org_id);
