//! Answers into links, quarantine, doubt or wishes again. An answer settles exactly the entry that was sent (C6).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{
    doubt::SETTLING,
    draft::{Fields, Fingerprint},
    field_value::FieldValue,
    key::Key,
    mutation::{self, Mutation},
    record::RecordId,
    slug::Slug,
    state::{Books, EntryId, Fault, Origin, Outcome, Settlement, Writer},
};

use crate::{
    capture::{WAITING, remove},
    column::{KeyColumn, KeyParameter, RecordColumn, fingerprint, record_parameter},
    dispatch::{ARCHIVE_FIRST, KEPT, LEFT, MISSING},
    effects,
    failure::Failure,
    keeping::Keeping,
    links,
    links::Doubtful,
    older,
    quarantine::{new_group, retry_at},
    second_look::{self, Suspicion},
};

/// An entry that is being sent, as it stands in the outbox.
pub(crate) struct Sent {
    seq: i64,
    pub(crate) key: Key,
    print: Option<Fingerprint>,
    pub(crate) operation: String,
    /// The record it went to; `None` for a create.
    pub(crate) record: Option<RecordId>,
    /// The fields of its draft, as JSON; `None` for gone.
    pub(crate) slugs: Option<String>,
    /// The number of the call it was sent with.
    pub(crate) call: Option<i64>,
    /// It was in doubt already.
    pub(crate) was_in_doubt: bool,
    refusals: i64,
    /// It is a create in doubt, which was sent.
    create_in_doubt: bool,
    /// A newer entry of the key waits or is parked: this one is no longer what anybody wishes.
    superseded: bool,
    /// The record it went to is linked to its key no more; always false for a create.
    link_moved: bool,
}

/// See [`sync_core::state::StateStore::settle`].
pub(crate) fn settle(
    tx: &Transaction<'_>,
    writer: &Writer,
    settlements: &[Settlement],
    now: Timestamp,
    keeping: Keeping,
) -> Result<Books, Failure> {
    let mut books = Books::default();
    let mut groups = BTreeMap::new();
    let mut highest = None;
    for settlement in settlements {
        let Some(sent) = sent(tx, writer, settlement.id)? else { continue };
        let group = match &settlement.outcome {
            Outcome::Back { group: Some(number), .. }
            | Outcome::Unanswered { group: Some(number), .. }
            | Outcome::InDoubt { group: Some(number), .. } => {
                let group = match groups.get(number) {
                    Some(group) => *group,
                    None => *groups.entry(*number).or_insert(new_group(tx)?),
                };
                Some(if sent.refusals > 0 { -group } else { group })
            }
            Outcome::Written { .. }
            | Outcome::WrittenOtherwise { .. }
            | Outcome::Found { .. }
            | Outcome::Deleted
            | Outcome::Refused { .. }
            | Outcome::Back { .. }
            | Outcome::Unanswered { .. }
            | Outcome::InDoubt { .. }
            | Outcome::Missing
            | Outcome::LeftMissing => None,
        };
        if let Outcome::Written { autonumber, .. } | Outcome::WrittenOtherwise { autonumber, .. } =
            &settlement.outcome
            && sent.operation == "create"
        {
            highest = highest.max(*autonumber);
        }
        let is_written = matches!(
            settlement.outcome,
            Outcome::Written { .. } | Outcome::WrittenOtherwise { .. }
        );
        let until = if sent.operation != "create" && is_written {
            // It has taken effect: a row that changes all the time would else put its look off for ever.
            now.saturating_add(SETTLING).unwrap_or(now)
        } else {
            second_look::in_an_hour(now)
        };
        second_look::postpone(tx, writer, &sent.key, until)?;
        if keeping.effects {
            effects::log_outcome(tx, writer, now, &sent, &settlement.outcome)?;
        }
        let scene = Scene { tx, writer, now, keeping };
        settle_one(scene, &sent, &settlement.outcome, group, &mut books)?;
    }
    raise_mark(tx, writer, highest)?;
    Ok(books)
}

