//! What a comparison keeps of one side until the other is read, and the differences that it notes: temporary tables of
//! this connection, which SQLite keeps in a file that nobody else can open.

mod store;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{
    comparison::{
        Cause, ComparedRecord, ComparedRow, Content, Disagreement, EntryState, Known, LinkState,
    },
    draft::Fingerprint,
    key::Key,
    record::RecordId,
    slug::Slug,
    state::{Compared, Origin, Rest, RestPolicy, Writer},
};

use crate::{
    column::{KeyColumn, KeyParameter, RecordColumn, fingerprint, limit, record_parameter},
    dispatch::{KEPT, LEFT, MISSING, forget_fingerprint},
    effects,
    failure::Failure,
    older, recordless, scan,
    settle::put_link,
};

/// A record that is kept, as far as a row needs it.
struct Kept {
    place: i64,
    record: RecordId,
    content: Content,
}

/// A difference on its way into the table.
struct Note<'a> {
    disagreement: Disagreement,
    cause: Cause,
    key: Option<&'a Key>,
    external_id: Option<&'a str>,
    record: Option<&'a RecordId>,
    fields: String,
    code: Option<&'a str>,
}

/// See [`sync_core::state::ComparisonStore::begin_comparison`].
pub(crate) fn begin(tx: &Transaction<'_>, writer: &Writer, now: Timestamp) -> rusqlite::Result<()> {
    tx.execute_batch(
        "DROP TABLE IF EXISTS temp.kept;
         DROP TABLE IF EXISTS temp.differences;
         DROP TABLE IF EXISTS temp.comparison;
         CREATE TEMP TABLE comparison (teaches INTEGER NOT NULL);
         CREATE TEMP TABLE kept (place INTEGER PRIMARY KEY, record_id NOT NULL UNIQUE, external_id TEXT,
           autonumber INTEGER, fingerprint BLOB NOT NULL, digests BLOB NOT NULL, is_untouched INTEGER NOT NULL,
           row_key, row_id TEXT);
         CREATE INDEX temp.kept_ids ON kept (external_id);
         CREATE INDEX temp.kept_rows ON kept (row_id) WHERE row_id IS NOT NULL AND row_id IS NOT external_id;
         CREATE TEMP TABLE differences (place INTEGER PRIMARY KEY, disagreement TEXT NOT NULL, cause TEXT NOT NULL,
           key, external_id TEXT, record_id, fields TEXT NOT NULL, code TEXT);
         CREATE INDEX temp.difference_keys ON differences (key);",
    )?;
    tx.execute("INSERT INTO temp.comparison VALUES (?)", [!older::is_held(tx, now)?])?;
    scan::begin(tx, writer)
}

/// Whether what the table showed may be believed by links. A call that the state does not know of, and that was on its way
/// when the table was read, may have changed it since (D9).
fn teaches(tx: &Transaction<'_>) -> rusqlite::Result<bool> {
    tx.query_row("SELECT teaches FROM temp.comparison", [], |row| row.get(0))
}

/// See [`sync_core::state::ComparisonStore::keep_records`].
pub(crate) fn keep(tx: &Transaction<'_>, records: &[ComparedRecord]) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO temp.kept (record_id, external_id, autonumber, fingerprint, digests, is_untouched)
         VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for record in records {
        insert.execute(params![
            record_parameter(&record.record),
            record.external_id,
            record.autonumber.and_then(|number| i64::try_from(number).ok()),
            record.content.fingerprint.0,
            record.content.digests,
            record.is_untouched,
        ])?;
    }
    Ok(())
}

