-- Marked keys are read oldest first, some hundreds at a time: each time without sorting all others.
CREATE INDEX dirty_in_order ON dirty (sync_id, id);