fn sent(tx: &Transaction<'_>, writer: &Writer, id: EntryId) -> Result<Option<Sent>, Failure> {
    let sent = tx
        .prepare_cached(
            "SELECT seq, key, fingerprint, operation, refusals, doubt = 1 AND answered < 2,
               EXISTS (SELECT 1 FROM outbox AS newer WHERE newer.sync_id = o.sync_id
                 AND newer.destination_id = o.destination_id AND newer.key = o.key AND newer.seq > o.seq),
               record_id IS NOT NULL AND record_id IS NOT (SELECT l.record_id FROM links AS l
                 WHERE l.sync_id = o.sync_id AND l.destination_id = o.destination_id AND l.key = o.key),
               record_id, call, doubt,
               (SELECT json_group_array(value ->> 0)
                 FROM json_each(iif(json_type(fields) = 'object', fields -> 'kept', fields)) WHERE fields IS NOT NULL)
             FROM outbox AS o WHERE seq = ? AND sync_id = ? AND destination_id = ? AND state = 1",
        )?
        .query_row([id.0, writer.sync.0, writer.destination.0], |row| {
            Ok(Sent {
                seq: row.get(0)?,
                key: row.get::<_, KeyColumn>(1)?.0,
                print: fingerprint(row.get(2)?),
                operation: row.get(3)?,
                refusals: row.get(4)?,
                create_in_doubt: row.get(5)?,
                superseded: row.get(6)?,
                link_moved: row.get(7)?,
                record: row.get::<_, Option<RecordColumn>>(8)?.map(|record| record.0),
                call: row.get(9)?,
                was_in_doubt: row.get(10)?,
                slugs: row.get(11)?,
            })
        })
        .optional()?;
    Ok(sent)
}

/// Where and when answers are settled.
#[derive(Clone, Copy)]
struct Scene<'a> {
    tx: &'a Transaction<'a>,
    writer: &'a Writer,
    now: Timestamp,
    keeping: Keeping,
}

