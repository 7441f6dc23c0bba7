//! Two runs of one sync never overlap.

use std::{process::Child, time::Duration};

use smartsuite_emulator::{Fault, FaultKind, RouteKind::BulkCreate};
use throwaway_server::wait_until;

use crate::stage::{CUSTOMERS, Stage, on_mariadb};

on_mariadb! {
    a_second_run_leaves_the_sync_alone_and_says_who_has_it
    a_second_run_fails_if_asked_to
    a_second_run_waits_if_asked_to
}

const CUSTOMERS_ONLY: [&str; 3] = ["run", "--sync-name", "customers"];

/// A run whose first create takes its time.
fn busy(stage: &Stage, milliseconds: u64) -> Child {
    let slow = Fault::new(FaultKind::DelayMs(milliseconds)).on(&[BulkCreate]).after_the_effect();
    stage.smartsuite.fault(slow);
    let child = stage.start(&CUSTOMERS_ONLY);
    let begun = wait_until(Duration::from_secs(20), || Ok(!stage.records(CUSTOMERS).is_empty()));
    assert!(begun.unwrap());
    child
}

fn a_second_run_leaves_the_sync_alone_and_says_who_has_it(stage: &mut Stage) {
    let first = busy(stage, 8_000);
    let holder = format!("busy: process {} ", first.id());
    // The other sync is run all the same.
    stage.run(&["run"]).ended(0).said(&[&holder, "orders     done: 7 rows read, 7 created"]);
    let running = format!("by process {} on ", first.id());
    stage.run(&["status", "--sync-name", "customers"]).said(&["running", &running]);
    stage.finish(first, 0).ended(0);
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
}

fn a_second_run_fails_if_asked_to(stage: &mut Stage) {
    let first = busy(stage, 4_000);
    stage
        .run(&["run", "--sync-name", "customers", "--if-running", "fail"])
        .ended(1)
        .said(&["busy"]);
    stage.finish(first, 0).ended(0);
}

fn a_second_run_waits_if_asked_to(stage: &mut Stage) {
    let first = busy(stage, 4_000);
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    stage
        .run(&["run", "--sync-name", "customers", "--if-running", "wait"])
        .ended(0)
        .said(&["1 updated"])
        .warned(&["waits: process"]);
    stage.finish(first, 0).ended(0);
    assert_eq!(stage.records(CUSTOMERS)["1"]["scompany01"], "New");
}
