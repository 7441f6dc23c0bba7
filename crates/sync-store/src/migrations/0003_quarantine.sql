-- What a row in quarantine held.

ALTER TABLE outbox ADD COLUMN payload TEXT;      -- JSON: the cells of a row that could not become a draft
ALTER TABLE outbox ADD COLUMN omitted INTEGER NOT NULL DEFAULT 0;  -- 1: it is a draft that is not kept
ALTER TABLE outbox ADD COLUMN faulted INTEGER NOT NULL DEFAULT 0;  -- of a doubt: its last answer complained of it
UPDATE outbox SET faulted = 1 WHERE state = 1 AND doubt = 1 AND code IS NOT NULL;
