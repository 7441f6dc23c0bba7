-- How many rows the last full read yielded that nobody had cause to doubt.

ALTER TABLE syncs ADD COLUMN full_rows INTEGER;
