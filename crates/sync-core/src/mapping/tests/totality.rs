//! Every kind of value into every type of field.

use super::fixture::{
    Source, Target, World, bit, bytes, date, datetime, dec, double, drafted_noting, geometry, int,
    json, null, set, text, time, timestamp, to, zero_date,
};
use crate::{
    field_value::FieldValue,
    mapping::{FaultCode, FindingCode, Notes},
    source::{ColumnKind, Row},
    table::FieldKind,
    value::Value,
};

pub(super) const KINDS: [FieldKind; 30] = [
    FieldKind::Text,
    FieldKind::TextArea,
    FieldKind::Title,
    FieldKind::RichText,
    FieldKind::Number,
    FieldKind::Currency,
    FieldKind::Percent,
    FieldKind::Duration,
    FieldKind::NumberSlider,
    FieldKind::PercentComplete,
    FieldKind::Rating,
    FieldKind::YesNo,
    FieldKind::SingleSelect,
    FieldKind::MultipleSelect,
    FieldKind::Status,
    FieldKind::Tags,
    FieldKind::Date,
    FieldKind::Email,
    FieldKind::Phone,
    FieldKind::Link,
    FieldKind::User,
    FieldKind::LinkedRecord,
    FieldKind::DateRange,
    FieldKind::DueDate,
    FieldKind::Time,
    FieldKind::Address,
    FieldKind::FullName,
    FieldKind::IpAddress,
    FieldKind::SocialNetwork,
    FieldKind::ColorPicker,
];

#[test]
fn every_type_that_is_known_and_not_computed_is_tried() {
    let known = FieldKind::KNOWN.iter().filter(|kind| **kind != FieldKind::AutoNumber);
    assert_eq!(known.collect::<std::collections::BTreeSet<_>>(), KINDS.iter().collect());
}

/// The form a field type's values have, and the faults its rule may find.
pub(super) fn documented(kind: &FieldKind) -> (&'static str, Vec<FaultCode>) {
    use FaultCode as F;
    let common = [F::TypeUnsuitable, F::NotText];
    let (form, own): (_, &[F]) = match kind {
        FieldKind::Text | FieldKind::TextArea | FieldKind::Title | FieldKind::RichText => {
            ("text", &[F::TextTooLong])
        }
        FieldKind::Number
        | FieldKind::Currency
        | FieldKind::Percent
        | FieldKind::Duration
        | FieldKind::NumberSlider => ("number", &[F::NotANumber]),
        FieldKind::PercentComplete | FieldKind::Rating => {
            ("number", &[F::NotANumber, F::NumberOutOfRange])
        }
        FieldKind::YesNo => ("yes", &[F::NotYesOrNo, F::NotANumber]),
        FieldKind::SingleSelect | FieldKind::Status => {
            ("choice", &[F::ChoiceUnknown, F::ChoiceAmbiguous])
        }
        FieldKind::MultipleSelect | FieldKind::Tags => {
            ("ids", &[F::ChoiceUnknown, F::ChoiceAmbiguous])
        }
        FieldKind::Date => ("date", &[F::NotADate, F::DateOutOfRange]),
        FieldKind::Email => ("list", &[F::NotAnEmail, F::TooManyEntries]),
        FieldKind::Link => ("list", &[F::NotALink, F::TooManyEntries]),
        FieldKind::Phone => ("phones", &[F::NotAPhone, F::TooManyEntries]),
        FieldKind::User => ("ids", &[F::NotAnId, F::TooManyEntries, F::PersonWanted]),
        FieldKind::LinkedRecord => ("ids", &[F::NotAnId, F::TooManyEntries]),
        FieldKind::DateRange | FieldKind::DueDate => {
            ("date range", &[F::NotADate, F::DateOutOfRange, F::PartUnknown])
        }
        FieldKind::Time => ("text", &[F::NotATimeOfDay]),
        FieldKind::Address | FieldKind::FullName | FieldKind::SocialNetwork => {
            ("parts", &[F::PartUnknown])
        }
        FieldKind::IpAddress => ("list", &[F::NotAnIpAddress, F::TooManyEntries]),
        FieldKind::ColorPicker => ("list", &[F::NotAColor, F::TooManyEntries]),
        FieldKind::AutoNumber | FieldKind::Other(_) => ("none", &[]),
    };
    (form, [&common, own].concat())
}

