//! Rows into the outbox, and the position with them.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use sync_core::{
    capture::{Decision, Intention, decide},
    draft::Fingerprint,
    key::Key,
    mutation::{self, Mutation},
    slug::Slug,
    state::{
        Books, CapturedRow, Chunk, Extent, Fault, ReadEnd, ReadTicket, RowOutcome, StateError,
        Writer,
    },
};

use crate::{
    column::KeyParameter,
    failure::Failure,
    links::Links,
    quarantine::{first_retry, retry_group},
    recordless, standing,
};

pub(crate) fn begin_read(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<ReadTicket> {
    let read = tx.query_row(
        "UPDATE syncs SET read = read + 1 WHERE id = ? RETURNING read",
        [writer.sync.0],
        |row| row.get(0),
    )?;
    let dirty_before = tx.query_row(
        "SELECT coalesce(max(id), 0) FROM dirty WHERE sync_id = ?",
        [writer.sync.0],
        |row| row.get(0),
    )?;
    if mutation::is_on(Mutation::MarksForgottenFirst) {
        tx.execute("DELETE FROM dirty WHERE sync_id = ?", [writer.sync.0])?;
    }
    if mutation::is_on(Mutation::NewerMarksForgotten) {
        return Ok(ReadTicket { read, dirty_before: i64::MAX });
    }
    Ok(ReadTicket { read, dirty_before })
}

/// See [`sync_core::state::StateStore::unchanged`].
pub(crate) fn unchanged(
    tx: &Transaction<'_>,
    writer: &Writer,
    ticket: ReadTicket,
    rows: &[(&Key, Fingerprint)],
) -> Result<Vec<bool>, Failure> {
    check_newest(tx, writer, ticket)?;
    let with_outbox = has_entries(tx, writer)?;
    let keys: Vec<&Key> = rows.iter().map(|(key, _)| *key).collect();
    let known = standing::links(tx, writer, &keys)?;
    let row = |((key, print), link): (&(&Key, Fingerprint), Option<Intention>)| {
        let standing = standing::standing(tx, writer, key, link, with_outbox)?;
        Ok(decide(Intention::Record(*print), &standing) == Decision::Unchanged)
    };
    rows.iter().zip(known).map(row).collect()
}

/// Whether anything waits, is being sent or stands in quarantine; without it, as in a run where nothing changed, one
/// look-up a row is enough.
fn has_entries(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE sync_id = ? AND destination_id = ?)",
    )?
    .query_row([writer.sync.0, writer.destination.0], |row| row.get(0))
}

/// See [`sync_core::state::StateStore::capture`].
pub(crate) fn capture(
    tx: &Transaction<'_>,
    writer: &Writer,
    chunk: &Chunk,
    keep_payload: bool,
) -> Result<Books, Failure> {
    check_newest(tx, writer, chunk.ticket)?;
    let mut books = Books { read: chunk.unchanged, unchanged: chunk.unchanged, ..Books::default() };
    let mut changed = has_entries(tx, writer)?;
    let mut links = Links::default();
    let mut into = Into { tx, writer, now: chunk.now, keep_payload, group: None };
    let keys: Vec<&Key> = chunk.rows.iter().map(|row| &row.key).collect();
    let known = standing::links(tx, writer, &keys)?;
    for (row, link) in chunk.rows.iter().zip(known) {
        let (row, lacks_link) = links.filled(tx, writer, row)?;
        books.unlinked += u64::from(lacks_link);
        if matches!(row.outcome, RowOutcome::Gone | RowOutcome::Absent) {
            recordless::forget(tx, writer, &row.key)?;
        }
        let intention = match &row.outcome {
            RowOutcome::Draft(_, print) => Intention::Record(*print),
            RowOutcome::Fault(_, print) => Intention::Faulty(*print),
            RowOutcome::Gone | RowOutcome::Unseen => Intention::Gone,
            // Filled above.
            RowOutcome::Linked(..) => Intention::Unknown,
            RowOutcome::Absent => {
                books.taken_back += u64::from(remove(tx, writer, &row.key, WAITING)?);
                remove(tx, writer, &row.key, QUARANTINED)?;
                continue;
            }
        };
        let standing = standing::standing(tx, writer, &row.key, link, changed)?;
        let decision = decide(intention, &standing);
        if row.outcome == RowOutcome::Unseen && decision != Decision::Unchanged {
            suspect(tx, writer, &row.key)?;
            books.read += 1;
            books.suspected += 1;
            continue;
        }
        into.apply(&row, intention, decision, &mut books)?;
        changed |= !matches!(decision, Decision::Unchanged);
    }
    for key in &chunk.answered {
        tx.prepare_cached("DELETE FROM dirty WHERE sync_id = ? AND key = ? AND id <= ?")?
            .execute(params![writer.sync.0, KeyParameter(key), chunk.ticket.dirty_before])?;
    }
    if let Some(end) = &chunk.end {
        move_position(tx, writer, end, chunk.now)?;
    }
    forget_unread(tx, writer)?;
    Ok(books)
}

