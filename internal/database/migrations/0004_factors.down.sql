DROP INDEX login_attempts_user;
ALTER TABLE login_attempts DROP COLUMN remember;
ALTER TABLE sessions DROP COLUMN proved_at;
DROP TABLE recovery_codes;
DROP TABLE totp_secrets;
DROP TABLE factors;
