//! Values of fields as people read them. Only for screens that are made to show rows.

use jiff::tz::TimeZone;
use sync_core::{
    field_value::{DateStamp, FieldValue},
    table::Field,
};

/// Characters of one value on a line.
const LENGTH_MAX: usize = 60;

/// A value in one short line: choices by their labels, as the field knows them.
pub(crate) fn shown(value: &FieldValue, field: Option<&Field>) -> String {
    let text = text(value, field);
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= LENGTH_MAX {
        return line;
    }
    let start: String = line.chars().take(LENGTH_MAX - 1).collect();
    format!("{start}…")
}

/// A value as text.
pub(crate) fn text(value: &FieldValue, field: Option<&Field>) -> String {
    let label = |id: &String| {
        let choice = field.and_then(|field| field.choices.iter().find(|choice| choice.id == *id));
        choice.map_or_else(|| id.clone(), |choice| choice.label.clone())
    };
    match value {
        FieldValue::Empty => "(empty)".to_owned(),
        FieldValue::Text(text) => text.clone(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Yes => "yes".to_owned(),
        FieldValue::Choice(id) => label(id),
        FieldValue::Ids(ids) => ids.iter().map(label).collect::<Vec<_>>().join(", "),
        FieldValue::List(entries) => entries.join(", "),
        FieldValue::Phones(phones) => {
            let number = |phone: &sync_core::field_value::Phone| {
                format!("{} {}", phone.country, phone.digits).trim().to_owned()
            };
            phones.iter().map(number).collect::<Vec<_>>().join(", ")
        }
        FieldValue::Date { at, include_time } => date(*at, *include_time),
        FieldValue::DateRange { from, to } => {
            let end = |end: &Option<DateStamp>| {
                end.map_or_else(String::new, |end| date(end.at, end.include_time))
            };
            format!("{} to {}", end(from), end(to)).trim().to_owned()
        }
        FieldValue::Parts(parts) => {
            parts.values().map(String::as_str).collect::<Vec<_>>().join(", ")
        }
    }
}

fn date(at: jiff::Timestamp, include_time: bool) -> String {
    if include_time {
        at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    } else {
        at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_one_short_line() {
        for (value, words) in [
            (FieldValue::Empty, "(empty)"),
            (FieldValue::text("a\nb"), "a b"),
            (FieldValue::Yes, "yes"),
            (FieldValue::list(vec!["a".into(), "b".into()]), "a, b"),
            (
                FieldValue::Date { at: jiff::Timestamp::UNIX_EPOCH, include_time: false },
                "1970-01-01",
            ),
        ] {
            assert_eq!(shown(&value, None), words);
        }
        assert_eq!(shown(&FieldValue::text("x".repeat(90)), None).chars().count(), LENGTH_MAX);
    }
}