fn settle_one(
    scene: Scene<'_>,
    sent: &Sent,
    outcome: &Outcome,
    group: Option<i64>,
    books: &mut Books,
) -> Result<(), Failure> {
    let Scene { tx, writer, now, keeping } = scene;
    match outcome {
        // Adoption moved the link meanwhile: the wish is decided anew (D1).
        Outcome::Written { .. }
        | Outcome::WrittenOtherwise { .. }
        | Outcome::Deleted
        | Outcome::Missing
        | Outcome::LeftMissing
            if sent.link_moved =>
        {
            back(tx, sent, None, now, books)?;
        }
        Outcome::Written { .. } if sent.operation == "archive" => {
            keep_link(tx, writer, now, &sent.key)?;
            drop_entry(tx, sent)?;
            books.archived += 1;
        }
        Outcome::Written { .. } if sent.operation == ARCHIVE_FIRST => {
            keep_link(tx, writer, now, &sent.key)?;
            // The wish stands: the record goes next.
            back(tx, sent, None, now, books)?;
        }
        Outcome::Written { record, .. } => {
            put_link(tx, writer, now, &sent.key, record, sent.print, Origin::Created)?;
            if keeping.values {
                keep_values(tx, writer, sent, fields_of(tx, sent)?)?;
            }
            drop_entry(tx, sent)?;
            settle_newer(tx, writer, sent, books)?;
            if sent.operation == "create" { books.created += 1 } else { books.updated += 1 }
        }
        Outcome::WrittenOtherwise { record, left_out, .. } => {
            let held = without_lost_links(tx, writer, now, sent, left_out)?;
            let print = held.as_ref().map_or(sent.print, |held| Some(held.fingerprint()));
            put_link(tx, writer, now, &sent.key, record, print, Origin::Created)?;
            if keeping.values {
                keep_values(tx, writer, sent, held)?;
            }
            drop_entry(tx, sent)?;
            if sent.operation == "create" { books.created += 1 } else { books.updated += 1 }
        }
        Outcome::Found { record, fingerprint, origin, .. } => {
            let believed = mutation::is_on(Mutation::DraftBelieved);
            let fingerprint = if believed { &sent.print } else { fingerprint };
            put_link(tx, writer, now, &sent.key, record, *fingerprint, *origin)?;
            if fingerprint.is_some() && *fingerprint == sent.print {
                if keeping.values {
                    keep_values(tx, writer, sent, fields_of(tx, sent)?)?;
                }
                drop_entry(tx, sent)?;
                settle_newer(tx, writer, sent, books)?;
                match origin {
                    Origin::Created => books.created += 1,
                    Origin::Adopted => books.adopted += 1,
                }
            } else {
                back(tx, sent, None, now, books)?;
            }
        }
        Outcome::Deleted => {
            drop_link(tx, writer, &sent.key)?;
            drop_entry(tx, sent)?;
            older::note_deleted(tx, now)?;
            books.deleted += 1;
        }
        Outcome::Refused { fault } => {
            give_up(tx, writer, now, sent)?;
            if mutation::is_on(Mutation::RefusedForgotten) {
                drop_entry(tx, sent)?;
                books.taken_back += 1;
            } else if sent.superseded && !mutation::is_on(Mutation::RefusalOutlivesWish)
                || is_about_lost_link(tx, writer, now, sent, fault)?
            {
                drop_entry(tx, sent)?;
                books.superseded += 1;
            } else {
                quarantine(tx, now, sent, fault, keeping.payload)?;
                books.quarantined += 1;
            }
        }
        Outcome::Back { not_before, .. } => {
            if sent.operation == "create" {
                drop_missing_link(tx, writer, &sent.key)?;
            }
            give_up(tx, writer, now, sent)?;
            back(tx, sent, group, *not_before, books)?;
        }
        Outcome::Unanswered { .. } if mutation::is_on(Mutation::UnansweredForgotten) => {
            restore_fingerprint(tx, writer, sent)?;
            drop_entry(tx, sent)?;
            books.updated += 1;
        }
        Outcome::Unanswered { not_before, .. } => {
            let due = second_look::in_an_hour(now);
            second_look::schedule(tx, writer, &sent.key, Suspicion::Values, due)?;
            back(tx, sent, group, *not_before, books)?;
        }
        Outcome::InDoubt { answered, left_at, empty_looks, look_at, fault, .. } => {
            tx.prepare_cached(
                "UPDATE outbox SET doubt = 1, answered = ?1, left_at = ?2, empty_looks = ?3, not_before = ?4,
                   suspects = coalesce(?5, suspects), faulted = ?6 IS NOT NULL, code = coalesce(?6, code),
                   slug = iif(?6 IS NULL, slug, ?7), reason = coalesce(?8, reason), remedy = coalesce(?9, remedy)
                 WHERE seq = ?10",
            )?
            .execute(params![
                answered,
                left_at.as_millisecond(),
                empty_looks,
                look_at.as_millisecond(),
                group,
                fault.as_ref().map(|fault| &fault.code),
                fault.as_ref().and_then(|fault| fault.slug.as_ref()).map(Slug::as_str),
                fault.as_ref().map(|fault| &fault.reason.0),
                fault.as_ref().map(|fault| &fault.remedy),
                sent.seq
            ])?;
        }
        Outcome::Missing => {
            tx.prepare_cached(
                "UPDATE links SET standing = ?, fingerprint = NULL
                 WHERE sync_id = ? AND destination_id = ? AND key = ?",
            )?
            .execute(params![
                MISSING,
                writer.sync.0,
                writer.destination.0,
                KeyParameter(&sent.key)
            ])?;
            back(tx, sent, None, now, books)?;
        }
        Outcome::LeftMissing => {
            tx.prepare_cached(
                "UPDATE links SET fingerprint = ?, standing = ?
                 WHERE sync_id = ? AND destination_id = ? AND key = ?",
            )?
            .execute(params![
                sent.print.map(|print| print.0),
                LEFT,
                writer.sync.0,
                writer.destination.0,
                KeyParameter(&sent.key)
            ])?;
            drop_entry(tx, sent)?;
            books.taken_back += 1;
        }
    }
    Ok(())
}

