//! What is asked, and what this program assumes as long as nobody knows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sync_core::error::CallErrorKind;

use super::caller::Heard;

/// A question: its name, its words, and the assumption that every guarantee rests on.
struct Topic(&'static str, &'static str, &'static str);

/// All questions, in the order in which they are shown. Clearing is asked for each type of field by itself.
const TOPICS: &[Topic] = &[
    Topic("bulk_answer", "shape of a bulk answer", "any of three"),
    Topic("bulk_order", "order of a bulk answer", "any"),
    Topic("bulk_bad_item", "one bad item in a bulk create", "anything may be written"),
    Topic("bulk_errors", "how a refused bulk call names the item", "perhaps not at all"),
    Topic("refusal_status", "status of a refused value", "400 or 422"),
    Topic("unique_bulk", "unique fields in a bulk create", "not enforced"),
    Topic("required_bulk", "required fields in a bulk create", "not enforced"),
    Topic("bulk_unknown_id", "a deleted record in a bulk update", "may refuse the whole call"),
    Topic("bulk_delete_unknown", "a deleted record in a bulk delete", "may refuse the whole call"),
    Topic("bulk_duplicates", "one record twice in a bulk update", "never sent"),
    Topic("empty_bulk", "a bulk call without items", "never sent"),
    Topic("delete_answer", "answer to a single delete", "with or without the record"),
    Topic(
        "autonumber_reuse",
        "the number of the newest record, once that is deleted",
        "never again",
    ),
    Topic("restored_id", "the id of a restored record", "its own"),
    Topic("stamps_apart", "from the creation of a new record to its last change", "at most 1 s"),
    Topic("noop_bumps", "an update that changes nothing", "moves last_updated"),
    Topic("list_lag", "until a new record is found by a filter", "up to seconds"),
    Topic("list_default", "a list without a limit", "unknown; a limit is always sent"),
    Topic("list_over_limit", "a list with a limit above 1000", "never asked for"),
    Topic("list_offset", "`offset` in a list's answer", "not read"),
    Topic("text_is", "`is` on a text of other case or outer space", "may match; compared again"),
    Topic("max_filter_clauses", "conditions in one filter", "25"),
    Topic("read_empties", "empty values on read", "absent or shown"),
    Topic("trim_text", "space at the end of a text", "may be cut"),
    Topic("long_text", "a text of 65,537 characters", "never sent"),
    Topic("unknown_slug", "a field that does not exist, in a write", "ignored; never sent"),
    Topic("read_only_slug", "a read-only field in a write", "ignored; never sent"),
    Topic("date_forms", "written form of a date", "object first, else text"),
    Topic("range_date_forms", "written form of a date range", "not written yet"),
    Topic("bare_days", "`2025-05-30` as a date", "never sent"),
    Topic("incomplete_dates", "a date object without `include_time`", "never sent"),
    Topic("dates_to_the_second", "fractions of a second of a date", "dropped; never sent"),
    Topic("decimal_excess", "more decimals than the field's precision", "rounded or refused"),
    Topic("out_of_range", "a number above the field's bound", "refused or changed"),
    Topic("unknown_choice", "a choice that the field does not have", "refused or saved empty"),
    Topic("select_object", "`{\"value\": id}` to a single select", "saved empty; never sent"),
    Topic("doc_string", "a plain text to a rich text field", "saved empty; never sent"),
    Topic("phone_text", "a phone number as a text", "never sent"),
    Topic("email_syntax", "an e-mail address without @", "refused"),
    Topic("single_overflow", "two entries where one is allowed", "refused or cut"),
    Topic("unknown_link", "a link to a record that does not exist", "refused"),
    Topic("null_values", "null in a write", "may be refused"),
    Topic("rate_limit", "calls in a second before a 429", "5"),
    Topic("rate_body", "body of a 429", "any"),
    Topic("retry_after", "`Retry-After` of a 429", "absent; 30 s are waited"),
    Topic("penalty_restarts", "a call during the lock-out", "starts it again"),
];

/// What a client cannot find out without harm, or need not know.
pub(super) const NOT_PROBED: &[(&str, &str)] = &[
    ("monthly quota and what is answered beyond it", "it would have to be used up"),
    ("record limits of the plan", "they would have to be reached"),
    ("retention in the recycle bin", "it takes days to show"),
    ("expiry of webhooks and their events", "it takes days to show"),
    ("contents of webhook events", "the program does not use webhooks yet"),
    (
        "whether the program's own writes come back as webhook events",
        "the program does not use webhooks yet",
    ),
    ("an API key or account that is not accepted", "it looks like an attack"),
    ("the largest request body", "requests of megabytes are a burden; the program stays below one"),
    ("how many calls may be under way at once", "it would mean trying to overload the service"),
    ("writes to people and linked records that exist", "people would be notified"),
    (
        "what a written link does to the time of the other record's last change",
        "the program does not go by it",
    ),
    ("the day on which date filters change", "the program does not filter by date"),
    ("order of empty values in a sorted list", "the program sorts by autonumber alone"),
    (
        "adding, changing and deleting fields",
        "it would change the table; where the program does, it looks at the result",
    ),
    (
        "whether records move between pages while they are listed",
        "it takes others who write meanwhile",
    ),
    ("whether webhooks use up the same calls", "the program does not use webhooks yet"),
    (
        "what a recalculated formula does to the time of a record's last change",
        "the program does not go by it",
    ),
    ("two tables of one name", "tables are named by their ids"),
];

/// What was found about one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// A stable name.
    pub name: String,
    /// The question.
    pub question: String,
    /// What the program assumes, and goes on assuming.
    pub assumed: String,
    /// What the service did; `None` if that could not be seen.
    pub found: Option<String>,
    /// Why nothing was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unclear: Option<String>,
}

