DROP INDEX deliveries_user;
DROP TABLE export_files;
DROP TABLE exports;
DROP INDEX users_erasure;
ALTER TABLE users DROP COLUMN erase_at;
ALTER TABLE users DROP COLUMN time_zone;
ALTER TABLE users DROP COLUMN language;
