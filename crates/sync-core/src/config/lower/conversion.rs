//! How a column is converted: `field_types` and `transformations`.

use std::collections::BTreeMap;

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};

use crate::config::{
    decode::{Entries, Given, ValueMap},
    diagnostic::Code,
    field_type::{self, FieldType},
    model::{Conversion, OnUnknown, Transformation, TypeOptions},
    raw::{
        ON_UNKNOWN, PHONE_TYPES, RawDestination, RawFieldType, RawOptions, RawTransformation,
        TRANSFORMATIONS,
    },
    report::{Finding, Hinted, Report},
    scalar::Scalar,
    span::Span,
    suggestion::nearest,
    words,
};

/// The conversion of a mapped column; `None`: one is declared, but wrong, which is reported.
pub(super) fn of_column(
    raw: &RawDestination,
    column: &str,
    report: &mut Report<'_>,
) -> Option<Conversion> {
    let declared = raw.field_types.as_ref().and_then(|given| entry(&given.value, column));
    let older = raw.transformations.as_ref().and_then(|given| entry(&given.value, column));
    // Both are read even if one wins, so that mistakes in either are found.
    let transformed = older.map(|(_, given)| transformation(&given.value, report));
    let Some((name, given)) = declared else {
        return transformed
            .map_or(Some(Conversion::Automatic), |found| found.map(Conversion::Transformed));
    };
    if let Some((older, _)) = older {
        let message = format!("`{}` has both a type and a transformation", older.shown());
        report.add(
            Finding::new(Code::TwoConversions, older.span, message)
                .label("has no effect")
                .also(name.span, "this type is used")
                .hint("remove the transformation"),
        );
    }
    typed(&given.value, report)
}

fn entry<'e, T>(entries: &'e Entries<T>, column: &str) -> Option<(&'e Scalar, &'e Given<T>)> {
    entries.0.iter().find(|(name, _)| name.text == column).map(|(name, given)| (name, given))
}

fn typed(raw: &RawFieldType, report: &mut Report<'_>) -> Option<Conversion> {
    let name = raw.kind.0.as_ref()?;
    let found = field_type(name, report)?;
    let options = match &raw.options {
        Some(given) => options(&given.value, Some(found), report)?,
        None => TypeOptions::default(),
    };
    Some(Conversion::Typed { kind: found.kind.clone(), options })
}

/// The conversion of one of the `fields`, whose options stand beside its type.
pub(super) fn of_field(
    kind: Option<&Given<Scalar>>,
    raw: &RawOptions,
    report: &mut Report<'_>,
) -> Option<Conversion> {
    let found = match kind {
        Some(name) => Some(field_type(name, report)?),
        None => None,
    };
    let options = options(raw, found, report)?;
    Some(match found {
        Some(found) => Conversion::Typed { kind: found.kind.clone(), options },
        None if options == TypeOptions::default() => Conversion::Automatic,
        None => Conversion::Options(options),
    })
}

