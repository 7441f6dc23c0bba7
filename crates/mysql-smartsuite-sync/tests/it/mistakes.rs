//! What people set wrong: each ends with one clear message, its remedy, and the right exit code.

use smartsuite_emulator::RouteKind::{BulkCreate, Table};

use crate::stage::{CUSTOMERS, Stage, on_every_server, on_mariadb};

on_every_server! {
    a_wrong_password
    an_unknown_database
    sql_that_the_server_does_not_accept
    columns_that_the_query_does_not_return
}

on_mariadb! {
    nothing_set_at_all
    a_missing_mapping_file
    a_mapping_file_and_settings_wrong_at_once
    an_unknown_slug
    a_wrong_table_id
    a_token_that_is_not_accepted_stops_until_there_is_another
    an_account_that_is_not_known
    an_address_that_is_not_smartsuites
    a_command_line_that_means_nothing
    the_test_settings_work_towards_this_machine_only
}

const CUSTOMERS_ONLY: [&str; 3] = ["run", "--sync-name", "customers"];

fn a_wrong_password(stage: &mut Stage) {
    stage.setting("MYSQL_PASSWORD", "wrong");
    stage
        .run(&CUSTOMERS_ONLY)
        .ended(1)
        .said(&["[mysql_access_denied]", "hint: check MYSQL_USER and MYSQL_PASSWORD"])
        .cost(&[Table]);
    stage.run(&["status"]).said(&["failed", "refuses the user or the password"]);
}

fn an_unknown_database(stage: &mut Stage) {
    stage.setting("MYSQL_DATABASE", "no_such_shop");
    // Without a right on it, a database that is not there and one that is hidden look the same.
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&["hint: check MYSQL_DATABASE"]);
}

fn sql_that_the_server_does_not_accept(stage: &mut Stage) {
    stage.remap("        FROM customers\n", "        FORM customers\n");
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&[
        "MySQL does not accept the query",
        "line 2 of the query",
        "of the file)",
        "[mysql_sql_error]",
        "hint: correct `source.query`",
    ]);
}

fn columns_that_the_query_does_not_return(stage: &mut Stage) {
    stage.remap("SELECT id, customer_name, email,", "SELECT id AS number, customer_name,");
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&[
        "the query does not return `id`, `email`",
        "[mysql_missing_column]",
        "hint: add them to the SELECT list",
    ]);
    assert!(stage.records(CUSTOMERS).is_empty());
}

fn nothing_set_at_all(stage: &mut Stage) {
    for name in ["MYSQL_HOST", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE"] {
        stage.unset(name);
    }
    for name in ["SMARTSUITE_TOKEN", "SMARTSUITE_ACCOUNT_ID"] {
        stage.unset(name);
    }
    for command in ["run", "schedule"] {
        stage
            .run(&[command])
            .ended(64)
            .warned(&[
                "6 settings are missing",
                "MYSQL_HOST",
                "SMARTSUITE_ACCOUNT_ID",
                "hint: copy",
            ])
            .cost_nothing();
    }
    assert!(!stage.state().exists(), "nothing was begun");
}

fn a_missing_mapping_file(stage: &mut Stage) {
    for command in ["run", "schedule"] {
        stage
            .run(&["--config", "elsewhere.yml", command])
            .ended(64)
            .warned(&["the mapping file `elsewhere.yml` cannot be read", "hint: give its place"]);
    }
}

fn a_mapping_file_and_settings_wrong_at_once(stage: &mut Stage) {
    stage.remap("primary_key: id", "primry_key: id");
    stage.unset("MYSQL_HOST");
    stage
        .run(&["run"])
        .ended(64)
        .warned(&["error[config_unknown_key]", "primry_key", "did you mean", "MYSQL_HOST"])
        .cost_nothing();
}

