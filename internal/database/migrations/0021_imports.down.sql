DROP TABLE imported_orgs;
DROP TABLE imported_users;
