-- The revision of everything that decides who may do what. Its row is locked first in each change, so that revisions have
-- the order of commits. A change says what is other than before: an organization, or with '' the platform; with a user, no
-- more than that member.
CREATE TABLE authz_revision (
	one BIGINT PRIMARY KEY,
	revision BIGINT NOT NULL,
	epoch TEXT NOT NULL
);
--sqlite INSERT INTO authz_revision VALUES (1, 0, lower(hex(randomblob(4))));
--postgres INSERT INTO authz_revision VALUES (1, 0, substr(replace(gen_random_uuid()::text, '-', ''), 1, 8));
CREATE TABLE authz_changes (
	revision BIGINT NOT NULL,
	org_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (revision, org_id, user_id)
);
CREATE INDEX authz_changes_at ON authz_changes (at);

-- What an app can ask about, by name. What Admit itself asks about is in the program.
CREATE TABLE permissions (
	name TEXT PRIMARY KEY,
	title TEXT NOT NULL,
	description TEXT NOT NULL,
	app TEXT NOT NULL,
	sensitive BOOLEAN NOT NULL,
	deprecated BOOLEAN NOT NULL,
	alias_of TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

-- A role that holds everywhere. The built-in ones are in the program.
CREATE TABLE global_roles (
	key TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	reach TEXT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE TABLE global_role_grants (
	role TEXT NOT NULL REFERENCES global_roles (key) ON DELETE CASCADE,
	pattern TEXT NOT NULL,
	condition TEXT NOT NULL,
	PRIMARY KEY (role, pattern, condition)
);

-- What an installation begins with, to be changed like any other.
--sqlite INSERT INTO global_roles SELECT column1, column2, 'platform', 1, CAST(strftime('%s', 'now') AS INTEGER) * 1000000, CAST(strftime('%s', 'now') AS INTEGER) * 1000000 FROM (VALUES ('manager', 'Manager'), ('internal', 'Internal'), ('jobseeker', 'Jobseeker'));
--postgres INSERT INTO global_roles SELECT v.key, v.name, 'platform', 1, extract(epoch FROM now())::bigint * 1000000, extract(epoch FROM now())::bigint * 1000000 FROM (VALUES ('manager', 'Manager'), ('internal', 'Internal'), ('jobseeker', 'Jobseeker')) AS v (key, name);

-- A condition that must hold wherever its pattern is asked about, on the whole platform.
CREATE TABLE global_guards (
	id TEXT PRIMARY KEY,
	pattern TEXT NOT NULL,
	condition TEXT NOT NULL,
	message TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

CREATE TABLE orgs (
	id TEXT PRIMARY KEY,
	slug TEXT NOT NULL,
	name TEXT NOT NULL,
	suspended_at BIGINT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

-- Every slug an organization has or had: an old address leads on, and is not given to another.
CREATE TABLE org_slugs (
	slug TEXT PRIMARY KEY,
	org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
	created_at BIGINT NOT NULL
);
CREATE INDEX org_slugs_org ON org_slugs (org_id);

-- A role of one organization. owner, admin and member are rows too, whose id is their key, so that the store itself refuses
-- another organization's role; what they grant is in the program.
CREATE TABLE org_roles (
	org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
	id TEXT NOT NULL,
	key TEXT NOT NULL,
	name TEXT NOT NULL,
	base TEXT NOT NULL,
	system BOOLEAN NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, key)
);
CREATE TABLE org_role_grants (
	org_id TEXT NOT NULL,
	role_id TEXT NOT NULL,
	pattern TEXT NOT NULL,
	condition TEXT NOT NULL,
	PRIMARY KEY (org_id, role_id, pattern, condition),
	FOREIGN KEY (org_id, role_id) REFERENCES org_roles (org_id, id) ON DELETE CASCADE
);
CREATE TABLE org_guards (
	org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
	id TEXT NOT NULL,
	pattern TEXT NOT NULL,
	condition TEXT NOT NULL,
	message TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (org_id, id)
);

CREATE TABLE memberships (
	org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	id TEXT NOT NULL,
	suspended_at BIGINT,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (org_id, user_id)
);
CREATE UNIQUE INDEX memberships_id ON memberships (org_id, id);
CREATE INDEX memberships_user ON memberships (user_id);
CREATE TABLE member_roles (
	org_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	role_id TEXT NOT NULL,
	granted_by TEXT NOT NULL,
	granted_at BIGINT NOT NULL,
	expires_at BIGINT,
	PRIMARY KEY (org_id, user_id, role_id),
	FOREIGN KEY (org_id, user_id) REFERENCES memberships (org_id, user_id) ON DELETE CASCADE,
	FOREIGN KEY (org_id, role_id) REFERENCES org_roles (org_id, id)
);
CREATE INDEX member_roles_role ON member_roles (org_id, role_id);

-- An invitation that waits. Its token is derived from id and generation, so that none is stored; sending it again moves the
-- generation and makes the old one worthless. Accepting and revoking delete the row; each is an event.
CREATE TABLE invitations (
	org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
	id TEXT NOT NULL,
	email TEXT NOT NULL,
	generation BIGINT NOT NULL,
	invited_by TEXT NOT NULL,
	roles TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	sent_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, email)
);
CREATE UNIQUE INDEX invitations_id ON invitations (id);
CREATE INDEX invitations_expiry ON invitations (expires_at);

-- The organization a session works in. It counts only while its person is a member.
ALTER TABLE sessions ADD COLUMN org_id TEXT NOT NULL DEFAULT '';

-- A second wall on Postgres: a statement sees and touches the rows of the organization that its transaction has entered, and
-- without one none. FORCE holds the owner of the tables to it; a superuser is above it, so Admit should not be one.
--postgres CREATE FUNCTION admit_org(owner TEXT) RETURNS BOOLEAN LANGUAGE sql STABLE AS $$ SELECT current_setting('admit.org', true) IN (owner, '*') $$;
--postgres ALTER TABLE org_roles ENABLE ROW LEVEL SECURITY;
--postgres ALTER TABLE org_roles FORCE ROW LEVEL SECURITY;
--postgres CREATE POLICY org_roles_wall ON org_roles USING (admit_org(org_id));
--postgres ALTER TABLE org_role_grants ENABLE ROW LEVEL SECURITY;
--postgres ALTER TABLE org_role_grants FORCE ROW LEVEL SECURITY;
--postgres CREATE POLICY org_role_grants_wall ON org_role_grants USING (admit_org(org_id));
--postgres ALTER TABLE org_guards ENABLE ROW LEVEL SECURITY;
--postgres ALTER TABLE org_guards FORCE ROW LEVEL SECURITY;
--postgres CREATE POLICY org_guards_wall ON org_guards USING (admit_org(org_id));
--postgres ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
--postgres ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
--postgres CREATE POLICY memberships_wall ON memberships USING (admit_org(org_id));
--postgres ALTER TABLE member_roles ENABLE ROW LEVEL SECURITY;
--postgres ALTER TABLE member_roles FORCE ROW LEVEL SECURITY;
--postgres CREATE POLICY member_roles_wall ON member_roles USING (admit_org(org_id));
--postgres ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
--postgres ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
--postgres CREATE POLICY invitations_wall ON invitations USING (admit_org(org_id));
