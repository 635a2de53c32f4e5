ALTER TABLE login_attempts DROP COLUMN require_mfa;
ALTER TABLE orgs DROP COLUMN require_mfa;
