//! Link fields: `links` of a destination.

use crate::{
    config::{
        decode::Given,
        defaults,
        diagnostic::Code,
        model::LinkDefinition,
        raw::{RawDestination, RawLink, RawSync},
        report::{Finding, Report},
        scalar::Scalar,
        suggestion::nearest,
    },
    slug::Slug,
};

use super::{filled_scalar, is_enabled};

/// The links of a sync, which lead to `syncs`, itself among them.
pub(super) fn lower(
    raw: &RawDestination,
    sync: &RawSync,
    syncs: &[&RawSync],
    report: &mut Report<'_>,
) -> Vec<LinkDefinition> {
    let links = raw.links.iter().flat_map(|given| &given.value.0);
    let of_fields = raw.fields.iter().flat_map(|given| &given.value.0);
    let of_fields = of_fields.filter_map(|(slug, field)| Some((slug, field.value.link.as_ref()?)));
    let links = links.map(|(slug, link)| (slug, link)).chain(of_fields);
    let mut lowered: Vec<LinkDefinition> = Vec::new();
    for (slug, link) in links {
        taken(raw, slug, report);
        if lowered.iter().any(|other| *other.slug == *slug.text.trim()) {
            let message = format!("two links fill `{}`", slug.shown());
            report.add(
                Finding::new(Code::MappedTwice, slug.span, message)
                    .label("again here")
                    .hint("keep the one in `links` or the one in `fields`"),
            );
        }
        let named = filled_scalar(slug, "the slug of a link", report);
        let definition = definition(&link.value, sync, syncs, report);
        if let (Some(slug), Some(definition)) = (named, definition) {
            lowered.push(LinkDefinition { slug: Slug::from(slug), ..definition });
        }
    }
    lowered
}

/// A field takes one thing: a column, the key, or a link.
fn taken(raw: &RawDestination, slug: &Scalar, report: &mut Report<'_>) {
    if let Some(field) = &raw.external_id_field.0
        && field.value.text.trim() == slug.text.trim()
    {
        let message = format!("`{}` carries the key and holds no links", slug.shown());
        report.add(
            Finding::new(Code::ExternalIdTaken, slug.span, message)
                .label("written with the key already")
                .also(field.span, "the external-id field")
                .hint("name the linked-record field that should hold the link"),
        );
    }
    let mappings = raw.field_mappings.iter().flat_map(|given| &given.value.0);
    let mappings = mappings
        .filter(|(_, mapped)| mapped.value.text.trim() == slug.text.trim())
        .map(|(_, mapped)| mapped.span);
    let fields = raw.fields.iter().flat_map(|given| &given.value.0);
    let fields = fields.filter(|(_, field)| field.value.link.is_none());
    let fields =
        fields.filter(|(name, _)| name.text.trim() == slug.text.trim()).map(|(name, _)| name.span);
    for mapped in mappings.chain(fields) {
        let message = format!("a column and a link both fill `{}`", slug.shown());
        report.add(
            Finding::new(Code::MappedTwice, slug.span, message)
                .label("again here")
                .also(mapped, "a column is mapped to it here")
                .hint("keep the link and remove the column from `field_mappings`, or the other way round"),
        );
    }
}

fn definition(
    raw: &RawLink,
    sync: &RawSync,
    syncs: &[&RawSync],
    report: &mut Report<'_>,
) -> Option<LinkDefinition> {
    let name = raw.sync.0.as_ref()?;
    let from = raw.from.0.as_ref().and_then(|given| {
        let columns: Vec<String> = given
            .value
            .0
            .iter()
            .filter_map(|column| filled_scalar(column, "a column of `from`", report))
            .collect();
        (columns.len() == given.value.0.len() && !columns.is_empty()).then_some(columns)
    })?;
    let list = raw.list.as_ref().map_or(defaults::LINK_LIST, |given| given.value);
    let parent = parent(name, sync, syncs, report)?;
    let source = parent.source.0.as_ref().map(|given| &given.value);
    let key = source.and_then(|source| source.primary_key.as_ref());
    if let (Some(given), Some(key)) = (&raw.from.0, key) {
        columns_fit(given.key, from.len(), list, key, report);
    }
    let destination = parent.destination.0.as_ref().map(|given| &given.value);
    let table = destination.and_then(|destination| destination.table_id.0.as_ref())?;
    Some(LinkDefinition {
        slug: Slug::from(""),
        parent: name.value.text.trim().to_owned(),
        parent_previously: parent.previously.as_ref().map(|given| given.value.text.clone()),
        parent_table: table.value.text.trim().to_owned(),
        from,
        list,
    })
}

/// The sync that a link leads to.
fn parent<'r>(
    name: &Given<Scalar>,
    sync: &RawSync,
    syncs: &[&'r RawSync],
    report: &mut Report<'_>,
) -> Option<&'r RawSync> {
    let named = |other: &&&'r RawSync| {
        other.name.0.as_ref().is_some_and(|given| given.value.text.trim() == name.value.text.trim())
    };
    let Some(parent) = syncs.iter().find(named) else {
        let names = syncs.iter().filter_map(|sync| sync.name.0.as_ref());
        let hint = match nearest(&name.value.text, names.map(|given| given.value.text.as_str())) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "name the sync of this file that writes the table which the field links to"
                .to_owned(),
        };
        let message = format!("there is no sync `{}` to link to", name.value.shown());
        report.add(
            Finding::new(Code::LinkUnknownSync, name.span, message)
                .label("not a sync of this file")
                .hint(hint),
        );
        return None;
    };
    if is_enabled(sync) && !is_enabled(parent) {
        let message = format!(
            "the sync `{}` is disabled, so its rows get no records to link to",
            name.value.shown()
        );
        let at = parent.enabled.as_ref().map(|given| given.span);
        let finding = Finding::new(Code::LinkDisabledSync, name.span, message);
        let finding = match at {
            Some(span) => finding.also(span, "disabled here"),
            None => finding,
        };
        report.add(finding.hint("enable that sync, or remove the link"));
    }
    Some(parent)
}

/// A link names its parent by the parent's whole key.
fn columns_fit(
    at: crate::config::span::Span,
    from: usize,
    list: bool,
    key: &Given<crate::config::decode::OneOrMany>,
    report: &mut Report<'_>,
) {
    let wanted = key.value.0.len();
    let (message, hint) = if list && from != 1 {
        (
            "a list of keys is one column".to_owned(),
            "name the one column that holds the keys".to_owned(),
        )
    } else if !list && wanted != 0 && from != wanted {
        (
            format!("the link has {}, the key it leads to has {wanted}", columns(from)),
            "name one column for each column of that sync's `primary_key`, in its order".to_owned(),
        )
    } else {
        return;
    };
    report.add(
        Finding::new(Code::LinkKey, at, message)
            .also(key.span, "the key that the link leads to")
            .hint(hint),
    );
}

fn columns(count: usize) -> String {
    if count == 1 { "1 column".to_owned() } else { format!("{count} columns") }
}
