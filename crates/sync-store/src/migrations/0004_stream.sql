-- How far a sync's stream of changes was read; up to which time it is complete; how many seconds the log is kept.

ALTER TABLE syncs ADD COLUMN stream_position TEXT;
ALTER TABLE syncs ADD COLUMN stream_as_of INTEGER;
ALTER TABLE syncs ADD COLUMN stream_retention INTEGER;
