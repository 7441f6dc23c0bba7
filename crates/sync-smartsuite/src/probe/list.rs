//! Lists: how soon they show a record, what they do without or with too large a limit, how filters compare.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    ProbeError,
    bulk::Bench,
    caller::{Caller, Heard},
    scratch::{Scratch, items},
    topic::{Findings, Verdict, found, lost, unclear},
};

/// Waits before each look at a record that was just created, in milliseconds; the gate's own wait comes on top.
const LOOKS: [u64; 8] = [0, 0, 250, 500, 1_000, 2_000, 4_000, 8_000];
/// Most conditions that this program puts into one filter.
const CLAUSES: usize = 25;

/// Creates a record and looks for it until it is found.
pub(super) async fn lag(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    let heard = caller.create(&[scratch.item("lag").into()]).await?;
    let written = caller.elapsed();
    if !matches!(heard, Heard::Taken(_)) {
        findings.note("list_lag", unclear("the record was not created"));
        return Ok(());
    }
    let filter = any_of(scratch, &[scratch.marker("lag")]);
    let mut unseen = None;
    for wait in LOOKS {
        caller.wait(Duration::from_millis(wait)).await;
        let count = count(&caller.list(&page(), &filter).await?);
        let age = caller.elapsed().saturating_sub(written);
        if count == Some(1) {
            findings.note(
                "list_lag",
                found(match unseen {
                    None => "none seen".to_owned(),
                    Some(unseen) => format!("{} to {}", seconds(unseen), seconds(age)),
                }),
            );
            caller.set_lag(age);
            return Ok(());
        }
        unseen = Some(age);
    }
    let age = unseen.unwrap_or_default();
    findings.note("list_lag", found(format!("more than {}", seconds(age))));
    caller.set_lag(age);
    Ok(())
}

/// Asks for lists in all the ways that have an open answer.
pub(super) async fn ask(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
    bench: &Bench,
) -> Result<(), ProbeError> {
    caller.settle().await;
    let all = json!({ "sort": [], "filter": {}, "hydrated": false });
    let verdict = match caller.list(&[("offset", "0")], &all).await? {
        Heard::Taken(json) => without_limit(&json),
        other => refused(&other),
    };
    findings.note("list_default", verdict);
    let verdict = match caller.list(&[("offset", "0"), ("limit", "1001")], &all).await? {
        Heard::Taken(json) => match number(&json, "limit") {
            Some(1_000) => found("served as 1000"),
            _ => found("served"),
        },
        other => refused(&other),
    };
    findings.note("list_over_limit", verdict);
    let verdict = match caller.list(&[("offset", "1"), ("limit", "2")], &all).await? {
        Heard::Taken(json) => match number(&json, "offset") {
            Some(1) => found("the request's own"),
            Some(3) => found("that of the next page"),
            _ => found("another"),
        },
        other => refused(&other),
    };
    findings.note("list_offset", verdict);
    text_is(caller, scratch, findings, bench).await?;
    clauses(caller, scratch, findings, bench).await
}

/// What a list without a limit says of its limit. The scratch table is too small to show one, so that there is only the
/// answer's word; one that what it holds speaks against, or that may be the number of its records, says nothing.
fn without_limit(json: &Value) -> Verdict {
    let shown = items(json).map_or(0, <[Value]>::len) as u64;
    let Some(total) = number(json, "total") else { return unclear("the answer has no total") };
    match number(json, "limit") {
        Some(0) if shown == total => found("every record, by its word"),
        Some(0) => unclear(format!("it says that it has no limit, and shows {shown} of {total}")),
        Some(limit) if limit == shown && shown == total => {
            unclear("its limit may be the number of its records")
        }
        Some(limit) if shown == limit.min(total) => {
            found(format!("the first {limit}, by its word"))
        }
        Some(limit) => {
            unclear(format!("it says that its limit is {limit}, and shows {shown} of {total}"))
        }
        None => unclear("the answer does not say its limit"),
    }
}

