-- Up to which time a sync's stream of changes was read, and how many seconds the database keeps its log.

ALTER TABLE syncs ADD COLUMN stream_as_of INTEGER;
ALTER TABLE syncs ADD COLUMN stream_retention INTEGER;
