//! The `destination` of a sync.

use std::collections::BTreeMap;

use crate::{
    config::{
        decode::{Entries, Given},
        defaults,
        diagnostic::Code,
        model::{DestinationDefinition, FieldMapping, OnDelete, OnMissing},
        raw::{ON_MISSING, RawDestination, RawSync},
        report::{Finding, Report},
        scalar::Scalar,
        suggestion::nearest,
    },
    slug::Slug,
};

use super::{conversion, filled, filled_scalar, gone, link};

pub(super) fn lower(
    raw: &RawDestination,
    sync: &RawSync,
    syncs: &[&RawSync],
    report: &mut Report<'_>,
) -> Option<DestinationDefinition> {
    let table_id = raw.table_id.0.as_ref().and_then(|given| table_id(given, report));
    let external_id_field = raw
        .external_id_field
        .0
        .as_ref()
        .and_then(|given| filled(given, "external_id_field", report));
    let on_missing = raw.on_missing.as_ref().and_then(|given| on_missing(given, report));
    let on_delete = gone::lower(raw, sync, report);
    let fields = raw.field_mappings.0.as_ref().map(|mappings| {
        unmapped(raw, &mappings.value, report);
        mapped_twice(&mappings.value, report);
        external_id_taken(raw, sync, &mappings.value, report);
        fields(raw, mappings, report)
    });
    let links = link::lower(raw, sync, syncs, report);
    Some(DestinationDefinition {
        table_id: table_id?,
        external_id_field: Slug::from(external_id_field?),
        key_prefix: raw
            .key_prefix
            .as_ref()
            .map_or_else(|| defaults::KEY_PREFIX.to_owned(), |given| given.value.text.clone()),
        fields: fields?,
        links,
        on_missing: on_missing.unwrap_or(OnMissing::Recreate),
        on_delete: on_delete.unwrap_or(OnDelete::Ignore),
    })
}

fn table_id(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<String> {
    let id = filled(given, "table_id", report)?;
    if id.len() != 24 || !id.chars().all(|digit| digit.is_ascii_hexdigit()) {
        report.add(
            Finding::new(Code::DoubtfulTableId, given.span, "this does not look like a table id")
                .label("not 24 hexadecimal digits")
                .hint("open the table in the browser and copy the last part of the address"),
        );
    }
    Some(id)
}

fn on_missing(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<OnMissing> {
    match given.value.text.as_str() {
        "recreate" => Some(OnMissing::Recreate),
        "skip" => Some(OnMissing::Skip),
        "quarantine" => Some(OnMissing::Quarantine),
        other => {
            report.add(conversion::unknown_value(
                given,
                "on_missing",
                nearest(other, ON_MISSING.iter().copied()),
                ON_MISSING,
            ));
            None
        }
    }
}

fn fields(
    raw: &RawDestination,
    mappings: &Given<Entries<Scalar>>,
    report: &mut Report<'_>,
) -> Vec<FieldMapping> {
    if mappings.value.0.is_empty() {
        report.add(
            Finding::new(Code::EmptyValue, mappings.key, "`field_mappings` maps no column")
                .hint("add a line `column: slug` for each column that should arrive"),
        );
    }
    let mut fields = Vec::new();
    for (column, slug) in &mappings.value.0 {
        let named = filled_scalar(column, "a column of `field_mappings`", report);
        let what = format!("the slug of `{}`", column.shown());
        let slug = filled_scalar(&slug.value, &what, report);
        let conversion = conversion::of_column(raw, &column.text, report);
        if let (Some(column), Some(slug), Some(conversion)) = (named, slug, conversion) {
            fields.push(FieldMapping { column, slug: Slug::from(slug), conversion });
        }
    }
    fields
}

/// Conversions of columns that are not mapped are most likely misspelt columns.
fn unmapped(raw: &RawDestination, mappings: &Entries<Scalar>, report: &mut Report<'_>) {
    let types = raw.field_types.iter().flat_map(|given| &given.value.0).map(|(column, _)| column);
    let transformations =
        raw.transformations.iter().flat_map(|given| &given.value.0).map(|(column, _)| column);
    let sections = types.map(|column| ("field_types", column));
    for (section, column) in
        sections.chain(transformations.map(|column| ("transformations", column)))
    {
        if mappings.0.iter().any(|(mapped, _)| mapped.text == column.text) {
            continue;
        }
        let by_slug = mappings.0.iter().find(|(_, slug)| slug.value.text == column.text);
        let near = nearest(&column.text, mappings.0.iter().map(|(mapped, _)| mapped.shown()));
        let hint = match (by_slug, near) {
            (Some((mapped, _)), _) => {
                format!("this is a slug; `{section}` goes by column: write `{}`", mapped.shown())
            }
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => "add the column to `field_mappings`, or remove this".to_owned(),
        };
        let message = format!("`{}` is not in `field_mappings`", column.shown());
        report.add(
            Finding::new(Code::UnmappedColumn, column.span, message)
                .label("has no effect")
                .hint(hint),
        );
    }
}

fn mapped_twice(mappings: &Entries<Scalar>, report: &mut Report<'_>) {
    let mut first: BTreeMap<&str, &Given<Scalar>> = BTreeMap::new();
    for (_, slug) in &mappings.0 {
        if let Some(first) = first.get(slug.value.text.as_str()) {
            let message = format!("two columns are mapped to `{}`", slug.value.shown());
            report.add(
                Finding::new(Code::MappedTwice, slug.span, message)
                    .label("again here")
                    .also(first.span, "first mapped here")
                    .hint("a field takes one column: map the other elsewhere, or join them in the query"),
            );
        } else {
            first.insert(&slug.value.text, slug);
        }
    }
}

/// The external-id field belongs to the key; only the key's own column may name it as well.
fn external_id_taken(
    raw: &RawDestination,
    sync: &RawSync,
    mappings: &Entries<Scalar>,
    report: &mut Report<'_>,
) {
    let source = sync.source.0.as_ref().map(|given| &given.value);
    let key = source.and_then(|source| source.primary_key.as_ref());
    let (Some(key), Some(field)) = (key, raw.external_id_field.0.as_ref()) else { return };
    let is_key = |column: &Scalar| match key.value.0.as_slice() {
        [single] => single.text == column.text,
        _ => false,
    };
    for (column, slug) in &mappings.0 {
        if slug.value.text == field.value.text && !is_key(column) {
            let message = format!(
                "`{}` is mapped to the external-id field, which carries the key",
                column.shown()
            );
            report.add(
                Finding::new(Code::ExternalIdTaken, slug.span, message)
                    .label("written with the key already")
                    .also(field.span, "the external-id field")
                    .hint("map the column to another field, or make another field the external id"),
            );
        }
    }
}