/// Filters for a text in other case, and with a space more.
async fn text_is(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
    bench: &Bench,
) -> Result<(), ProbeError> {
    let Some((_, name)) = bench.keep() else { return Ok(()) };
    let marker = scratch.marker(name);
    let mut matched = Vec::new();
    for (word, other) in [("case", marker.to_uppercase()), ("space", format!("{marker} "))] {
        let heard = caller.list(&page(), &any_of(scratch, &[other])).await?;
        match count(&heard) {
            Some(0) => {}
            Some(_) => matched.push(word),
            None => {
                findings.note("text_is", refused(&heard));
                return Ok(());
            }
        }
    }
    let word = if matched.is_empty() {
        "exact".to_owned()
    } else {
        format!("ignores {}", matched.join(" and "))
    };
    findings.note("text_is", found(word));
    Ok(())
}

/// Finds the most conditions that a filter may have, up to those that this program uses.
async fn clauses(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
    bench: &Bench,
) -> Result<(), ProbeError> {
    let Some((_, name)) = bench.keep() else { return Ok(()) };
    let marker = scratch.marker(name);
    let filter = |clauses: usize| {
        let missing = (1..clauses).map(|n| scratch.marker(&format!("none-{n}")));
        any_of(scratch, &missing.chain([marker.clone()]).collect::<Vec<_>>())
    };
    // So many conditions are taken, and so many are not.
    let (mut taken, mut too_many) = (0, CLAUSES + 1);
    let mut next = CLAUSES;
    while taken + 1 < too_many {
        let heard = caller.list(&page(), &filter(next)).await?;
        match (count(&heard), &heard) {
            (Some(1), _) => taken = next,
            (_, Heard::Lost(kind)) => {
                findings.note("max_filter_clauses", lost(*kind));
                return Ok(());
            }
            _ => too_many = next,
        }
        next = usize::midpoint(taken, too_many);
    }
    let word = if taken == CLAUSES { format!("{CLAUSES} or more") } else { taken.to_string() };
    findings.note("max_filter_clauses", found(word));
    Ok(())
}

fn page() -> [(&'static str, &'static str); 2] {
    [("offset", "0"), ("limit", "25")]
}

fn any_of(scratch: &Scratch, ids: &[String]) -> Value {
    let clause = |id: &String| json!({ "field": scratch.key, "comparison": "is", "value": id });
    let fields: Vec<Value> = ids.iter().map(clause).collect();
    json!({ "sort": [], "filter": { "operator": "or", "fields": fields }, "hydrated": false })
}

/// How many records a list showed, if it was one.
fn count(heard: &Heard) -> Option<usize> {
    match heard {
        Heard::Taken(json) => items(json).map(<[Value]>::len),
        Heard::Refused(_) | Heard::Lost(_) => None,
    }
}

fn number(json: &Value, name: &str) -> Option<u64> {
    json.get(name).and_then(Value::as_u64)
}

fn refused(heard: &Heard) -> Verdict {
    match heard {
        Heard::Refused(_) => found("refused"),
        Heard::Lost(kind) => lost(*kind),
        Heard::Taken(_) => unclear("the answer is no list of records"),
    }
}

fn seconds(length: Duration) -> String {
    format!("{:.2} s", length.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(limit: &Value, shown: usize, total: u64) -> String {
        let items = vec![json!({}); shown];
        match without_limit(&json!({ "items": items, "limit": limit, "total": total })) {
            Verdict::Found(word) => word,
            Verdict::Unclear(why) => format!("unclear: {why}"),
        }
    }

    #[test]
    fn a_limit_is_found_only_where_nothing_speaks_against_it() {
        assert_eq!(word(&json!(0), 30, 30), "every record, by its word");
        assert_eq!(word(&json!(100), 30, 30), "the first 100, by its word");
        assert_eq!(word(&json!(10), 10, 30), "the first 10, by its word");
        for (limit, shown, total) in
            [(json!(0), 10, 30), (json!(30), 30, 30), (json!(100), 20, 30), (Value::Null, 30, 30)]
        {
            assert!(word(&limit, shown, total).starts_with("unclear"), "{limit}");
        }
    }
}
