//! What an answer means. The service and what stands before it answer in many ways: JSON of several shapes, plain
//! text, HTML pages, nothing, half of something. Only JSON of a 4xx proves that the service itself has refused.

pub(crate) mod complaint;
mod retry_after;

#[cfg(test)]
mod tests;

use serde_json::Value;
use sync_core::{
    error::{CallError, CallErrorKind, Complaint, Quoted},
    port::{BulkAnswer, RecordShape},
};

use crate::transport::{BodyEnd, Reply, TransportError};

/// The longest error body that is taken apart.
const ERROR_BYTES_MAX: usize = 512 * 1024;
/// How much of the service's words is kept.
const WORDS_BYTES_MAX: usize = 500;
/// Title of the page with which the service's gateway asks whether a browser is calling.
const CHALLENGE_TITLE: &str = "Just a moment";

/// What was asked, as far as complaints need it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The fields that complaints may be about.
    pub(crate) shape: Option<&'a RecordShape>,
    /// How many items the request had; 0 for requests without.
    pub(crate) items: usize,
    /// The credential, which no words may repeat.
    pub(crate) token: &'a str,
}

/// A 2xx.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// The body, whole and UTF-8.
    pub(crate) body: String,
    /// 204: there is no body, and none was to be expected.
    pub(crate) no_content: bool,
}

/// A 2xx with its whole body; else what went wrong.
pub(crate) fn accept(
    result: Result<Reply, TransportError>,
    asked: Asked<'_>,
) -> Result<Accepted, CallError> {
    let reply = result.map_err(|error| without_answer(&error))?;
    if !(200..300).contains(&reply.status) {
        return Err(failure(&reply, asked));
    }
    if let Some(kind) = cut_kind(reply.end) {
        return Err(kind.into());
    }
    let body = String::from_utf8(reply.body.into()).map_err(|_| CallErrorKind::Garbled)?;
    Ok(Accepted { body, no_content: reply.status == 204 })
}

/// The error for a 2xx body that could not be read.
pub(crate) fn unreadable(body: &str, asked: Asked<'_>) -> CallError {
    let kind = if is_page(body) { CallErrorKind::Challenge } else { CallErrorKind::Garbled };
    let start = body.get(..body.floor_char_boundary(ERROR_BYTES_MAX)).unwrap_or_default();
    let words = redacted(start.to_owned(), asked.token);
    CallError { detail: Quoted(shortened(&words)), ..kind.into() }
}

fn without_answer(error: &TransportError) -> CallError {
    let (kind, words) = match error {
        TransportError::NotSent(words) => (CallErrorKind::NotSent, words),
        TransportError::TimedOut(words) => (CallErrorKind::TimedOut, words),
        TransportError::Broken(words) => (CallErrorKind::Broken, words),
    };
    CallError { detail: Quoted(shortened(words)), ..kind.into() }
}

fn cut_kind(end: BodyEnd) -> Option<CallErrorKind> {
    match end {
        BodyEnd::Complete => None,
        BodyEnd::TimedOut => Some(CallErrorKind::TimedOut),
        BodyEnd::Broken => Some(CallErrorKind::Broken),
        BodyEnd::TooLarge => Some(CallErrorKind::Garbled),
    }
}

/// What a status other than 2xx means, with its body.
fn failure(reply: &Reply, asked: Asked<'_>) -> CallError {
    let start = reply.body.get(..ERROR_BYTES_MAX).unwrap_or(&reply.body);
    let text = redacted(String::from_utf8_lossy(start).into_owned(), asked.token);
    let whole = reply.end == BodyEnd::Complete && start.len() == reply.body.len();
    let json = whole.then(|| serde_json::from_str::<Value>(&text).ok()).flatten();
    let json = json.filter(|json| json.is_object() || json.is_array());
    let kind = kind(reply, &text, json.as_ref());
    let complaints = match (kind, &json) {
        (CallErrorKind::Refused { .. }, Some(json)) => {
            complaint::of_body(json, asked.items, asked.shape)
        }
        _ => Vec::new(),
    };
    CallError { complaints, detail: Quoted(shortened(&text)), ..kind.into() }
}

fn kind(reply: &Reply, text: &str, json: Option<&Value>) -> CallErrorKind {
    let status = reply.status;
    match status {
        300..=399 | 405 | 407 | 421 => CallErrorKind::WrongAddress,
        408 => CallErrorKind::TimedOut,
        // Whoever finds a body too large does not pass it on, so a gateway's word is as good as the service's.
        413 => CallErrorKind::Refused { status },
        429 => CallErrorKind::Throttled { retry_after: retry_after::read(&reply.headers) },
        400..=499 => match json {
            Some(json) => json_kind(status, json),
            None => bare_kind(reply, text),
        },
        500..=599 if is_challenge(text) => CallErrorKind::Challenge,
        500..=599 => CallErrorKind::Server { status },
        _ => CallErrorKind::Garbled,
    }
}

/// A 4xx that the service gave itself.
fn json_kind(status: u16, json: &Value) -> CallErrorKind {
    let detail = json.get("detail").and_then(Value::as_str).unwrap_or_default();
    match status {
        400 if is_about_account(detail) => CallErrorKind::AccountRejected,
        400 | 403 if is_about_token(detail) => CallErrorKind::TokenRejected,
        401 => CallErrorKind::TokenRejected,
        402 | 403 if words(json).any(is_about_quota) => CallErrorKind::QuotaSpent,
        402 | 403 => CallErrorKind::Forbidden,
        404 => CallErrorKind::NotFound,
        _ => CallErrorKind::Refused { status },
    }
}

