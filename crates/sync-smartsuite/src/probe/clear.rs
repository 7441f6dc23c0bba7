//! How each type of field is emptied: by the form this program uses, and by `null`.

use serde_json::{Map, Value};
use sync_core::{
    field_value::{DateStamp, FieldValue, Phone},
    table::{Field, FieldKind},
    value::Decimal,
};

use super::{
    ProbeError,
    bulk::Bench,
    caller::{Caller, Heard},
    scratch::{Records, Scratch},
    topic::{Findings, Verdict, found, unclear},
    trial::is_empty,
};
use crate::wire::field::{self, codec};

/// How often a write is sent again without the fields that its refusal names.
const ATTEMPTS: usize = 3;

/// A type of field, with a value for it.
struct Subject<'s> {
    field: &'s Field,
    /// Forms of a value; the second is tried where the first is refused.
    values: Vec<Value>,
    /// The form that this program clears it with.
    form: Value,
    /// Whether the record held a value before each attempt to clear it.
    was_set: [bool; 2],
    /// What it read as after this program's form, and after `null`; `None`: refused.
    after: [Option<Value>; 2],
}

/// A record in which fields were filled and cleared.
pub(super) struct Cleared {
    record: String,
    /// Fields that were filled once and then cleared.
    slugs: Vec<String>,
}

/// Fills one field of each type and clears it, twice.
pub(super) async fn ask(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
    bench: &mut Bench,
) -> Result<Cleared, ProbeError> {
    let record = bench.take()?;
    let mut subjects = subjects(scratch);
    for round in [0, 1] {
        let filled = fill(caller, &record, &subjects).await?;
        for (subject, filled) in subjects.iter_mut().zip(filled) {
            if let Some(was_set) = subject.was_set.get_mut(round) {
                *was_set = filled;
            }
        }
        let form = |subject: &Subject<'_>| {
            (*subject.was_set.get(round)?)
                .then(|| if round == 0 { subject.form.clone() } else { Value::Null })
        };
        let wanted: Vec<Option<Value>> = subjects.iter().map(form).collect();
        let taken = write(caller, &record, &subjects, wanted).await?;
        let Heard::Taken(shown) = caller.get(&record).await? else { break };
        for (subject, taken) in subjects.iter_mut().zip(taken) {
            let value = shown.get(subject.field.slug.as_str()).cloned().unwrap_or_default();
            if let Some(after) = subject.after.get_mut(round) {
                *after = taken.then_some(value);
            }
        }
    }
    for subject in &subjects {
        findings.note_clearing(
            &kind_name(&subject.field.kind),
            &subject.form.to_string(),
            subject.verdict(),
        );
    }
    let nulls: Vec<(&Subject<'_>, bool)> = subjects
        .iter()
        .filter(|subject| subject.was_set[1])
        .map(|subject| (subject, subject.is_cleared(1)))
        .collect();
    let kept: Vec<String> = nulls
        .iter()
        .filter(|(_, cleared)| !cleared)
        .map(|(subject, _)| kind_name(&subject.field.kind))
        .collect();
    findings.note(
        "null_values",
        match (nulls.is_empty(), kept.is_empty()) {
            (true, _) => unclear("the table has no field that could be filled"),
            (false, true) => found("clears every type tried"),
            (false, false) => found(format!("does not clear {}", kept.join(", "))),
        },
    );
    let slugs = subjects
        .iter()
        .filter(|subject| subject.is_cleared(1) || subject.is_cleared(0))
        .map(|subject| subject.field.slug.to_string())
        .collect();
    Ok(Cleared { record, slugs })
}

/// Says how reads show what is empty.
pub(super) fn judge_empties(
    cleared: &Cleared,
    records: &Records,
    bench: &Bench,
    findings: &mut Findings,
) {
    let shows = |record: Option<&Value>| {
        let record = record?;
        Some(cleared.slugs.iter().any(|slug| record.get(slug).is_some()))
    };
    let never = bench.keep().and_then(|(id, _)| records.get(id));
    let verdict = match (shows(never), shows(records.get(&cleared.record))) {
        _ if cleared.slugs.is_empty() => unclear("no field could be cleared"),
        (Some(true), Some(_)) => found("all shown"),
        (Some(false), Some(true)) => found("shown if they once held a value"),
        (Some(false), Some(false)) => found("left out"),
        _ => unclear("the records were not listed afterwards"),
    };
    findings.note("read_empties", verdict);
}

impl Subject<'_> {
    /// Whether an attempt emptied the field.
    fn is_cleared(&self, round: usize) -> bool {
        let after = self.after.get(round).and_then(Option::as_ref);
        after.is_some_and(|after| is_empty(&self.field.kind, after))
    }

    fn verdict(&self) -> Verdict {
        if self.was_set == [false, false] {
            return unclear("the field could not be filled");
        }
        let own = self.form.to_string();
        let mut forms: Vec<&str> = Vec::new();
        if self.is_cleared(0) {
            forms.push(&own);
        }
        if self.is_cleared(1) && own != "null" {
            forms.push("null");
        }
        found(if forms.is_empty() { "nothing tried".to_owned() } else { forms.join(" or ") })
    }
}

