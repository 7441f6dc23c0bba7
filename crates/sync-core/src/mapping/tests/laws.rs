//! Laws that hold for random values: what SmartSuite gives back compares equal, canonical forms are fixed points, and
//! no fault shows a value.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{
    fixture::{Source, Target, World, drafted_noting, to},
    totality::{KINDS, check_documented},
};
use crate::{
    field_value::{DateStamp, FieldValue, Phone},
    mapping::{CompiledMapping, Notes},
    source::{ColumnKind, Row},
    table::FieldKind,
    value::Value,
};

fn target(kind: FieldKind) -> Target {
    to(kind).multiple().choices(&["aCt1V=Active", "iNa0T=Inactive", "bJ3rY=Ben, Jerry"])
}

fn mapping(column: &ColumnKind, kind: FieldKind) -> Option<CompiledMapping> {
    World::new(column, &target(kind)).compile().0
}

fn field_kind() -> impl Strategy<Value = FieldKind> {
    prop::sample::select(KINDS.to_vec())
}

/// Text of any sort.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~\\n\\r\\t]{0,40}",
        field_kind().prop_flat_map(|kind| wanted_text(&kind))
    ]
}

/// Text that a field of this type takes, more often than not.
fn wanted_text(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Text | FieldKind::TextArea | FieldKind::Title | FieldKind::RichText => {
            "[a-zA-Z \\n\\r]{0,40}"
        }
        FieldKind::Number
        | FieldKind::Currency
        | FieldKind::Percent
        | FieldKind::NumberSlider
        | FieldKind::Duration => "-?[0-9]{1,20}(\\.[0-9]{1,20})?",
        FieldKind::PercentComplete | FieldKind::Rating => "[0-9]{1,2}(\\.[0-9]{1,20})?",
        FieldKind::YesNo => "(yes|no|on|off|0|1|TRUE)",
        FieldKind::SingleSelect | FieldKind::Status => "(Active|inactive|aCt1V|Ben, Jerry)",
        FieldKind::MultipleSelect | FieldKind::Tags => {
            "(Active|inactive|aCt1V|bJ3rY)(, ?(Active|INACTIVE)){0,2}|Ben, Jerry"
        }
        FieldKind::Date => {
            "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])([ T][01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?Z?)?"
        }
        FieldKind::Email => "[a-z.]{1,8}@[a-z]{1,8}\\.[a-z]{2,3}(, [a-z]{1,8}@[a-z]{1,8}\\.org)?",
        FieldKind::Phone => "([+]49|[+]1|00|0)?[ (-]?[1-9][0-9 ()-]{6,14}[0-9]( ?x[0-9]{1,4})?",
        FieldKind::Link => {
            "(https?://)?[a-z]{1,8}\\.[a-z]{2,3}(/[a-z0-9?=&%]{0,8})?(\\n[a-z]{1,8}\\.org)?"
        }
        FieldKind::User | FieldKind::LinkedRecord => "[0-9a-fA-F]{24}( ?, ?[0-9a-fA-F]{24})?",
        FieldKind::DateRange => "2024-0[1-9]-[12][0-9]/(2025-0[1-9]-[12][0-9]T0[0-9]:00:00Z)?",
        FieldKind::DueDate => "2024-0[1-9]-[12][0-9]|2024-01-01/2025-0[1-9]-[12][0-9]",
        FieldKind::Time => "[01]?[0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?",
        FieldKind::Address => {
            "[a-z 0-9]{0,12}|\\{\"city\": \"[a-z ]{0,8}\", \"location_zip\": [0-9]{5}, \"latitude\": \"[0-9]{1,2}\\.[0-9]{1,3}\"\\}"
        }
        FieldKind::FullName => {
            "\\{\"first\": \"[a-z ]{0,8}\", \"title\": \"(Mr\\.|Mrs|7|)\", \"last_name\": \"[A-Z]{0,3}\"\\}"
        }
        FieldKind::SocialNetwork => {
            "\\{\"facebook\": \"[a-z]{0,8}\", \"linkedin_username\": null\\}"
        }
        FieldKind::IpAddress => "([1-9]|1[0-9]{2})\\.0\\.0\\.[0-9]|::[0-9a-f]{1,4}(, ?0:0::1)?",
        FieldKind::ColorPicker => "#?[0-9a-fA-F]{6}(, ?#[0-9a-f]{3})?",
        FieldKind::AutoNumber | FieldKind::Other(_) => "",
    }
}