fn move_position(
    tx: &Transaction<'_>,
    writer: &Writer,
    end: &ReadEnd,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let (watermark, now) = (end.watermark.as_ref().map(|mark| &mark.0), now.as_millisecond());
    match &end.extent {
        Extent::Changes => tx.execute(
            "UPDATE syncs SET watermark = coalesce(?1, watermark), read_at = ?2 WHERE id = ?3",
            params![watermark, now, writer.sync.0],
        ),
        Extent::Page(after) => tx.execute(
            "UPDATE syncs SET page_after = ?1, page_watermark = ?2, page_read = ?4 WHERE id = ?3",
            params![KeyParameter(after), watermark, writer.sync.0, end.first_read],
        ),
        // What was asked for since the read began is still due: rows may have changed behind it.
        Extent::Everything => tx.execute(
            "UPDATE syncs SET watermark = coalesce(?1, watermark), read_at = ?2, full_read_at = ?2,
               full_read = iif(full_read_asked < ?4, NULL, full_read),
               unnamed_as_of = iif(full_read_asked < ?4, NULL, unnamed_as_of)
             WHERE id = ?3",
            params![watermark, now, writer.sync.0, end.first_read],
        ),
    }?;
    Ok(())
}

/// Once no key is dirty, what was read is as new as the position says. A run that reads dirty keys does so until none is left, so
/// that this comes to pass however many are marked meanwhile.
fn forget_unread(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE syncs SET unread_as_of = NULL
         WHERE id = ? AND unread_as_of IS NOT NULL AND NOT EXISTS (SELECT 1 FROM dirty WHERE sync_id = syncs.id)",
    )?
    .execute([writer.sync.0])?;
    Ok(())
}

/// The key is asked for once more, and if there is still no row, its record may go.
fn suspect(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO dirty (sync_id, key, suspected) VALUES (?, ?, 1)")?
        .execute(params![writer.sync.0, KeyParameter(key)])?;
    Ok(())
}

/// Rows of an older read may be older than rows that are stored already (C1).
fn check_newest(tx: &Transaction<'_>, writer: &Writer, ticket: ReadTicket) -> Result<(), Failure> {
    let newest: i64 = tx
        .prepare_cached("SELECT read FROM syncs WHERE id = ?")?
        .query_row([writer.sync.0], |row| row.get(0))?;
    if ticket.read == newest || mutation::is_on(Mutation::TwoReaders) {
        return Ok(());
    }
    Err(StateError::Other("a newer read of this sync has begun".into()).into())
}

/// Where the rows of one chunk go.
struct Into<'a> {
    tx: &'a Transaction<'a>,
    writer: &'a Writer,
    now: Timestamp,
    keep_payload: bool,
    /// The group of rows of this chunk that were refused before.
    group: Option<i64>,
}

