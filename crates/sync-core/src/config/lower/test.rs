//! The `tests` of a sync.

use crate::{
    config::{
        decode::Given,
        diagnostic::Code,
        model::{ExpectedRecord, MappingTest},
        raw::{RawSync, RawTest},
        report::{Finding, Report},
    },
    slug::Slug,
};

/// The tests with the name of their sync; `None` where there are none.
pub(super) fn lower(raw: &RawSync, report: &mut Report<'_>) -> Option<(String, Vec<MappingTest>)> {
    let tests = raw.tests.as_ref()?;
    let name = raw.name.0.as_ref()?.value.text.trim().to_owned();
    let tests = tests.value.iter().filter_map(|test| lower_test(test, report)).collect();
    Some((name, tests))
}

fn lower_test(given: &Given<RawTest>, report: &mut Report<'_>) -> Option<MappingTest> {
    let raw = &given.value;
    let expected = match (&raw.record, &raw.refused) {
        (Some(record), None) => {
            let fields = record.value.0.iter();
            ExpectedRecord::Fields(
                fields
                    .map(|(slug, given)| (Slug::from(slug.text.trim()), given.value.text.clone()))
                    .collect(),
            )
        }
        (None, Some(code)) => ExpectedRecord::Refused(code.value.text.trim().to_owned()),
        (Some(record), Some(refused)) => {
            let message = "a test has `record` or `refused`, not both";
            report.add(
                Finding::new(Code::ConflictingKeys, refused.key, message)
                    .also(record.key, "the other")
                    .hint("remove one of them"),
            );
            return None;
        }
        (None, None) if raw.has("record") || raw.has("refused") => return None,
        (None, None) => {
            report.add(
                Finding::new(
                    Code::MissingKey,
                    given.span,
                    "the test does not say what is expected",
                )
                .hint("add `record:` with fields and their values, or `refused:` with a code"),
            );
            return None;
        }
    };
    let row = raw.row.0.as_ref()?.value.0.iter();
    Some(MappingTest {
        name: raw.name.as_ref().map(|given| given.value.text.clone()),
        at: given.span,
        row: row
            .map(|(column, given)| (column.text.trim().to_owned(), given.value.text.clone()))
            .collect(),
        expected,
    })
}
