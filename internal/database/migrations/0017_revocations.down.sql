DROP INDEX events_ended;
