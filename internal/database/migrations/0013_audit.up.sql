-- What stands in ip and user_agent is forgotten when its person is deleted; what the seal knows of it stays here.
ALTER TABLE events ADD COLUMN erased BYTEA;

-- A seal over a stretch of events: what each was when it was sealed, the hash of the seal before, and a MAC whose key is outside.
CREATE TABLE audit_checkpoints (
	number BIGINT PRIMARY KEY,
	previous BYTEA NOT NULL,
	key_id TEXT NOT NULL,
	at BIGINT NOT NULL,
	since BIGINT NOT NULL,
	after_tx BIGINT NOT NULL,
	after_seq BIGINT NOT NULL,
	last_tx BIGINT NOT NULL,
	last_seq BIGINT NOT NULL,
	entries BYTEA NOT NULL,
	digest BYTEA NOT NULL,
	mac BYTEA NOT NULL
);
CREATE INDEX audit_checkpoints_since ON audit_checkpoints (since);

-- What a search finds the stretch by. It is no evidence, and can be made anew.
CREATE TABLE audit_words (
	word TEXT NOT NULL,
	number BIGINT NOT NULL,
	PRIMARY KEY (word, number)
--sqlite ) WITHOUT ROWID;
--postgres );
CREATE INDEX audit_words_number ON audit_words (number);

-- The salt under which a person's address and user agent are sealed. Without it what is sealed says nothing of them.
CREATE TABLE audit_people (
	user_id TEXT PRIMARY KEY,
	salt BYTEA NOT NULL,
	gone BOOLEAN NOT NULL
);
CREATE INDEX audit_people_gone ON audit_people (user_id) WHERE gone;

-- Where the log begins: after this checkpoint. Whoever seals, erases or prunes takes the turn first.
CREATE TABLE audit_floor (
	one BIGINT PRIMARY KEY,
	number BIGINT NOT NULL,
	mac BYTEA NOT NULL,
	turn BIGINT NOT NULL
);
--sqlite INSERT INTO audit_floor VALUES (1, 0, x'', 0);
--postgres INSERT INTO audit_floor VALUES (1, 0, '', 0);

-- Events and their seals are only ever added. What is older than the floor may go, and the address and user agent of a person who is gone.
--sqlite CREATE TRIGGER events_stay BEFORE DELETE ON events WHEN NOT EXISTS (SELECT 1 FROM audit_floor f JOIN audit_checkpoints c ON c.number = f.number WHERE OLD.seq <= c.last_seq) BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
--sqlite CREATE TRIGGER events_same BEFORE UPDATE ON events WHEN NOT (OLD.seq = NEW.seq AND OLD.id = NEW.id AND OLD.at = NEW.at AND OLD.kind = NEW.kind AND OLD.subject = NEW.subject AND OLD.outcome = NEW.outcome AND OLD.actor = NEW.actor AND OLD.session_id = NEW.session_id AND OLD.org_id = NEW.org_id AND OLD.request_id = NEW.request_id AND OLD.data = NEW.data AND NEW.ip = '' AND NEW.user_agent = '' AND OLD.erased IS NULL AND NEW.erased IS NOT NULL AND EXISTS (SELECT 1 FROM audit_people p WHERE p.gone AND p.user_id = CASE WHEN substr(OLD.actor, 1, 4) = 'usr_' THEN OLD.actor ELSE OLD.subject END)) BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
--sqlite CREATE TRIGGER audit_checkpoints_stay BEFORE DELETE ON audit_checkpoints WHEN OLD.number >= (SELECT number FROM audit_floor WHERE one = 1) BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
--sqlite CREATE TRIGGER audit_checkpoints_same BEFORE UPDATE ON audit_checkpoints BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
--sqlite CREATE TRIGGER audit_floor_stays BEFORE DELETE ON audit_floor BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
--sqlite CREATE TRIGGER audit_floor_rises BEFORE UPDATE ON audit_floor WHEN NEW.number < OLD.number OR NEW.one <> OLD.one BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
--postgres CREATE FUNCTION admit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
--postgres CREATE FUNCTION admit_events_stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS (SELECT 1 FROM audit_floor f JOIN audit_checkpoints c ON c.number = f.number WHERE (OLD.tx, OLD.seq) <= (c.last_tx, c.last_seq)) THEN RAISE EXCEPTION 'the audit log is append-only'; END IF; RETURN OLD; END $$;
--postgres CREATE FUNCTION admit_events_same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT ((OLD.tx, OLD.seq, OLD.id, OLD.at, OLD.kind, OLD.subject, OLD.outcome, OLD.actor, OLD.session_id, OLD.org_id, OLD.request_id, OLD.data) = (NEW.tx, NEW.seq, NEW.id, NEW.at, NEW.kind, NEW.subject, NEW.outcome, NEW.actor, NEW.session_id, NEW.org_id, NEW.request_id, NEW.data) AND NEW.ip = '' AND NEW.user_agent = '' AND OLD.erased IS NULL AND NEW.erased IS NOT NULL AND EXISTS (SELECT 1 FROM audit_people p WHERE p.gone AND p.user_id = CASE WHEN substr(OLD.actor, 1, 4) = 'usr_' THEN OLD.actor ELSE OLD.subject END)) THEN RAISE EXCEPTION 'the audit log is append-only'; END IF; RETURN NEW; END $$;
--postgres CREATE FUNCTION admit_checkpoints_stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.number >= (SELECT number FROM audit_floor WHERE one = 1) THEN RAISE EXCEPTION 'the audit log is append-only'; END IF; RETURN OLD; END $$;
--postgres CREATE FUNCTION admit_floor_rises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.number < OLD.number OR NEW.one <> OLD.one THEN RAISE EXCEPTION 'the audit log is append-only'; END IF; RETURN NEW; END $$;
--postgres CREATE TRIGGER events_stay BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION admit_events_stay();
--postgres CREATE TRIGGER events_same BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION admit_events_same();
--postgres CREATE TRIGGER events_whole BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION admit_append_only();
--postgres CREATE TRIGGER audit_checkpoints_stay BEFORE DELETE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION admit_checkpoints_stay();
--postgres CREATE TRIGGER audit_checkpoints_same BEFORE UPDATE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION admit_append_only();
--postgres CREATE TRIGGER audit_checkpoints_whole BEFORE TRUNCATE ON audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION admit_append_only();
--postgres CREATE TRIGGER audit_floor_stays BEFORE DELETE ON audit_floor FOR EACH ROW EXECUTE FUNCTION admit_append_only();
--postgres CREATE TRIGGER audit_floor_rises BEFORE UPDATE ON audit_floor FOR EACH ROW EXECUTE FUNCTION admit_floor_rises();
