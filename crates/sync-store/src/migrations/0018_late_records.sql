-- Records that a call may still change which left before the sync's keys changed: the key that one is linked to by then is
-- looked at once more.

CREATE TABLE late_records (
  sync_id INTEGER NOT NULL,
  destination_id INTEGER NOT NULL,
  record_id NOT NULL,          -- as in `links`
  due_at INTEGER NOT NULL,
  PRIMARY KEY (sync_id, destination_id, record_id)
) WITHOUT ROWID;
