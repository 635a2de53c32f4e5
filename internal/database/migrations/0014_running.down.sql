DROP INDEX events_signins;
DROP INDEX users_disabled;
DROP INDEX lockouts_locked;
