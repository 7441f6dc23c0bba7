-- Times are milliseconds since 1970 UTC, except in `links`, where they are seconds to keep a million links small.
-- The views at the end keep the names and columns that people query with sqlite3.

CREATE TABLE destinations (
  id INTEGER PRIMARY KEY,
  host TEXT NOT NULL,
  account TEXT NOT NULL,
  table_id TEXT NOT NULL,
  own_member TEXT,
  structure TEXT,              -- JSON
  structure_read_at INTEGER,
  UNIQUE (host, account, table_id)
);

CREATE TABLE syncs (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  destination_id INTEGER NOT NULL DEFAULT 0,   -- 0: as the Python program had it, not recorded
  values_hash TEXT,
  key_hash TEXT,
  shape_hash TEXT,
  definition INTEGER NOT NULL DEFAULT 0,       -- raised when the definition changes
  watermark TEXT,
  read INTEGER NOT NULL DEFAULT 0,             -- number of the newest read
  read_at INTEGER,                             -- when a read was last stored to its end
  full_read TEXT DEFAULT 'first',              -- why the next read must be a full one
  stop_code TEXT, stop_message TEXT, stop_remedy TEXT,
  stop_key TEXT,                               -- digest of the API key that a stop is about
  token INTEGER NOT NULL DEFAULT 0,            -- fencing token
  holder TEXT, heartbeat_at INTEGER,
  last_successful_run INTEGER
);

-- What a sync knows of one destination.
CREATE TABLE targets (
  sync_id INTEGER NOT NULL,
  destination_id INTEGER NOT NULL,
  external_id_field TEXT NOT NULL,
  mark INTEGER,                -- highest autonumber that this sync has accounted for
  PRIMARY KEY (sync_id, destination_id)
) WITHOUT ROWID;

CREATE TABLE links (
  sync_id INTEGER NOT NULL,
  destination_id INTEGER NOT NULL,
  key NOT NULL,                -- INTEGER or TEXT: sorts as the key does
  record_id NOT NULL,          -- 12 bytes of its 24 hex digits; TEXT for any other form
  origin INTEGER NOT NULL,     -- 0 created, 1 adopted
  standing INTEGER NOT NULL DEFAULT 0, -- 0 held, 1 gone but kept, 2 missing: look up before a create,
                               -- 3 missing and left so
  fingerprint BLOB,            -- NULL: unknown
  digests BLOB,                -- one byte a field
  base TEXT,                   -- last written values, where a later feature wants them
  created_at INTEGER NOT NULL,
  updated_at INTEGER,          -- NULL: as created_at
  PRIMARY KEY (sync_id, destination_id, key)
) WITHOUT ROWID;

CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  sync_id INTEGER NOT NULL,
  destination_id INTEGER NOT NULL,
  key NOT NULL,
  state INTEGER NOT NULL,      -- 0 waiting, 1 sending or in doubt, 2 quarantined
  gone INTEGER NOT NULL DEFAULT 0,
  fields TEXT,                 -- JSON; NULL for gone and for rows that could not become a draft
  fingerprint BLOB,
  suspects INTEGER,            -- the group it is bisected in
  not_before INTEGER NOT NULL DEFAULT 0,
  operation TEXT,
  record_id,
  left_at INTEGER,
  doubt INTEGER NOT NULL DEFAULT 0,
  answered INTEGER NOT NULL DEFAULT 0, -- 2: no create was sent, the id is looked up before one
  empty_looks INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  refusals INTEGER NOT NULL DEFAULT 0,
  code TEXT, slug TEXT, reason TEXT, remedy TEXT,
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX outbox_key ON outbox (sync_id, destination_id, key, state);
CREATE INDEX outbox_turn ON outbox (sync_id, destination_id, state, suspects DESC, seq);

CREATE TABLE dirty (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync_id INTEGER NOT NULL,
  key NOT NULL,
  UNIQUE (sync_id, key)
);

-- Keys whose create was given up, whose update got no answer, or of which an audit showed a second record: looked at
-- once more when due.
CREATE TABLE second_looks (
  sync_id INTEGER NOT NULL,
  destination_id INTEGER NOT NULL,
  key NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (sync_id, destination_id, key)
) WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync_id INTEGER NOT NULL,
  token INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL,
  completed_at INTEGER,
  status TEXT NOT NULL,
  records_processed INTEGER NOT NULL DEFAULT 0,
  records_created INTEGER NOT NULL DEFAULT 0,
  records_updated INTEGER NOT NULL DEFAULT 0,
  records_skipped INTEGER NOT NULL DEFAULT 0,
  calls INTEGER NOT NULL DEFAULT 0,
  books TEXT,
  error_code TEXT,
  error_message TEXT
);
CREATE INDEX runs_sync ON runs (sync_id, id);

CREATE TABLE calls (
  day TEXT NOT NULL,
  sync_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (day, sync_id, kind)
) WITHOUT ROWID;

CREATE TABLE gates (
  key_digest TEXT PRIMARY KEY,
  next INTEGER NOT NULL,
  closed_until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('suspects', 0), ('calls', 0);

CREATE VIEW sync_runs AS
SELECT runs.id, syncs.name AS sync_name,
  strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', completed_at / 1000.0, 'unixepoch') AS completed_at,
  status, records_processed, records_created, records_updated, records_skipped, error_message
FROM runs JOIN syncs ON syncs.id = runs.sync_id;

CREATE VIEW record_mappings AS
SELECT row_number() OVER (ORDER BY links.sync_id, links.destination_id, links.key) AS id,
  syncs.name AS sync_name, CAST(key AS TEXT) AS source_id,
  CASE typeof(record_id) WHEN 'blob' THEN lower(hex(record_id)) ELSE record_id END AS smartsuite_record_id,
  nullif(lower(hex(fingerprint)), '') AS data_hash,
  strftime('%Y-%m-%dT%H:%M:%SZ', links.created_at, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(links.updated_at, links.created_at), 'unixepoch') AS updated_at
FROM links JOIN syncs ON syncs.id = links.sync_id AND syncs.destination_id = links.destination_id
WHERE standing = 0;

CREATE VIEW sync_metadata AS
SELECT name AS sync_name,
  strftime('%Y-%m-%dT%H:%M:%fZ', read_at / 1000.0, 'unixepoch') AS last_sync_time,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_successful_run / 1000.0, 'unixepoch') AS last_successful_run
FROM syncs;
