-- A mark was raised past creates that were on their way, and an older state kept its own: such tables are read again before
-- anything is created.
UPDATE targets SET mark = NULL
WHERE EXISTS (SELECT 1 FROM outbox AS o WHERE o.sync_id = targets.sync_id AND o.destination_id = targets.destination_id
    AND o.state = 1 AND o.operation = 'create')
  OR EXISTS (SELECT 1 FROM syncs AS s WHERE s.id = targets.sync_id AND s.full_read IN ('older_state', 'imported'));

ALTER TABLE second_looks ADD COLUMN twin INTEGER NOT NULL DEFAULT 1; -- 0: only what the linked record holds is in question
