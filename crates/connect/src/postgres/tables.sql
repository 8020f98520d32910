-- The state. It belongs to whoever runs this script; the functions' owners get no more than the grants below.
CREATE TABLE IF NOT EXISTS writ.marker (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  installation text NOT NULL,
  epoch bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS writ.rule (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  prefix text NOT NULL,
  ttl_seconds_max bigint NOT NULL,
  connections_max integer NOT NULL,
  users_max integer NOT NULL
);
CREATE TABLE IF NOT EXISTS writ.allowed_group (name name PRIMARY KEY);
CREATE TABLE IF NOT EXISTS writ.slot (number integer PRIMARY KEY, credential text);
CREATE INDEX IF NOT EXISTS slot_free ON writ.slot (number) WHERE credential IS NULL;
CREATE TABLE IF NOT EXISTS writ.credential (
  id text PRIMARY KEY,
  name name NOT NULL UNIQUE,
  role oid,
  groups oid[] NOT NULL DEFAULT '{}',
  opened timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires timestamptz,
  slot integer,
  dropped timestamptz
);
CREATE INDEX IF NOT EXISTS credential_due ON writ.credential (expires) WHERE dropped IS NULL;
CREATE TABLE IF NOT EXISTS writ.tombstone (
  id text PRIMARY KEY,
  name name NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lsn pg_lsn NOT NULL
);
REVOKE ALL ON ALL TABLES IN SCHEMA writ FROM PUBLIC, writ_owner, writ_sweeper, writ_connector, writ_timer;
GRANT SELECT, UPDATE ON writ.marker TO writ_owner;
GRANT SELECT ON writ.rule, writ.allowed_group TO writ_owner;
GRANT SELECT, UPDATE ON writ.slot TO writ_owner;
GRANT SELECT, INSERT, UPDATE ON writ.credential TO writ_owner;
GRANT SELECT, INSERT ON writ.tombstone TO writ_owner;
GRANT SELECT ON writ.credential, writ.tombstone TO writ_sweeper;
