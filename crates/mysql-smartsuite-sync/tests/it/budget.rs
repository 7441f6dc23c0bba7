//! The month's calls.

use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate};

use crate::stage::{CUSTOMERS, Stage, on_mariadb};

on_mariadb! {
    a_load_that_does_not_fit_the_month_is_said_asked_for_and_ends_with_the_month
}

fn a_load_that_does_not_fit_the_month_is_said_asked_for_and_ends_with_the_month(stage: &mut Stage) {
    stage.remap("# smartsuite:", "smartsuite:\n  monthly_calls: 12\n  reserve: 4");
    stage.sql(
        "INSERT INTO customers (customer_name, status) SELECT concat('C', seq), 'active' FROM seq_1_to_250",
    );
    let rows = 255;
    stage.run(&["plan", "--sync-name", "customers"]).ended(0).said(&[
        "this does not fit the month: ",
        " left until ",
        "run --over-budget",
    ]);
    // Nothing is sent before somebody agrees.
    let only = ["run", "--sync-name", "customers"];
    let act = stage.run(&only).ended(2);
    assert_eq!(act.calls(BulkCreate), 0);
    act.said(&["over_budget", "255 rows wait, which takes 11 calls or more"]);
    assert_eq!(stage.records(CUSTOMERS).len(), 0);
    let act = stage.run(&["run", "--sync-name", "customers", "--over-budget"]).ended(0);
    assert_eq!((act.calls(BulkCreate), stage.records(CUSTOMERS).len()), (11, rows));
    let plan = stage.run(&["plan", "--sync-name", "customers", "--json"]).ended(0).json();
    assert_eq!((&plan["calls_left"], &plan["fits_the_month"]), (&0.into(), &true.into()));
    // The month is over: what changes waits, and says so.
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    let act = stage.run(&only).ended(2);
    assert_eq!(act.calls(BulkUpdate), 0);
    act.said(&["budget_used_up", "the month's calls are used up"]);
    let status = stage.run(&["status", "--json"]).ended(0).json();
    assert_eq!(status["budget"]["stage"], "throttled");
    stage.run(&["status"]).ended(0).said(&[
        "left",
        "4 are kept for others",
        "SmartSuite takes 2 calls a second",
    ]);
    stage.remap("monthly_calls: 12", "monthly_calls: 5000");
    let act = stage.run(&only).ended(0);
    assert_eq!(act.calls(BulkUpdate), 1);
    assert_eq!(stage.records(CUSTOMERS)["1"]["scompany01"], "New");
}
