-- What was done to records, by which call of which run.

ALTER TABLE outbox ADD COLUMN call INTEGER;      -- number of the call that it was last sent with

CREATE TABLE effects (
  id INTEGER PRIMARY KEY,      -- rises with time
  sync_id INTEGER NOT NULL,
  key NOT NULL,
  at INTEGER NOT NULL,
  kind INTEGER NOT NULL,       -- 0 created, 1 updated, 2 deleted, 3 found, 4 missing, 5 refused, 6 unanswered
  record_id,
  fields INTEGER,              -- the set of fields that were written, or that were refused
  code TEXT,                   -- of a refusal
  run INTEGER,
  call INTEGER                 -- writing calls are numbered over the state's whole life
);
CREATE INDEX effects_key ON effects (sync_id, key);

-- The sets of fields that effects name: a sync writes the same few again and again.
CREATE TABLE field_sets (
  id INTEGER PRIMARY KEY,
  slugs TEXT NOT NULL UNIQUE   -- JSON
);
