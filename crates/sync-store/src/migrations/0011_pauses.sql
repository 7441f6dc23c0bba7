-- Syncs that a person paused: a service runs them no more until they are resumed.

CREATE TABLE pauses (
  sync TEXT PRIMARY KEY,       -- its name; it may have no row in `syncs` yet
  at INTEGER NOT NULL
) WITHOUT ROWID;
