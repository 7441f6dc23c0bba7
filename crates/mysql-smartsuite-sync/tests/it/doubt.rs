//! Creates that nobody answered for: found, never repeated blindly.

use std::time::Duration;

use smartsuite_emulator::{Fault, FaultKind, RouteKind::BulkCreate};
use throwaway_server::wait_until;

use crate::stage::{CUSTOMERS, Stage, on_mariadb, signal};

on_mariadb! {
    an_answer_lost_after_the_effect_doubles_nothing
    a_kill_while_a_create_is_under_way_doubles_nothing
    a_request_that_never_arrived_is_made_again_after_two_looks
    ctrl_c_finishes_the_call_in_flight
    sigterm_ends_a_run_as_ctrl_c_does
}

const CUSTOMERS_ONLY: [&str; 3] = ["run", "--sync-name", "customers"];

/// So many more customers.
fn more_customers(stage: &Stage, count: usize) {
    let rows: Vec<String> = (0..count).map(|row| format!("('More {row}', 'active')")).collect();
    stage.sql(&format!("INSERT INTO customers (customer_name, status) VALUES {}", rows.join(", ")));
}

/// Once the program knows its own member, a record that this member made settles the doubt at once.
fn an_answer_lost_after_the_effect_doubles_nothing(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    for fault in [FaultKind::Reset, FaultKind::Status(502), FaultKind::ShortAnswer(3)] {
        stage.smartsuite.fault(Fault::new(fault).on(&[BulkCreate]).after_the_effect());
        more_customers(stage, 5);
        let act = stage.run(&CUSTOMERS_ONLY).ended(0);
        assert_eq!(act.calls(BulkCreate), 1, "{}", act.err);
    }
    assert_eq!(stage.records(CUSTOMERS).len(), 20);
    stage.run(&["run", "--sync-name", "customers", "--full"]).ended(0).cost_nothing();
}

fn a_kill_while_a_create_is_under_way_doubles_nothing(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    more_customers(stage, 5);
    // The effect is there at once, the answer comes too late for a process that dies.
    let slow = Fault::new(FaultKind::DelayMs(60_000)).on(&[BulkCreate]).after_the_effect();
    stage.smartsuite.fault(slow);
    let mut child = stage.start(&CUSTOMERS_ONLY);
    let arrived = wait_until(Duration::from_secs(20), || Ok(stage.records(CUSTOMERS).len() == 10));
    assert!(arrived.unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(stage.state_value::<i64>("SELECT count(*) FROM outbox WHERE state = 1"), 5);
    let act = stage.run(&["status", "--sync-name", "customers"]);
    act.said(&["5 rows being sent", "perhaps: process"]);

    let act = stage.run(&CUSTOMERS_ONLY).ended(0);
    assert_eq!(act.calls(BulkCreate), 0, "{}", act.out);
    assert_eq!(stage.records(CUSTOMERS).len(), 10);
    let act = stage.run(&["status", "--sync-name", "customers"]);
    act.said(&["10 linked", "interrupted", "the process ended before the run did"]);
}

/// The one story that has to wait: the second look comes no sooner than 90 seconds after the request left.
fn a_request_that_never_arrived_is_made_again_after_two_looks(stage: &mut Stage) {
    stage.smartsuite.fault(Fault::new(FaultKind::Reset).on(&[BulkCreate]));
    let act = stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 created"]);
    assert_eq!(act.calls(BulkCreate), 2);
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
}

fn ctrl_c_finishes_the_call_in_flight(stage: &mut Stage) {
    ended_by(stage, "-INT");
}

fn sigterm_ends_a_run_as_ctrl_c_does(stage: &mut Stage) {
    ended_by(stage, "-TERM");
}

fn ended_by(stage: &Stage, name: &str) {
    more_customers(stage, 195);
    let slow = Fault::new(FaultKind::DelayMs(700)).on(&[BulkCreate]).after_the_effect().times(None);
    stage.smartsuite.fault(slow);
    let since = stage.smartsuite.newest_request();
    let child = stage.start(&CUSTOMERS_ONLY);
    let begun = wait_until(Duration::from_secs(20), || Ok(!stage.records(CUSTOMERS).is_empty()));
    assert!(begun.unwrap());
    signal(&child, name);
    let act = stage.finish(child, since).ended(130);
    let act = act.said(&["interrupted: 200 rows read", "nothing was lost"]).warned(&["ending: "]);
    let sent = stage.records(CUSTOMERS).len();
    assert!(sent < 200, "{sent} were sent all the same");
    assert_eq!(sent, act.calls(BulkCreate) * 25);
    // Whatever was sent was also heard and written down.
    assert_eq!(stage.state_value::<i64>("SELECT count(*) FROM outbox WHERE state = 1"), 0);
    let linked: i64 = stage.state_value("SELECT count(*) FROM record_mappings");
    assert_eq!(usize::try_from(linked).unwrap(), sent);

    stage
        .smartsuite
        .with(|emulator| emulator.set_faults(smartsuite_emulator::FaultScript::default()));
    stage.run(&CUSTOMERS_ONLY).ended(0);
    assert_eq!(stage.records(CUSTOMERS).len(), 200);
}