/// A 4xx without JSON: a page, plain text, nothing, or half a body.
fn bare_kind(reply: &Reply, text: &str) -> CallErrorKind {
    if let Some(kind) = cut_kind(reply.end) {
        return kind;
    }
    match reply.status {
        404 if is_challenge(text) => CallErrorKind::Challenge,
        404 => CallErrorKind::WrongAddress,
        _ if is_page(text) => CallErrorKind::Challenge,
        401 => CallErrorKind::TokenRejected,
        400 if is_about_account(text) => CallErrorKind::AccountRejected,
        400 | 403 if is_about_token(text) => CallErrorKind::TokenRejected,
        _ => CallErrorKind::Garbled,
    }
}

/// `Account ID is not specified`, `Account ID s1234567 is not valid`.
fn is_about_account(words: &str) -> bool {
    words.trim_start().to_ascii_lowercase().starts_with("account id")
}

/// Not every word "token" will do: a JSON parser complains of unexpected tokens.
fn is_about_token(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["invalid token", "token is invalid", "token not valid", "credentials", "authenticat"]
        .iter()
        .any(|part| words.contains(part))
}

/// What a body says of the whole request.
fn words(json: &Value) -> impl Iterator<Item = &str> {
    ["detail", "message", "error", "code"].into_iter().filter_map(|name| json.get(name)?.as_str())
}

/// Whether words speak of calls and of their bound: how the service words a spent month is not documented. Its other
/// bounds, such as that of records, are not meant, even where the words speak of the request that met them.
fn is_about_quota(words: &str) -> bool {
    const CALLS: &[&str] = &["api", "call", "calls", "request", "requests"];
    const BOUND: &[&str] =
        &["quota", "quotas", "limit", "limits", "month", "monthly", "billing", "exceeded", "usage"];
    const OTHERS: &[&str] = &["record", "records", "field", "fields", "storage", "permission"];
    has(words, CALLS) && has(words, BOUND) && !has(words, OTHERS)
}

/// A refusal of a create, seen as what it is where it says that there may be no more records. Of an update the same
/// words would be about its row.
pub(crate) fn of_create(error: CallError) -> CallError {
    let is_refusal = matches!(
        error.kind,
        CallErrorKind::Forbidden | CallErrorKind::Refused { status: 400 | 402 | 409 | 422 }
    );
    let names_field = error.complaints.iter().any(|complaint| complaint.slug.is_some());
    if is_refusal && !names_field && is_about_room(&error.detail.0) {
        CallError { kind: CallErrorKind::PlanFull, ..error }
    } else {
        error
    }
}

/// The answer to a create that made only what there was room for, seen as what it is: what it says of the rest is no
/// fault of these rows. Whoever sent it looks up which were made.
pub(crate) fn of_created(answer: BulkAnswer) -> Result<BulkAnswer, CallError> {
    let is_about_plan =
        |complaint: &&Complaint| complaint.slug.is_none() && is_about_room(&complaint.message.0);
    match answer.complaints.iter().find(is_about_plan) {
        Some(complaint) => {
            let detail = complaint.message.clone();
            Err(CallError { detail, ..CallErrorKind::PlanFull.into() })
        }
        None => Ok(answer),
    }
}

/// Whether a body says that there may be no more records: neither words nor shape are documented. What speaks of a
/// field, a value or a request, such as how many records may be linked, is about something else.
fn is_about_room(body: &str) -> bool {
    const BOUNDS: &[&str] = &[
        "record limit",
        "records limit",
        "recordlimit",
        "record quota",
        "records quota",
        "limit of records",
        "limit for records",
        "quota of records",
        "number of records",
        "maximum records",
        "max records",
        "too many records",
    ];
    const OTHERS: &[&str] = &[
        "field",
        "fields",
        "linked",
        "link",
        "links",
        "value",
        "values",
        "character",
        "characters",
        "request",
        "requests",
        "call",
        "calls",
        "api",
        "batch",
        "bulk",
    ];
    let body = body.to_ascii_lowercase().replace("non_field_errors", "");
    let words: Vec<&str> =
        body.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    BOUNDS.iter().any(|bound| text.contains(bound))
        && !words.iter().any(|word| OTHERS.contains(word))
}

fn has(text: &str, any: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| any.contains(&word))
}

/// Whether a body that is no JSON looks like a web page.
fn is_page(text: &str) -> bool {
    text.trim_start().starts_with('<') || is_challenge(text)
}

fn is_challenge(text: &str) -> bool {
    text.contains(CHALLENGE_TITLE)
}

/// `text` with the credential blotted out. A shorter credential than any real one would blot out half the text.
pub(crate) fn redacted(text: String, token: &str) -> String {
    const TOKEN_BYTES_MIN: usize = 8;
    if token.len() >= TOKEN_BYTES_MIN && text.contains(token) {
        text.replace(token, "***")
    } else {
        text
    }
}

/// The beginning of `text`, cut between characters.
pub(crate) fn shortened(text: &str) -> String {
    let text = text.trim();
    text.get(..text.floor_char_boundary(WORDS_BYTES_MAX)).unwrap_or_default().to_owned()
}