#[track_caller]
pub(super) fn check_documented(kind: &FieldKind, outcome: Result<&FieldValue, FaultCode>) {
    let (form, faults) = documented(kind);
    match outcome {
        Ok(FieldValue::Empty) => {}
        Ok(value) => assert_eq!(value.kind(), form, "{kind:?}"),
        Err(code) => assert!(faults.contains(&code), "{kind:?}: {}", code.code()),
    }
}

fn samples() -> Vec<Source> {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    vec![
        null(ColumnKind::Text),
        int(0),
        int(1),
        int(i128::from(i64::MIN)),
        int(18_446_744_073_709_551_615),
        Source(ColumnKind::Int { unsigned: true, width: 20 }, Value::Int(i128::MAX)),
        bit(true),
        bit(false),
        dec("0.00"),
        dec("-99999999999999999999999999999999999.999999999999999999999999999999"),
        double(1e308),
        double(5e-324),
        double(-0.0),
        double(f64::NAN),
        double(f64::NEG_INFINITY),
        Source(ColumnKind::Float, Value::Float(f64::MAX)),
        text(""),
        text(" \t\n"),
        text("a\0b\r\nc"),
        text("active"),
        text("a@b.org"),
        text("+"),
        text("00"),
        text("x"),
        text("😀"),
        text("1e400"),
        text("9999-12-31T23:59:59"),
        text("-009999-01-01T00:00:00"),
        text(&"x".repeat(70_000)),
        bytes(b""),
        bytes(b"12"),
        bytes(&[0xff, 0x00]),
        date("0001-01-01"),
        date("9999-12-31"),
        datetime("0001-01-01T00:00:00"),
        datetime("9999-12-31T23:59:59.999999"),
        timestamp("1970-01-01T00:00:00Z"),
        timestamp("-000001-01-01T00:00:00.5Z"),
        zero_date("0000-00-00"),
        time(i64::MIN),
        time(i64::MAX),
        set(&[]),
        set(&["active", "x"]),
        json("null"),
        json("true"),
        json("1.50"),
        json(r#""active""#),
        json("[]"),
        json(r#"["active", 1, null]"#),
        json(r#"{"number": {}, "country": []}"#),
        json(&deep),
        geometry(),
    ]
}

fn targets() -> Vec<Target> {
    let plain = KINDS.map(to);
    let zoned = KINDS
        .map(|kind| to(kind).zone("Pacific/Apia").precision(1).multiple().choices(&["a=active"]));
    plain.into_iter().chain(zoned).collect()
}

#[test]
fn every_value_into_every_field_is_a_value_of_its_form_or_a_documented_fault() {
    let mut pairs = 0;
    for target in targets() {
        // A text column fits every field, so that the rules meet values no column of theirs would hold.
        let world = World::new(&ColumnKind::Text, &target);
        let mapping = world.compile().0.unwrap();
        for Source(column, cell) in samples() {
            let row = Row(vec![Value::Int(1), cell.clone()]);
            let draft = drafted_noting(&mapping, &row, &mut Notes::default());
            let value = draft.as_ref().map(|d| d.fields.get("f").unwrap()).map_err(|f| f.code);
            check_documented(&target.field.kind, value);

            // And with the column's own type: the same rule, or no mapping at all.
            let (mapping, findings) = World::new(&column, &target).compile();
            match mapping {
                Some(mapping) => {
                    let draft = drafted_noting(&mapping, &row, &mut Notes::default());
                    let value =
                        draft.as_ref().map(|d| d.fields.get("f").unwrap()).map_err(|f| f.code);
                    check_documented(&target.field.kind, value);
                }
                None => assert!(
                    findings.iter().any(|finding| finding.code == FindingCode::ColumnTypeMisfit)
                ),
            }
            pairs += 1;
        }
    }
    assert_eq!(pairs, samples().len() * 2 * KINDS.len());
}

#[test]
fn every_fault_has_its_own_code_and_a_remedy() {
    let mut codes: Vec<&str> = FaultCode::ALL.iter().map(|code| code.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), FaultCode::ALL.len());
    assert!(FaultCode::ALL.iter().all(|code| !code.remedy().is_empty()));
}
