-- Syncs that only change records that are there: the rows for which there was none are remembered, so that the same
-- row is not asked for again, and are read again when a record with their key is linked, by whichever sync.

ALTER TABLE syncs ADD COLUMN only_updates INTEGER NOT NULL DEFAULT 0;

CREATE TABLE recordless (
  sync_id INTEGER NOT NULL,
  destination_id INTEGER NOT NULL,
  key NOT NULL,
  fingerprint BLOB NOT NULL,   -- of the row's draft
  PRIMARY KEY (sync_id, destination_id, key)
) WITHOUT ROWID;

CREATE TRIGGER recordless_linked AFTER INSERT ON links
WHEN EXISTS (SELECT 1 FROM syncs WHERE only_updates)
BEGIN
  DELETE FROM dirty WHERE key = NEW.key AND sync_id IN (
    SELECT r.sync_id FROM syncs AS s JOIN recordless AS r
      ON r.sync_id = s.id AND r.destination_id = NEW.destination_id AND r.key = NEW.key WHERE s.only_updates);
  INSERT INTO dirty (sync_id, key)
    SELECT r.sync_id, r.key FROM syncs AS s JOIN recordless AS r
      ON r.sync_id = s.id AND r.destination_id = NEW.destination_id AND r.key = NEW.key WHERE s.only_updates;
  DELETE FROM recordless WHERE destination_id = NEW.destination_id AND key = NEW.key
    AND sync_id IN (SELECT id FROM syncs WHERE only_updates);
END;

-- Matching rows with records that carry no key: by which fields the table was read for it, and the records that were
-- left over.

ALTER TABLE targets ADD COLUMN matched TEXT;

CREATE TABLE unmatched (
  sync_id INTEGER NOT NULL,
  destination_id INTEGER NOT NULL,
  digest BLOB NOT NULL,        -- of a record's values in the fields that are matched by
  PRIMARY KEY (sync_id, destination_id, digest)
) WITHOUT ROWID;
