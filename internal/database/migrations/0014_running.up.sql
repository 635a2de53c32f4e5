-- What those who run the site look for: who is locked now, who may not sign in, and how many signed in and failed on a day.
CREATE INDEX lockouts_locked ON lockouts (locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX users_disabled ON users (id) WHERE disabled_at IS NOT NULL;
CREATE INDEX events_signins ON events (at, kind) WHERE kind IN ('login.succeeded', 'login.failed');
