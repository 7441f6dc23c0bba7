-- Up to when a source had been read when the first of the keys was marked that are to be read again now (`unread_as_of`), and when
-- its stream of changes first could not name what changed (`unnamed_as_of`). NULL: there are none, everything was named.

ALTER TABLE syncs ADD COLUMN unread_as_of INTEGER;
ALTER TABLE syncs ADD COLUMN unnamed_as_of INTEGER;

-- Whoever marks a key, in whatever way. The first mark decides: later ones only ask for more.
CREATE TRIGGER dirty_unread AFTER INSERT ON dirty
WHEN EXISTS (SELECT 1 FROM syncs WHERE id = NEW.sync_id AND unread_as_of IS NULL)
BEGIN
  UPDATE syncs SET unread_as_of = iif(stream_position IS NULL, read_at, coalesce(stream_as_of, read_at))
  WHERE id = NEW.sync_id;
END;

UPDATE syncs SET unread_as_of = iif(stream_position IS NULL, read_at, coalesce(stream_as_of, read_at))
WHERE EXISTS (SELECT 1 FROM dirty WHERE sync_id = syncs.id);
