//! The `fields` of a destination: where each value comes from, and what is done to it.

use std::collections::BTreeMap;

use crate::{
    config::{
        decode::{Entries, Given},
        defaults,
        diagnostic::Code,
        model::{
            BinaryForm, Conversion, FieldMapping, Origin, Secrecy, Treatment, WritePolicy, ZeroDate,
        },
        raw::{BINARY_FORMS, RawField, RawOptions, TOO_LONG, WRITE_POLICIES},
        report::{Finding, Report},
        scalar::Scalar,
        span::Span,
        suggestion::nearest,
        words,
    },
    expression::{Expression, ExpressionFault},
    json_path::JsonPath,
    slug::Slug,
};

use super::{conversion, filled, filled_scalar, in_range};

/// Names the key of the product's hashes, so that a secret used elsewhere too gives other ones there.
const HASH_CONTEXT: &str = "mysql-smartsuite-sync 2026 field hash";

/// Each field with its slug; what is wrong is reported and left out.
pub(super) fn fields(
    entries: &Given<Entries<RawField>>,
    report: &mut Report<'_>,
) -> Vec<FieldMapping> {
    let mut fields = Vec::new();
    for (slug, raw) in &entries.value.0 {
        if let Some(link) = &raw.value.link {
            alone(slug, &raw.value, link.key, report);
            continue;
        }
        let named = filled_scalar(slug, "a slug of `fields`", report);
        let field = field(slug, &raw.value, report);
        if let (Some(slug), Some((origin, conversion, treatment, write))) = (named, field) {
            fields.push(FieldMapping {
                origin,
                slug: Slug::from(slug),
                conversion,
                treatment,
                write,
            });
        }
    }
    fields
}

/// A link is filled by the records of another sync: nothing else can be said of its field.
fn alone(slug: &Scalar, raw: &RawField, link: Span, report: &mut Report<'_>) {
    let others: Vec<&str> =
        RawField::KEYS.iter().copied().filter(|key| *key != "link" && raw.has(key)).collect();
    if others.is_empty() {
        return;
    }
    let message = format!("`link` excludes {} in field `{}`", words::list(&others), slug.shown());
    report.add(
        Finding::new(Code::ConflictingKeys, link, message)
            .hint("keep `link` alone, or map the field without it"),
    );
}

fn field(
    slug: &Scalar,
    raw: &RawField,
    report: &mut Report<'_>,
) -> Option<(Origin, Conversion, Treatment, WritePolicy)> {
    let origin = origin(slug, raw, report);
    let conversion = conversion(raw, report);
    let treatment = treatment(raw, report);
    let write = match &raw.write {
        None => Some(WritePolicy::Always),
        Some(given) => one_of(given, "write", WRITE_POLICIES, report).map(|at| match at {
            0 => WritePolicy::Always,
            1 => WritePolicy::OnCreate,
            _ => WritePolicy::IfEmpty,
        }),
    };
    Some((origin?, conversion?, treatment?, write?))
}

fn origin(slug: &Scalar, raw: &RawField, report: &mut Report<'_>) -> Option<Origin> {
    const WAYS: &[&str] = &["column", "value", "template", "expression", "parts", "link"];
    let given = [
        raw.column.as_ref().map(|given| given.key),
        raw.value.as_ref().map(|given| given.key),
        raw.template.as_ref().map(|given| given.key),
        raw.expression.as_ref().map(|given| given.key),
        raw.parts.as_ref().map(|given| given.key),
        raw.link.as_ref().map(|given| given.key),
    ];
    let mut ways = WAYS.iter().zip(given).filter_map(|(way, key)| Some((way, key?)));
    let Some((first, first_key)) = ways.next() else {
        if !WAYS.iter().any(|way| raw.has(way)) {
            let message = format!("nothing says where the value of `{}` comes from", slug.shown());
            report.add(
                Finding::new(Code::MissingKey, slug.span, message)
                    .hint(format!("add {}", words::choice(WAYS))),
            );
        }
        return None;
    };
    if let Some((second, key)) = ways.next() {
        report.add(
            Finding::new(
                Code::ConflictingKeys,
                key,
                format!("`{first}` and `{second}` exclude each other"),
            )
            .also(first_key, "the other one")
            .hint("keep one of the two"),
        );
        return None;
    }
    if let (Some(path), None) = (&raw.path, &raw.column) {
        report.add(
            Finding::new(Code::ConflictingKeys, path.key, "`path` belongs to `column`")
                .hint("in expressions, write `json(column, 'path')`"),
        );
    }
    if let Some(given) = &raw.column {
        let name = filled(given, "column", report)?;
        let path = match &raw.path {
            Some(given) => Some(path(given, report)?),
            None => None,
        };
        return Some(Origin::Column { name, path });
    }
    if let Some(given) = &raw.value {
        return Some(Origin::Computed(Expression::constant(&given.value.text)));
    }
    if let Some(given) = &raw.template {
        return parsed(&given.value, Expression::template, report).map(Origin::Computed);
    }
    if let Some(given) = &raw.expression {
        return parsed(&given.value, Expression::parse, report).map(Origin::Computed);
    }
    let parts = raw.parts.as_ref()?;
    if parts.value.0.is_empty() {
        report.add(
            Finding::new(Code::EmptyValue, parts.key, "`parts` lists no part")
                .hint("add a line `part: column` for each"),
        );
    }
    let mut found = BTreeMap::new();
    let mut complete = true;
    for (name, given) in &parts.value.0 {
        match parsed(&given.value, Expression::parse, report) {
            Some(expression) => {
                found.insert(name.text.clone(), expression);
            }
            None => complete = false,
        }
    }
    complete.then_some(Origin::Parts(found))
}