/// See [`sync_core::state::ComparisonStore::compare_rows`].
pub(crate) fn rows(
    tx: &Transaction<'_>,
    writer: &Writer,
    rows: &[ComparedRow],
    shape: &[Slug],
    all_read_next: bool,
) -> Result<Compared, Failure> {
    let mut compared = Compared::default();
    let (only_updates, teaches) = (recordless::only_updates(tx, writer)?, teaches(tx)?);
    for row in rows {
        let link = link(tx, writer, &row.key)?;
        let linked = match &link {
            Some(link) => by_record(tx, &link.record)?,
            None => None,
        };
        let is_linked = linked.is_some();
        let kept = match linked {
            Some(kept) => Some(kept),
            None => by_external_id(tx, writer, &row.external_id)?,
        };
        if let Some(kept) = &kept {
            tx.prepare_cached("UPDATE temp.kept SET row_key = ?, row_id = ? WHERE place = ?")?
                .execute(params![KeyParameter(&row.key), row.external_id, kept.place])?;
            compared.unlinked += u64::from(!is_linked);
        }
        let held = kept.as_ref().map(|kept| kept.content.fingerprint);
        if let (Ok(wish), Some(held)) = (&row.wish, held)
            && wish.fingerprint == held
        {
            compared.equal += 1;
            let is_unknown = link.as_ref().is_some_and(|link| link.fingerprint.is_none());
            if is_linked && is_unknown && teaches {
                compared.settled += settle(tx, writer, &row.key, held)?;
            }
            continue;
        }
        let known = Known {
            // A link that leads to another record says nothing of this one.
            link: link.filter(|_| is_linked || kept.is_none()).and_then(|link| link.state()),
            entry: entry(tx, writer, &row.key)?,
            is_dirty: is_dirty(tx, writer, &row.key)?,
            is_read_next: all_read_next,
            makes_none: only_updates,
        };
        let wish = row.wish.as_ref().ok();
        let differing = match (wish, &kept) {
            (Some(wish), Some(kept)) => wish.differing(&kept.content),
            (None, _) | (_, None) => Vec::new(),
        };
        let fields: Vec<&str> =
            differing.iter().filter_map(|place| shape.get(*place)).map(|slug| &**slug).collect();
        note(
            tx,
            &Note {
                disagreement: match kept {
                    Some(_) => Disagreement::Different,
                    None => Disagreement::Missing,
                },
                cause: known.cause(wish.map(|wish| wish.fingerprint), held),
                key: Some(&row.key),
                external_id: Some(&row.external_id),
                record: kept.as_ref().map(|kept| &kept.record),
                fields: fields.join(","),
                code: row.wish.as_ref().err().map(String::as_str),
            },
        )?;
    }
    Ok(compared)
}

/// The link of a key.
struct Link {
    record: RecordId,
    fingerprint: Option<Fingerprint>,
    standing: i64,
}

impl Link {
    fn state(&self) -> Option<LinkState> {
        match self.standing {
            MISSING => None,
            LEFT => Some(LinkState::LeftMissing),
            KEPT => Some(LinkState::Kept),
            _ => Some(LinkState::Holds(self.fingerprint)),
        }
    }
}

fn link(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<Option<Link>> {
    tx.prepare_cached(
        "SELECT record_id, fingerprint, standing FROM links WHERE sync_id = ? AND destination_id = ? AND key = ?",
    )?
    .query_row(params![writer.sync.0, writer.destination.0, KeyParameter(key)], |row| {
        Ok(Link {
            record: row.get::<_, RecordColumn>(0)?.0,
            fingerprint: fingerprint(row.get(1)?),
            standing: row.get(2)?,
        })
    })
    .optional()
}

fn by_record(tx: &Transaction<'_>, record: &RecordId) -> rusqlite::Result<Option<Kept>> {
    tx.prepare_cached(
        "SELECT place, record_id, fingerprint, digests FROM temp.kept WHERE record_id = ?",
    )?
    .query_row([record_parameter(record)], kept)
    .optional()
}

/// A record that carries the id and is linked to nothing: of several, one that people touched, else the one with the
/// lowest number.
fn by_external_id(
    tx: &Transaction<'_>,
    writer: &Writer,
    id: &str,
) -> rusqlite::Result<Option<Kept>> {
    tx.prepare_cached(
        "SELECT place, record_id, fingerprint, digests FROM temp.kept AS k WHERE external_id = ?1
           AND NOT EXISTS (SELECT 1 FROM temp.linked AS l WHERE l.viewer = ?2 AND l.record_id = k.record_id)
         ORDER BY is_untouched, autonumber LIMIT 1",
    )?
    .query_row(params![id, writer.sync.0], kept)
    .optional()
}

fn kept(row: &rusqlite::Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        place: row.get(0)?,
        record: row.get::<_, RecordColumn>(1)?.0,
        content: Content { fingerprint: Fingerprint(row.get(2)?), digests: row.get(3)? },
    })
}

