//! How much work a call is: it does not grow with the table.

use serde_json::{Value, json};
use smartsuite_emulator::{Emulator, TableSeed, Work};

use crate::service::{Service, TABLE};

/// An emulator whose table holds so many records, each with its own external id.
fn filled(records: usize) -> Service {
    let table = TableSeed::new(TABLE.parse().unwrap(), "Many")
        .field("sextid0001", "External ID", "textfield", json!({"unique": true}))
        .field("snumext001", "Number", "numberfield", json!({}));
    let mut service = Service::of(Emulator::builder().unlimited().table(table));
    for first in (0..records).step_by(25) {
        let items: Vec<Value> = (first..first + 25).map(item).collect();
        service.post(&Service::in_table("records/bulk/"), &json!({"items": items})).ok();
    }
    service
}

fn item(number: usize) -> Value {
    json!({"title": "x", "sextid0001": format!("row-{number}"), "snumext001": number})
}

fn spent(service: &mut Service, act: impl FnOnce(&mut Service)) -> Work {
    let before = service.emulator.work();
    act(service);
    let after = service.emulator.work();
    Work {
        records_examined: after.records_examined - before.records_examined,
        index_probes: after.index_probes - before.index_probes,
        index_writes: after.index_writes - before.index_writes,
        records_written: after.records_written - before.records_written,
    }
}

fn look_up(service: &mut Service, field: &str, comparison: &str, values: Vec<Value>) -> usize {
    let clauses: Vec<Value> = values
        .into_iter()
        .map(|value| json!({"field": field, "comparison": comparison, "value": value}))
        .collect();
    let filter = json!({"filter": {"operator": "or", "fields": clauses}});
    service.list("?limit=1000", &filter).ok()["items"].as_array().unwrap().len()
}

#[test]
fn a_bulk_create_and_a_look_up_of_25_do_the_same_work_at_1_000_and_at_100_000_records() {
    let measured: Vec<[Work; 4]> = [1000, 100_000]
        .into_iter()
        .map(|records| {
            let mut service = filled(records);
            let create = spent(&mut service, |service| {
                let items: Vec<Value> = (records..records + 25).map(item).collect();
                service.post(&Service::in_table("records/bulk/"), &json!({"items": items})).ok();
            });
            let texts = spent(&mut service, |service| {
                let ids = (100..125).map(|number| json!(format!("row-{number}"))).collect();
                assert_eq!(look_up(service, "sextid0001", "is", ids), 25);
            });
            let numbers = spent(&mut service, |service| {
                let ids = (100..125).map(|number| json!(number)).collect();
                assert_eq!(look_up(service, "snumext001", "is_equal_to", ids), 25);
            });
            let unique = spent(&mut service, |service| {
                assert_eq!(service.create(&json!({"sextid0001": "row-7"})).status, 422);
            });
            [create, texts, numbers, unique]
        })
        .collect();
    assert_eq!(measured[0], measured[1]);
    let [create, texts, numbers, unique] = measured[0];
    assert_eq!((create.records_written, create.records_examined), (25, 0));
    for look_up in [texts, numbers] {
        assert_eq!((look_up.index_probes, look_up.records_examined), (25, 25));
    }
    assert_eq!((unique.index_probes, unique.records_examined), (1, 1));
}
