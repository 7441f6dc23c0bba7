//! Records that wait to go: held back until a person says yes, where they are too many.

use rusqlite::{Transaction, params};
use sync_core::{
    deletes::{Going, GonePolicy},
    mutation::{self, Mutation},
    state::Writer,
};

use crate::{
    capture::{HELD, WAITING},
    column::count,
};

/// Entries that would delete or archive a record, by the policy in `?3`: 0 none, 1 created ones, 2 all. Behind a create of
/// which nobody knows yet whether it made its record, the look-up that finds the record lets it go: it counts as there.
const GOING: &str = "sync_id = ?1 AND destination_id = ?2 AND gone AND state IN (0, 3) AND ?3 > 0
  AND (EXISTS (SELECT 1 FROM links AS l WHERE l.sync_id = outbox.sync_id AND l.destination_id = outbox.destination_id
      AND l.key = outbox.key AND l.standing IN (0, 3) AND (?3 = 2 OR l.origin = 0))
    OR EXISTS (SELECT 1 FROM outbox AS s WHERE s.sync_id = outbox.sync_id AND s.destination_id = outbox.destination_id
      AND s.key = outbox.key AND s.state = 1 AND s.operation = 'create'))";

/// Those of them whose record is linked.
const LINKED: &str =
    "EXISTS (SELECT 1 FROM links AS h WHERE h.sync_id = ?1 AND h.destination_id = ?2 AND h.key = outbox.key
  AND h.standing IN (0, 3))";

/// Entries whose record is archived and waits to be deleted.
const HALF_GONE: &str = "sync_id = ?1 AND destination_id = ?2 AND gone AND state = 0
  AND EXISTS (SELECT 1 FROM links AS l WHERE l.sync_id = outbox.sync_id AND l.destination_id = outbox.destination_id
    AND l.key = outbox.key AND l.standing = 1)";

/// See [`sync_core::state::StateStore::guard_deletes`].
pub(crate) fn guard(
    tx: &Transaction<'_>,
    writer: &Writer,
    policy: GonePolicy,
    done: u64,
    allowed: Option<u64>,
) -> rusqlite::Result<(Going, bool)> {
    let (sync, destination) = (writer.sync.0, writer.destination.0);
    let whose = match policy.reaches() {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    };
    let (waiting, in_doubt) = tx.query_row(
        &format!("SELECT count(*), count(*) FILTER (WHERE NOT {LINKED}) FROM outbox WHERE {GOING}"),
        [sync, destination, whose],
        |row| Ok((count(row, 0)?, count(row, 1)?)),
    )?;
    // Those that are archived already and go next are under way: they count, and nothing holds them back.
    let half_gone = match policy {
        GonePolicy::ArchiveFirst { .. } => tx.query_row(
            &format!("SELECT count(*) FROM outbox WHERE {HALF_GONE}"),
            [sync, destination],
            |row| count(row, 0),
        )?,
        GonePolicy::Leave | GonePolicy::Delete { .. } | GonePolicy::Archive => 0,
    };
    let done = done + half_gone;
    if waiting == 0 {
        // What was held may be no record's end any more.
        release(tx, writer)?;
        return Ok((Going { records: done, of: done }, false));
    }
    let linked = tx.query_row(
        "SELECT count(*) FROM links WHERE sync_id = ? AND destination_id = ? AND standing IN (0, 3)",
        [sync, destination],
        |row| count(row, 0),
    )?;
    let going = Going { records: waiting + done, of: linked + in_doubt + done };
    let holds = going.needs_a_yes(allowed) && !mutation::is_on(Mutation::DeletesUnguarded);
    release(tx, writer)?;
    if holds {
        tx.execute(
            &format!("UPDATE outbox SET state = {HELD} WHERE {GOING}"),
            [sync, destination, whose],
        )?;
    }
    Ok((going, holds))
}

fn release(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE outbox SET state = ? WHERE sync_id = ? AND destination_id = ? AND state = ?",
        params![WAITING, writer.sync.0, writer.destination.0, HELD],
    )?;
    Ok(())
}
