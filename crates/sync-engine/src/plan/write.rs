//! One write of a plan.

use std::collections::BTreeSet;

use sync_core::{
    delivery::Operation,
    draft::{Fields, LinkedRow},
    field_value::FieldValue,
    key::Key,
    record::RecordId,
    slug::Slug,
    state::CallEntry,
    table::Choice,
};

use super::RehearsedTarget;

/// What a run would do to one record. `Debug` hides the key and the values.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedWrite {
    /// Created, updated or deleted.
    pub operation: Operation,
    /// The row's key.
    pub key: Key,
    /// The record; `None` for a create.
    pub record: Option<RecordId>,
    /// What it is to hold; no fields for a delete.
    pub fields: Fields,
    /// The rows whose records its link fields hold.
    pub links: Vec<LinkedRow>,
}

/// Says whether two writes are the same, of the same record and with the same values.
pub type WriteDigest = [u8; 16];

impl PlannedWrite {
    pub(super) fn of(operation: Operation, entry: &CallEntry) -> Self {
        Self {
            operation,
            key: entry.key.clone(),
            record: entry.record.clone(),
            fields: entry.fields.clone(),
            links: entry.links.clone(),
        }
    }

    /// Whether it goes to a record that is there already, and not to one that the same plan creates.
    pub fn record_is_there(&self) -> bool {
        self.record.as_ref().is_some_and(|record| !RehearsedTarget::is_made_up(&record.0))
    }

    /// Its digest. `is_new`: its record is one that this plan or run created, whose id another one has otherwise. Links
    /// count as the rows that they lead to, for the same reason.
    fn digest(&self, is_new: bool) -> WriteDigest {
        let record = self.record.as_ref().map_or("", |record| record.0.as_str());
        digest_of([
            ("operation", self.operation.word().to_owned()),
            ("key", self.key.text().into_owned()),
            ("record", if is_new { "new" } else { record }.to_owned()),
            ("values", format!("{:?}", self.fields.as_wished(&self.links).fingerprint())),
        ])
    }
}

/// Digests of a sync's writes, in the order in which they leave: a record that one of them creates is known to those
/// after it.
#[derive(Clone, Debug, Default)]
pub(super) struct WriteDigests {
    /// Keys of records that were created, by their digests.
    created: BTreeSet<WriteDigest>,
}

impl WriteDigests {
    /// The digest of the next write.
    pub(super) fn next(&mut self, write: &PlannedWrite) -> WriteDigest {
        let key = digest_of([("key", write.key.text().into_owned())]);
        if write.operation == Operation::Create {
            self.created.insert(key);
        }
        write.digest(self.created.contains(&key))
    }
}

/// The digest of a choice that is added to a field.
pub(super) fn choice_digest(slug: &Slug, choice: &Choice) -> WriteDigest {
    digest_of([
        ("operation", "choice".to_owned()),
        ("field", slug.to_string()),
        ("id", choice.id.clone()),
        ("label", choice.label.clone()),
    ])
}

fn digest_of<const N: usize>(parts: [(&str, String); N]) -> WriteDigest {
    let parts = parts.map(|(name, text)| (Slug::from(name), FieldValue::text(text)));
    Fields::new(parts.into()).fingerprint().0
}
