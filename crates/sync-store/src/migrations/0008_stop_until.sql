-- Stops about something that may pass unseen, such as a spent month, run out by themselves.

ALTER TABLE syncs ADD COLUMN stop_until INTEGER; -- NULL: it holds until somebody acts