/// What was to be written, as it was sent.
fn fields_of(tx: &Transaction<'_>, sent: &Sent) -> Result<Option<Fields>, Failure> {
    let text: Option<String> = tx
        .prepare_cached("SELECT fields FROM outbox WHERE seq = ?")?
        .query_row([sent.seq], |row| row.get(0))?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Whether a row is refused for a link whose record may be gone: then it is read again and goes out without it.
fn is_about_lost_link(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    sent: &Sent,
    fault: &Fault,
) -> Result<bool, Failure> {
    let Some(slug) = &fault.slug else { return Ok(false) };
    let Some(fields) = fields_of(tx, sent)? else { return Ok(false) };
    let Some(FieldValue::Ids(ids)) = fields.get(slug) else { return Ok(false) };
    // The complaint may name the record.
    let named: BTreeSet<String> =
        ids.iter().filter(|id| fault.reason.0.contains(id.as_str())).cloned().collect();
    let suspects = if named.is_empty() { ids } else { &named };
    let doubt = links::doubt(tx, writer, now, &sent.key, slug, suspects)?;
    Ok(matches!(doubt, Doubtful::Withheld(_)))
}

/// What the record holds where the service left links out whose records may be gone; links that it left out for another
/// reason count as written, so that they are not sent for ever.
fn without_lost_links(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    sent: &Sent,
    left_out: &[(Slug, BTreeSet<String>)],
) -> Result<Option<Fields>, Failure> {
    let Some(mut held) = fields_of(tx, sent)? else { return Ok(None) };
    for (slug, ids) in left_out {
        if let Doubtful::Withheld(withheld) = links::doubt(tx, writer, now, &sent.key, slug, ids)? {
            held = links::without(held, slug, &withheld);
        }
    }
    Ok(Some(held))
}

/// Keeps what was written, for people (`state.keep_values`). Whoever shows it holds it against the link's fingerprint.
fn keep_values(
    tx: &Transaction<'_>,
    writer: &Writer,
    sent: &Sent,
    fields: Option<Fields>,
) -> Result<(), Failure> {
    let text = fields.map(|fields| serde_json::to_string(&fields)).transpose()?;
    tx.prepare_cached(
        "UPDATE links SET base = ? WHERE sync_id = ? AND destination_id = ? AND key = ?",
    )?
    .execute(params![text, writer.sync.0, writer.destination.0, KeyParameter(&sent.key)])?;
    Ok(())
}

/// A create in doubt was not found: what it may still become is looked for in an hour (D6).
fn give_up(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    sent: &Sent,
) -> rusqlite::Result<()> {
    if sent.create_in_doubt {
        let due = second_look::in_an_hour(now);
        second_look::schedule(tx, writer, &sent.key, Suspicion::Twin, due)?;
    }
    Ok(())
}

/// Links a key to a record. The origin and the time of creation of a link to the same record stay as they were.
pub(crate) fn put_link(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    key: &Key,
    record: &RecordId,
    print: Option<Fingerprint>,
    origin: Origin,
) -> rusqlite::Result<()> {
    let origin = match origin {
        Origin::Created => 0,
        Origin::Adopted => 1,
    };
    tx.prepare_cached(
        "INSERT INTO links (sync_id, destination_id, key, record_id, origin, fingerprint, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET
           origin = iif(record_id = excluded.record_id, origin, excluded.origin),
           created_at = iif(record_id = excluded.record_id, created_at, excluded.created_at),
           updated_at = excluded.created_at, record_id = excluded.record_id,
           fingerprint = excluded.fingerprint, standing = 0",
    )?
    .execute(params![
        writer.sync.0,
        writer.destination.0,
        KeyParameter(key),
        record_parameter(record),
        origin,
        print.map(|print| print.0),
        now.as_second(),
    ])?;
    second_look::schedule_for_record(tx, writer, key, record, now)
}

/// The key's record is archived: it stays linked, so that its row finds it again.
fn keep_link(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    key: &Key,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE links SET standing = ?, fingerprint = NULL, updated_at = ?
         WHERE sync_id = ? AND destination_id = ? AND key = ?",
    )?
    .execute(params![
        KEPT,
        now.as_second(),
        writer.sync.0,
        writer.destination.0,
        KeyParameter(key)
    ])?;
    Ok(())
}

/// Removes a key's link.
pub(crate) fn drop_link(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM links WHERE sync_id = ? AND destination_id = ? AND key = ?")?
        .execute(params![writer.sync.0, writer.destination.0, KeyParameter(key)])?;
    Ok(())
}

