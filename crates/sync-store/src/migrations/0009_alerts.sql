-- What was wrong and told of, so that a restart repeats nothing; and messages on their way, one for each way.

CREATE TABLE alerts (
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,
  since INTEGER NOT NULL,
  text TEXT NOT NULL,
  hint TEXT NOT NULL,
  level INTEGER NOT NULL,
  told INTEGER,
  pending INTEGER,
  is_over INTEGER NOT NULL,
  PRIMARY KEY (subject, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_messages (
  id INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  at INTEGER NOT NULL,
  message TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_try INTEGER NOT NULL,
  error TEXT
) STRICT;

-- External ids of which several records were found, as last seen.
ALTER TABLE syncs ADD COLUMN shared_ids INTEGER NOT NULL DEFAULT 0;
