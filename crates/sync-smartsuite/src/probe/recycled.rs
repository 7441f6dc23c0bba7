//! Records that were deleted: whether a restored one is the same record, and whether its number is given out again.

use serde_json::{Value, json};

use super::{
    ProbeError,
    caller::{Caller, Heard},
    scratch::{Scratch, items},
    topic::{Findings, Verdict, found, lost, unclear},
};
use crate::wire::field::counter;

/// Asks both questions with records that exist for nothing else.
pub(super) async fn ask(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    let first = Newest::create(caller, scratch, "number-1").await?;
    let Ok(first) = first else {
        for name in ["autonumber_reuse", "restored_id"] {
            findings.note(name, unclear("the record was not created"));
        }
        return Ok(());
    };
    if !matches!(caller.delete_one(&first.id).await?, Heard::Taken(_)) {
        for name in ["autonumber_reuse", "restored_id"] {
            findings.note(name, unclear("the record was not deleted"));
        }
        return Ok(());
    }
    let verdict = match Newest::create(caller, scratch, "number-2").await? {
        Ok(second) => reuse(first.number, second.number),
        Err(verdict) => verdict,
    };
    findings.note("autonumber_reuse", verdict);
    let verdict = match caller.restore(&first.id).await? {
        Heard::Taken(_) => restored(caller, scratch, &first.id).await?,
        Heard::Refused(_) => found("it cannot be restored by a call"),
        Heard::Lost(kind) => lost(kind),
    };
    findings.note("restored_id", verdict);
    Ok(())
}

/// A record that was just created.
struct Newest {
    id: String,
    number: Option<u64>,
}

impl Newest {
    async fn create(
        caller: &mut Caller<'_>,
        scratch: &Scratch,
        name: &str,
    ) -> Result<Result<Self, Verdict>, ProbeError> {
        let answer = match caller.create(&[scratch.item(name).into()]).await? {
            Heard::Taken(answer) => answer,
            Heard::Refused(_) => return Ok(Err(unclear("the record was not created"))),
            Heard::Lost(kind) => return Ok(Err(lost(kind))),
        };
        let record = items(&answer).and_then(<[Value]>::first);
        let id = record.and_then(|record| record.get("id")?.as_str());
        let Some(id) = id else { return Ok(Err(unclear("the answer names no record"))) };
        let number = record.and_then(|record| counter(record.get("autonumber")?));
        Ok(Ok(Self { id: id.to_owned(), number }))
    }
}

/// What the number of a record says that was created after the newest one was deleted.
fn reuse(deleted: Option<u64>, next: Option<u64>) -> Verdict {
    match (deleted, next) {
        (Some(deleted), Some(next)) if next > deleted => found("never"),
        (Some(_), Some(_)) => found("given out again"),
        (None, _) | (_, None) => unclear("the answers show no autonumber"),
    }
}

/// Looks for a record that was restored, by its id and then by its external id.
async fn restored(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    id: &str,
) -> Result<Verdict, ProbeError> {
    match caller.get(id).await? {
        Heard::Taken(record) if record.get("id").and_then(Value::as_str) == Some(id) => {
            return Ok(found("its own"));
        }
        Heard::Taken(_) | Heard::Refused(_) => {}
        Heard::Lost(kind) => return Ok(lost(kind)),
    }
    caller.settle().await;
    let marker = json!(scratch.marker("number-1"));
    let records = scratch.records(caller).await?;
    let found_under = records.iter().find(|(_, record)| record.get(&scratch.key) == Some(&marker));
    Ok(match found_under {
        Some((found_id, _)) if found_id == id => found("its own"),
        Some(_) => found("another"),
        None => unclear("it was not found afterwards"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(verdict: Verdict) -> String {
        match verdict {
            Verdict::Found(word) | Verdict::Unclear(word) => word,
        }
    }

    #[test]
    fn a_number_that_does_not_rise_was_given_out_again() {
        assert_eq!(word(reuse(Some(7), Some(8))), "never");
        assert_eq!(word(reuse(Some(7), Some(7))), "given out again");
        assert_eq!(word(reuse(Some(7), Some(3))), "given out again");
        for numbers in [(None, Some(8)), (Some(7), None)] {
            assert_eq!(word(reuse(numbers.0, numbers.1)), "the answers show no autonumber");
        }
    }
}
