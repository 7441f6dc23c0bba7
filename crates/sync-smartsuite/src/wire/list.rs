//! A page of records: what is asked, and the envelope of the answer.

use std::collections::BTreeSet;

use serde_json::{Value, json, value::RawValue};
use sync_core::{
    port::{RecordFilter, RecordPage, RecordShape},
    record::{RecordId, SeenRecord},
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
        rising_to: page.rising_to,
    })
}

#[derive(Default)]
struct Reading {
    matches: Matcher,
    records: Vec<SeenRecord>,
    ids: BTreeSet<RecordId>,
    received: Option<usize>,
    rising_to: Option<u64>,
    unreadable: bool,
}

impl Reading {
    fn take_all(&mut self, json: &str, shape: &RecordShape, limit: usize) {
        let mut received = 0;
        let mut highest = Some(0);
        let whole = elements(json, |raw: &RawValue| {
            received += 1;
            if received > limit {
                return; // The limit was ignored. What is beyond it is for the next page.
            }
            let Some(Found { record, deleted }) = record::read(raw, shape) else {
                self.unreadable = true;
                return;
            };
            highest = highest.and_then(|highest| record.autonumber.filter(|n| *n >= highest));
            // A record shown twice is one, not a twin.
            if !deleted && self.matches.accepts(&record) && self.ids.insert(record.id.clone()) {
                self.records.push(record);
            }
        });
        match whole {
            Ok(()) => {
                self.received = Some(received);
                self.rising_to = highest.filter(|_| received > 0);
            }
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

    fn accepts(&self, record: &SeenRecord) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::shape_of;

    fn text_shape() -> RecordShape {
        shape_of(&[("sext", "textfield")])
    }

    fn ids(list: &[&str]) -> RecordFilter {
        RecordFilter::ExternalIds(list.iter().map(|&id| id.to_owned()).collect())
    }

    /// The ids of the records that a page is left with.
    fn page(answer: &Value, filter: &RecordFilter) -> Option<(Vec<String>, u64, usize)> {
        let page = read(&answer.to_string(), &text_shape(), filter, 0, 1000)?;
        let ids = page.records.into_iter().map(|record| record.id.0).collect();
        Some((ids, page.total, page.received))
    }

    fn named(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    #[test]
    fn look_ups_are_one_flat_or_with_the_types_own_operator() {
        let sort = json!([{ "field": "autonumber", "direction": "asc" }]);
        assert_eq!(
            body(&text_shape(), &ids(&["1", "2"])),
            json!({ "sort": sort, "hydrated": false, "filter": { "operator": "or", "fields": [
                { "field": "sext", "comparison": "is", "value": "1" },
                { "field": "sext", "comparison": "is", "value": "2" } ] } })
        );
        let number = body(&shape_of(&[("snum", "numberfield")]), &ids(&["1"]));
        assert_eq!(number["filter"]["fields"][0]["comparison"], "is_equal_to");
        let above = body(&text_shape(), &RecordFilter::Above(7));
        assert_eq!(
            above["filter"]["fields"][0],
            json!({ "field": "autonumber",
            "comparison": "is_greater_than", "value": 7 })
        );
        assert_eq!(body(&text_shape(), &RecordFilter::All)["filter"], json!({}));
    }

    #[test]
    fn every_envelope_is_a_page() {
        let records = json!([{ "id": "a" }, { "id": "b" }]);
        let whole = Some((named(&["a", "b"]), 2, 2));
        let all = RecordFilter::All;
        assert_eq!(
            page(&json!({ "items": records, "total": 2, "offset": 0, "limit": 0 }), &all),
            whole
        );
        assert_eq!(page(&json!({ "results": records, "count": 2, "next": null }), &all), whole);
        assert_eq!(page(&records, &all), whole);
        assert_eq!(page(&json!({ "items": records, "total": null }), &all), whole);
        assert_eq!(page(&json!({ "items": records, "total": 1 }), &all), whole);
    }

    #[test]
    fn loose_matches_are_dropped_but_counted_as_received() {
        let answer = json!({ "total": 3, "items": [
            { "id": "a", "sext": "AB" }, { "id": "b", "sext": "ab" }, { "id": "c", "sext": "ab " } ] });
        assert_eq!(page(&answer, &ids(&["ab"])), Some((named(&["b"]), 3, 3)));
        let answer = json!({ "total": 3, "items": [
            { "id": "a", "autonumber": 7 }, { "id": "b", "autonumber": 8 }, { "id": "c" } ] });
        assert_eq!(page(&answer, &RecordFilter::Above(7)), Some((named(&["b", "c"]), 3, 3)));
    }

    #[test]
    fn numbers_match_by_value() {
        let shape = shape_of(&[("snum", "numberfield")]);
        let answer = json!({ "total": 2, "items": [
            { "id": "a", "snum": "42.00" }, { "id": "b", "snum": "420" } ] });
        let page = read(&answer.to_string(), &shape, &ids(&["42"]), 0, 25).unwrap();
        assert_eq!(page.records.len(), 1);
        assert_eq!(page.records[0].external_id.as_deref(), Some("42"));
    }

    #[test]
    fn the_recycle_bin_is_not_listed() {
        let answer = json!({ "total": 2, "items": [
            { "id": "a", "deleted_date": { "date": "2024-07-29T09:27:44Z" } }, { "id": "b" } ] });
        assert_eq!(page(&answer, &RecordFilter::All), Some((named(&["b"]), 2, 2)));
    }

    #[test]
    fn a_record_that_cannot_be_read_does_not_pass_for_an_absent_one() {
        let all = RecordFilter::All;
        for answer in [
            json!({ "items": [{ "id": "a" }, {}], "total": 2 }),
            json!({ "items": [null], "total": 1 }),
            json!({ "items": {}, "total": 0 }),
            json!({ "total": 0 }),
            json!({}),
            json!(null),
        ] {
            assert_eq!(page(&answer, &all), None, "{answer}");
        }
        let cut = r#"{"items":[{"id":"a"}],"total":1"#;
        assert_eq!(read(cut, &text_shape(), &all, 0, 25), None);
    }

    #[test]
    fn numbers_rise_only_if_every_record_says_so() {
        let rising_to = |numbers: &[Value]| {
            let items: Vec<_> = numbers
                .iter()
                .enumerate()
                .map(|(at, number)| json!({ "id": at.to_string(), "autonumber": number }))
                .collect();
            let answer = json!({ "items": items, "total": 9 }).to_string();
            read(&answer, &text_shape(), &RecordFilter::All, 0, 3).unwrap().rising_to
        };
        assert_eq!(rising_to(&[json!(1), json!(2), json!(9)]), Some(9));
        assert_eq!(
            rising_to(&[json!(1), json!(2), json!(9), json!(4)]),
            Some(9),
            "beyond the limit"
        );
        assert_eq!(rising_to(&[json!(2), json!(1)]), None);
        assert_eq!(rising_to(&[json!(1), json!(null), json!(3)]), None);
        assert_eq!(rising_to(&[]), None);
    }

    #[test]
    fn a_record_shown_twice_is_one() {
        let answer = json!({ "total": 3, "items": [{ "id": "a" }, { "id": "b" }, { "id": "a" }] });
        assert_eq!(page(&answer, &RecordFilter::All), Some((named(&["a", "b"]), 3, 3)));
    }

    #[test]
    fn a_limit_that_was_ignored_is_kept_on_this_side() {
        let answer = json!([{ "id": "a" }, { "id": "b" }, { "id": "c" }]).to_string();
        let page = read(&answer, &text_shape(), &RecordFilter::All, 10, 2).unwrap();
        assert_eq!((page.records.len(), page.received), (2, 2));
        assert!(page.total > 12, "there is more to read");
    }
}