/// A cell and a field, every other time one that suits it.
fn pair() -> impl Strategy<Value = (Source, FieldKind)> {
    field_kind().prop_flat_map(|kind| {
        let wanted =
            wanted_text(&kind).prop_map(|text| Source(ColumnKind::Text, Value::Text(text)));
        (prop_oneof![any_source(), wanted], Just(kind))
    })
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any_text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// A cell as a column of its type may hold it.
fn any_source() -> impl Strategy<Value = Source> {
    let day =
        || (1000_i16..=9999, 1_i8..=12, 1_i8..=28).prop_map(|(y, m, d)| jiff::civil::date(y, m, d));
    let clock = || {
        let parts = (0_i8..24, 0_i8..60, 0_i8..60, 0_i32..1_000_000);
        parts.prop_map(|(h, m, s, us)| jiff::civil::time(h, m, s, us * 1000))
    };
    prop_oneof![
        4 => any_text().prop_map(|text| Source(ColumnKind::Text, Value::Text(text))),
        1 => any_text().prop_map(|text| Source(ColumnKind::Enum, Value::Text(text))),
        1 => any::<Vec<u8>>().prop_map(|bytes| Source(ColumnKind::Binary, Value::Bytes(bytes))),
        1 => any::<i64>().prop_map(|number| {
            Source(ColumnKind::Int { unsigned: false, width: 20 }, Value::Int(number.into()))
        }),
        1 => any::<bool>().prop_map(|bit| Source(ColumnKind::Bit { bits: 1 }, Value::Bool(bit))),
        1 => (any::<i64>(), 0_u8..=30).prop_map(|(digits, scale)| {
            let number = bigdecimal::BigDecimal::from_bigint(digits.into(), scale.into());
            Source(ColumnKind::Decimal { scale }, Value::Decimal(number.into()))
        }),
        1 => any::<f64>().prop_map(|number| Source(ColumnKind::Double, Value::Float(number))),
        1 => any::<f32>().prop_map(|number| Source(ColumnKind::Float, Value::Float(number.into()))),
        1 => day().prop_map(|day| Source(ColumnKind::Date, Value::Date(day))),
        1 => (day(), clock()).prop_map(|(day, clock)| {
            Source(ColumnKind::DateTime, Value::DateTime(day.to_datetime(clock)))
        }),
        1 => (-2_000_000_000_000_000_i64..4_000_000_000_000_000).prop_map(|microseconds| {
            let at = jiff::Timestamp::from_microsecond(microseconds).unwrap();
            Source(ColumnKind::Timestamp, Value::Instant(at))
        }),
        1 => (-3_020_399_999_999_i64..=3_020_399_999_999).prop_map(|microseconds| {
            Source(ColumnKind::Time, Value::Duration(microseconds))
        }),
        1 => prop::collection::vec("[a-zA-Z ]{1,8}", 0..4).prop_map(|labels| {
            Source(ColumnKind::Set, Value::Labels(labels))
        }),
        1 => any_json().prop_map(|json| Source(ColumnKind::Json, Value::Json(json))),
        1 => Just(Source(ColumnKind::DateTime, Value::ZeroDate("0000-00-00 00:00:00".to_owned()))),
    ]
}

fn drafted(source: &Source, kind: &FieldKind) -> Option<FieldValue> {
    let row = Row(vec![Value::Int(1), source.1.clone()]);
    let draft = mapping(&source.0, kind.clone())?.draft(&row).ok()?;
    draft.fields.get("f").cloned()
}

/// What SmartSuite answers for a value, in its own spelling: numbers reformatted, lists in another order, phones with
/// separators, dates with milliseconds, empties left out.
fn answer(value: &FieldValue, kind: &FieldKind) -> Option<Json> {
    Some(match value {
        FieldValue::Empty => return None,
        FieldValue::Text(text) => json!(text),
        FieldValue::Number(number) => {
            let digits = number.to_string();
            json!(if digits.contains('.') { format!("{digits}0") } else { format!("{digits}.0") })
        }
        FieldValue::Yes => json!(true),
        FieldValue::Choice(id) if *kind == FieldKind::Status => {
            json!({"value": id, "updated_on": "2024-02-29T00:00:00.123000Z"})
        }
        FieldValue::Choice(id) => json!(id),
        FieldValue::Ids(ids) => json!(ids.iter().rev().collect::<Vec<_>>()),
        FieldValue::List(entries) => json!(entries),
        FieldValue::Phones(phones) => phones
            .iter()
            .map(|phone| {
                let (start, end) = phone.digits.split_at(3);
                json!({
                    "phone_country": phone.country, "phone_number": format!("{start} {end}"),
                    "phone_extension": phone.extension, "phone_type": phone.kind, "sys_root": "1",
                })
            })
            .collect(),
        FieldValue::Date { at, include_time } => date_answer(*at, *include_time),
        FieldValue::DateRange { from, to } => {
            let end = |end: &Option<DateStamp>| match end {
                Some(end) => date_answer(end.at, end.include_time),
                None => json!({"date": null, "include_time": false}),
            };
            json!({"from_date": end(from), "to_date": end(to), "is_overdue": false})
        }
        FieldValue::Parts(parts) => {
            let mut members: serde_json::Map<_, _> =
                parts.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
            members.insert("sys_root".to_owned(), json!("whatever"));
            Json::Object(members)
        }
    })
}

fn date_answer(at: jiff::Timestamp, include_time: bool) -> Json {
    json!({"date": at.to_string().replace('Z', ".000000Z"), "include_time": include_time})
}

/// The canonical value of an answer, by the rules of comparison alone.
fn read_back(answer: Option<Json>, kind: &FieldKind) -> FieldValue {
    let Some(answer) = answer else { return FieldValue::Empty };
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    let list = |json: &Json| json.as_array().unwrap().iter().map(text).collect::<Vec<_>>();
    match kind {
        FieldKind::Text | FieldKind::TextArea | FieldKind::Title | FieldKind::RichText => {
            FieldValue::text(text(&answer))
        }
        FieldKind::Number
        | FieldKind::Currency
        | FieldKind::Percent
        | FieldKind::Duration
        | FieldKind::NumberSlider
        | FieldKind::PercentComplete
        | FieldKind::Rating => FieldValue::Number(text(&answer).parse().unwrap()),
        FieldKind::YesNo => {
            if answer == true {
                FieldValue::Yes
            } else {
                FieldValue::Empty
            }
        }
        FieldKind::SingleSelect => FieldValue::Choice(text(&answer)),
        FieldKind::Status => FieldValue::Choice(text(&answer["value"])),
        FieldKind::MultipleSelect | FieldKind::Tags | FieldKind::User | FieldKind::LinkedRecord => {
            FieldValue::Ids(list(&answer).into_iter().collect::<BTreeSet<_>>())
        }
        FieldKind::Email | FieldKind::Link | FieldKind::IpAddress | FieldKind::ColorPicker => {
            FieldValue::List(list(&answer))
        }
        FieldKind::Time => FieldValue::text(text(&answer)),
        FieldKind::Address | FieldKind::FullName | FieldKind::SocialNetwork => {
            let members = answer.as_object().unwrap().iter();
            let own = members.filter(|(name, _)| *name != "sys_root");
            FieldValue::parts(own.map(|(name, member)| (name.clone(), text(member))))
        }
        FieldKind::DateRange | FieldKind::DueDate => {
            let end = |name: &str| {
                let at = answer[name]["date"].as_str()?.parse().unwrap();
                Some(DateStamp { at, include_time: answer[name]["include_time"] == true })
            };
            FieldValue::date_range(end("from_date"), end("to_date"))
        }
        FieldKind::Phone => {
            let phone = |json: &Json| Phone {
                country: text(&json["phone_country"]),
                digits: text(&json["phone_number"]).chars().filter(char::is_ascii_digit).collect(),
                extension: text(&json["phone_extension"]),
                kind: u8::try_from(json["phone_type"].as_u64().unwrap()).unwrap(),
            };
            FieldValue::Phones(answer.as_array().unwrap().iter().map(phone).collect())
        }
        FieldKind::Date => FieldValue::Date {
            at: text(&answer["date"]).parse().unwrap(),
            include_time: answer["include_time"] == true,
        },
        FieldKind::AutoNumber | FieldKind::Other(_) => unreachable!(),
    }
}

/// A canonical value as text, where text says all of it.
fn as_text(value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Empty => Some(String::new()),
        FieldValue::Text(text) | FieldValue::Choice(text) => Some(text.clone()),
        FieldValue::Number(number) => Some(number.to_string()),
        FieldValue::Yes => Some("yes".to_owned()),
        FieldValue::Ids(ids) => Some(ids.iter().cloned().collect::<Vec<_>>().join(",")),
        FieldValue::List(entries) => Some(entries.join("\n")),
        FieldValue::Date { at, include_time: true } => Some(at.to_string()),
        FieldValue::Date { at, include_time: false } => {
            Some(jiff::tz::TimeZone::UTC.to_datetime(*at).date().to_string())
        }
        FieldValue::DateRange { from, to } => {
            let end = |end: &Option<DateStamp>| {
                let end =
                    end.map(|end| FieldValue::Date { at: end.at, include_time: end.include_time });
                end.as_ref().map_or_else(|| Some(String::new()), as_text)
            };
            Some(format!("{}/{}", end(from)?, end(to)?))
        }
        FieldValue::Parts(parts) => Some(json!(parts).to_string()),
        // The country is not part of the digits.
        FieldValue::Phones(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_cell_into_any_field_is_a_value_of_its_form_or_a_documented_fault(
        (source, kind) in pair(),
    ) {
        if let Some(mapping) = mapping(&source.0, kind.clone()) {
            let row = Row(vec![Value::Int(1), source.1]);
            let draft = drafted_noting(&mapping, &row, &mut Notes::default());
            let value = draft.as_ref().map(|d| d.fields.get("f").unwrap()).map_err(|f| f.code);
            check_documented(&kind, value);
        }
    }

    #[test]
    fn what_smartsuite_gives_back_compares_equal((source, kind) in pair()) {
        if let Some(value) = drafted(&source, &kind) {
            prop_assert!(read_back(answer(&value, &kind), &kind) == value);
        }
    }

    #[test]
    fn canonical_values_are_fixed_points((source, kind) in pair()) {
        let Some(value) = drafted(&source, &kind) else { return Ok(()) };
        let Some(text) = as_text(&value) else { return Ok(()) };
        let again = drafted(&Source(ColumnKind::Text, Value::Text(text)), &kind);
        prop_assert!(again == Some(value), "{kind:?}");
    }

    #[test]
    fn equal_rows_have_equal_fingerprints_and_different_drafts_different_ones(
        column in Just(ColumnKind::Text),
        one in any_text(),
        other in any_text(),
        kind in field_kind(),
    ) {
        let mapping = mapping(&column, kind).unwrap();
        let draft = |text: &str| mapping.draft(&Row(vec![Value::Int(1), Value::Text(text.to_owned())])).ok();
        if let (Some(a), Some(b)) = (draft(&one), draft(&other)) {
            prop_assert_eq!(a.fields == b.fields, a.fields.fingerprint() == b.fields.fingerprint());
            prop_assert_eq!(draft(&one).unwrap().fields.fingerprint(), a.fields.fingerprint());
        }
    }

    #[test]
    fn no_fault_shows_the_value(before in any_text(), after in any_text(), kind in field_kind()) {
        let planted = format!("{before}s3cr3t{after}");
        let mapping = mapping(&ColumnKind::Text, kind).unwrap();
        for cell in [Value::Text(planted.clone()), Value::Json(Json::from(vec![planted.clone()]))] {
            let row = Row(vec![Value::Text("k3y".to_owned()), cell]);
            if let Err(fault) = mapping.draft(&row) {
                let shown = format!("{fault} {fault:?} {}", fault.remedy());
                prop_assert!(!shown.contains("s3cr3t") && !shown.contains("k3y"), "{}", shown);
            }
        }
    }

    #[test]
    fn a_date_with_time_is_a_whole_second_in_every_zone(
        source in any_source(),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"]),
    ) {
        let world = World::new(&source.0, &to(FieldKind::Date).zone(zone));
        let Some(mapping) = world.compile().0 else { return Ok(()) };
        let Ok(draft) = mapping.draft(&Row(vec![Value::Int(1), source.1])) else { return Ok(()) };
        if let Some(FieldValue::Date { at, include_time }) = draft.fields.get("f") {
            prop_assert_eq!(at.subsec_nanosecond(), 0);
            prop_assert!(*include_time || at.as_second() % 86_400 == 0);
        }
    }
}