impl Into<'_> {
    fn apply(
        &mut self,
        row: &CapturedRow,
        intention: Intention,
        decision: Decision,
        books: &mut Books,
    ) -> Result<(), Failure> {
        books.read += 1;
        if decision == Decision::Unchanged {
            let is_fault = matches!(intention, Intention::Faulty(_));
            if is_fault && was_parked_now(self.tx, self.writer, &row.key)? {
                // Read again and no better: it is counted already.
                books.parked += 1;
                books.unparked += 1;
            } else {
                books.unchanged += 1;
            }
            return Ok(());
        }
        // Whatever is decided, older wishes of the key are void (C6); only what is being sent stays.
        let replaced = u64::from(remove(self.tx, self.writer, &row.key, WAITING)?);
        let Unquarantined { refusals, was_parked } =
            remove_quarantined(self.tx, self.writer, &row.key)?;
        books.unparked += u64::from(was_parked);
        match decision {
            Decision::Unchanged => {}
            Decision::Withdraw => {
                books.withdrawn += 1;
                books.taken_back += replaced;
            }
            Decision::Queue => {
                books.queued += 1;
                books.superseded += replaced;
                self.queue(row, intention, refusals)?;
            }
            Decision::Park => {
                books.parked += 1;
                books.superseded += replaced;
                self.park(row, intention)?;
            }
        }
        Ok(())
    }

    fn queue(
        &mut self,
        row: &CapturedRow,
        intention: Intention,
        refusals: i64,
    ) -> Result<(), Failure> {
        let fields = match &row.outcome {
            RowOutcome::Draft(fields, _) | RowOutcome::Linked(fields, _) => {
                Some(serde_json::to_string(fields)?)
            }
            RowOutcome::Fault(..) | RowOutcome::Gone | RowOutcome::Unseen | RowOutcome::Absent => {
                None
            }
        };
        // A draft that was refused and not kept is tried again apart from healthy rows.
        let group = match (refusals, self.group) {
            (0, _) => None,
            (_, Some(group)) => Some(group),
            (_, None) => Some(*self.group.insert(retry_group(self.tx)?)),
        };
        self.tx
            .prepare_cached(
                "INSERT INTO outbox (sync_id, destination_id, key, state, gone, fields, fingerprint, suspects, refusals,
                   created_at)
                 VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.writer.sync.0,
                self.writer.destination.0,
                KeyParameter(&row.key),
                fields.is_none(),
                fields,
                print_of(intention).map(|print| print.0),
                group,
                refusals,
                self.now.as_millisecond(),
            ])?;
        Ok(())
    }

    fn park(&self, row: &CapturedRow, intention: Intention) -> Result<(), Failure> {
        let RowOutcome::Fault(Fault { code, slug, reason, remedy }, _) = &row.outcome else {
            return Ok(());
        };
        self.tx
            .prepare_cached(
                "INSERT INTO outbox (sync_id, destination_id, key, state, fingerprint, not_before, refusals, code, slug,
                   reason, remedy, payload, created_at)
                 VALUES (?, ?, ?, 2, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.writer.sync.0,
                self.writer.destination.0,
                KeyParameter(&row.key),
                print_of(intention).map(|print| print.0),
                first_retry(self.now).as_millisecond(),
                code,
                slug.as_ref().map(Slug::as_str),
                reason.0,
                remedy,
                row.cells.as_ref().filter(|_| self.keep_payload).map(|cells| &cells.0),
                self.now.as_millisecond(),
            ])?;
        Ok(())
    }
}

/// `outbox.state` of an entry that waits.
pub(crate) const WAITING: i64 = 0;
/// `outbox.state` of one that waits for a person's yes: it would delete or archive a record.
pub(crate) const HELD: i64 = 3;
/// `outbox.state` of an entry in quarantine.
pub(crate) const QUARANTINED: i64 = 2;

/// Removes the key's entry of a state, held ones being such as wait; answers whether there was one.
pub(crate) fn remove(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    state: i64,
) -> rusqlite::Result<bool> {
    let removed = tx
        .prepare_cached(
            "DELETE FROM outbox WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3
               AND (state = ?4 OR state = 3 AND ?4 = 0)",
        )?
        .execute(params![writer.sync.0, writer.destination.0, KeyParameter(key), state])?;
    Ok(removed > 0)
}

/// A quarantined entry that was removed, if there was one.
#[derive(Default)]
struct Unquarantined {
    /// How often it was refused, if it is a draft that was not kept and is being tried again.
    refusals: i64,
    /// Whether its row was parked by the run that is under way.
    was_parked: bool,
}

/// SQL: whether a quarantined entry is a row that could not become a draft in the run that is under way; `?1` is the sync
/// and `?2` the writer's token.
const PARKED_NOW: &str =
    "fields IS NULL AND NOT gone AND NOT omitted AND created_at >= (SELECT started_at FROM runs
   WHERE sync_id = ?1 AND token = ?2 AND status = 'running' ORDER BY id DESC LIMIT 1)";

/// Whether the key's row was parked by the run that is under way.
fn was_parked_now(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<bool> {
    tx.prepare_cached(&format!(
        "SELECT 1 FROM outbox WHERE sync_id = ?1 AND destination_id = ?3 AND key = ?4 AND state = 2 AND {PARKED_NOW}"
    ))?
    .exists(params![writer.sync.0, writer.token, writer.destination.0, KeyParameter(key)])
}

/// Removes the key's quarantined entry.
fn remove_quarantined(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
) -> rusqlite::Result<Unquarantined> {
    let removed = tx
        .prepare_cached(&format!(
            "DELETE FROM outbox WHERE sync_id = ?1 AND destination_id = ?3 AND key = ?4 AND state = 2
             RETURNING iif(omitted AND fingerprint IS NULL, refusals, 0), {PARKED_NOW}"
        ))?
        .query_row(
            params![writer.sync.0, writer.token, writer.destination.0, KeyParameter(key)],
            |row| {
                let was_parked = row.get::<_, Option<bool>>(1)?.unwrap_or(false);
                Ok(Unquarantined { refusals: row.get(0)?, was_parked })
            },
        )
        .optional()?;
    Ok(removed.unwrap_or_default())
}

fn print_of(intention: Intention) -> Option<Fingerprint> {
    match intention {
        Intention::Record(print) | Intention::Faulty(print) => Some(print),
        Intention::Gone | Intention::Unknown => None,
    }
}
