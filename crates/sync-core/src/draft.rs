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

/// A row whose record a link field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedRow {
    /// The field.
    pub slug: Slug,
    /// The id of the record.
    pub record: String,
    /// The key of the row, in the sync that the field leads to.
    pub key: Key,
}

/// Field values of a draft, each list sorted by slug, each slug once.
///
/// Most are kept as they are in the source. Beside them stand values that only a new record gets, and values for
/// fields that are found empty: these are no part of what is compared, as they belong to people once they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredFields", into = "StoredFields")]
pub struct Fields {
    kept: Vec<(Slug, FieldValue)>,
    on_create: Vec<(Slug, FieldValue)>,
    if_empty: Vec<(Slug, FieldValue)>,
}

/// The stored form: a plain list where there is nothing but values that are kept, as it always was.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredFields {
    Kept(Vec<(Slug, FieldValue)>),
    All {
        kept: Vec<(Slug, FieldValue)>,
        #[serde(default)]
        on_create: Vec<(Slug, FieldValue)>,
        #[serde(default)]
        if_empty: Vec<(Slug, FieldValue)>,
    },
}

impl From<StoredFields> for Fields {
    fn from(stored: StoredFields) -> Self {
        match stored {
            StoredFields::Kept(kept) => Self { kept, on_create: Vec::new(), if_empty: Vec::new() },
            StoredFields::All { kept, on_create, if_empty } => Self { kept, on_create, if_empty },
        }
    }
}

impl From<Fields> for StoredFields {
    fn from(Fields { kept, on_create, if_empty }: Fields) -> Self {
        if on_create.is_empty() && if_empty.is_empty() {
            Self::Kept(kept)
        } else {
            Self::All { kept, on_create, if_empty }
        }
    }
}

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

/// What a fingerprint is made of; used again and again, as one is made for every row.
#[derive(Debug, Default)]
pub(crate) struct PrintInput(Vec<u8>);

impl PrintInput {
    /// Begins another one.
    pub(crate) fn begin(&mut self) {
        self.0.clear();
        self.0.push(FINGERPRINT_VERSION);
    }

    /// Adds a field, which must come after the one before it in the order of slugs.
    pub(crate) fn put(&mut self, slug: &Slug, put_value: impl FnOnce(&mut Vec<u8>)) {
        put_text(&mut self.0, slug);
        put_value(&mut self.0);
    }

    /// The fingerprint of what was added.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let hash = blake3::hash(&self.0);
        let mut short = [0; 16];
        short.copy_from_slice(hash.as_bytes().split_at(16).0);
        Fingerprint(short)
    }
}

impl Fields {
    /// Sorts by slug. A slug given twice keeps its last value; configuration checks exclude that case.
    pub fn new(fields: Vec<(Slug, FieldValue)>) -> Self {
        Self { kept: sorted(fields), on_create: Vec::new(), if_empty: Vec::new() }
    }

    /// With values that only a new record gets.
    #[must_use]
    pub fn with_on_create(self, fields: Vec<(Slug, FieldValue)>) -> Self {
        Self { on_create: sorted(fields), ..self }
    }

    /// With values for fields that a new record has, and for those found empty when the record is written.
    #[must_use]
    pub fn with_if_empty(self, fields: Vec<(Slug, FieldValue)>) -> Self {
        Self { if_empty: sorted(fields), ..self }
    }

    /// Every field that is kept as it is in the source, sorted by slug.
    pub fn iter(&self) -> impl Iterator<Item = (&Slug, &FieldValue)> {
        self.kept.iter().map(|(slug, value)| (slug, value))
    }

    /// What a new record gets besides.
    pub fn on_create(&self) -> impl Iterator<Item = (&Slug, &FieldValue)> {
        self.on_create.iter().chain(&self.if_empty).map(|(slug, value)| (slug, value))
    }

    /// Values for fields that are found empty; an empty value fills nothing.
    pub fn if_empty(&self) -> impl Iterator<Item = (&Slug, &FieldValue)> {
        let filled = self.if_empty.iter().filter(|(_, value)| *value != FieldValue::Empty);
        filled.map(|(slug, value)| (slug, value))
    }

