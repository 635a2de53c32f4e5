-- How unusual a sign-in is that is under way, as JSON: what is asked of it beside the usual, and what kind of browser and network it began in.
ALTER TABLE login_attempts ADD COLUMN risk TEXT NOT NULL DEFAULT '{}';
