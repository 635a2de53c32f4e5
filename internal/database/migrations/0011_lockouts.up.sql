-- Wrong answers at an account, at a name that nobody has, or on a known device.
CREATE TABLE lockouts (
	about TEXT PRIMARY KEY,
	failures BIGINT NOT NULL,
	counted_at BIGINT NOT NULL,
	locked_until BIGINT,
	opened BIGINT NOT NULL
);
CREATE INDEX lockouts_counted_at ON lockouts (counted_at);
