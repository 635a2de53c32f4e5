-- Somebody who has not said who they are. They have what they have as long as their session.
ALTER TABLE users ADD COLUMN guest BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX users_guest ON users (id) WHERE guest;