fn an_unknown_slug(stage: &mut Stage) {
    stage.remap("company: scompany01", "company: scompany99");
    let act = stage.run(&CUSTOMERS_ONLY).ended(1);
    act.said(&["[mapping_does_not_fit]", "[slug_unknown]", "scompany99", "hint: "]).cost(&[Table]);
    stage.remap("company: scompany99", "company: scompany01");
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 created"]);
}

fn a_wrong_table_id(stage: &mut Stage) {
    stage.remap("6500000000000000000000c1", "6500000000000000000000cc");
    let hint = "hint: check `destination.table_id`";
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&["[smartsuite_not_found]", hint]).cost(&[Table]);
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&["stopped", hint]).cost_nothing();
    // The definition changed: it may go again by itself.
    stage.remap("6500000000000000000000cc", "6500000000000000000000c1");
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 created"]);
}

fn a_token_that_is_not_accepted_stops_until_there_is_another(stage: &mut Stage) {
    let token = "demo-token";
    stage.setting("SMARTSUITE_TOKEN", "not-the-token");
    let hint = "hint: check SMARTSUITE_TOKEN";
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&["[smartsuite_token_rejected]", hint]).cost(&[Table]);
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&["stopped", hint]).cost_nothing();
    stage.setting("SMARTSUITE_TOKEN", token);
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 created"]);
}

fn an_account_that_is_not_known(stage: &mut Stage) {
    stage.setting("SMARTSUITE_ACCOUNT_ID", "s7654321");
    stage
        .run(&CUSTOMERS_ONLY)
        .ended(1)
        .said(&["[smartsuite_account_rejected]", "hint: check SMARTSUITE_ACCOUNT_ID"]);
}

fn an_address_that_is_not_smartsuites(stage: &mut Stage) {
    let address = format!("{}/elsewhere", stage.smartsuite.url);
    stage.setting("SMARTSUITE_BASE_URL", address);
    stage.run(&CUSTOMERS_ONLY).ended(1).said(&["hint: check "]);
    stage.setting("SMARTSUITE_BASE_URL", "http://app.smartsuite.com");
    stage.unset("SYNC_TEST_OPEN_GATE");
    stage.run(&CUSTOMERS_ONLY).ended(64).warned(&["must begin with https"]);
}

fn a_command_line_that_means_nothing(stage: &mut Stage) {
    for arguments in
        [&["rnu"][..], &[], &["run", "--if-running", "maybe"], &["--log-level", "LOUD", "run"]]
    {
        let act = stage.run(arguments).ended(64);
        assert!(!act.err.is_empty(), "{arguments:?}");
    }
    stage.run(&["--version"]).ended(0).said(&["mysql-smartsuite-sync "]);
    stage.run(&["--help"]).ended(0).said(&["Exit codes: 0 done, 1 failed"]);
}

fn the_test_settings_work_towards_this_machine_only(stage: &mut Stage) {
    stage.setting("SMARTSUITE_BASE_URL", "http://10.255.255.1");
    stage
        .run(&CUSTOMERS_ONLY)
        .ended(64)
        .warned(&["SYNC_TEST_OPEN_GATE is for tests against an emulator on this machine"]);
    stage.unset("SYNC_TEST_OPEN_GATE");
    stage.setting("SYNC_TEST_CLOCK", "60@2026-11-26T00:00:00Z");
    stage
        .run(&CUSTOMERS_ONLY)
        .ended(64)
        .warned(&["SYNC_TEST_CLOCK is for tests against an emulator on this machine"]);
    stage.setting("SMARTSUITE_BASE_URL", stage.smartsuite.url.clone());
    for (name, wrong) in [("SYNC_TEST_OPEN_GATE", "yes"), ("SYNC_TEST_CLOCK", "fast")] {
        stage.setting(name, wrong);
        stage.run(&CUSTOMERS_ONLY).ended(64);
        stage.unset(name);
    }
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 created"]);
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    assert_eq!(stage.run(&CUSTOMERS_ONLY).ended(0).calls(BulkCreate), 0);
}
