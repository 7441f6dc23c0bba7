//! The `destination` of a sync.

use std::collections::BTreeMap;

use crate::{
    config::{
        decode::{Entries, Given},
        defaults,
        diagnostic::Code,
        model::{DestinationDefinition, FieldMapping, OnDelete, OnMissing, WriteMode},
        raw::{ON_MISSING, RawDestination, RawSync, WRITE_MODES},
        report::{Finding, Report},
        scalar::Scalar,
        span::Span,
        suggestion::nearest,
    },
    slug::Slug,
};

use super::{conversion, field, filled, filled_scalar, gone, link, matching};

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
    let mode = match &raw.mode {
        Some(given) => mode(given, report),
        None => Some(WriteMode::Upsert),
    };
    let fields = all_fields(raw, sync, report);
    if mode == Some(WriteMode::UpdateOnly) {
        makes_none(raw, report);
    }
    let match_on = raw
        .match_on
        .as_ref()
        .map(|given| matching::lower(given, &fields, mode.unwrap_or_default(), report));
    let on_delete = gone::lower(raw, sync, report);
    let links = link::lower(raw, sync, syncs, report);
    Some(DestinationDefinition {
        table_id: table_id?,
        external_id_field: Slug::from(external_id_field?),
        key_prefix: raw
            .key_prefix
            .as_ref()
            .map_or_else(|| defaults::KEY_PREFIX.to_owned(), |given| given.value.text.clone()),
        fields,
        links,
        on_missing: on_missing.unwrap_or(OnMissing::Recreate),
        mode: mode?,
        match_on: match_on.unwrap_or_default(),
        on_delete: on_delete.unwrap_or(OnDelete::Ignore),
    })
}

/// What has no meaning where no record is made.
fn makes_none(raw: &RawDestination, report: &mut Report<'_>) {
    let mut conflict = |key: Span, what: &str, hint: &str| {
        report.add(
            Finding::new(
                Code::ConflictingKeys,
                key,
                format!("{what} and `mode: update_only` exclude each other"),
            )
            .hint(hint),
        );
    };
    let is = |given: &Option<Given<Scalar>>, word: &str| {
        given.as_ref().filter(|given| given.value.text == word).map(|given| given.key)
    };
    if let Some(key) = is(&raw.on_missing, "recreate") {
        conflict(key, "`on_missing: recreate`", "this sync makes no records: remove `on_missing`");
    }
    if let Some(key) = is(&raw.on_delete, "delete") {
        conflict(
            key,
            "`on_delete: delete`",
            "its records are made by others: use `on_delete: archive`, or let the sync that makes them delete them",
        );
    }
    for (_, field) in raw.fields.iter().flat_map(|given| &given.value.0) {
        if let Some(key) = is(&field.value.write, "on_create") {
            conflict(key, "`write: on_create`", "this sync makes no records: remove the field");
        }
    }
}

/// What `field_mappings` and `fields` say together.
fn all_fields(raw: &RawDestination, sync: &RawSync, report: &mut Report<'_>) -> Vec<FieldMapping> {
    let mappings = raw.field_mappings.as_ref();
    let fields = raw.fields.as_ref();
    if mappings.is_none() && fields.is_none() && !raw.has("field_mappings") && !raw.has("fields") {
        let at = sync.destination.0.as_ref().map_or(sync_span(sync), |given| given.key);
        report.add(
            Finding::new(Code::MissingKey, at, "`destination` has no `field_mappings`")
                .label("`field_mappings` is missing here")
                .hint("add `field_mappings:` with lines of the form `column: slug`, or `fields:`"),
        );
    }
    let no_mappings = Entries(Vec::new());
    let plain = mappings.map_or(&no_mappings, |given| &given.value);
    unmapped(raw, plain, report);
    let slugs = plain.0.iter().map(|(_, slug)| (&slug.value, slug.span));
    let richer = fields.into_iter().flat_map(|given| &given.value.0);
    mapped_twice(slugs.chain(richer.map(|(slug, _)| (slug, slug.span))), report);
    external_id_taken(raw, sync, plain, report);
    let mut all = match mappings {
        Some(mappings) => self::fields(raw, mappings, report),
        None => Vec::new(),
    };
    if let Some(fields) = fields {
        all.extend(field::fields(fields, report));
    }
    all
}

fn sync_span(sync: &RawSync) -> Span {
    sync.name.0.as_ref().map_or(Span { start: 0, end: 0 }, |given| given.span)
}

fn mode(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<WriteMode> {
    match given.value.text.as_str() {
        "upsert" => Some(WriteMode::Upsert),
        "update_only" => Some(WriteMode::UpdateOnly),
        "create_only" => Some(WriteMode::CreateOnly),
        other => {
            let meant = nearest(other, WRITE_MODES.iter().copied());
            report.add(conversion::unknown_value(given, "mode", meant, WRITE_MODES));
            None
        }
    }
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
    if mappings.value.0.is_empty() && raw.fields.is_none() {
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
            fields.push(FieldMapping::of_column(&column, Slug::from(slug), conversion));
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

fn mapped_twice<'s>(slugs: impl Iterator<Item = (&'s Scalar, Span)>, report: &mut Report<'_>) {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for (slug, span) in slugs {
        if let Some(first) = first.get(slug.text.trim()) {
            let message = format!("two values are mapped to `{}`", slug.shown());
            report.add(
                Finding::new(Code::MappedTwice, span, message)
                    .label("again here")
                    .also(*first, "first mapped here")
                    .hint("a field takes one value: map the other elsewhere, or join them with a `template`"),
            );
        } else {
            first.insert(slug.text.trim(), span);
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
    for (slug, given) in raw.fields.iter().flat_map(|given| &given.value.0) {
        let column = given.value.column.as_ref().filter(|_| given.value.path.is_none());
        if slug.text == field.value.text && !column.is_some_and(|column| is_key(&column.value)) {
            report.add(
                Finding::new(
                    Code::ExternalIdTaken,
                    slug.span,
                    "a value is mapped to the external-id field, which carries the key",
                )
                .label("written with the key already")
                .also(field.span, "the external-id field")
                .hint("map it to another field, or make another field the external id"),
            );
        }
    }
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
