-- Where a sink of events stands in their order, and which server is at it until when. failures are the tries since it last took anything on.
CREATE TABLE event_sinks (
	name TEXT PRIMARY KEY,
	tx BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	moved_at BIGINT NOT NULL,
	holder TEXT NOT NULL,
	held_until BIGINT NOT NULL,
	failures BIGINT NOT NULL,
	failing_since BIGINT,
	due_at BIGINT NOT NULL,
	reply TEXT NOT NULL
);

-- A server that is told of events. Its place is the row of event_sinks that has its id for a name. paused is why it is told of nothing, or empty.
CREATE TABLE webhooks (
	id TEXT PRIMARY KEY,
	url TEXT NOT NULL,
	description TEXT NOT NULL,
	format TEXT NOT NULL, -- of the body of a request
	kinds TEXT NOT NULL,
	secret BYTEA NOT NULL,
	old_secret BYTEA,
	old_until BIGINT,
	paused TEXT NOT NULL,
	created_by TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

-- One event for one webhook, and what became of it. What is sent is read from the event itself.
CREATE TABLE webhook_deliveries (
	id TEXT PRIMARY KEY,
	webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
	event_id TEXT NOT NULL,
	tx BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	at BIGINT NOT NULL,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	state TEXT NOT NULL,
	tries BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	status BIGINT NOT NULL,
	took_ms BIGINT NOT NULL,
	reply TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	tried_at BIGINT,
	ended_at BIGINT
);
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, tx, seq, id) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
