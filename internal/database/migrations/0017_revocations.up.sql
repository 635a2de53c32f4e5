-- What a server tells verifiers of access tokens when it starts: the sessions and keys that ended a short while ago.
CREATE INDEX events_ended ON events (at) WHERE kind IN ('session.revoked', 'api_key.revoked');
