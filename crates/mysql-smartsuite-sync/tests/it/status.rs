//! How each sync stands, said offline and while others work.

use crate::stage::{Stage, on_mariadb};

on_mariadb! {
    before_the_first_run
    after_runs
    a_mapping_file_that_cannot_be_used_hides_nothing
    syncs_that_left_the_mapping_file_are_remembered
    disabled_syncs_are_marked
}

fn before_the_first_run(stage: &mut Stage) {
    // Neither server needs to be there, nor their settings.
    for name in ["MYSQL_HOST", "SMARTSUITE_TOKEN"] {
        stage.unset(name);
    }
    stage
        .run(&["status"])
        .ended(0)
        .said(&[
            "customers  Every customer of the shop",
            "it has not run yet",
            "today          none",
        ])
        .warned(&["there is no state file", "hint: run a sync"]);
    assert!(!stage.state().exists(), "asking makes nothing");
    assert!(!stage.path("logs").exists());
}

fn after_runs(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.run(&["run"]).ended(0);
    stage
        .run(&["status", "--sync-name", "customers", "--runs", "1"])
        .ended(0)
        .said(&[
            "last success   2",
            "5 linked, in table 6500000000000000000000c1",
            "0 rows read",
            "no API calls",
        ])
        .cost_nothing();
    let json = stage.run(&["status", "--json"]).ended(0).json();
    let customers = &json["syncs"][0];
    assert_eq!(customers["name"], "customers");
    assert_eq!(customers["enabled"], true);
    assert_eq!(customers["state"]["linked"], 5);
    assert_eq!(customers["runs"].as_array().unwrap().len(), 2);
    assert_eq!(customers["runs"][1]["counts"]["created"], 5);
    assert_eq!(json["calls"]["today"]["create"], 2);
    assert_eq!(json["calls"]["this_month"]["total"], 6);
    stage
        .run(&["status", "--sync-name", "custmers"])
        .ended(64)
        .warned(&["did you mean `customers`?"]);
}

fn a_mapping_file_that_cannot_be_used_hides_nothing(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.map("syncs: [");
    stage.run(&["status"]).ended(0).said(&["customers", "5 linked"]).warned(&["`validate` shows"]);
}

fn syncs_that_left_the_mapping_file_are_remembered(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.remap("  - name: orders", "  - name: sales");
    stage.run(&["status"]).said(&["orders  (not in the mapping file)", "sales  Every order"]);
    stage.run(&["status", "--sync-name", "orders"]).ended(0).said(&["7 linked"]);
    stage.remap("  - name: sales", "  - name: sales\n    previously: orders");
    let act = stage.run(&["status"]).said(&["sales  Every order", "7 linked"]);
    assert!(!act.out.contains("(not in the mapping file)"), "{}", act.out);
}

fn disabled_syncs_are_marked(stage: &mut Stage) {
    stage.remap("  - name: orders", "  - name: orders\n    enabled: false");
    stage.run(&["status"]).said(&["orders  (disabled)"]);
}
