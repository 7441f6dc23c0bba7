//! Creates in doubt, and what a dead process left behind.

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use sync_core::{
    draft::Fields,
    error::Quoted,
    key::Key,
    mutation::{self, Mutation},
    slug::Slug,
    state::{Control, Doubt, EntryId, Fault, Writer},
};

use crate::{
    column::{KeyColumn, KeyParameter, RecordColumn, limit, time},
    dispatch::{LEFT, MISSING, SETTLING_MS},
    failure::Failure,
    older,
    scan::mark_dirty,
    second_look,
};

/// See [`sync_core::state::StateStore::doubts`].
pub(crate) fn due(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    doubts_max: usize,
) -> Result<(Vec<Doubt>, Option<Timestamp>), Failure> {
    let mut select = tx.prepare_cached(
        "SELECT seq, key, fields, left_at, answered, empty_looks, iif(faulted, code, NULL), slug, reason, remedy
         FROM outbox
         WHERE sync_id = ? AND destination_id = ? AND state = 1 AND doubt = 1 AND not_before <= ?
         ORDER BY not_before, seq LIMIT ?",
    )?;
    let mut rows = select.query(params![
        writer.sync.0,
        writer.destination.0,
        now.as_millisecond(),
        limit(doubts_max)
    ])?;
    let mut doubts = Vec::new();
    while let Some(row) = rows.next()? {
        let fields = match row.get::<_, Option<String>>(2)? {
            Some(text) => serde_json::from_str(&text)?,
            None => Fields::new(Vec::new()),
        };
        doubts.push(Doubt {
            id: EntryId(row.get(0)?),
            key: row.get::<_, KeyColumn>(1)?.0,
            fields,
            left_at: time(row.get(3)?),
            answered: row.get(4)?,
            is_unsent: row.get::<_, i64>(4)? == UNSENT,
            empty_looks: row.get(5)?,
            fault: fault(row)?,
        });
    }
    if !doubts.is_empty() {
        return Ok((doubts, None));
    }
    let next: Option<i64> = tx
        .prepare_cached(
            "SELECT min(not_before) FROM outbox
             WHERE sync_id = ? AND destination_id = ? AND state = 1 AND doubt = 1",
        )?
        .query_row([writer.sync.0, writer.destination.0], |row| row.get(0))?;
    Ok((doubts, next.map(time)))
}

/// `outbox.answered` of a create that was not sent: its id is looked up first.
pub(crate) const UNSENT: i64 = 2;

/// What was said against a row, from columns 6 to 9.
fn fault(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Fault>> {
    let Some(code) = row.get::<_, Option<String>>(6)? else { return Ok(None) };
    Ok(Some(Fault {
        code,
        slug: row.get::<_, Option<String>>(7)?.map(Slug::from),
        reason: Quoted(row.get::<_, Option<String>>(8)?.unwrap_or_default()),
        remedy: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
    }))
}

/// What a process that is gone left `sending`: an update or delete is sent again until it is answered (D1), unless
/// its row is another by now; a create is in doubt, counted from now, as nobody knows when its request left (D3).
pub(crate) fn inherit(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let (sync, destination) = (writer.sync.0, writer.destination.0);
    let taken_at = now.as_millisecond();
    let left_at = if mutation::is_on(Mutation::CountedFromMark) { "left_at" } else { "?1" };
    tx.execute(
        &format!("UPDATE outbox SET doubt = 1, answered = 0, empty_looks = 0, left_at = coalesce({left_at}, ?1), not_before = ?2
         WHERE sync_id = ?3 AND destination_id = ?4 AND state = 1 AND doubt = 0 AND operation = 'create'"),
        [taken_at, taken_at + SETTLING_MS, sync, destination],
    )?;
    let deleted: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE sync_id = ? AND destination_id = ? AND state = 1
           AND doubt = 0 AND operation = 'delete')",
        [sync, destination],
        |row| row.get(0),
    )?;
    if deleted {
        older::note_deleted(tx, now)?;
    }
    second_look::schedule_inherited(tx, sync, destination, now)?;
    if mutation::is_on(Mutation::LeftBehindForgotten) {
        tx.execute(
            "UPDATE links SET fingerprint = (SELECT o.fingerprint FROM outbox AS o WHERE o.sync_id = links.sync_id
               AND o.destination_id = links.destination_id AND o.key = links.key AND o.state = 1 AND o.doubt = 0)
             WHERE (sync_id, destination_id, key) IN
               (SELECT sync_id, destination_id, key FROM outbox WHERE state = 1 AND doubt = 0)",
            [],
        )?;
        tx.execute("DELETE FROM outbox WHERE state = 1 AND doubt = 0", [])?;
    }
    tx.execute(
        "DELETE FROM outbox WHERE sync_id = ?1 AND destination_id = ?2 AND state = 1 AND doubt = 0
           AND EXISTS (SELECT 1 FROM outbox AS newer WHERE newer.sync_id = ?1 AND newer.destination_id = ?2
             AND newer.key = outbox.key AND newer.seq > outbox.seq)",
        [sync, destination],
    )?;
    tx.execute(
        "UPDATE outbox SET state = 0, operation = NULL, record_id = NULL, not_before = 0
         WHERE sync_id = ? AND destination_id = ? AND state = 1 AND doubt = 0",
        [sync, destination],
    )?;
    Ok(())
}

/// Some link other than those of `except`; see [`sync_core::state::StateStore::control`].
pub(crate) fn control(
    tx: &Transaction<'_>,
    writer: &Writer,
    except: &[Key],
    from_end: bool,
) -> Result<Option<Control>, Failure> {
    let order = if from_end { "DESC" } else { "ASC" };
    // A record that is believed to hold its row's values carries its key, as a rule; any other may not, as where another
    // external-id field was named and its row is yielded no more.
    for known in ["AND fingerprint IS NOT NULL", ""] {
        let mut select = tx.prepare_cached(&format!(
            "SELECT key, record_id FROM links WHERE sync_id = ? AND destination_id = ? AND standing = 0 {known}
             ORDER BY key {order} LIMIT ?"
        ))?;
        let most = limit(except.len() + 1);
        let mut rows = select.query(params![writer.sync.0, writer.destination.0, most])?;
        while let Some(row) = rows.next()? {
            let key = row.get::<_, KeyColumn>(0)?.0;
            if !except.contains(&key) {
                return Ok(Some(Control { key, record: row.get::<_, RecordColumn>(1)?.0 }));
            }
        }
    }
    Ok(None)
}

/// See [`sync_core::state::StateStore::set_missing`].
pub(crate) fn set_missing(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    is_left: bool,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE links SET standing = ? WHERE sync_id = ? AND destination_id = ? AND key = ?",
    )?
    .execute(params![
        if is_left { LEFT } else { MISSING },
        writer.sync.0,
        writer.destination.0,
        KeyParameter(key)
    ])?;
    if is_left { Ok(()) } else { mark_dirty(tx, writer, key) }
}
