//! Where the parts of each sync stand in the file, for what is found out only at the servers.

use std::collections::BTreeMap;

use crate::sql::TextPosition;

use super::{
    decode::Given,
    raw::{RawField, RawFile, RawLink, RawSync},
    scalar::Scalar,
    span::Span,
};

/// The places of every sync that has a name.
#[derive(Clone, Debug, Default)]
pub struct Places(BTreeMap<String, SyncPlaces>);

/// The places of one sync. A part that the file lacks is found at the sync's name.
#[derive(Clone, Debug)]
pub struct SyncPlaces {
    /// Of its name.
    pub name: Span,
    /// Of its table's id.
    pub table_id: Span,
    /// Of the slug of its external-id field.
    pub external_id_field: Span,
    /// Of its first key column.
    pub primary_key: Span,
    /// Of its time zone; of its query where there is none.
    pub time_zone: Span,
    query: Option<Scalar>,
    mappings: Vec<(Scalar, Given<Scalar>)>,
    fields: Vec<(Scalar, Given<RawField>)>,
    links: Vec<(Scalar, Given<RawLink>)>,
}

impl Places {
    /// The places of a sync.
    pub fn sync(&self, name: &str) -> Option<&SyncPlaces> {
        self.0.get(name)
    }

    pub(super) fn of(file: &RawFile) -> Self {
        let syncs = file.syncs.0.iter().flat_map(|syncs| &syncs.value);
        let places = syncs.filter_map(|sync| SyncPlaces::of(&sync.value));
        // Of two with one name the first counts; the file is not used anyway.
        let mut by_name = BTreeMap::new();
        for (name, places) in places {
            by_name.entry(name).or_insert(places);
        }
        Self(by_name)
    }
}

impl SyncPlaces {
    fn of(sync: &RawSync) -> Option<(String, Self)> {
        let name = sync.name.0.as_ref()?;
        let source = sync.source.0.as_ref().map(|given| &given.value);
        let destination = sync.destination.0.as_ref().map(|given| &given.value);
        let query = source.and_then(|source| {
            source.query.as_ref().or(source.filter.as_ref()).or(source.table.as_ref())
        });
        let key = source.and_then(|source| source.primary_key.as_ref()?.value.0.first());
        let zone = source.and_then(|source| source.time_zone.as_ref());
        let table = destination.and_then(|destination| destination.table_id.0.as_ref());
        let field = destination.and_then(|destination| destination.external_id_field.0.as_ref());
        let mappings = destination.and_then(|destination| destination.field_mappings.as_ref());
        let fields = destination.and_then(|destination| destination.fields.as_ref());
        let links = destination.and_then(|destination| destination.links.as_ref());
        let span = |given: Option<&Given<Scalar>>| given.map_or(name.span, |given| given.span);
        let places = Self {
            name: name.span,
            table_id: span(table),
            external_id_field: span(field),
            primary_key: key.map_or_else(|| span(query), |scalar| scalar.span),
            time_zone: span(zone.or(query)),
            query: query.map(|given| given.value.clone()),
            mappings: mappings.map(|given| given.value.0.clone()).unwrap_or_default(),
            fields: fields.map(|given| given.value.0.clone()).unwrap_or_default(),
            links: links.map(|given| given.value.0.clone()).unwrap_or_default(),
        };
        Some((name.value.text.trim().to_owned(), places))
    }

    /// Where a column is mapped.
    pub fn column(&self, column: &str) -> Option<Span> {
        let found = self.mappings.iter().find(|(name, _)| name.text.trim() == column);
        let found = found.map(|(name, _)| name.span).or_else(|| {
            let columns = self.fields.iter().filter_map(|(_, field)| field.value.column.as_ref());
            columns.into_iter().find(|name| name.value.text.trim() == column).map(|name| name.span)
        });
        found.or_else(|| self.link_column(column))
    }

    /// Where a column of a link is named.
    fn link_column(&self, column: &str) -> Option<Span> {
        let of_fields = self.fields.iter().filter_map(|(_, field)| field.value.link.as_ref());
        let links = self.links.iter().map(|(_, link)| link).chain(of_fields);
        let from = links.filter_map(|link| link.value.from.0.as_ref());
        let mut columns = from.flat_map(|given| &given.value.0);
        columns.find(|named| named.text.trim() == column).map(|named| named.span)
    }

    /// Where a slug is mapped to.
    pub fn slug(&self, slug: &str) -> Option<Span> {
        let found = self.mappings.iter().find(|(_, given)| given.value.text.trim() == slug);
        let link = || self.links.iter().find(|(name, _)| name.text.trim() == slug);
        let found = found.map(|(_, given)| given.span).or_else(|| {
            let named = self.fields.iter().find(|(name, _)| name.text.trim() == slug);
            named.map(|(name, _)| name.span)
        });
        found.or_else(|| link().map(|(name, _)| name.span))
    }

    /// What stands in the query at `at`: a word, or a single character.
    pub fn query_at(&self, at: TextPosition) -> Span {
        let Some(query) = &self.query else { return self.name };
        let rest = query.text.get(at.offset..).unwrap_or("");
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        query.span_of(at.offset..at.offset + word.max(first))
    }

    /// A line of the query, counted from 1 as servers do in their messages.
    pub fn query_line(&self, line: usize) -> Span {
        let Some(query) = &self.query else { return self.name };
        let before: usize =
            query.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let text = query.text.get(before..).and_then(|rest| rest.lines().next()).unwrap_or("");
        let indent = text.len() - text.trim_start().len();
        query.span_of(before + indent..before + text.len())
    }
}