/// Of a key's entries, the one that matters most for what its record will hold.
fn entry(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<Option<EntryState>> {
    // Sending before waiting before quarantined.
    let state: Option<i64> = tx
        .prepare_cached(
            "SELECT state FROM outbox WHERE sync_id = ? AND destination_id = ? AND key = ?
             ORDER BY state = 1 DESC, state LIMIT 1",
        )?
        .query_row(params![writer.sync.0, writer.destination.0, KeyParameter(key)], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(state.map(|state| match state {
        0 | 3 => EntryState::Waits,
        1 => EntryState::InDoubt,
        _ => EntryState::Quarantined,
    }))
}

fn is_dirty(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM dirty WHERE sync_id = ? AND key = ?")?
        .exists(params![writer.sync.0, KeyParameter(key)])
}

/// The link learns what its record holds; not while a write may still change it (D1).
fn settle(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    held: Fingerprint,
) -> rusqlite::Result<u64> {
    let learned = tx
        .prepare_cached(
            "UPDATE links SET fingerprint = ?1
             WHERE sync_id = ?2 AND destination_id = ?3 AND key = ?4 AND standing = 0
               AND NOT EXISTS (SELECT 1 FROM outbox WHERE sync_id = ?2 AND destination_id = ?3 AND key = ?4
                 AND (state = 1 OR attempts > 0))",
        )?
        .execute(params![held.0, writer.sync.0, writer.destination.0, KeyParameter(key)])?;
    Ok(u64::try_from(learned).unwrap_or(0))
}

fn note(tx: &Transaction<'_>, note: &Note<'_>) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO temp.differences (disagreement, cause, key, external_id, record_id, fields, code)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        note.disagreement.word(),
        note.cause.word(),
        note.key.map(KeyParameter),
        note.external_id,
        note.record.map(record_parameter),
        note.fields,
        note.code,
    ])?;
    Ok(())
}

/// See [`sync_core::state::ComparisonStore::note_read_next`].
pub(crate) fn note_read_next(tx: &Transaction<'_>, keys: &[Key]) -> rusqlite::Result<()> {
    let mut update = tx.prepare_cached(
        "UPDATE temp.differences SET cause = ? WHERE key = ? AND disagreement IN ('missing', 'different')
           AND cause IN ('row_missed', 'unclear')",
    )?;
    for key in keys {
        update.execute(params![Cause::ReadNext.word(), KeyParameter(key)])?;
    }
    Ok(())
}

/// A record that no row was compared with.
struct Unmatched {
    place: i64,
    record: RecordId,
    external_id: Option<String>,
    /// The sync and the key that it is linked to.
    holder: Option<(i64, Key)>,
    /// Another record stands for its external id.
    is_twice: bool,
}

/// See [`sync_core::state::ComparisonStore::compare_rest`].
pub(crate) fn rest(
    tx: &Transaction<'_>,
    writer: &Writer,
    policy: &RestPolicy,
    after: i64,
    records_max: usize,
) -> Result<(Rest, Option<i64>), Failure> {
    let mut rest = Rest::default();
    let mut last = None;
    let only_updates = recordless::only_updates(tx, writer)?;
    for unmatched in unmatched(tx, writer, after, records_max)? {
        last = Some(unmatched.place);
        let key = match (&unmatched.holder, &unmatched.external_id) {
            (Some((sync, key)), _) if *sync == writer.sync.0 => Some(key.clone()),
            (Some(_), _) => {
                rest.others += 1;
                continue;
            }
            (None, None) => {
                rest.people += 1;
                continue;
            }
            // Who makes no records is not missed where one has no row.
            (None, Some(_)) if only_updates => {
                rest.others += 1;
                continue;
            }
            (None, Some(id)) => {
                let key = Key::from_external_id(id, &policy.key_prefix);
                // A hashed id does not lead back to its key; under a prefix it may be another sync's.
                let is_hashed = id.starts_with("~~") && policy.key_prefix.is_empty();
                if key.is_none() && !is_hashed && !unmatched.is_twice {
                    rest.others += 1;
                    continue;
                }
                key
            }
        };
        let is_linked = unmatched.holder.is_some();
        let disagreement = match (is_linked, unmatched.is_twice) {
            (false, true) => Disagreement::Duplicate,
            (true, _) | (false, false) => Disagreement::Extra,
        };
        let cause = match (disagreement, &key) {
            (Disagreement::Duplicate, _) => Cause::Twice,
            (_, None) => Cause::NotLinked,
            (_, Some(key)) => cause_of_extra(tx, writer, policy, key, is_linked)?,
        };
        note(
            tx,
            &Note {
                disagreement,
                cause,
                key: key.as_ref(),
                external_id: unmatched.external_id.as_deref(),
                record: Some(&unmatched.record),
                fields: String::new(),
                code: None,
            },
        )?;
    }
    Ok((rest, last))
}

