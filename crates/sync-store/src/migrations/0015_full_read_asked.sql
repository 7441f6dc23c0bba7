-- A full read that is asked for while another is under way is not answered by it.

ALTER TABLE syncs ADD COLUMN full_read_asked INTEGER NOT NULL DEFAULT 0; -- the newest read when one was last asked for
ALTER TABLE syncs ADD COLUMN page_read INTEGER NOT NULL DEFAULT 0;       -- the read that yielded the first page stored
UPDATE syncs SET page_read = read WHERE page_after IS NOT NULL;
