//! Bulk calls, and what something wrong in them does to the rest.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sync_core::{port::BULK_MAX, table::FieldKind};

use super::{
    ProbeError,
    caller::{Caller, Heard, Refusal},
    scratch::{Scratch, items},
    topic::{Findings, Verdict, found, lost, taken_or, unclear},
};

/// Records to experiment with, each used once.
#[derive(Debug)]
pub(super) struct Bench {
    /// Ids with the names of their markers.
    records: Vec<(String, String)>,
    /// A record that is never written again, as its creation showed it.
    pub(super) untouched: Value,
}

impl Bench {
    /// Creates them in two bulk calls, which show the shape and the order of an answer.
    pub(super) async fn create(
        caller: &mut Caller<'_>,
        scratch: &Scratch,
        findings: &mut Findings,
    ) -> Result<Self, ProbeError> {
        let mut records = Vec::new();
        let mut untouched = Value::Null;
        for half in ["a", "b"] {
            let names: Vec<String> = (0..BULK_MAX).map(|n| format!("bench-{half}{n:02}")).collect();
            let sent: Vec<Value> =
                names.iter().map(|name| Value::from(scratch.item(name))).collect();
            let answer = match caller.create(&sent).await? {
                Heard::Taken(answer) => answer,
                Heard::Refused(refusal) => return Err(not_creatable(&refusal)),
                Heard::Lost(kind) => {
                    return Err(ProbeError::Call(kind.into()));
                }
            };
            findings.note("bulk_answer", shape(&answer));
            let shown = items(&answer).unwrap_or_default();
            let ids: Vec<Option<(String, String)>> = names
                .iter()
                .map(|name| {
                    let marker = scratch.marker(name);
                    let record = shown.iter().find(|one| text(one, &scratch.key) == Some(&marker));
                    Some((text(record?, "id")?.to_owned(), name.clone()))
                })
                .collect();
            if ids.iter().any(Option::is_none) {
                return Err(ProbeError::table(
                    "the answer to a bulk create does not name every record with its external id",
                    "make sure that the field `External ID` is a plain text field",
                ));
            }
            let order: Vec<Option<&str>> =
                shown.iter().map(|one| text(one, &scratch.key)).collect();
            let sent: Vec<Option<&str>> = sent.iter().map(|one| text(one, &scratch.key)).collect();
            findings.note("bulk_order", found(if order == sent { "as sent" } else { "another" }));
            if untouched.is_null() {
                untouched = shown.first().cloned().unwrap_or_default();
            }
            records.extend(ids.into_iter().flatten());
        }
        let kept = text(&untouched, "id").unwrap_or_default().to_owned();
        records.retain(|(id, _)| *id != kept);
        Ok(Self { records, untouched })
    }

    /// A record that nobody else uses.
    pub(super) fn take(&mut self) -> Result<String, ProbeError> {
        self.records.pop().map(|(id, _)| id).ok_or(ProbeError::TooManyCalls)
    }

    /// A record that stays as it is, with the name of its marker.
    pub(super) fn keep(&self) -> Option<&(String, String)> {
        self.records.first()
    }
}

/// Asks what a bulk call does with each thing that can be wrong in it.
pub(super) async fn ask(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
    bench: &mut Bench,
) -> Result<(), ProbeError> {
    findings.note("stamps_apart", stamps_apart(&bench.untouched));
    no_op(caller, scratch, findings, bench).await?;
    bad_item(caller, scratch, findings).await?;
    demands(caller, scratch, findings).await?;
    let deleted = bench.take()?;
    let verdict = match caller.delete_one(&deleted).await? {
        Heard::Taken(Value::Null) => found("nothing"),
        Heard::Taken(_) => found("the record"),
        other => taken_or(&other, "", "refused"),
    };
    findings.note("delete_answer", verdict);
    let (live, twice, last) = (bench.take()?, bench.take()?, bench.take()?);
    let update = |id: &str, name: &str| -> Value {
        let mut item = scratch.item(name);
        item.insert("id".into(), id.into());
        item.into()
    };
    let heard = caller.update(&[update(&live, "live"), update(&deleted, "gone")]).await?;
    findings.note("bulk_unknown_id", taken_or(&heard, "left out", "refuses the whole call"));
    let heard = caller.update(&[update(&twice, "first"), update(&twice, "second")]).await?;
    findings.note("bulk_duplicates", taken_or(&heard, "taken", "refused"));
    let heard = caller.create(&[]).await?;
    findings.note("empty_bulk", taken_or(&heard, "taken", "refused"));
    let heard = caller.delete(&[&last, &deleted]).await?;
    findings.note("bulk_delete_unknown", taken_or(&heard, "left out", "refuses the whole call"));
    Ok(())
}

/// How long after a new record's `first_created` its `last_updated` is: a second at most, or the record looks changed.
fn stamps_apart(made: &Value) -> Verdict {
    let at = |pointer: &str| made.pointer(pointer)?.as_str()?.parse::<Timestamp>().ok();
    match (at("/first_created/on"), at("/last_updated/on")) {
        (Some(created), Some(updated)) => {
            found(format!("{} ms", updated.duration_since(created).as_millis()))
        }
        _ => unclear("the answers do not show both times"),
    }
}

