//! The destination: records by number, each with the key it carries and the word it holds.

use std::collections::BTreeMap;

use sync_core::{
    draft::Fields,
    field_value::FieldValue,
    key::Key,
    record::RecordId,
    state::{Origin, SeenLink},
};

use crate::fixture::{draft, record};

/// The destination. Effects happen when a call is answered, lost, or its sender dies.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    records: BTreeMap<i64, (i64, String)>,
    created: i64,
}

impl Service {
    pub(super) fn create(&mut self, key: &Key, fields: &Fields) -> (RecordId, u64) {
        self.created += 1;
        self.records.insert(self.created, (number(key), word(fields)));
        (record(self.created), u64::try_from(self.created).unwrap())
    }

    /// Whether the record was there to be updated.
    pub(super) fn update(&mut self, id: &RecordId, fields: &Fields) -> bool {
        let found = self.records.get_mut(&number_of(id));
        found.map(|(_, held)| *held = word(fields)).is_some()
    }

    pub(super) fn delete(&mut self, id: &RecordId) {
        self.records.remove(&number_of(id));
    }

    pub(super) fn delete_by_hand(&mut self, key: i64) {
        self.records.retain(|_, (of, _)| *of != key);
    }

    /// Records that carry the key, with what they hold.
    pub(super) fn of_key(&self, key: i64) -> Vec<(RecordId, &str)> {
        self.records
            .iter()
            .filter(|(_, (of, _))| *of == key)
            .map(|(number, (_, word))| (record(*number), word.as_str()))
            .collect()
    }

    /// What the record holds.
    pub(super) fn word_in(&self, id: &RecordId) -> Option<&str> {
        self.records.get(&number_of(id)).map(|(_, word)| word.as_str())
    }

    /// Every record as a scan shows it, and the highest number.
    pub(super) fn all(&self) -> (Vec<SeenLink>, u64) {
        let seen = self.records.iter().map(|(number, (key, word))| SeenLink {
            key: Some(Key::Int(*key)),
            record: record(*number),
            fingerprint: Some(draft(word).fingerprint()),
            origin: Origin::Adopted,
        });
        (seen.collect(), u64::try_from(self.created).unwrap())
    }
}

pub(super) fn number(key: &Key) -> i64 {
    key.text().parse().unwrap()
}

fn number_of(id: &RecordId) -> i64 {
    i64::from_str_radix(&id.0, 16).unwrap()
}

fn word(fields: &Fields) -> String {
    match fields.get("title") {
        Some(FieldValue::Text(word)) => word.clone(),
        other => panic!("{other:?}"),
    }
}