/// An expression or template; what is wrong with it is shown where it stands in the file.
fn parsed(
    scalar: &Scalar,
    parse: fn(&str) -> Result<Expression, ExpressionFault>,
    report: &mut Report<'_>,
) -> Option<Expression> {
    match parse(&scalar.text) {
        Ok(expression) => Some(expression),
        Err(fault) => {
            report.add(
                Finding::new(Code::BadExpression, scalar.span_of(fault.at), fault.message)
                    .hint(fault.hint),
            );
            None
        }
    }
}

fn path(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<JsonPath> {
    let found = JsonPath::parse(&given.value.text);
    if found.is_err() {
        report.add(
            Finding::new(
                Code::BadExpression,
                given.span,
                "this is not a path into a JSON document",
            )
            .hint("write e.g. `address.city`, `items[0].name` or `\"odd name\".part`"),
        );
    }
    found.ok()
}

/// `type` and what belongs to it. Without a type the options go with the field's own.
fn conversion(raw: &RawField, report: &mut Report<'_>) -> Option<Conversion> {
    let options = RawOptions::of_field(raw);
    conversion::of_field(raw.kind.as_ref(), &options, report)
}

fn treatment(raw: &RawField, report: &mut Report<'_>) -> Option<Treatment> {
    let zero_date = match &raw.zero_date {
        None => Some(ZeroDate::Empty),
        Some(given) => zero_date(given, report),
    };
    let binary = match &raw.binary {
        None => Some(BinaryForm::Text),
        Some(given) => one_of(given, "binary", BINARY_FORMS, report).map(|at| match at {
            0 => BinaryForm::Text,
            1 => BinaryForm::Base64,
            2 => BinaryForm::Hex,
            3 => BinaryForm::Uuid,
            _ => BinaryForm::SwappedUuid,
        }),
    };
    let cut = match &raw.too_long {
        None => Some(false),
        Some(given) => one_of(given, "too_long", TOO_LONG, report).map(|at| at == 1),
    };
    let length_max = match &raw.max_length {
        None => Some(None),
        Some(given) => in_range(given, 1..=defaults::LENGTH_MAX, "max_length", report).map(Some),
    };
    Some(Treatment {
        zero_date: zero_date?,
        binary: binary?,
        trim: raw.trim.as_ref().map_or(defaults::TRIM, |given| given.value),
        default: raw.default.as_ref().map(|given| given.value.text.clone()),
        secrecy: secrecy(raw, report),
        length_max: length_max?,
        cut: cut?,
    })
}

fn zero_date(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<ZeroDate> {
    match given.value.text.as_str() {
        "empty" => Some(ZeroDate::Empty),
        "quarantine" => Some(ZeroDate::Quarantine),
        day => match day.parse() {
            Ok(day) => Some(ZeroDate::Fixed(day)),
            Err(_) => {
                let message = format!("`zero_date` cannot be `{}`", given.value.shown());
                report.add(
                    Finding::new(Code::UnknownValue, given.span, message)
                        .hint("write `empty`, `quarantine`, or a day such as `1970-01-01`"),
                );
                None
            }
        },
    }
}

/// How the value is hidden, if it is. What is wrong is reported, and the file is then not used.
fn secrecy(raw: &RawField, report: &mut Report<'_>) -> Option<Secrecy> {
    if let (Some(hash), Some(mask)) = (&raw.hash, &raw.mask) {
        report.add(
            Finding::new(Code::ConflictingKeys, mask.key, "`hash` and `mask` exclude each other")
                .also(hash.key, "the other one")
                .hint("keep one of the two"),
        );
        return None;
    }
    if let Some(given) = &raw.mask {
        let shown = in_range(given, 0..=defaults::MASK_MAX, "mask", report)?;
        return Some(Secrecy::Mask { shown });
    }
    let given = raw.hash.as_ref()?;
    let secret = &given.value.text;
    let problem = if !given.value.is_foreign(&(0..secret.len())) {
        "the secret stands in the file"
    } else if secret.chars().count() < defaults::SECRET_LENGTH_MIN {
        "the secret is too short: it could be tried out"
    } else {
        return Some(Secrecy::Hash(blake3::derive_key(HASH_CONTEXT, secret.as_bytes())));
    };
    report.add(
        Finding::new(Code::BadSecret, given.span, problem)
            .hint("write `${VARIABLE}` and set it to 16 random characters or more"),
    );
    None
}

/// Which of the values is given; `None`: another, which is reported.
fn one_of(
    given: &Given<Scalar>,
    key: &str,
    values: &[&str],
    report: &mut Report<'_>,
) -> Option<usize> {
    let found = values.iter().position(|value| *value == given.value.text);
    if found.is_none() {
        let meant = nearest(&given.value.text, values.iter().copied());
        report.add(conversion::unknown_value(given, key, meant, values));
    }
    found
}
