//! A digest of a sync's outbox, by which a plan is compared with what would be sent now.

use rusqlite::{Transaction, types::ValueRef};
use sync_core::{draft::Fields, state::Writer};

use crate::{column::KeyColumn, failure::Failure, links::Links};

/// Links count as the rows that they lead to: which record a row will have is not known before it has one.
///
/// See [`sync_core::state::StateStore::outbox_digest`].
pub(crate) fn of_outbox(tx: &Transaction<'_>, writer: &Writer) -> Result<[u8; 16], Failure> {
    let mut select = tx.prepare_cached(
        "SELECT key, state, doubt, gone, code, fingerprint, fields FROM outbox
         WHERE sync_id = ? AND destination_id = ? ORDER BY key, state",
    )?;
    let mut rows = select.query([writer.sync.0, writer.destination.0])?;
    let mut links = Links::default();
    let mut hasher = blake3::Hasher::new();
    while let Some(row) = rows.next()? {
        for column in 0..5 {
            put(&mut hasher, row.get_ref(column)?);
        }
        let linked = links.rows(tx, writer, &row.get::<_, KeyColumn>(0)?.0)?;
        match row.get::<_, Option<String>>(6)? {
            Some(fields) if !linked.is_empty() => {
                let wished = serde_json::from_str::<Fields>(&fields)?.as_wished(&linked);
                put(&mut hasher, ValueRef::Blob(&wished.fingerprint().0));
            }
            _ => put(&mut hasher, row.get_ref(5)?),
        }
    }
    let mut short = [0; 16];
    short.copy_from_slice(hasher.finalize().as_bytes().split_at(16).0);
    Ok(short)
}

/// Feeds a value so that no two sequences of values feed the same bytes.
fn put(hasher: &mut blake3::Hasher, value: ValueRef<'_>) {
    let (kind, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => {
            hasher.update(&[1]).update(&number.to_le_bytes());
            return;
        }
        ValueRef::Real(number) => {
            hasher.update(&[2]).update(&number.to_le_bytes());
            return;
        }
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    hasher.update(&[kind]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}
