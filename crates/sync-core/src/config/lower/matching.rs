//! `match_on`: the fields by which records without a key are matched.

use crate::{
    config::{
        decode::{Given, OneOrMany},
        diagnostic::Code,
        model::{FieldMapping, WriteMode, WritePolicy},
        report::{Finding, Report},
    },
    slug::Slug,
};

use super::filled_scalar;

/// The slugs; each must be mapped, and written whenever it changes, so that the draft says what to look for.
pub(super) fn lower(
    given: &Given<OneOrMany>,
    fields: &[FieldMapping],
    mode: WriteMode,
    report: &mut Report<'_>,
) -> Vec<Slug> {
    if mode == WriteMode::CreateOnly {
        report.add(
            Finding::new(
                Code::ConflictingKeys,
                given.key,
                "`match_on` and `mode: create_only` exclude each other",
            )
            .hint("a record that is matched is changed: use `mode: upsert`"),
        );
    }
    let mut slugs = Vec::new();
    for scalar in &given.value.0 {
        let Some(slug) = filled_scalar(scalar, "a slug of `match_on`", report) else { continue };
        let mapping = fields.iter().find(|mapping| &*mapping.slug == slug.as_str());
        let problem = match mapping {
            None => "is not mapped",
            Some(mapping) if mapping.write != WritePolicy::Always => "is not written always",
            Some(_) => {
                slugs.push(Slug::from(slug));
                continue;
            }
        };
        let by_column = fields.iter().find(|mapping| mapping.columns().contains(slug.as_str()));
        let hint = match by_column {
            Some(mapping) if mapping.slug.as_str() != slug => {
                format!("`match_on` goes by slug: write `{}`", mapping.slug)
            }
            _ => "map a column to it, with `write: always`".to_owned(),
        };
        report.add(
            Finding::new(Code::BadMatch, scalar.span, format!("`{}` {problem}", scalar.shown()))
                .hint(hint),
        );
    }
    slugs
}
