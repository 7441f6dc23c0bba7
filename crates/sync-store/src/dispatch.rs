//! The next call: which entries, by which operation; marked `sending` before anybody sends it.

use rusqlite::{Transaction, params};
use sync_core::{
    capture::Intention,
    delivery::{Operation, Step, step},
    draft::Fields,
    key::Key,
    state::{Books, Call, CallEntry, CallKind, Dispatch, DispatchRequest, EntryId, Writer},
};

use crate::{
    calls,
    column::{KeyColumn, KeyParameter, RecordColumn, fingerprint, record_parameter, time},
    failure::Failure,
};

/// Entries looked at to fill one call. Of three operations, one has 25 entries among any 73.
const WINDOW: i64 = 100;
/// A create whose record was found missing is looked up this long after (`protocol.md` D7).
pub(crate) const SETTLING_MS: i64 = 2_000;

/// `links.standing` of a link whose record is missing: look the id up before a create.
pub(crate) const MISSING: i64 = 2;

/// An entry whose turn it may be.
struct Candidate {
    entry: CallEntry,
    suspects: Option<i64>,
    step: Step,
    bytes: usize,
    look_first: bool,
}

/// See [`sync_core::state::StateStore::dispatch`].
pub(crate) fn dispatch(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
) -> Result<(Dispatch, Books), Failure> {
    let mut books = Books::default();
    loop {
        let candidates = candidates(tx, writer, request)?;
        if candidates.is_empty() {
            return Ok((Dispatch::Nothing(next_time(tx, writer, request.now)?), books));
        }
        let (settled, candidates): (Vec<_>, Vec<_>) = candidates
            .into_iter()
            .partition(|candidate| candidate.step == Step::Equal || candidate.look_first);
        for candidate in &settled {
            if candidate.look_first {
                look_first(tx, request, candidate)?;
            } else {
                books.equal += 1;
                settle_equal(tx, writer, candidate)?;
            }
        }
        // What is equal makes room in the window: a call is filled only from a full one.
        if !settled.is_empty() {
            continue;
        }
        let Some((operation, chosen)) = choose(candidates, request) else { continue };
        if operation == Operation::Create && !request.creates {
            return Ok((Dispatch::AuditFirst, books));
        }
        mark_sending(tx, writer, request, operation, &chosen)?;
        calls::count(tx, writer.sync, kind_of(operation), request.now)?;
        let suspects = chosen.first().and_then(|candidate| candidate.suspects);
        let entries = chosen.into_iter().map(|candidate| candidate.entry).collect();
        return Ok((Dispatch::Send(Call { operation, entries, suspects }), books));
    }
}

fn candidates(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
) -> Result<Vec<Candidate>, Failure> {
    let order = if request.fresh_first { "o.suspects IS NOT NULL, " } else { "" };
    let mut select = tx.prepare_cached(&format!(
        "SELECT o.seq, o.key, o.gone, o.fields, o.fingerprint, o.suspects, o.attempts,
           l.record_id, l.standing, l.fingerprint
         FROM outbox AS o LEFT JOIN links AS l
           ON l.sync_id = o.sync_id AND l.destination_id = o.destination_id AND l.key = o.key
         WHERE o.sync_id = ?1 AND o.destination_id = ?2 AND o.state = 0 AND o.not_before <= ?3
           AND NOT EXISTS (SELECT 1 FROM outbox AS s WHERE s.sync_id = o.sync_id
             AND s.destination_id = o.destination_id AND s.key = o.key AND s.state = 1)
         ORDER BY {order}o.suspects DESC NULLS LAST, o.seq LIMIT ?4"
    ))?;
    let mut rows = select.query(params![
        writer.sync.0,
        writer.destination.0,
        request.now.as_millisecond(),
        WINDOW
    ])?;
    let mut candidates = Vec::new();
    while let Some(row) = rows.next()? {
        let gone: bool = row.get(2)?;
        let text: Option<String> = row.get(3)?;
        let wish = match (gone, fingerprint(row.get(4)?)) {
            (true, _) => Intention::Gone,
            (false, Some(print)) => Intention::Record(print),
            (false, None) => Intention::Unknown,
        };
        let standing: Option<i64> = row.get(8)?;
        let missing = standing == Some(MISSING);
        let link = match row.get::<_, Option<RecordColumn>>(7)? {
            Some(record) if !missing => {
                let held = match (standing, fingerprint(row.get(9)?)) {
                    (Some(0), Some(print)) => Intention::Record(print),
                    (Some(0), None) => Intention::Unknown,
                    _ => Intention::Gone,
                };
                Some((record.0, held))
            }
            _ => None,
        };
        let step = step(wish, link.as_ref().map(|(record, held)| (record, *held)));
        let fields = match &text {
            Some(text) => serde_json::from_str(text)?,
            None => Fields::new(Vec::new()),
        };
        candidates.push(Candidate {
            entry: CallEntry {
                id: EntryId(row.get(0)?),
                key: row.get::<_, KeyColumn>(1)?.0,
                fields,
                record: link.map(|(record, _)| record),
                attempts: row.get(6)?,
            },
            suspects: row.get(5)?,
            look_first: missing && step == Step::Create,
            step,
            bytes: text.map_or(0, |text| text.len()),
        });
    }
    Ok(candidates)
}

