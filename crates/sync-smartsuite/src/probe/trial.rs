//! Values that may not be understood: each is written to a record of its own, and all are read back at once.

use serde_json::{Map, Value, json};
use sync_core::table::{Field, FieldKind};

use super::{
    ProbeError,
    bulk::Bench,
    caller::{Caller, Heard},
    scratch::{Records, Scratch},
    topic::{Findings, Verdict, found, lost, unclear},
};
use crate::wire::field::codec;

/// One character more than the largest text that this program trusts the service with.
const LONG_TEXT_CHARS: usize = 65_537;
/// A day and a time of day on it, in the two forms that are reported to work.
const DAY: &str = "2025-05-30";
const TIME: &str = "2025-05-30T08:00:00Z";
const FRACTION: &str = "2025-05-30T08:00:00.125Z";

/// What is tried: values for one field, and what their fates mean.
pub(super) struct Trial {
    topic: &'static str,
    slug: String,
    kind: FieldKind,
    values: Vec<Value>,
    meaning: fn(&[Seen<'_>]) -> Verdict,
}

/// A trial with the records its values were written to.
pub(super) struct Written {
    trial: Trial,
    fates: Vec<Fate>,
}

enum Fate {
    /// 2xx: what became of it is to be read in this record.
    Taken(String),
    Refused,
    Lost(Verdict),
}

/// What became of one value.
struct Seen<'v> {
    kind: &'v FieldKind,
    sent: &'v Value,
    /// What the record shows; `None`: the write was refused.
    shown: Option<&'v Value>,
}

impl Seen<'_> {
    fn is_refused(&self) -> bool {
        self.shown.is_none()
    }

    /// Whether the record shows nothing.
    fn is_blank(&self) -> bool {
        self.shown.is_some_and(|shown| is_empty(self.kind, shown))
    }

    /// Whether the record shows what was sent.
    fn is_kept(&self) -> bool {
        let read = codec(self.kind).read;
        self.shown.is_some_and(|shown| !self.is_blank() && read(shown) == read(self.sent))
    }

    /// `refused`, `saved empty`, `taken` or `changed`.
    fn fate(&self) -> &'static str {
        match self.shown {
            None => "refused",
            Some(_) if self.is_blank() => "saved empty",
            Some(_) if self.is_kept() => "taken",
            Some(_) => "changed",
        }
    }
}

/// Whether a value reads as nothing.
pub(super) fn is_empty(kind: &FieldKind, shown: &Value) -> bool {
    if let FieldKind::Other(_) = kind {
        return holds_nothing(shown);
    }
    shown.is_null() || (codec(kind).read)(shown) == Some(sync_core::field_value::FieldValue::Empty)
}

/// Whether there is no text and no number anywhere in it.
fn holds_nothing(json: &Value) -> bool {
    match json {
        Value::Null | Value::Bool(_) => true,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(holds_nothing),
        Value::Object(members) => members.values().all(holds_nothing),
    }
}

/// Writes every value that the table has a field for.
pub(super) async fn write(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    bench: &mut Bench,
) -> Result<Vec<Result<Written, (&'static str, String)>>, ProbeError> {
    let mut all = Vec::new();
    for trial in trials(scratch) {
        let trial = match trial {
            Ok(trial) => trial,
            Err(missing) => {
                all.push(Err(missing));
                continue;
            }
        };
        let mut fates = Vec::new();
        for value in &trial.values {
            let id = bench.take()?;
            let mut item = Map::new();
            item.insert("id".into(), id.as_str().into());
            item.insert(trial.slug.clone(), value.clone());
            fates.push(match caller.update(&[item.into()]).await? {
                Heard::Taken(_) => Fate::Taken(id),
                Heard::Refused(_) => Fate::Refused,
                Heard::Lost(kind) => Fate::Lost(lost(kind)),
            });
        }
        all.push(Ok(Written { trial, fates }));
    }
    Ok(all)
}