/// Writes what a record holds already.
async fn no_op(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
    bench: &mut Bench,
) -> Result<(), ProbeError> {
    let before = &bench.untouched;
    let mut item = Map::new();
    for name in ["id", scratch.key.as_str()] {
        item.insert(name.to_owned(), before.get(name).cloned().unwrap_or_default());
    }
    let stamp = |record: &Value| record.pointer("/last_updated/on").cloned();
    let verdict = match caller.update(&[item.into()]).await? {
        Heard::Taken(answer) => {
            match (stamp(before), items(&answer).and_then(<[Value]>::first).and_then(stamp)) {
                (Some(before), Some(after)) if before == after => found("leaves last_updated"),
                (Some(_), Some(_)) => found("moves last_updated"),
                _ => unclear("the answers show no last_updated"),
            }
        }
        Heard::Refused(_) => found("refused"),
        Heard::Lost(kind) => lost(kind),
    };
    findings.note("noop_bumps", verdict);
    Ok(())
}

/// A good item, a bad one, a good one.
async fn bad_item(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    const TOPIC: &str = "bulk_bad_item";
    let kinds = [FieldKind::Number, FieldKind::Currency, FieldKind::Date, FieldKind::Title];
    let Some(field) = scratch.field_of(&kinds) else {
        findings.note(TOPIC, unclear("the table has no number, date or optional title field"));
        return Ok(());
    };
    let names = ["item-1", "item-2", "item-3"];
    let mut sent: Vec<Map<String, Value>> = names.iter().map(|name| scratch.item(name)).collect();
    if let Some(bad) = sent.get_mut(1) {
        bad.insert(field.slug.to_string(), json!({ "probe": ["neither number nor date"] }));
    }
    let sent: Vec<Value> = sent.into_iter().map(Value::from).collect();
    let heard = caller.create(&sent).await?;
    caller.settle().await;
    let records = scratch.records(caller).await?;
    let written = names.map(|name| {
        let marker = scratch.marker(name);
        records.values().any(|record| text(record, &scratch.key) == Some(&marker))
    });
    let verdict = match (&heard, written) {
        (_, [_, true, _]) => unclear("the item was taken for good"),
        (Heard::Refused(_), [false, _, false]) => found("refuses the call, writes nothing"),
        (Heard::Refused(_), [true, _, false]) => found("refuses the call, writes the items before"),
        (Heard::Refused(_), _) => found("refuses the call, writes the other items"),
        (Heard::Taken(_), [true, _, true]) => found("answers 200, writes the other items"),
        (Heard::Taken(_), _) => found("answers 200, writes not all of the other items"),
        (Heard::Lost(kind), _) => lost(*kind),
    };
    findings.note(TOPIC, verdict);
    if let Heard::Refused(refusal) = heard {
        findings.note("bulk_errors", errors_shape(&refusal.body));
        findings.note("refusal_status", found(refusal.status.to_string()));
        return Ok(());
    }
    findings.note("bulk_errors", unclear("no bulk call was refused"));
    findings.note("refusal_status", unclear("no bulk call was refused"));
    Ok(())
}

/// What the table demands of its records, where a bulk create does not meet it.
async fn demands(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    let verdict = if scratch.key_is_unique {
        let twin = Value::from(scratch.item("twin"));
        enforced(&caller.create(&[twin.clone(), twin]).await?)
    } else {
        unclear("the field `External ID` is not unique")
    };
    findings.note("unique_bulk", verdict);
    let verdict = match scratch.required_text() {
        Some(slug) => {
            let mut item = scratch.item("incomplete");
            item.remove(slug);
            enforced(&caller.create(&[item.into()]).await?)
        }
        None => unclear("the table has no required text but `External ID`"),
    };
    findings.note("required_bulk", verdict);
    Ok(())
}

fn enforced(heard: &Heard) -> Verdict {
    taken_or(heard, "not enforced", "enforced")
}

/// The envelope of a bulk answer.
fn shape(answer: &Value) -> Verdict {
    match answer {
        Value::Array(_) => found("array"),
        _ if answer.get("successful_items").is_some() => found("successful_items, failed_items"),
        _ if answer.get("items").is_some() => found("items"),
        _ => found("another"),
    }
}

/// How the body of a refusal says which item it is about.
fn errors_shape(body: &Value) -> Verdict {
    match body {
        Value::Array(_) => found("an array like the items"),
        _ if body.get("items").is_some_and(Value::is_array) => found("items, one for each"),
        Value::Object(_) => found("the field alone"),
        _ => found("not at all"),
    }
}

fn not_creatable(refusal: &Refusal) -> ProbeError {
    let slugs: Vec<String> = match items(&refusal.body).unwrap_or_default().first() {
        Some(Value::Object(first)) => first.keys().cloned().collect(),
        _ => {
            refusal.body.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default()
        }
    };
    ProbeError::table(
        format!("plain records are refused ({}; {})", refusal.status, slugs.join(", ")),
        "make every field but `External ID` and the title optional and not unique",
    )
}

/// A member that is a text.
fn text<'v>(record: &'v Value, name: &str) -> Option<&'v str> {
    record.get(name).and_then(Value::as_str)
}
