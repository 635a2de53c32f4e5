-- A device that a person has signed in on, found by the hash of a secret in its cookie. Several people may be known on one.
CREATE TABLE known_devices (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	hash BYTEA NOT NULL,
	browser TEXT NOT NULL,
	system TEXT NOT NULL,
	ip TEXT NOT NULL,
	first_seen BIGINT NOT NULL,
	last_seen BIGINT NOT NULL,
	trusted_until BIGINT
);
CREATE UNIQUE INDEX known_devices_hash ON known_devices (hash, user_id);
CREATE INDEX known_devices_user ON known_devices (user_id);
CREATE INDEX known_devices_last_seen ON known_devices (last_seen);

-- Who has signed in before: their next device is not the first, also when all they had are forgotten.
CREATE TABLE first_sign_ins (
	user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	at BIGINT NOT NULL
);