/// The entries of the next call: of the first candidate's group if it has one; else of the first operation that
/// fills a call, else of the first candidate's.
fn choose(
    candidates: Vec<Candidate>,
    request: &DispatchRequest,
) -> Option<(Operation, Vec<Candidate>)> {
    let first = candidates.first()?;
    let group = first.suspects;
    let first_operation = operation(&first.step)?;
    let of_group = |candidate: &&Candidate| candidate.suspects == group;
    let fills = |kind: Operation| {
        let members = candidates.iter().filter(of_group);
        members.filter(|candidate| operation(&candidate.step) == Some(kind)).count()
            >= request.entries_max
    };
    let chosen_operation = if group.is_some() || fills(first_operation) {
        first_operation
    } else {
        [Operation::Update, Operation::Create, Operation::Delete]
            .into_iter()
            .find(|kind| fills(*kind))
            .unwrap_or(first_operation)
    };
    let mut bytes = 0;
    let chosen = candidates
        .into_iter()
        .filter(|candidate| {
            candidate.suspects == group && operation(&candidate.step) == Some(chosen_operation)
        })
        .take(request.entries_max)
        .take_while(|candidate| {
            let fits = bytes == 0 || bytes + candidate.bytes <= request.bytes_max;
            bytes += candidate.bytes.max(1);
            fits
        })
        .collect();
    Some((chosen_operation, chosen))
}

fn operation(step: &Step) -> Option<Operation> {
    match step {
        Step::Create => Some(Operation::Create),
        Step::Update(_) => Some(Operation::Update),
        Step::Delete(_) => Some(Operation::Delete),
        Step::Equal => None,
    }
}

fn kind_of(operation: Operation) -> CallKind {
    match operation {
        Operation::Create => CallKind::Create,
        Operation::Update => CallKind::Update,
        Operation::Delete => CallKind::Delete,
    }
}

/// `protocol.md` D1: the record it goes to is noted, and what that record holds is unknown from now on.
fn mark_sending(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
    operation: Operation,
    chosen: &[Candidate],
) -> Result<(), Failure> {
    for candidate in chosen {
        let record = candidate.entry.record.as_ref();
        tx.prepare_cached(
            "UPDATE outbox SET state = 1, operation = ?, record_id = ?, left_at = ?, doubt = 0, answered = 0,
               empty_looks = 0, attempts = attempts + 1 WHERE seq = ?",
        )?
        .execute(params![
            operation.word(),
            record.map(record_parameter),
            request.now.as_millisecond(),
            candidate.entry.id.0
        ])?;
        if record.is_some() {
            forget_fingerprint(tx, writer, &candidate.entry.key)?;
        }
    }
    Ok(())
}

fn forget_fingerprint(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE links SET fingerprint = NULL WHERE sync_id = ? AND destination_id = ? AND key = ?",
    )?
    .execute(params![writer.sync.0, writer.destination.0, KeyParameter(key)])?;
    Ok(())
}

/// The destination is as wished. A quarantined entry of the key is older, so it is void too (C6).
fn settle_equal(
    tx: &Transaction<'_>,
    writer: &Writer,
    candidate: &Candidate,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM outbox WHERE seq = ?")?.execute([candidate.entry.id.0])?;
    crate::capture::remove(tx, writer, &candidate.entry.key, crate::capture::QUARANTINED)?;
    Ok(())
}

/// A create that follows a missing record becomes a doubt: one look-up decides (D7).
fn look_first(
    tx: &Transaction<'_>,
    request: &DispatchRequest,
    candidate: &Candidate,
) -> rusqlite::Result<()> {
    let now = request.now.as_millisecond();
    tx.prepare_cached(
        "UPDATE outbox SET state = 1, operation = 'create', record_id = NULL, left_at = ?1, doubt = 1, answered = 1,
           empty_looks = 0, not_before = ?2 WHERE seq = ?3",
    )?
    .execute([now, now + SETTLING_MS, candidate.entry.id.0])?;
    Ok(())
}

/// See [`sync_core::state::StateStore::next_ready`].
pub(crate) fn next_ready(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: jiff::Timestamp,
) -> rusqlite::Result<Option<jiff::Timestamp>> {
    let ready: bool = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox
             WHERE sync_id = ? AND destination_id = ? AND state = 0 AND not_before <= ?)",
        )?
        .query_row(params![writer.sync.0, writer.destination.0, now.as_millisecond()], |row| {
            row.get(0)
        })?;
    if ready { Ok(Some(now)) } else { next_time(tx, writer, now) }
}

fn next_time(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: jiff::Timestamp,
) -> rusqlite::Result<Option<jiff::Timestamp>> {
    let next: Option<i64> = tx
        .prepare_cached(
            "SELECT min(not_before) FROM outbox
             WHERE sync_id = ? AND destination_id = ? AND state = 0 AND not_before > ?",
        )?
        .query_row(params![writer.sync.0, writer.destination.0, now.as_millisecond()], |row| {
            row.get(0)
        })?;
    Ok(next.map(time))
}
