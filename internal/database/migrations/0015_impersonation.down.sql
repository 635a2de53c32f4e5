DELETE FROM sessions WHERE parent_id <> '';
DROP INDEX sessions_parent;
ALTER TABLE sessions DROP COLUMN reason;
ALTER TABLE sessions DROP COLUMN parent_id;
ALTER TABLE sessions DROP COLUMN actor_id;
