-- Links between syncs: the linked-record field of a row's record holds the records of the rows it points to.
-- What a row points to is remembered whether or not those rows have records, so that they are found when that changes.

CREATE TABLE link_fields (
  id INTEGER PRIMARY KEY,
  sync_id INTEGER NOT NULL,    -- whose records have the field: the child
  slug TEXT NOT NULL,
  parent_id INTEGER NOT NULL,  -- the sync whose records are linked to
  table_id TEXT NOT NULL,      -- the table that the field links to
  UNIQUE (sync_id, slug)
);
CREATE INDEX link_fields_parent ON link_fields (parent_id);

CREATE TABLE link_wishes (
  field_id INTEGER NOT NULL,
  key NOT NULL,                -- the child's
  parent_key NOT NULL,
  withheld INTEGER NOT NULL DEFAULT 0, -- 1: the service did not take this link; not sent until the parent is written
  asked_at INTEGER,            -- when the parent was last looked into for that
  PRIMARY KEY (field_id, key, parent_key)
) WITHOUT ROWID;
CREATE INDEX link_wishes_parent ON link_wishes (field_id, parent_key);
CREATE INDEX link_wishes_withheld ON link_wishes (parent_key) WHERE withheld;

-- Whoever changes which record a key has, in whatever way, makes the rows that point to it dirty in the same
-- transaction: they are read again and go out with the record as it then is. Marks are deleted before they are made,
-- so that each is newer than any read that is open.

CREATE TRIGGER links_added AFTER INSERT ON links
WHEN EXISTS (SELECT 1 FROM link_fields WHERE parent_id = NEW.sync_id)
BEGIN
  DELETE FROM dirty WHERE (sync_id, key) IN (
    SELECT f.sync_id, w.key FROM link_fields AS f JOIN link_wishes AS w ON w.field_id = f.id
    WHERE f.parent_id = NEW.sync_id AND w.parent_key = NEW.key);
  INSERT INTO dirty (sync_id, key)
    SELECT DISTINCT f.sync_id, w.key FROM link_fields AS f JOIN link_wishes AS w ON w.field_id = f.id
    WHERE f.parent_id = NEW.sync_id AND w.parent_key = NEW.key;
END;

CREATE TRIGGER links_moved AFTER UPDATE OF record_id, standing ON links
WHEN (OLD.record_id IS NOT NEW.record_id OR (OLD.standing IN (0, 1)) <> (NEW.standing IN (0, 1)))
  AND EXISTS (SELECT 1 FROM link_fields WHERE parent_id = NEW.sync_id)
BEGIN
  UPDATE link_wishes SET withheld = 0
    WHERE withheld AND parent_key = NEW.key AND field_id IN (SELECT id FROM link_fields WHERE parent_id = NEW.sync_id);
  DELETE FROM dirty WHERE (sync_id, key) IN (
    SELECT f.sync_id, w.key FROM link_fields AS f JOIN link_wishes AS w ON w.field_id = f.id
    WHERE f.parent_id = NEW.sync_id AND w.parent_key = NEW.key);
  INSERT INTO dirty (sync_id, key)
    SELECT DISTINCT f.sync_id, w.key FROM link_fields AS f JOIN link_wishes AS w ON w.field_id = f.id
    WHERE f.parent_id = NEW.sync_id AND w.parent_key = NEW.key;
END;

CREATE TRIGGER links_removed AFTER DELETE ON links
WHEN EXISTS (SELECT 1 FROM link_fields WHERE parent_id = OLD.sync_id)
BEGIN
  DELETE FROM dirty WHERE (sync_id, key) IN (
    SELECT f.sync_id, w.key FROM link_fields AS f JOIN link_wishes AS w ON w.field_id = f.id
    WHERE f.parent_id = OLD.sync_id AND w.parent_key = OLD.key);
  INSERT INTO dirty (sync_id, key)
    SELECT DISTINCT f.sync_id, w.key FROM link_fields AS f JOIN link_wishes AS w ON w.field_id = f.id
    WHERE f.parent_id = OLD.sync_id AND w.parent_key = OLD.key;
END;

-- A record that a link was refused for has been written: it is there, and the link may be tried again.
CREATE TRIGGER links_confirmed AFTER UPDATE OF fingerprint ON links
WHEN OLD.fingerprint IS NULL AND NEW.fingerprint IS NOT NULL
  AND EXISTS (SELECT 1 FROM link_wishes WHERE withheld AND parent_key = NEW.key)
BEGIN
  DELETE FROM dirty WHERE (sync_id, key) IN (
    SELECT f.sync_id, w.key FROM link_wishes AS w JOIN link_fields AS f ON f.id = w.field_id
    WHERE w.withheld AND w.parent_key = NEW.key AND f.parent_id = NEW.sync_id);
  INSERT INTO dirty (sync_id, key)
    SELECT DISTINCT f.sync_id, w.key FROM link_wishes AS w JOIN link_fields AS f ON f.id = w.field_id
    WHERE w.withheld AND w.parent_key = NEW.key AND f.parent_id = NEW.sync_id;
  UPDATE link_wishes SET withheld = 0
    WHERE withheld AND parent_key = NEW.key AND field_id IN (SELECT id FROM link_fields WHERE parent_id = NEW.sync_id);
END;

-- Another destination is another set of records, the links to which may stand already.
CREATE TRIGGER syncs_moved AFTER UPDATE OF destination_id ON syncs
WHEN OLD.destination_id <> NEW.destination_id
BEGIN
  DELETE FROM dirty WHERE (sync_id, key) IN (
    SELECT f.sync_id, w.key FROM link_fields AS f JOIN link_wishes AS w ON w.field_id = f.id
    WHERE f.parent_id = NEW.id);
  INSERT INTO dirty (sync_id, key)
    SELECT DISTINCT f.sync_id, w.key FROM link_fields AS f JOIN link_wishes AS w ON w.field_id = f.id
    WHERE f.parent_id = NEW.id;
END;
