-- What a sync's mapping used of both schemas when it last fitted them, as JSON with its version; what a run leaves out of
-- the mapping because it fits no more, as JSON.
ALTER TABLE syncs ADD COLUMN known_schema TEXT;
ALTER TABLE syncs ADD COLUMN left_out TEXT;
-- Links whose last written values are kept (`state.keep_values`), so that they are found when they are to be forgotten.
CREATE INDEX links_with_values ON links (sync_id) WHERE base IS NOT NULL;
