DROP TABLE social_trips;
DROP TABLE identities;
