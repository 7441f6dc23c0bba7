//! SmartSuite fails: nothing is lost, nothing is doubled, and the message says what to do.

use std::time::{Duration, Instant};

use smartsuite_emulator::{
    Fault, FaultKind, FaultScript,
    RouteKind::{BulkCreate, BulkUpdate, List, Table, Update},
};

use crate::stage::{CUSTOMERS, Stage, on_mariadb};

on_mariadb! {
    smartsuite_is_down
    smartsuite_answers_503_for_a_while
    smartsuite_answers_no_call_of_several_rows
    smartsuite_asks_for_a_pause
    a_web_page_instead_of_an_answer
    ctrl_c_ends_a_run_that_waits_for_the_gate
    an_answer_that_breaks_off
    the_gate_paces_calls_below_the_limit
}

const CUSTOMERS_ONLY: [&str; 3] = ["run", "--sync-name", "customers"];

fn smartsuite_is_down(stage: &mut Stage) {
    let up = stage.smartsuite.url.clone();
    stage.setting("SMARTSUITE_BASE_URL", "http://127.0.0.1:9");
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&[
        "SmartSuite could not be reached",
        "[smartsuite_unreachable]",
        "nothing is lost",
    ]);
    stage.setting("SMARTSUITE_BASE_URL", up);
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 created"]);
}

fn smartsuite_answers_503_for_a_while(stage: &mut Stage) {
    stage.smartsuite.fault(Fault::new(FaultKind::Status(503)).on(&[Table, List]).times(Some(2)));
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 created"]);
    // For too long: the run ends, and the next one sends what waited.
    stage.smartsuite.fault(Fault::new(FaultKind::Status(503)).times(None));
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&[
        "1 waiting",
        "SmartSuite answered 503",
        "[smartsuite_server_error]",
        "hint: run again later",
    ]);
    stage.smartsuite.with(|emulator| emulator.set_faults(FaultScript::default()));
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["1 updated"]);
    assert_eq!(stage.records(CUSTOMERS)["1"]["scompany01"], "New");
}

/// The call as it was, once more, and then each of its five rows: by the route for several, or by the one for one.
fn smartsuite_answers_no_call_of_several_rows(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    for (items, several, one) in [(1, 7, 0), (0, 3, 5)] {
        stage.smartsuite.with(|emulator| emulator.set_faults(FaultScript::default()));
        let never = Fault::new(FaultKind::Status(500)).on(&[BulkUpdate]).where_items_above(items);
        stage.smartsuite.fault(never.times(None));
        stage.sql(&format!("UPDATE customers SET company = 'New {items}'"));
        let act = stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 updated"]);
        assert_eq!((act.calls(BulkUpdate), act.calls(Update)), (several, one));
        let records = stage.records(CUSTOMERS);
        let new = format!("New {items}");
        assert!(records.values().all(|record| record["scompany01"] == new.as_str()));
    }
}

fn smartsuite_asks_for_a_pause(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    stage.smartsuite.fault(Fault::new(FaultKind::RateLimit).on(&[BulkUpdate]));
    let since = stage.smartsuite.newest_request();
    let child = stage.start(&CUSTOMERS_ONLY);
    // The pause is for everyone, and said while it lasts.
    let paused = throwaway_server::wait_until(Duration::from_secs(20), || {
        Ok(stage.run(&["status"]).out.contains("asked for a pause (429)"))
    });
    assert!(paused.unwrap());
    let act =
        stage.finish(child, since).ended(0).said(&["1 updated"]).warned(&["asked for a pause"]);
    assert_eq!(act.calls(BulkUpdate), 2, "nothing was sent during the lock-out");
}

fn a_web_page_instead_of_an_answer(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    stage.smartsuite.fault(Fault::new(FaultKind::Challenge(200)).on(&[BulkUpdate]));
    // It closes the gate like a 429, and says what it was.
    let act = stage.run(&CUSTOMERS_ONLY).ended(0).said(&["1 updated"]);
    act.warned(&[
        "a web page came instead of SmartSuite's answer",
        "code=smartsuite_challenge_page",
    ]);
    assert_eq!(stage.records(CUSTOMERS)["1"]["scompany01"], "New");
}

/// However long the pause is that the service asked for.
fn ctrl_c_ends_a_run_that_waits_for_the_gate(stage: &mut Stage) {
    stage.smartsuite.fault(Fault::new(FaultKind::RateLimit).on(&[Table]).times(None));
    let child = stage.start(&CUSTOMERS_ONLY);
    let paused = throwaway_server::wait_until(Duration::from_secs(20), || {
        Ok(stage.run(&["status"]).out.contains("asked for a pause (429)"))
    });
    assert!(paused.unwrap());
    let began = Instant::now();
    crate::stage::signal(&child, "-INT");
    stage.finish(child, 0).ended(130).said(&["interrupted"]);
    assert!(began.elapsed() < Duration::from_secs(5));
}

fn an_answer_that_breaks_off(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    stage.sql("INSERT INTO customers (customer_name, status) VALUES ('New', 'active')");
    let broken = Fault::new(FaultKind::Truncate(40)).on(&[BulkCreate]).after_the_effect();
    stage.smartsuite.fault(broken);
    stage.run(&CUSTOMERS_ONLY).ended(0).warned(&["nobody answered for 1 create"]);
    assert_eq!(stage.records(CUSTOMERS).len(), 6);
}

/// The documented limit, and the gate as it is in production.
fn the_gate_paces_calls_below_the_limit(stage: &mut Stage) {
    stage.unset("SYNC_TEST_OPEN_GATE");
    stage.smartsuite.with(|emulator| {
        let profile =
            smartsuite_emulator::Profile { rate_limit: Some(5), ..emulator.profile().clone() };
        emulator.set_profile(profile);
    });
    let rows: Vec<String> = (0..300).map(|row| format!("('More {row}', 'active')")).collect();
    stage.sql(&format!("INSERT INTO customers (customer_name, status) VALUES {}", rows.join(", ")));
    let act = stage.run(&["run"]).ended(0);
    assert_eq!(act.calls(BulkCreate), 14);
    assert!(act.requests.iter().all(|request| request.status != 429));
}
