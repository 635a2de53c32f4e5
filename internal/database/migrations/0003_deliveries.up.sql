-- A message to somebody: a mail or a text. Who gets it and what it says is sealed, and erased once it is delivered. A message
-- is claimed by moving due_at into the future; whoever claimed it and died loses it when that time has come.
CREATE TABLE deliveries (
	id TEXT PRIMARY KEY,
	channel TEXT NOT NULL,
	template TEXT NOT NULL,
	user_id TEXT NOT NULL,
	locale TEXT NOT NULL,
	payload BYTEA,
	state TEXT NOT NULL,
	tries BIGINT NOT NULL,
	reply TEXT NOT NULL,
	due_at BIGINT NOT NULL,
	give_up_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	ended_at BIGINT
);
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state = 'queued';
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
