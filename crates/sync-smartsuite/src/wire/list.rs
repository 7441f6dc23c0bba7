//! A page of records: what is asked, and the envelope of the answer.

use serde_json::{Value, json, value::RawValue};
use sync_core::{
    port::{RecordFilter, RecordPage, RecordShape},
    table::FieldKind,
    value::Decimal,
};

use super::{
    record::{self, Found},
    walk::{elements, members},
};

/// The body of a list call. `offset` and `limit` go into the query string; in the body they would be ignored.
pub(crate) fn body(shape: &RecordShape, filter: &RecordFilter) -> Value {
    json!({
        "sort": [{ "field": "autonumber", "direction": "asc" }],
        "filter": filter_json(shape, filter),
        "hydrated": false,
    })
}

fn filter_json(shape: &RecordShape, filter: &RecordFilter) -> Value {
    match filter {
        RecordFilter::All => json!({}),
        RecordFilter::Above(mark) => json!({
            "operator": "and",
            "fields": [
                { "field": "autonumber", "comparison": "is_greater_than", "value": mark },
            ],
        }),
        RecordFilter::ExternalIds(ids) => {
            let comparison = if is_number(shape) { "is_equal_to" } else { "is" };
            let clause = |id: &String| json!({ "field": shape.external_id.slug.as_str(), "comparison": comparison, "value": id });
            json!({ "operator": "or", "fields": ids.iter().map(clause).collect::<Vec<_>>() })
        }
    }
}

fn is_number(shape: &RecordShape) -> bool {
    shape.external_id.kind == FieldKind::Number
}

/// Reads a page. Nothing if the answer is not a list of records: a record that cannot be read must not pass for one
/// that is not there.
pub(crate) fn read(
    json: &str,
    shape: &RecordShape,
    filter: &RecordFilter,
    offset: u64,
    limit: usize,
) -> Option<RecordPage> {
    let mut page = Reading { matches: Matcher::new(shape, filter), ..Reading::default() };
    let mut total = None;
    if json.trim_start().starts_with('[') {
        page.take_all(json, shape, limit);
    } else {
        members(json, |name, raw| match name.as_str() {
            "items" | "results" | "records" if page.received.is_none() => {
                page.take_all(raw.get(), shape, limit);
            }
            "total" | "count" => total = raw.get().parse::<u64>().ok().or(total),
            _ => {}
        })
        .ok()?;
    }
    let received = page.received.filter(|_| !page.unreadable)?;
    let shown = offset.saturating_add(received as u64);
    // Without a total, a full page may have a successor.
    let open_end = u64::from(received >= limit && received > 0);
    Some(RecordPage {
        records: page.records,
        total: total.unwrap_or(shown.saturating_add(open_end)).max(shown),
        received: received.min(limit),
    })
}

#[derive(Default)]
struct Reading {
    matches: Matcher,
    records: Vec<sync_core::record::SeenRecord>,
    received: Option<usize>,
    unreadable: bool,
}

impl Reading {
    fn take_all(&mut self, json: &str, shape: &RecordShape, limit: usize) {
        let mut received = 0;
        let whole = elements(json, |raw: &RawValue| {
            received += 1;
            if received > limit {
                return; // The limit was ignored. What is beyond it is for the next page.
            }
            match record::read(raw, shape) {
                Some(Found { deleted: true, .. }) => {}
                Some(Found { record, deleted: false }) => {
                    if self.matches.accepts(&record) {
                        self.records.push(record);
                    }
                }
                None => self.unreadable = true,
            }
        });
        match whole {
            Ok(()) => self.received = Some(received),
            Err(_) => self.unreadable = true,
        }
    }
}

/// Compares again what the service says matches: its own comparison may ignore case, space or the filter itself.
#[derive(Default)]
enum Matcher {
    #[default]
    Everything,
    Above(u64),
    Texts(Vec<String>),
    Numbers(Vec<Decimal>),
}

impl Matcher {
    fn new(shape: &RecordShape, filter: &RecordFilter) -> Self {
        match filter {
            RecordFilter::All => Self::Everything,
            RecordFilter::Above(mark) => Self::Above(*mark),
            RecordFilter::ExternalIds(ids) if is_number(shape) => {
                Self::Numbers(ids.iter().filter_map(|id| id.parse().ok()).collect())
            }
            RecordFilter::ExternalIds(ids) => Self::Texts(ids.clone()),
        }
    }

    fn accepts(&self, record: &sync_core::record::SeenRecord) -> bool {
        let id = record.external_id.as_ref();
        match self {
            Self::Everything => true,
            Self::Above(mark) => record.autonumber.is_none_or(|number| number > *mark),
            Self::Texts(ids) => id.is_some_and(|id| ids.contains(id)),
            Self::Numbers(ids) => {
                id.and_then(|id| id.parse().ok()).is_some_and(|id: Decimal| ids.contains(&id))
            }
        }
    }
}