fn field_type(name: &Given<Scalar>, report: &mut Report<'_>) -> Option<&'static FieldType> {
    let found = field_type::find(&name.value.text);
    if found.is_none() {
        let first = field_type::first_names();
        let meant = nearest(&name.value.text, field_type::all_names());
        report.add(unknown_value(name, "type", meant, &first));
    }
    found
}

/// `of`: the declared type; `None`: whether the options go with the field is found out at the live table.
fn options(
    raw: &RawOptions,
    of: Option<&FieldType>,
    report: &mut Report<'_>,
) -> Option<TypeOptions> {
    let given = [
        ("include_time", raw.include_time.as_ref().map(|given| given.key)),
        ("value_map", raw.value_map.as_ref().map(|given| given.key)),
        ("on_unknown", raw.on_unknown.as_ref().map(|given| given.key)),
        ("default_country", raw.default_country.as_ref().map(|given| given.key)),
        ("default_type", raw.default_type.as_ref().map(|given| given.key)),
    ];
    for (option, key) in given {
        if let (Some(key), Some(of)) = (key, of.filter(|of| !of.options.contains(&option))) {
            report.add(foreign_option(option, key, of));
        }
    }
    let default_country = match &raw.default_country {
        Some(given) => Some(country(given, report)?),
        None => None,
    };
    let default_type = match &raw.default_type {
        Some(given) => Some(phone_type(given, report)?),
        None => None,
    };
    let on_unknown = match &raw.on_unknown {
        Some(given) => on_unknown(given, report)?,
        None => OnUnknown::Quarantine,
    };
    Some(TypeOptions {
        include_time: raw.include_time.as_ref().map(|given| given.value),
        value_map: raw.value_map.as_ref().map(|given| value_map(&given.value)).unwrap_or_default(),
        on_unknown,
        default_country,
        default_type,
    })
}

fn on_unknown(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<OnUnknown> {
    match given.value.text.as_str() {
        "quarantine" => Some(OnUnknown::Quarantine),
        "blank" => Some(OnUnknown::Blank),
        "create" => Some(OnUnknown::Create),
        "error" => Some(OnUnknown::Error),
        other => {
            let meant = nearest(other, ON_UNKNOWN.iter().copied());
            report.add(unknown_value(given, "on_unknown", meant, ON_UNKNOWN));
            None
        }
    }
}

fn foreign_option(option: &str, key: Span, of: &FieldType) -> Hinted {
    let name = of.names.first().copied().unwrap_or_default();
    let message = format!("`{name}` has no option `{option}`");
    let hint = match of.options {
        [] => format!("remove it: `{name}` has no options"),
        [only] => format!("remove it; the option of `{name}` is `{only}`"),
        several => format!("remove it; the options of `{name}` are {}", words::list(several)),
    };
    Finding::new(Code::OptionNotForType, key, message).hint(hint)
}

fn country(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<String> {
    let code = given.value.text.to_ascii_uppercase();
    if code.len() == 2 && code.chars().all(|letter| letter.is_ascii_uppercase()) {
        return Some(code);
    }
    report.add(
        Finding::new(Code::UnknownValue, given.span, "this is not a country code")
            .hint("write the two letters of ISO 3166, such as `US` or `DE`"),
    );
    None
}

fn phone_type(given: &Given<u32>, report: &mut Report<'_>) -> Option<u8> {
    let known = u8::try_from(given.value).ok().filter(|number| PHONE_TYPES.contains(number));
    if known.is_none() {
        report.add(
            Finding::new(Code::UnknownValue, given.span, "SmartSuite has no such phone type")
                .hint("1 office, 2 mobile, 4 home, 5 fax, 6 main, 8 other"),
        );
    }
    known
}

fn value_map(raw: &ValueMap) -> BTreeMap<String, String> {
    raw.0.iter().map(|(text, choice)| (text.text.clone(), choice.text.clone())).collect()
}

fn transformation(raw: &RawTransformation, report: &mut Report<'_>) -> Option<Transformation> {
    let name = raw.kind.0.as_ref()?;
    let format = raw.format.as_ref();
    let map = raw.value_map.as_ref();
    let mut foreign = |option: &str, key: Option<Span>| {
        if let Some(key) = key {
            let message = format!("the transformation `{}` has no `{option}`", name.value.shown());
            report.add(Finding::new(Code::OptionNotForType, key, message).hint("remove it"));
        }
    };
    match name.value.text.as_str() {
        "number" => {
            foreign("value_map", map.map(|given| given.key));
            let whole = match format {
                Some(given) => number_format(given, report)?,
                None => false,
            };
            Some(Transformation::Number { whole })
        }
        "choice" => {
            foreign("format", format.map(|given| given.key));
            let value_map = map.map(|given| value_map(&given.value)).unwrap_or_default();
            Some(Transformation::Choice { value_map })
        }
        "date" => {
            foreign("value_map", map.map(|given| given.key));
            let format = match format {
                Some(given) => Some(date_format(given, report)?),
                None => None,
            };
            Some(Transformation::Date { format })
        }
        other => {
            let meant = nearest(other, TRANSFORMATIONS.iter().copied());
            report.add(unknown_value(name, "type", meant, TRANSFORMATIONS));
            None
        }
    }
}

fn number_format(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<bool> {
    match given.value.text.as_str() {
        "int" => Some(true),
        "float" => Some(false),
        other => {
            let formats = ["int", "float"];
            let meant = nearest(other, formats);
            report.add(unknown_value(given, "format", meant, &formats));
            None
        }
    }
}

/// The pattern is tried on a date: what can be written so can be read so.
fn date_format(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<String> {
    let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    if strtime::format(given.value.text.as_bytes(), &sample).is_err() {
        report.add(
            Finding::new(Code::BadDateFormat, given.span, "this date pattern cannot be understood")
                .hint("write a strftime pattern such as `%Y-%m-%d` or `%d.%m.%Y %H:%M`"),
        );
        return None;
    }
    Some(given.value.text.clone())
}

/// A value that is not one of those allowed, which `allowed` lists.
pub(super) fn unknown_value(
    given: &Given<Scalar>,
    key: &str,
    meant: Option<&str>,
    allowed: &[&str],
) -> Hinted {
    let message = format!("`{key}` cannot be `{}`", given.value.shown());
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write {}", words::choice(allowed)),
    };
    Finding::new(Code::UnknownValue, given.span, message).label("not known").hint(hint)
}
