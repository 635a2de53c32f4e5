DROP TABLE api_keys;
DELETE FROM users WHERE service;
DROP TABLE service_accounts;
ALTER TABLE users DROP COLUMN service;
