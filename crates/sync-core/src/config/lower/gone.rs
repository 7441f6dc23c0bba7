//! `on_delete` and what belongs to it.

use crate::{
    config::{
        decode::Given,
        defaults,
        diagnostic::Code,
        model::{ArchiveField, OnDelete},
        raw::{ON_DELETE, RawArchive, RawDestination, RawSource, RawSync},
        report::{Finding, Report},
        suggestion::nearest,
    },
    slug::Slug,
};

use super::{conversion, filled};

/// The policy; `None` where it is not given, or cannot be used, which is then reported.
pub(super) fn lower(
    raw: &RawDestination,
    sync: &RawSync,
    report: &mut Report<'_>,
) -> Option<OnDelete> {
    let word = raw.on_delete.as_ref().map_or(defaults::ON_DELETE, |given| given.value.text.trim());
    let archive = raw.archive.as_ref().and_then(|given| archive(given, report));
    let policy = match word {
        "ignore" => Some(OnDelete::Ignore),
        "delete" => {
            let adopted = raw.delete_adopted.as_ref();
            let adopted = adopted.map_or(defaults::DELETE_ADOPTED, |given| given.value);
            match (raw.has("archive"), archive) {
                (false, _) => Some(OnDelete::Delete { adopted }),
                (true, archive) => {
                    archive.map(|archive| OnDelete::ArchiveFirst { adopted, archive })
                }
            }
        }
        "archive" => archive.map(OnDelete::Archive),
        other => {
            let given = raw.on_delete.as_ref()?;
            let near = nearest(other, ON_DELETE.iter().copied());
            report.add(conversion::unknown_value(given, "on_delete", near, ON_DELETE));
            return None;
        }
    };
    belongs(raw, word, report);
    if word != "ignore" {
        seen(raw, sync, report);
    }
    policy
}

fn archive(given: &Given<RawArchive>, report: &mut Report<'_>) -> Option<ArchiveField> {
    let raw = &given.value;
    let slug = raw.field.0.as_ref().and_then(|given| filled(given, "field", report));
    let value = raw.value.0.as_ref().and_then(|given| filled(given, "value", report));
    let restored = raw.restored.as_ref().map(|given| given.value.text.clone());
    Some(ArchiveField { slug: Slug::from(slug?), value: value?, restored })
}

/// Each key belongs to one policy.
fn belongs(raw: &RawDestination, word: &str, report: &mut Report<'_>) {
    if let Some(given) = raw.archive.as_ref().filter(|_| !["archive", "delete"].contains(&word)) {
        let message = "`archive` belongs to `on_delete: archive` or `delete`";
        report.add(
            Finding::new(Code::ConflictingKeys, given.key, message)
                .hint("write `on_delete: archive`, or remove `archive`"),
        );
    }
    if let Some(given) = raw.delete_adopted.as_ref().filter(|_| word != "delete") {
        let message = "`delete_adopted` belongs to `on_delete: delete`";
        report.add(
            Finding::new(Code::ConflictingKeys, given.key, message)
                .hint("write `on_delete: delete`, or remove `delete_adopted`"),
        );
    }
    if let (Some(given), "archive", false) = (&raw.on_delete, word, raw.has("archive")) {
        report.add(
            Finding::new(Code::MissingKey, given.span, "`on_delete: archive` has no `archive`")
                .label("says no field")
                .hint("add `archive: {field: SLUG, value: TEXT}` beside it"),
        );
    }
}

/// A query alone does not show which rows are gone.
fn seen(raw: &RawDestination, sync: &RawSync, report: &mut Report<'_>) {
    let source: Option<&RawSource> = sync.source.0.as_ref().map(|given| &given.value);
    let Some(source) = source.filter(|source| source.has("query")) else { return };
    if ["keys_query", "deleted_field", "related"].iter().any(|key| source.has(key)) {
        return;
    }
    let Some(given) = &raw.on_delete else { return };
    report.add(
        Finding::new(
            Code::DeletesUnseen,
            given.span,
            "nothing says which rows are gone: a query shows only those that are there",
        )
        .label("cannot be carried out")
        .hint("add `keys_query:` under `source` with SQL that yields the keys of all rows, or `deleted_field:`"),
    );
}
