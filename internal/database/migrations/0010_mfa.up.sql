-- Whether an organization asks its members for a second factor.
ALTER TABLE orgs ADD COLUMN require_mfa BOOLEAN NOT NULL DEFAULT FALSE;

-- Whether whoever signs in has to have a second factor at the end of it.
ALTER TABLE login_attempts ADD COLUMN require_mfa BOOLEAN NOT NULL DEFAULT FALSE;
