DROP INDEX identifiers_user;
DROP INDEX identifiers_held;
DELETE FROM identifiers WHERE held_until IS NOT NULL;
ALTER TABLE identifiers DROP COLUMN held_until;
DROP TABLE challenges;