/// What a question came to.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// What was found.
    Found(String),
    /// Why nothing was.
    Unclear(String),
}

/// A verdict from a word.
pub(super) fn found(word: impl Into<String>) -> Verdict {
    Verdict::Found(word.into())
}

/// A verdict that is none.
pub(super) fn unclear(why: impl Into<String>) -> Verdict {
    Verdict::Unclear(why.into())
}

/// Why a call without an answer leaves a question open.
pub(super) fn lost(kind: CallErrorKind) -> Verdict {
    unclear(kind.to_string())
}

/// `taken` for a 2xx, `refused` for a refusal.
pub(super) fn taken_or(heard: &Heard, taken: &str, refused: &str) -> Verdict {
    match heard {
        Heard::Taken(_) => found(taken),
        Heard::Refused(_) => found(refused),
        Heard::Lost(kind) => lost(*kind),
    }
}

/// The names of all questions but those about clearing, which are `clear_` and a type.
pub fn topic_names() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|topic| topic.0)
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    by_topic: BTreeMap<usize, Finding>,
    clearing: Vec<Finding>,
}

impl Findings {
    /// Notes what a question of the list came to. The first clear word stays.
    pub(super) fn note(&mut self, name: &str, verdict: Verdict) {
        let Some(place) = TOPICS.iter().position(|topic| topic.0 == name) else { return };
        let Some(Topic(name, question, assumed)) = TOPICS.get(place) else { return };
        let known = self.by_topic.get(&place).is_some_and(|earlier| earlier.found.is_some());
        if !known {
            self.by_topic.insert(place, finding(name, question, assumed, verdict));
        }
    }

    /// Notes how a type of field is cleared.
    pub(super) fn note_clearing(&mut self, kind: &str, assumed: &str, verdict: Verdict) {
        let name = format!("clear_{kind}");
        let question = format!("clearing a field of type {kind}");
        self.clearing.push(finding(&name, &question, assumed, verdict));
    }

    /// All of them, in the manual's order.
    pub(super) fn in_order(self) -> Vec<Finding> {
        self.by_topic.into_values().chain(self.clearing).collect()
    }
}

fn finding(name: &str, question: &str, assumed: &str, verdict: Verdict) -> Finding {
    let (found, unclear) = match verdict {
        Verdict::Found(found) => (Some(found), None),
        Verdict::Unclear(why) => (None, Some(why)),
    };
    Finding {
        name: name.to_owned(),
        question: question.to_owned(),
        assumed: assumed.to_owned(),
        found,
        unclear,
    }
}
