//! Where the parts of each sync stand in the file, for what turns out only when the servers are asked.

use std::collections::BTreeMap;

use super::{
    decode::{Given, Required},
    raw::{RawFile, RawSync},
    span::Span,
};

/// Where the parts of one sync stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncPlaces {
    name: Option<Span>,
    query: Option<Span>,
    primary_key: Option<Span>,
    updated_at_field: Option<Span>,
    table_id: Option<Span>,
    external_id_field: Option<(String, Span)>,
    /// Of each mapped column: its own place, its slug and the slug's place.
    mappings: BTreeMap<String, (Span, String, Span)>,
}

impl SyncPlaces {
    /// Of the sync's name.
    pub fn name(&self) -> Option<Span> {
        self.name
    }

    /// Of the key `query`, as its text may be long.
    pub fn query(&self) -> Option<Span> {
        self.query
    }

    /// Of the key columns.
    pub fn primary_key(&self) -> Option<Span> {
        self.primary_key
    }

    /// Of the cursor column.
    pub fn updated_at_field(&self) -> Option<Span> {
        self.updated_at_field
    }

    /// Of the table's id.
    pub fn table_id(&self) -> Option<Span> {
        self.table_id
    }

    /// Of a column in the mapping, or among the key columns.
    pub fn column(&self, column: &str) -> Option<Span> {
        self.mappings.get(column).map(|(place, _, _)| *place)
    }

    /// Of a slug in the mapping, or as the external-id field.
    pub fn slug(&self, slug: &str) -> Option<Span> {
        let external = self.external_id_field.as_ref().filter(|(field, _)| field == slug);
        let mapped = self.mappings.values().find(|(_, mapped, _)| mapped == slug);
        mapped.map(|(_, _, place)| *place).or(external.map(|(_, place)| *place))
    }

    fn of(raw: &RawSync) -> Self {
        let source = raw.source.0.as_ref().map(|given| &given.value);
        let destination = raw.destination.0.as_ref().map(|given| &given.value);
        let mappings = destination.and_then(|section| section.field_mappings.0.as_ref());
        Self {
            name: value(&raw.name),
            query: source.and_then(|section| section.query.0.as_ref()).map(|given| given.key),
            primary_key: source.and_then(|section| value(&section.primary_key)),
            updated_at_field: source
                .and_then(|section| section.updated_at_field.as_ref())
                .map(|given| given.span),
            table_id: destination.and_then(|section| value(&section.table_id)),
            external_id_field: destination
                .and_then(|section| section.external_id_field.0.as_ref())
                .map(|given| (given.value.text.clone(), given.span)),
            mappings: mappings
                .into_iter()
                .flat_map(|given| &given.value.0)
                .map(|(column, slug)| {
                    (column.text.clone(), (column.span, slug.value.text.clone(), slug.span))
                })
                .collect(),
        }
    }
}

fn value<T>(required: &Required<T>) -> Option<Span> {
    required.0.as_ref().map(|given: &Given<T>| given.span)
}

/// The places of every sync, in the file's order.
pub(super) fn of(file: &RawFile) -> Vec<SyncPlaces> {
    let syncs = file.syncs.0.iter().flat_map(|given| &given.value);
    syncs.map(|sync| SyncPlaces::of(&sync.value)).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    const FILE: &str = "\
syncs:
  - name: a
    source:
      query: SELECT id, x FROM t
      primary_key: id
      updated_at_field: changed
    destination:
      table_id: 650000000000000000000001
      external_id_field: sext
      field_mappings:
        x: title
";

    #[test]
    fn the_parts_of_a_sync_are_found_in_the_text() {
        let parsed = parse(FILE, &|_| None);
        assert!(parsed.config.is_some(), "{:?}", parsed.diagnostics);
        let places = &parsed.places[0];
        let text = |span: Option<super::Span>| span.map(|span| &FILE[span.start..span.end]);
        assert_eq!(text(places.name()), Some("a"));
        assert_eq!(text(places.query()), Some("query"));
        assert_eq!(text(places.primary_key()), Some("id"));
        assert_eq!(text(places.updated_at_field()), Some("changed"));
        assert_eq!(text(places.table_id()), Some("650000000000000000000001"));
        assert_eq!(text(places.column("x")), Some("x"));
        assert_eq!(text(places.slug("title")), Some("title"));
        assert_eq!(text(places.slug("sext")), Some("sext"));
        assert_eq!(text(places.slug("other")), None);
    }
}