fn unmatched(
    tx: &Transaction<'_>,
    writer: &Writer,
    after: i64,
    records_max: usize,
) -> rusqlite::Result<Vec<Unmatched>> {
    tx.prepare_cached(
        "SELECT k.place, k.record_id, k.external_id, l.sync_id, l.key,
           EXISTS (SELECT 1 FROM temp.kept AS o WHERE o.external_id = k.external_id AND o.place <> k.place
             AND (o.row_key IS NOT NULL OR o.place < k.place
               OR EXISTS (SELECT 1 FROM temp.linked AS h WHERE h.viewer = ?3 AND h.record_id = o.record_id)))
           OR EXISTS (SELECT 1 FROM temp.kept AS o WHERE o.row_id = k.external_id
             AND o.row_id IS NOT NULL AND o.row_id IS NOT o.external_id)
         FROM temp.kept AS k LEFT JOIN temp.linked AS l ON l.viewer = ?3 AND l.record_id = k.record_id
         WHERE k.place > ?1 AND k.row_key IS NULL GROUP BY k.place ORDER BY k.place LIMIT ?2",
    )?
    .query_map(params![after, limit(records_max), writer.sync.0], |row| {
        let sync: Option<i64> = row.get(3)?;
        let holder = match sync {
            Some(sync) => Some((sync, row.get::<_, KeyColumn>(4)?.0)),
            None => None,
        };
        Ok(Unmatched {
            place: row.get(0)?,
            record: row.get::<_, RecordColumn>(1)?.0,
            external_id: row.get(2)?,
            holder,
            is_twice: row.get(5)?,
        })
    })?
    .collect()
}

fn cause_of_extra(
    tx: &Transaction<'_>,
    writer: &Writer,
    policy: &RestPolicy,
    key: &Key,
    is_linked: bool,
) -> rusqlite::Result<Cause> {
    Ok(match entry(tx, writer, key)? {
        Some(EntryState::Waits) => Cause::Waits,
        Some(EntryState::InDoubt) => Cause::InDoubt,
        Some(EntryState::Quarantined) => Cause::Quarantined,
        None if is_dirty(tx, writer, key)? => Cause::ReadNext,
        None if !is_linked => Cause::NotLinked,
        None => match link(tx, writer, key)?.and_then(|link| link.state()) {
            Some(LinkState::Kept) => Cause::Kept,
            _ if policy.keeps_records => Cause::Kept,
            _ => Cause::RowGone,
        },
    })
}

/// See [`sync_core::state::ComparisonStore::link_compared`].
pub(crate) fn link_compared(
    tx: &Transaction<'_>,
    writer: &Writer,
    after: i64,
    records_max: usize,
    now: Timestamp,
) -> Result<(u64, Option<i64>), Failure> {
    let unlinked: Vec<(i64, Key, RecordId, Fingerprint)> = tx
        .prepare_cached(
            "SELECT place, row_key, record_id, fingerprint FROM temp.kept AS k
             WHERE place > ?1 AND row_key IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM temp.linked AS l WHERE l.viewer = ?3 AND l.record_id = k.record_id)
             ORDER BY place LIMIT ?2",
        )?
        .query_map(params![after, limit(records_max), writer.sync.0], |row| {
            let key = row.get::<_, KeyColumn>(1)?.0;
            Ok((row.get(0)?, key, row.get::<_, RecordColumn>(2)?.0, Fingerprint(row.get(3)?)))
        })?
        .collect::<Result<_, _>>()?;
    let last = unlinked.last().map(|(place, ..)| *place);
    let (teaches, mut linked) = (teaches(tx)?, 0);
    for (_, key, record, print) in unlinked {
        let print = teaches.then_some(print);
        put_link(tx, writer, now, &key, &record, print, Origin::Adopted)?;
        effects::log_found(tx, writer, now, &key, &record)?;
        scan::mark_dirty(tx, writer, &key)?;
        linked += 1;
    }
    Ok((linked, last))
}

/// See [`sync_core::state::ComparisonStore::distrust`].
pub(crate) fn distrust(
    tx: &Transaction<'_>,
    writer: &Writer,
    keys: &[Key],
) -> rusqlite::Result<()> {
    for key in keys {
        forget_fingerprint(tx, writer, key)?;
        scan::mark_dirty(tx, writer, key)?;
    }
    Ok(())
}