fn drop_missing_link(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "DELETE FROM links WHERE sync_id = ? AND destination_id = ? AND key = ? AND standing = ?",
    )?
    .execute(params![writer.sync.0, writer.destination.0, KeyParameter(key), MISSING])?;
    Ok(())
}

/// For mutations: an answer settles what waits behind it, too.
fn settle_newer(
    tx: &Transaction<'_>,
    writer: &Writer,
    sent: &Sent,
    books: &mut Books,
) -> rusqlite::Result<()> {
    if mutation::is_on(Mutation::OldAnswerSettlesNewer) {
        books.superseded += u64::from(remove(tx, writer, &sent.key, WAITING)?);
    }
    Ok(())
}

/// For mutations: the link takes the draft's fingerprint, as if its update had been answered.
fn restore_fingerprint(tx: &Transaction<'_>, writer: &Writer, sent: &Sent) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE links SET fingerprint = ? WHERE sync_id = ? AND destination_id = ? AND key = ?",
        params![
            sent.print.map(|print| print.0),
            writer.sync.0,
            writer.destination.0,
            KeyParameter(&sent.key)
        ],
    )?;
    Ok(())
}

fn drop_entry(tx: &Transaction<'_>, sent: &Sent) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM outbox WHERE seq = ?")?.execute([sent.seq])?;
    Ok(())
}

/// The entry is a wish again, unless a newer one of its key waits. One that stood in quarantine keeps its complaint:
/// its retry may be put off.
fn back(
    tx: &Transaction<'_>,
    sent: &Sent,
    group: Option<i64>,
    not_before: Timestamp,
    books: &mut Books,
) -> rusqlite::Result<()> {
    if sent.superseded {
        books.superseded += u64::from(!mutation::is_on(Mutation::SupersededUncounted));
        return drop_entry(tx, sent);
    }
    tx.prepare_cached(
        "UPDATE outbox SET state = 0, doubt = 0, operation = NULL, record_id = NULL, not_before = ?,
           suspects = coalesce(?, suspects), faulted = 0, code = iif(refusals > 0, code, NULL),
           slug = iif(refusals > 0, slug, NULL), reason = iif(refusals > 0, reason, NULL),
           remedy = iif(refusals > 0, remedy, NULL) WHERE seq = ?",
    )?
    .execute(params![not_before.as_millisecond(), group, sent.seq])?;
    Ok(())
}

fn quarantine(
    tx: &Transaction<'_>,
    now: Timestamp,
    sent: &Sent,
    fault: &Fault,
    keep_payload: bool,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE outbox SET state = 2, doubt = 0, operation = NULL, record_id = NULL, suspects = NULL, not_before = ?1,
           omitted = NOT (?7 OR gone), fields = iif(?7, fields, NULL), attempts = 0, refusals = refusals + 1, code = ?2, slug = ?3, reason = ?4, remedy = ?5 WHERE seq = ?6",
    )?
    .execute(params![
        retry_at(now, sent.refusals + 1).as_millisecond(),
        fault.code,
        fault.slug.as_ref().map(Slug::as_str),
        fault.reason.0,
        fault.remedy,
        sent.seq,
        keep_payload
    ])?;
    Ok(())
}

/// Raises the mark by what answers to creates showed: before a process sends one it has looked at what was there. Who looks
/// for a record, or updates it, has not. Not while a create is in doubt or on its way, whose record may lie below.
fn raise_mark(tx: &Transaction<'_>, writer: &Writer, highest: Option<u64>) -> rusqlite::Result<()> {
    let Some(highest) = highest.and_then(|number| i64::try_from(number).ok()) else {
        return Ok(());
    };
    tx.prepare_cached(
        "UPDATE targets SET mark = max(mark, ?1)
         WHERE sync_id = ?2 AND destination_id = ?3 AND mark IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM outbox
             WHERE sync_id = ?2 AND destination_id = ?3 AND state = 1 AND operation = 'create')",
    )?
    .execute([highest, writer.sync.0, writer.destination.0])?;
    Ok(())
}
