DROP INDEX users_guest;
ALTER TABLE users DROP COLUMN guest;