/// Writes a value into each field; whether each was taken.
async fn fill(
    caller: &mut Caller<'_>,
    record: &str,
    subjects: &[Subject<'_>],
) -> Result<Vec<bool>, ProbeError> {
    let first = subjects.iter().map(|subject| subject.values.first().cloned()).collect();
    let mut taken = write(caller, record, subjects, first).await?;
    let second: Vec<Option<Value>> = subjects
        .iter()
        .zip(&taken)
        .map(|(subject, taken)| subject.values.get(1).filter(|_| !taken).cloned())
        .collect();
    if second.iter().any(Option::is_some) {
        let again = write(caller, record, subjects, second).await?;
        taken.iter_mut().zip(again).for_each(|(taken, again)| *taken |= again);
    }
    Ok(taken)
}

/// Writes what is wanted of each field in one call, and again without the fields that a refusal names; whether each
/// was taken.
async fn write(
    caller: &mut Caller<'_>,
    record: &str,
    subjects: &[Subject<'_>],
    mut wanted: Vec<Option<Value>>,
) -> Result<Vec<bool>, ProbeError> {
    for _ in 0..ATTEMPTS {
        let mut item = Map::new();
        for (subject, value) in subjects.iter().zip(&wanted) {
            if let Some(value) = value {
                item.insert(subject.field.slug.to_string(), value.clone());
            }
        }
        if item.is_empty() {
            break;
        }
        item.insert("id".into(), record.into());
        match caller.update(&[item.into()]).await? {
            Heard::Taken(_) => return Ok(wanted.iter().map(Option::is_some).collect()),
            Heard::Refused(refusal) => {
                let mut named = false;
                for (subject, value) in subjects.iter().zip(&mut wanted) {
                    if value.is_some() && names(&refusal.body, subject.field.slug.as_str()) {
                        *value = None;
                        named = true;
                    }
                }
                if !named {
                    break;
                }
            }
            Heard::Lost(_) => break,
        }
    }
    Ok(vec![false; subjects.len()])
}

/// Whether a body has a member of this name anywhere.
fn names(json: &Value, slug: &str) -> bool {
    match json {
        Value::Object(members) => {
            members.contains_key(slug) || members.values().any(|value| names(value, slug))
        }
        Value::Array(items) => items.iter().any(|item| names(item, slug)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The first field of each type that this program writes.
fn subjects(scratch: &Scratch) -> Vec<Subject<'_>> {
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for field in scratch.fields() {
        if subjects.iter().any(|known| known.field.kind == field.kind) {
            continue;
        }
        let Some(value) = sample(scratch, field) else { continue };
        let codec = codec(&field.kind);
        subjects.push(Subject {
            field,
            values: (0..codec.write.len())
                .map(|form| field::write(&field.kind, &value, form))
                .collect(),
            form: field::write(&field.kind, &FieldValue::Empty, 0),
            was_set: [false, false],
            after: [None, None],
        });
    }
    subjects
}

/// A value that fits; nothing for types whose values would be somebody's.
fn sample(scratch: &Scratch, field: &Field) -> Option<FieldValue> {
    let part = |name: &str, text: &str| FieldValue::parts([(name.to_owned(), text.to_owned())]);
    let choice = || field.choices.first().map(|choice| choice.id.clone());
    Some(match field.kind {
        FieldKind::Text | FieldKind::TextArea | FieldKind::Title | FieldKind::RichText => {
            FieldValue::text("probe")
        }
        FieldKind::Number | FieldKind::Currency | FieldKind::Percent | FieldKind::Duration => {
            FieldValue::Number(Decimal::from(1_i128))
        }
        FieldKind::NumberSlider | FieldKind::PercentComplete | FieldKind::Rating => {
            let low = scratch.param(field, "min_value").map(ToString::to_string);
            let low = low.and_then(|low| low.trim_matches('"').parse::<i128>().ok()).unwrap_or(0);
            FieldValue::Number(Decimal::from(low + 1))
        }
        FieldKind::YesNo => FieldValue::Yes,
        FieldKind::SingleSelect | FieldKind::Status => FieldValue::Choice(choice()?),
        FieldKind::MultipleSelect | FieldKind::Tags => FieldValue::ids([choice()?]),
        FieldKind::Date => {
            FieldValue::Date { at: "2025-05-30T08:00:00Z".parse().ok()?, include_time: true }
        }
        FieldKind::DateRange | FieldKind::DueDate => {
            let at = "2025-05-30T08:00:00Z".parse().ok()?;
            let end = Some(DateStamp { at, include_time: true });
            FieldValue::date_range(end, end)
        }
        FieldKind::Time => FieldValue::text("21:15:00"),
        FieldKind::Address => part("location_city", "Berlin"),
        FieldKind::FullName => part("first_name", "Probe"),
        FieldKind::SocialNetwork => part("linkedin_username", "probe"),
        FieldKind::IpAddress => FieldValue::list(vec!["192.0.2.1".to_owned()]),
        FieldKind::ColorPicker => FieldValue::list(vec!["#814C4C".to_owned()]),
        FieldKind::Email => FieldValue::list(vec!["probe@example.com".to_owned()]),
        FieldKind::Link => FieldValue::list(vec!["https://www.example.com".to_owned()]),
        FieldKind::Phone => FieldValue::Phones(vec![Phone {
            country: "US".to_owned(),
            digits: "9135551212".to_owned(),
            extension: String::new(),
            kind: 1,
        }]),
        FieldKind::User | FieldKind::LinkedRecord | FieldKind::AutoNumber | FieldKind::Other(_) => {
            return None;
        }
    })
}

/// The type's name, without the word for a field that all of them end in.
fn kind_name(kind: &FieldKind) -> String {
    format!("{kind:?}")
        .chars()
        .enumerate()
        .flat_map(|(place, c)| {
            let gap = (place > 0 && c.is_ascii_uppercase()).then_some('_');
            gap.into_iter().chain([c.to_ascii_lowercase()])
        })
        .collect()
}
