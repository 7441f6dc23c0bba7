//! What the state holds for the keys of a chunk. The links are walked beside the rows, in the order of their keys: rows
//! of a table come in that order, and one long step through the links costs a fraction of a look-up for each.

use rusqlite::{CachedStatement, Transaction, params, types::ValueRef};
use sync_core::{
    capture::{Intention, Standing},
    key::Key,
    state::Writer,
};

use crate::{
    capture::{HELD, WAITING},
    column::{KeyParameter, fingerprint, fingerprint_in},
    dispatch::LEFT,
    failure::Failure,
    recordless,
};

/// Links in a row that belong to no row of the chunk, after which the next row is looked up: rows of a read that are far
/// from each other must not pull in everything that lies between.
const PASSED_MAX: u32 = 8;

/// What the links say of these keys, in their order; `None`: no link.
pub(crate) fn links(
    tx: &Transaction<'_>,
    writer: &Writer,
    keys: &[&Key],
) -> Result<Vec<Option<Intention>>, Failure> {
    let mut found = vec![None; keys.len()];
    let mut wanted: Vec<(&Key, &mut Option<Intention>)> =
        keys.iter().copied().zip(&mut found).collect();
    if !wanted.is_sorted_by(|one, next| one.0 <= next.0) {
        wanted.sort_by(|one, next| one.0.cmp(next.0));
    }
    let mut links = tx.prepare_cached(
        "SELECT key, standing, fingerprint FROM links WHERE sync_id = ? AND destination_id = ? AND key >= ?
         ORDER BY key",
    )?;
    let mut rest = wanted.as_mut_slice();
    let mut passed_max = PASSED_MAX;
    while let Some((from, _)) = rest.first() {
        let settled = walk(&mut links, writer, from, rest, passed_max)?;
        rest = rest.get_mut(settled..).unwrap_or_default();
        // Where one walk led to one row only, the next will, too.
        passed_max = if settled > 1 { PASSED_MAX } else { 0 };
    }
    Ok(found)
}

/// Walks the links from a key on, past at most so many in a row that belong to no row, and answers how many of the wanted
/// ones were settled: at least one.
fn walk(
    links: &mut CachedStatement<'_>,
    writer: &Writer,
    from: &Key,
    wanted: &mut [(&Key, &mut Option<Intention>)],
    passed_max: u32,
) -> Result<usize, Failure> {
    let count = wanted.len();
    let mut settled = 0;
    let mut passed = 0;
    let mut wanted = wanted.iter_mut().peekable();
    let mut rows = links.query(params![writer.sync.0, writer.destination.0, KeyParameter(from)])?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?;
        // Rows before this link have none.
        while wanted.next_if(|(wanted, _)| is_before(wanted, key)).is_some() {
            settled += 1;
        }
        let intention = match (row.get::<_, i64>(1)?, fingerprint_in(row.get_ref(2)?)) {
            (0 | LEFT, Some(print)) => Intention::Record(print),
            (0 | LEFT, None) => Intention::Unknown,
            _ => Intention::Gone,
        };
        passed += 1;
        while let Some((_, link)) = wanted.next_if(|(wanted, _)| is_at(wanted, key)) {
            **link = Some(intention);
            settled += 1;
            passed = 0;
        }
        if settled == count || passed > passed_max {
            return Ok(settled);
        }
    }
    // No link is left.
    Ok(count)
}

/// Whether a key comes before the one in a column, as SQLite sorts them: numbers before texts.
fn is_before(key: &Key, column: ValueRef<'_>) -> bool {
    match (key, column) {
        (Key::Int(key), ValueRef::Integer(column)) => *key < column,
        (Key::Int(_), _) => true,
        (Key::Text(key), ValueRef::Text(column)) => key.as_bytes() < column,
        (Key::Text(_), _) => false,
    }
}

fn is_at(key: &Key, column: ValueRef<'_>) -> bool {
    match (key, column) {
        (Key::Int(key), ValueRef::Integer(column)) => *key == column,
        (Key::Text(key), ValueRef::Text(column)) => key.as_bytes() == column,
        (Key::Int(_) | Key::Text(_), _) => false,
    }
}

/// What the state holds for a key whose link is known, or known to be none.
pub(crate) fn standing(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    link: Option<Intention>,
    with_outbox: bool,
) -> Result<Standing, Failure> {
    let link = match link {
        Some(link) => Some(link),
        // As good as written: the same row is not wished for again.
        None => recordless::known(tx, writer, key)?.map(Intention::Record),
    };
    let mut standing = Standing { link, ..Standing::default() };
    if !with_outbox {
        return Ok(standing);
    }
    let mut entries = tx.prepare_cached(
        "SELECT state, gone, fields IS NULL AND NOT omitted, fingerprint FROM outbox
         WHERE sync_id = ? AND destination_id = ? AND key = ? ORDER BY seq",
    )?;
    let mut rows =
        entries.query(params![writer.sync.0, writer.destination.0, KeyParameter(key)])?;
    while let Some(row) = rows.next()? {
        let intention =
            match (row.get::<_, bool>(1)?, row.get::<_, bool>(2)?, fingerprint(row.get(3)?)) {
                (true, _, _) => Intention::Gone,
                (false, true, Some(print)) => Intention::Faulty(print),
                (false, false, Some(print)) => Intention::Record(print),
                (false, _, None) => Intention::Unknown,
            };
        match row.get::<_, i64>(0)? {
            WAITING | HELD => standing.waiting = Some(intention),
            1 => standing.sending = Some(intention),
            // Parked after the entry that is being sent, it is the newest and stands where a waiting one would.
            _ if standing.sending.is_some() => standing.waiting = Some(intention),
            _ => standing.quarantined = Some(intention),
        }
    }
    Ok(standing)
}
