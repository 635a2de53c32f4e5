ALTER TABLE login_attempts DROP COLUMN return_to;
DROP TABLE budgets;
