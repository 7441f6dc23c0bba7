//! A digest of a sync's outbox, by which a plan is compared with what would be sent now.

use rusqlite::{Transaction, types::ValueRef};
use sync_core::state::Writer;

/// See [`sync_core::state::StateStore::outbox_digest`].
pub(crate) fn of_outbox(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<[u8; 16]> {
    let mut select = tx.prepare_cached(
        "SELECT key, state, doubt, gone, fingerprint, code FROM outbox
         WHERE sync_id = ? AND destination_id = ? ORDER BY key, state",
    )?;
    let mut rows = select.query([writer.sync.0, writer.destination.0])?;
    let mut hasher = blake3::Hasher::new();
    while let Some(row) = rows.next()? {
        for column in 0..6 {
            put(&mut hasher, row.get_ref(column)?);
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
