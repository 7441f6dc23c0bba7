//! Tests of a mapping, as the mapping file has them: a row goes in, a record must come out.

use sync_core::{
    config::model::{ExpectedRecord, MappingTest, SourceDefinition},
    field_value::FieldValue,
    mapping::CompiledMapping,
    source::{Column, Row},
    table::TableStructure,
    value::{Decimal, Value},
};
use sync_mysql::shown_value;

use crate::report::value;

/// A test that did not come out as it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedTest {
    /// The test's place in the list.
    pub(crate) place: usize,
    /// What is wrong, with the values that the file itself holds.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
}

/// Runs the tests of one sync; answers those that fail.
pub(crate) fn run(
    tests: &[MappingTest],
    source: &SourceDefinition,
    columns: &[Column],
    mapping: &CompiledMapping,
    table: &TableStructure,
) -> Vec<FailedTest> {
    let failed = |(place, test): (usize, &MappingTest)| {
        let (message, hint) = one(test, source, columns, mapping, table).err()?;
        let name = test.name.as_ref().map(|name| format!(" \"{name}\""));
        let message = format!("the test{} fails: {message}", name.unwrap_or_default());
        Some(FailedTest { place, message, hint })
    };
    tests.iter().enumerate().filter_map(failed).collect()
}

fn one(
    test: &MappingTest,
    source: &SourceDefinition,
    columns: &[Column],
    mapping: &CompiledMapping,
    table: &TableStructure,
) -> Result<(), (String, String)> {
    let unknown = test.row.iter().find(|(name, _)| columns.iter().all(|one| one.name != *name));
    if let Some((name, _)) = unknown {
        let hint = "name a column that the query returns".to_owned();
        return Err((format!("the query returns no column `{name}`"), hint));
    }
    let mut cells = Vec::with_capacity(columns.len());
    for column in columns {
        let given = test.row.iter().find(|(name, _)| *name == column.name);
        let is_key = source.primary_key.contains(&column.name);
        let cell = match (given, is_key) {
            (Some((_, text)), _) => shown_value(&column.kind, text),
            (None, true) => shown_value(&column.kind, "1").or(Some(Value::Int(1))),
            (None, false) => Some(Value::Null),
        };
        cells.push(cell.ok_or_else(|| {
            (
                format!("column `{}` cannot hold this value", column.name),
                "write the value as MySQL shows it".to_owned(),
            )
        })?);
    }
    let drafted = mapping.draft(&Row(cells));
    match (&test.expected, drafted) {
        (ExpectedRecord::Refused(code), Err(fault)) if fault.code.code() == code => Ok(()),
        (ExpectedRecord::Refused(code), Err(fault)) => Err((
            format!("the row is refused with `{}`, not `{code}`", fault.code.code()),
            "mend the mapping or the test".to_owned(),
        )),
        (ExpectedRecord::Refused(code), Ok(_)) => Err((
            format!("the row is not refused, but `{code}` is expected"),
            "mend the mapping or the test".to_owned(),
        )),
        (ExpectedRecord::Fields(_), Err(fault)) => Err((
            format!("the row is refused: {fault} [{}]", fault.code.code()),
            fault.remedy().to_owned(),
        )),
        (ExpectedRecord::Fields(fields), Ok(draft)) => {
            for (slug, expected) in fields {
                let Some(held) = draft.fields.get(slug) else {
                    let hint = "map a column to it, or take it out of the test".to_owned();
                    return Err((format!("nothing is written to field `{slug}`"), hint));
                };
                let shown = value::text(held, table.field(slug));
                if shown != *expected && !means(held, expected) {
                    return Err((
                        format!("field `{slug}` becomes `{shown}`, not `{expected}`"),
                        "mend the mapping or the test".to_owned(),
                    ));
                }
            }
            Ok(())
        }
    }
}

/// Other ways to write a value: a number with more zeros, a choice by its id, nothing at all.
fn means(held: &FieldValue, expected: &str) -> bool {
    match held {
        FieldValue::Empty => expected.is_empty(),
        FieldValue::Number(number) => {
            expected.parse::<Decimal>().is_ok_and(|other| other == *number)
        }
        FieldValue::Choice(id) => id == expected,
        FieldValue::Yes => matches!(expected, "true" | "1"),
        FieldValue::Text(_)
        | FieldValue::Ids(_)
        | FieldValue::List(_)
        | FieldValue::Phones(_)
        | FieldValue::Date { .. }
        | FieldValue::DateRange { .. }
        | FieldValue::Parts(_) => false,
    }
}
