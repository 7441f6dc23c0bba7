//! The service's end, whatever it is in the middle of.

use std::{
    fs,
    time::{Duration, Instant},
};

use smartsuite_emulator::{Fault, FaultKind, RouteKind::BulkCreate};
use throwaway_server::wait_until;

use crate::stage::{CUSTOMERS, ORDERS, Stage, now, on_mariadb, signal};

on_mariadb! {
    an_end_is_bounded_while_a_new_mapping_file_waits_for_a_call_that_hangs
}

const LIMIT: Duration = Duration::from_secs(30);

fn an_end_is_bounded_while_a_new_mapping_file_waits_for_a_call_that_hangs(stage: &mut Stage) {
    // A minute is a second: the bound of two minutes is two, while a call of SmartSuite's may take a real minute.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", now()));
    stage.smartsuite.fault(Fault::new(FaultKind::Never).on(&[BulkCreate]));
    let child = stage.start(&["schedule", "--run-immediately", "--interval", "600"]);
    let hangs =
        || Ok(stage.smartsuite.requests_after(0).iter().any(|call| call.route == BulkCreate));
    assert!(wait_until(LIMIT, hangs).unwrap(), "nothing was created");
    stage.remap("    name: customers", "    name: customers\n    schedule: {interval: 300}");
    signal(&child, "-HUP");
    let is_read = || {
        let log = fs::read_to_string(stage.path("logs/sync.log")).unwrap_or_default();
        Ok(log.contains("the mapping file was read anew"))
    };
    assert!(wait_until(LIMIT, is_read).unwrap(), "the new file is not taken up");
    signal(&child, "-TERM");
    let began = Instant::now();
    stage.finish(child, 0).ended(0).warned(&["not everything has ended in time"]);
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    // What hung is looked up, and created once.
    stage.run(&["run"]).ended(0);
    assert_eq!((stage.records(CUSTOMERS).len(), stage.records(ORDERS).len()), (5, 7));
}
