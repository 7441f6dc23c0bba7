-- Matching rows with records that carry no key: by which fields the table was read for it, and the records that were
-- left over.

ALTER TABLE targets ADD COLUMN matched TEXT;

CREATE TABLE unmatched (
  sync_id INTEGER NOT NULL,
  destination_id INTEGER NOT NULL,
  digest BLOB NOT NULL,        -- of a record's values in the fields that are matched by
  PRIMARY KEY (sync_id, destination_id, digest)
) WITHOUT ROWID;
