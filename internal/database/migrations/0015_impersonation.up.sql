-- Who acts in the name of its person in a session, by which session of their own, and why. Empty for everybody else.
ALTER TABLE sessions ADD COLUMN actor_id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN reason TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_parent ON sessions (parent_id) WHERE parent_id <> '';