    /// The value that is kept for a slug; `None` if there is none.
    pub fn get(&self, slug: &str) -> Option<&FieldValue> {
        self.kept.iter().find(|(name, _)| &**name == slug).map(|(_, value)| value)
    }

    /// These with others beside them, which win.
    #[must_use]
    pub fn with(self, others: Vec<(Slug, FieldValue)>) -> Self {
        let Self { mut kept, on_create, if_empty } = self;
        kept.extend(others);
        Self { kept: sorted(kept), on_create, if_empty }
    }

    /// The value that a new record gets for a slug.
    pub fn written(&self, slug: &str) -> Option<&FieldValue> {
        self.iter()
            .chain(self.on_create())
            .find(|(name, _)| &***name == slug)
            .map(|(_, value)| value)
    }

    /// The fingerprint of the values that are kept.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut print = PrintInput::default();
        print.begin();
        for (slug, value) in &self.kept {
            print.put(slug, |bytes| value.canonical_bytes(bytes));
        }
        print.fingerprint()
    }

    /// The same with rows instead of the records that they have: what is wished for, whichever records hold it.
    #[must_use]
    pub fn as_wished(&self, rows: &[LinkedRow]) -> Self {
        let mut wished = self.clone();
        for (slug, value) in &mut wished.kept {
            let FieldValue::Ids(ids) = value else { continue };
            let row = |id: &String| rows.iter().find(|row| row.slug == *slug && row.record == *id);
            let named = |id: &String| {
                row(id).map_or_else(|| id.clone(), |row| format!("row {}", row.key.text()))
            };
            *value = FieldValue::ids(ids.iter().map(named));
        }
        wished
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

fn sorted(mut fields: Vec<(Slug, FieldValue)>) -> Vec<(Slug, FieldValue)> {
    fields.reverse();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields.dedup_by(|later, first| later.0 == first.0);
    fields
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
    fn links_count_as_the_rows_that_they_lead_to() {
        let held =
            |id: &str| fields(&[("l", FieldValue::ids([id.to_owned(), "other".to_owned()]))]);
        let rows = |record: &str, key: &str| {
            let key =
                Key::from_cells([("id", &crate::value::Value::Text(key.to_owned()))]).unwrap();
            [LinkedRow { slug: "l".into(), record: record.to_owned(), key }]
        };
        let wished = |id, key| held(id).as_wished(&rows(id, key));
        assert_eq!(wished("a", "1"), wished("b", "1"), "another record of the same row");
        assert_ne!(wished("a", "1"), wished("a", "2"), "another row");
        assert_ne!(held("a").as_wished(&[]), held("b").as_wished(&[]), "records of no known row");
    }

    #[test]
    fn what_only_new_records_get_is_stored_and_not_compared() {
        let plain = fields(&[("a", FieldValue::text("1"))]);
        let json = serde_json::to_string(&plain).unwrap();
        assert_eq!(json, r#"[["a",{"Text":"1"}]]"#, "as it was always stored");
        let more = plain
            .clone()
            .with_on_create(vec![("b".into(), FieldValue::Yes)])
            .with_if_empty(vec![("c".into(), FieldValue::Empty), ("d".into(), FieldValue::Yes)]);
        assert_eq!(more.fingerprint(), plain.fingerprint());
        for value in [plain, more.clone()] {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Fields>(&json).unwrap(), value);
        }
        let slugs = |found: Vec<(&Slug, &FieldValue)>| {
            found.into_iter().map(|(slug, _)| slug.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(slugs(more.on_create().collect()), ["b", "c", "d"]);
        assert_eq!(slugs(more.if_empty().collect()), ["d"]);
    }

    #[test]
    fn absent_counts_as_empty() {
        let draft = fields(&[("a", FieldValue::Empty), ("b", FieldValue::text("x"))]);
        assert_eq!(draft.differing(&[]), vec![Slug::from("b")]);
    }
}
