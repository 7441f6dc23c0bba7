-- A table that takes no more records stops creates alone.

ALTER TABLE syncs ADD COLUMN stop_creates INTEGER NOT NULL DEFAULT 0; -- 1: only creates are stopped
