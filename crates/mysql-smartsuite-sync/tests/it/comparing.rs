//! `verify`, `repair` and `dedupe` on both real sides.

use serde_json::json;
use smartsuite_emulator::{
    Fault, FaultKind,
    RouteKind::{BulkCreate, BulkDelete, BulkUpdate, List, Table},
};

use crate::stage::{CUSTOMERS, Stage, on_every_server, on_mariadb};

on_every_server! {
    verify_says_what_differs_and_repair_mends_it
}

on_mariadb! {
    verify_keeps_to_its_budget_and_leaves_a_running_sync_alone
    changes_need_somebody_who_agrees
    dedupe_lists_and_resolves_shared_ids
}

const RUN: [&str; 3] = ["run", "--sync-name", "customers"];
const VERIFY: [&str; 3] = ["verify", "--sync-name", "customers"];
const JSON: [&str; 4] = ["verify", "--sync-name", "customers", "--json"];

fn id_of(stage: &Stage, external_id: &str) -> String {
    stage.records(CUSTOMERS)[external_id]["id"].as_str().unwrap().to_owned()
}

fn verify_says_what_differs_and_repair_mends_it(stage: &mut Stage) {
    stage.run(&RUN).ended(0);
    let act = stage.run(&VERIFY).ended(0).cost(&[List]).said(&["in step: 5 rows, 5 records"]);
    act.warned(&["customers: reading SmartSuite costs about 1 API call"]);

    let (edited, deleted) = (id_of(stage, "1"), id_of(stage, "2"));
    stage.smartsuite.person("update", CUSTOMERS, &edited, json!({"scompany01": "Edited"}));
    stage.smartsuite.person("delete", CUSTOMERS, &deleted, json!({}));
    stage.smartsuite.person("create", CUSTOMERS, "", json!({"title": "a person's own"}));
    // A write that the cursor column does not show.
    stage.sql("UPDATE customers SET company = 'Silent', updated_at = '2025-10-03' WHERE id = 3");
    stage.sql("INSERT INTO customers (id, customer_name, status) VALUES (6, 'New', 'active')");
    let act = stage.run(&JSON).ended(2).cost(&[List]);
    let report = &act.json()["syncs"][0];
    assert_eq!(report["drift"], json!({"missing": 1, "different": 2, "extra": 0, "duplicate": 0}));
    assert_eq!((&report["explained"], &report["people"]), (&json!(1), &json!(1)));
    let named = |key: &str| {
        let all = report["differences"].as_array().unwrap();
        let one = all.iter().find(|one| one["key"] == key).unwrap();
        (one["cause"].as_str().unwrap().to_owned(), one["fields"].clone())
    };
    assert_eq!(named("1"), ("record_changed".to_owned(), json!(["scompany01"])));
    assert_eq!(named("2"), ("record_changed".to_owned(), json!([])));
    assert_eq!(named("3"), ("row_missed".to_owned(), json!(["scompany01"])));
    assert_eq!(named("6"), ("read_next".to_owned(), json!([])));
    let text = stage.run(&VERIFY).ended(2);
    let text = text.said(&["the two sides differ", "missing", "deleted in SmartSuite", "people's"]);
    assert!(!text.out.contains("Silent") && !text.out.contains("Edited"), "{}", text.out);

    let act = stage.run(&["repair", "--sync-name", "customers", "--yes"]).ended(0);
    let act = act.said(&["3 records to be written again", "2 created, 2 updated"]);
    // The missing record is looked for before it is made anew.
    assert_eq!((act.calls(BulkCreate), act.calls(BulkUpdate)), (2, 1), "{}", act.out);
    let mut records = stage.records(CUSTOMERS);
    assert!(records.remove("").is_some(), "the person's own stays");
    assert_eq!(records.keys().collect::<Vec<_>>(), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(records["1"]["scompany01"], "Roche Fleurs");
    assert_eq!(records["3"]["scompany01"], "Silent");
    stage.run(&VERIFY).ended(0).said(&["in step: 6 rows, 7 records"]);
    stage.run(&RUN).ended(0).cost_nothing();
}

fn verify_keeps_to_its_budget_and_leaves_a_running_sync_alone(stage: &mut Stage) {
    let rows: Vec<String> = (10..1_510).map(|id| format!("({id}, 'More', 'active')")).collect();
    let rows = rows.join(", ");
    stage.sql(&format!("INSERT INTO customers (id, customer_name, status) VALUES {rows}"));
    stage.run(&RUN).ended(0);
    let mut budget = VERIFY.to_vec();
    budget.extend(["--max-calls", "1"]);
    let act = stage.run(&budget).ended(1).cost_nothing();
    act.said(&["it would cost about 2 API calls"]).warned(&["`--max-calls`"]);
    budget.extend(["--sample", "25"]);
    stage.run(&budget).ended(0).cost(&[List]).said(&["a sample of 25 rows, 25 records"]);

    let slow = FaultKind::DelayMs(4_000);
    stage.smartsuite.fault(Fault::new(slow).on(&[BulkUpdate]).after_the_effect());
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    let running = stage.start(&RUN);
    let begun = throwaway_server::wait_until(std::time::Duration::from_secs(20), || {
        Ok(stage.records(CUSTOMERS)["1"]["scompany01"] == "New")
    });
    assert!(begun.unwrap());
    let mut at_once = VERIFY.to_vec();
    at_once.extend(["--if-running", "fail"]);
    stage.run(&at_once).ended(1).cost_nothing().said(&["busy"]);
    // It waits, as is usual, and sees what the run did.
    stage.run(&VERIFY).ended(0).cost(&[List, List]).said(&["in step: 1,505 rows"]);
    stage.finish(running, 0).ended(0);
}

fn changes_need_somebody_who_agrees(stage: &mut Stage) {
    stage.run(&RUN).ended(0);
    for command in [vec!["repair"], vec!["dedupe", "--apply"], vec!["dedupe", "--clear-ids"]] {
        stage.run(&command).ended(64).cost_nothing().warned(&["nobody is there", "--yes"]);
    }
}

fn dedupe_lists_and_resolves_shared_ids(stage: &mut Stage) {
    stage.run(&RUN).ended(0);
    let linked = id_of(stage, "1");
    stage.smartsuite.person("copy", CUSTOMERS, &linked, json!({}));
    let dedupe = ["dedupe", "--sync-name", "customers", "--json"];
    let act = stage.run(&dedupe).ended(2).cost(&[List]);
    let report = &act.json()["syncs"][0];
    assert_eq!((&report["shared"], &report["undecided"]), (&json!(1), &json!(1)));
    let records = report["ids"][0]["records"].as_array().unwrap();
    assert_eq!((&records[0]["record"], &records[0]["fate"]), (&json!(linked), &json!("stays")));
    let verify = stage.run(&JSON).ended(2);
    assert_eq!(verify.json()["syncs"][0]["drift"]["duplicate"], 1);

    // The copy is a person's: it is not deleted.
    let apply = ["dedupe", "--sync-name", "customers", "--apply", "--yes"];
    let act = stage.run(&apply).ended(2).cost(&[List]);
    assert_eq!(act.calls(BulkDelete), 0);
    assert_eq!(stage.smartsuite.records(CUSTOMERS).len(), 6);
    let clear = ["dedupe", "--sync-name", "customers", "--clear-ids", "--yes"];
    let act = stage.run(&clear).ended(0).cost(&[List, List, BulkUpdate]);
    act.said(&["0 deleted, 1 without an external id now, 0 left"]);
    assert_eq!(id_of(stage, "1"), linked);
    stage.run(&VERIFY).ended(0).said(&["people's"]);
    assert_eq!(stage.run(&dedupe).ended(0).calls(Table), 0);
}
