-- What one may still have of something that is rationed, kept as the time until which it is owed. Whose it is, only the key knows.
CREATE TABLE budgets (
	key_hash BYTEA PRIMARY KEY,
	owed_until BIGINT NOT NULL
);
CREATE INDEX budgets_owed ON budgets (owed_until);

-- Where the browser of a sign-in wants to be afterwards.
ALTER TABLE login_attempts ADD COLUMN return_to TEXT NOT NULL DEFAULT '';
