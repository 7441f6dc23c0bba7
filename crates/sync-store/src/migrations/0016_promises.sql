-- What a service said that it will do for a sync and has not done yet: a turn, or a change of its quarantine.

CREATE TABLE promises (
  number INTEGER PRIMARY KEY AUTOINCREMENT,  -- one that was kept is never another's
  sync TEXT NOT NULL,                        -- its name; it may have no row in `syncs` yet
  kind TEXT NOT NULL,                        -- `run`, `run_retry`, `retry`, `drop`
  code TEXT,                                 -- of `retry` and `drop`: only rows with this complaint
  key TEXT                                   -- and this key
);
CREATE INDEX promises_of_sync ON promises (sync);
