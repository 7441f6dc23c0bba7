-- Reads in pages, sweeps, streams of changes, and deletes that wait for a yes (`outbox.state` 3: held).

ALTER TABLE syncs ADD COLUMN page_after;               -- last key of the last page stored, of a full read that is due
ALTER TABLE syncs ADD COLUMN page_watermark TEXT;      -- the position that its first page began with
ALTER TABLE syncs ADD COLUMN full_read_at INTEGER;     -- when every row was last read
ALTER TABLE syncs ADD COLUMN swept_at INTEGER;         -- when a sweep last came to its end
ALTER TABLE syncs ADD COLUMN candidates INTEGER NOT NULL DEFAULT 0; -- of that sweep, if they wait for a yes
ALTER TABLE syncs ADD COLUMN stream_position TEXT;
ALTER TABLE dirty ADD COLUMN suspected INTEGER NOT NULL DEFAULT 0;  -- a read that should have shown it did not

-- Whatever asks for everything to be read anew makes what was read so far worthless.
CREATE TRIGGER pages_begin_anew AFTER UPDATE OF full_read, definition ON syncs BEGIN
  UPDATE syncs SET page_after = NULL, page_watermark = NULL WHERE id = NEW.id;
END;
CREATE TRIGGER pages_begin_anew_for_a_shape AFTER UPDATE OF shape_hash ON syncs
WHEN OLD.shape_hash IS NOT NEW.shape_hash BEGIN
  UPDATE syncs SET page_after = NULL, page_watermark = NULL WHERE id = NEW.id;
END;