/// Says what each trial shows, now that the records were read.
pub(super) fn judge(
    all: Vec<Result<Written, (&'static str, String)>>,
    records: &Records,
    findings: &mut Findings,
) {
    for one in all {
        match one {
            Ok(written) => findings.note(written.trial.topic, written.verdict(records)),
            Err((topic, missing)) => findings.note(topic, unclear(missing)),
        }
    }
}

impl Written {
    fn verdict(self, records: &Records) -> Verdict {
        let Self { trial, fates } = self;
        let mut seen = Vec::new();
        for (sent, fate) in trial.values.iter().zip(&fates) {
            let shown = match fate {
                Fate::Refused => None,
                Fate::Lost(verdict) => return verdict.clone(),
                Fate::Taken(id) => match records.get(id) {
                    Some(record) => Some(record.get(&trial.slug).unwrap_or(&Value::Null)),
                    None => return unclear("the record was not listed afterwards"),
                },
            };
            seen.push(Seen { kind: &trial.kind, sent, shown });
        }
        (trial.meaning)(&seen)
    }
}

/// Every trial, or what the table lacks for it.
fn trials(scratch: &Scratch) -> Vec<Result<Trial, (&'static str, String)>> {
    use FieldKind::{
        Currency, Date, Email, LinkedRecord, Number, NumberSlider, Percent, PercentComplete, Phone,
        Rating, RichText, SingleSelect, Status,
    };
    let key = |topic, value: Value, meaning| {
        let (slug, kind) = (scratch.key.clone(), FieldKind::Text);
        Ok(Trial { topic, slug, kind, values: vec![value], meaning })
    };
    let stray = |topic, slug: &str, value: Value, meaning| {
        let (slug, kind) = (slug.to_owned(), FieldKind::Other(String::new()));
        Ok(Trial { topic, slug, kind, values: vec![value], meaning })
    };
    let with = |topic,
                what: &str,
                field: Option<&Field>,
                values: fn(&Scratch, &Field) -> Option<Vec<Value>>,
                meaning| {
        let values = field.and_then(|field| Some((field, values(scratch, field)?)));
        let (field, values) =
            values.ok_or_else(|| (topic, format!("the table has no {what} field")))?;
        Ok(Trial { topic, slug: field.slug.to_string(), kind: field.kind.clone(), values, meaning })
    };
    let first = |kinds: &[FieldKind]| scratch.field_of(kinds);
    let single = [SingleSelect, Status];
    vec![
        key("trim_text", format!("{} ", scratch.marker("trim")).into(), |seen| {
            one(seen, |seen| match seen.fate() {
                "taken" => "kept",
                "changed" => "cut",
                other => other,
            })
        }),
        key("long_text", long_text(scratch), long_text_fate),
        stray("unknown_slug", "sprobenone", "probe".into(), ignored),
        stray("read_only_slug", "comments_count", 0.into(), ignored),
        with("date_forms", "date", first(&[Date]), |_, _| Some(forms()), which_form),
        with(
            "range_date_forms",
            "date range or due date",
            scratch.fields().find(|field| is_range(&field.kind)),
            |_, _| Some(forms().iter().map(range).collect()),
            which_form,
        ),
        with("bare_days", "date", first(&[Date]), |_, _| Some(vec![json!(DAY)]), plain),
        with(
            "incomplete_dates",
            "date",
            first(&[Date]),
            |_, _| Some(vec![json!({ "date": TIME })]),
            |seen| one(seen, |seen| if seen.fate() == "changed" { "taken" } else { seen.fate() }),
        ),
        with(
            "dates_to_the_second",
            "date",
            first(&[Date]),
            |_, _| Some(vec![json!({ "date": FRACTION, "include_time": true }), json!(FRACTION)]),
            fractions,
        ),
        with(
            "decimal_excess",
            "numeric (with a precision)",
            scratch.fields().find(|field| {
                [Number, Currency, Percent].contains(&field.kind) && field.precision.is_some()
            }),
            |_, field| Some(vec![excess(field.precision?).into()]),
            decimals,
        ),
        with(
            "out_of_range",
            "slider, percent complete or rating",
            first(&[NumberSlider, PercentComplete, Rating]),
            |scratch, field| Some(vec![above(scratch, field)?]),
            |seen| {
                one(
                    seen,
                    |seen| if seen.fate() == "changed" { "set to the bound" } else { seen.fate() },
                )
            },
        ),
        with(
            "unknown_choice",
            "select or status (closed to new choices)",
            scratch.fields().find(|field| {
                single.contains(&field.kind)
                    && scratch.param(field, "new_choices_allowed") != Some(&Value::Bool(true))
            }),
            |_, field| {
                let id = "probe-none";
                Some(vec![if field.kind == Status { json!({ "value": id }) } else { json!(id) }])
            },
            plain,
        ),
        with(
            "select_object",
            "single select (with a choice)",
            first(&[SingleSelect]),
            |_, field| Some(vec![json!({ "value": field.choices.first()?.id })]),
            plain,
        ),
        with(
            "doc_string",
            "rich text",
            first(&[RichText]),
            |_, _| Some(vec![json!("probe")]),
            |seen| {
                one(
                    seen,
                    |seen| if seen.fate() == "taken" { "made a document" } else { seen.fate() },
                )
            },
        ),
        with(
            "phone_text",
            "phone",
            first(&[Phone]),
            |_, _| Some(vec![json!(["+19135551212"])]),
            |seen| one(seen, |seen| if seen.fate() == "changed" { "taken" } else { seen.fate() }),
        ),
        with("email_syntax", "e-mail", first(&[Email]), |_, _| Some(vec![json!(["probe"])]), plain),
        with(
            "single_overflow",
            "e-mail (for one entry)",
            scratch.fields().find(|field| field.kind == Email && !field.multiple),
            |_, _| Some(vec![json!(["a@example.com", "b@example.com"])]),
            |seen| one(seen, |seen| if seen.fate() == "changed" { "cut" } else { seen.fate() }),
        ),
        with(
            "unknown_link",
            "linked record",
            first(&[LinkedRecord]),
            |_, _| Some(vec![json!(["ffffffffffffffffffffffff"])]),
            |seen| one(seen, |seen| if seen.is_blank() { "left out" } else { seen.fate() }),
        ),
    ]
}

/// The meaning of a single value.
fn one(seen: &[Seen<'_>], meaning: impl Fn(&Seen<'_>) -> &'static str) -> Verdict {
    match seen {
        [seen] => found(meaning(seen)),
        _ => nothing_written(),
    }
}

fn nothing_written() -> Verdict {
    unclear("nothing was written")
}

fn plain(seen: &[Seen<'_>]) -> Verdict {
    seen.first().map_or_else(nothing_written, |seen| found(seen.fate()))
}

/// For what the record has no place to show.
fn ignored(seen: &[Seen<'_>]) -> Verdict {
    one(seen, |seen| if seen.is_refused() { "refused" } else { "ignored" })
}

fn long_text(scratch: &Scratch) -> Value {
    let mut text = scratch.marker("long-");
    let missing = LONG_TEXT_CHARS.saturating_sub(text.chars().count());
    text.push_str(&"x".repeat(missing));
    text.into()
}

fn long_text_fate(seen: &[Seen<'_>]) -> Verdict {
    let shown = seen.first().and_then(|seen| seen.shown).and_then(Value::as_str);
    match shown.map(|text| text.chars().count()) {
        Some(LONG_TEXT_CHARS) => found("taken"),
        Some(chars) if chars > 0 => found(format!("cut to {chars} characters")),
        Some(_) | None => plain(seen),
    }
}

/// The complete object, and the ISO text.
fn forms() -> Vec<Value> {
    vec![json!({ "date": TIME, "include_time": true }), json!(TIME)]
}

fn range(date: &Value) -> Value {
    json!({ "from_date": date, "to_date": date })
}

fn is_range(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::DateRange | FieldKind::DueDate)
}

fn which_form(seen: &[Seen<'_>]) -> Verdict {
    let works = |seen: &Seen<'_>| !seen.is_refused() && !seen.is_blank();
    match seen {
        [object, text] => found(match (works(object), works(text)) {
            (true, true) => "both",
            (true, false) => "the object alone",
            (false, true) => "the text alone",
            (false, false) => "neither",
        }),
        _ => nothing_written(),
    }
}

/// What is left of a fraction, in whichever form was taken.
fn fractions(seen: &[Seen<'_>]) -> Verdict {
    let taken: Vec<&Seen<'_>> =
        seen.iter().filter(|seen| !seen.is_refused() && !seen.is_blank()).collect();
    match taken.as_slice() {
        [] => found("refused"),
        taken if taken.iter().any(|seen| seen.is_kept()) => found("kept"),
        _ => found("dropped"),
    }
}

/// A number with one digit more behind the point than the field keeps.
fn excess(precision: u32) -> String {
    let digits = usize::try_from(precision).unwrap_or(0);
    format!("1.{}7", "2".repeat(digits))
}

fn decimals(seen: &[Seen<'_>]) -> Verdict {
    let [one] = seen else { return nothing_written() };
    let read = codec(one.kind).read;
    let sent = one.sent.as_str().unwrap_or_default();
    // `1.227` cut is `1.22`, and rounded `1.23`.
    let cut = sent.get(..sent.len() - 1).unwrap_or_default().trim_end_matches('.').to_owned();
    match one.shown {
        Some(shown) if one.fate() == "changed" => {
            found(if read(shown) == read(&cut.into()) { "cut" } else { "rounded" })
        }
        _ => plain(seen),
    }
}

/// One more than the largest number that fits.
fn above(scratch: &Scratch, field: &Field) -> Option<Value> {
    let name = if field.kind == FieldKind::Rating { "scale" } else { "max_value" };
    let bound = match scratch.param(field, name)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Some((bound.parse::<i64>().ok()? + 1).into())
}
