//! The record that a row should become, and its fingerprint.

use serde::{Deserialize, Serialize};

use crate::{
    field_value::{FieldValue, put_text},
    key::Key,
    slug::Slug,
};

/// What one source row should look like in the destination. Holds only mapped, writable fields and always the
/// external-id field; sorted by slug.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The row's key.
    pub key: Key,
    /// What to write, but for the link fields.
    pub fields: Fields,
    /// The link fields, each with the rows it points to. The state knows their records.
    pub links: Vec<LinkWish>,
}

/// What one link field should hold: the records of these rows of another sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWish {
    /// The field.
    pub slug: Slug,
    /// Keys of the other sync's rows, each once, in order; none clears the field.
    pub parents: Vec<Key>,
}

/// Field values of a draft, sorted by slug, each slug once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields(Vec<(Slug, FieldValue)>);

/// First byte of every fingerprint's input. Raise it when the canonical form changes: stored fingerprints then equal
/// nothing and are compared by value once, instead of every record being written.
const FINGERPRINT_VERSION: u8 = 1;

/// 16 bytes of BLAKE3 over a draft's canonical bytes; equal fingerprints mean equal records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Fields {
    /// Sorts by slug. A slug given twice keeps its last value; configuration checks exclude that case.
    pub fn new(mut fields: Vec<(Slug, FieldValue)>) -> Self {
        fields.reverse();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields.dedup_by(|later, first| later.0 == first.0);
        Self(fields)
    }

    /// Every field, sorted by slug.
    pub fn iter(&self) -> impl Iterator<Item = (&Slug, &FieldValue)> {
        self.0.iter().map(|(slug, value)| (slug, value))
    }

    /// The value for a slug; `None` if it is not part of the draft.
    pub fn get(&self, slug: &str) -> Option<&FieldValue> {
        self.0.iter().find(|(name, _)| &**name == slug).map(|(_, value)| value)
    }

    /// These with others beside them, which win.
    #[must_use]
    pub fn with(self, others: Vec<(Slug, FieldValue)>) -> Self {
        let mut all = self.0;
        all.extend(others);
        Self::new(all)
    }

    /// The fingerprint of these values.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut bytes = Vec::with_capacity(64 * self.0.len() + 1);
        bytes.push(FINGERPRINT_VERSION);
        for (slug, value) in &self.0 {
            put_text(&mut bytes, slug);
            value.canonical_bytes(&mut bytes);
        }
        let hash = blake3::hash(&bytes);
        let mut short = [0; 16];
        short.copy_from_slice(hash.as_bytes().split_at(16).0);
        Fingerprint(short)
    }

    /// Slugs whose value differs in `seen`; a slug that `seen` does not carry counts as `Empty` there.
    pub fn differing(&self, seen: &[(Slug, FieldValue)]) -> Vec<Slug> {
        self.iter()
            .filter(|(slug, value)| {
                let other = seen.iter().find(|(name, _)| name == *slug);
                other.map_or(&FieldValue::Empty, |(_, value)| value) != *value
            })
            .map(|(slug, _)| Slug::clone(slug))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, FieldValue)]) -> Fields {
        Fields::new(pairs.iter().map(|(slug, value)| (Slug::from(*slug), value.clone())).collect())
    }

    #[test]
    fn order_of_the_mapping_does_not_change_the_fingerprint() {
        let a = fields(&[("a", FieldValue::text("1")), ("b", FieldValue::Yes)]);
        let b = fields(&[("b", FieldValue::Yes), ("a", FieldValue::text("1"))]);
        assert_eq!(a.fingerprint(), b.fingerprint());
    }

    #[test]
    fn values_that_share_bytes_differ_in_fingerprint() {
        let one = fields(&[("a", FieldValue::text("1")), ("b", FieldValue::Empty)]);
        let two = fields(&[("a", FieldValue::Empty), ("b", FieldValue::text("1"))]);
        let number = fields(&[("a", FieldValue::Number(1.into())), ("b", FieldValue::Empty)]);
        assert_ne!(one.fingerprint(), two.fingerprint());
        assert_ne!(one.fingerprint(), number.fingerprint());
    }

    #[test]
    fn absent_counts_as_empty() {
        let draft = fields(&[("a", FieldValue::Empty), ("b", FieldValue::text("x"))]);
        assert_eq!(draft.differing(&[]), vec![Slug::from("b")]);
    }
}
