//! Everything that is wrong, at once, each with its line.

use serde_json::json;
use smartsuite_emulator::RouteKind::Table;

use crate::stage::{CUSTOMERS, Stage, on_every_server, on_mariadb};

on_every_server! {
    both_servers_and_both_schemas
    everything_wrong_is_said_at_once_with_its_line
    what_the_schema_allows_and_the_field_does_not_take_is_said
    rows_for_which_the_plan_has_no_room_are_said
}

on_mariadb! {
    mappings_have_tests
    offline_nothing_is_asked
    servers_that_are_down_are_no_mistake_of_the_files
    a_changed_table_lets_a_stopped_sync_go_again
    looking_changes_nothing
}

fn both_servers_and_both_schemas(stage: &mut Stage) {
    let act = stage.run(&["validate", "--online"]).ended(0);
    act.said(&[
        "no problems; 2 syncs",
        "settings      complete",
        "MySQL         ",
        "SmartSuite    answers",
        "customers  fits: 7 columns into table `Customers`",
        "orders  fits: 6 columns into table `Orders`",
        "everything is in place",
    ])
    .cost(&[Table, Table]);
    let json = stage.run(&["validate", "--online", "--json"]).ended(0).json();
    assert_eq!(json["exit_code"], 0);
    assert_eq!(json["online"]["syncs"][1]["table"], "Orders");
    // The calls were counted, and the structure is known now.
    assert_eq!(stage.run(&["status", "--json"]).json()["calls"]["today"]["structure"], 4);
    assert_eq!(stage.run(&["run"]).ended(0).calls(Table), 0);
}

fn everything_wrong_is_said_at_once_with_its_line(stage: &mut Stage) {
    stage.remap("company: scompany01", "compny: scompany99");
    stage.remap("6500000000000000000000d1", "6500000000000000000000dd");
    stage.remap("        FROM orders\n", "        FORM orders\n");
    let act = stage.run(&["validate", "--online"]).ended(64);
    act.said(&[
        "error[mysql_missing_column]: the query does not return `compny`",
        "compny: scompany99",
        "error[slug_unknown]",
        "error[mysql_sql_error]: MySQL does not accept the query",
        "FORM orders",
        "error[smartsuite_not_found]",
        "table_id: 6500000000000000000000dd",
        "customers  does not fit: ",
        "orders  does not fit: 2 errors",
        "there are problems to be mended",
    ]);
    let json = stage.run(&["validate", "--online", "--json"]).ended(64).json();
    let found = json["online"]["syncs"][1]["diagnostics"].as_array().unwrap();
    let codes: Vec<&str> = found.iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["mysql_sql_error", "smartsuite_not_found"]);
    assert!(found.iter().all(|one| one["labels"][0]["line"].as_u64().unwrap() > 1));
}

fn what_the_schema_allows_and_the_field_does_not_take_is_said(stage: &mut Stage) {
    stage.sql(
        "ALTER TABLE customers MODIFY status ENUM('active', 'inactive', 'pending', 'vip', 'it''s, new') NOT NULL",
    );
    let act = stage.run(&["validate", "--online"]).ended(0);
    act.said(&[
        "warning[word_without_choice]: column `status` may hold `vip`, `it's, new`, which are no choices of field \
         `sstatus001`",
        "status: sstatus001",
        "customers  fits: 7 columns into table `Customers`",
    ]);
    // Where such words are to become nothing, there is nothing to say.
    stage.remap("            value_map:", "            on_unknown: blank\n            value_map:");
    let act = stage.run(&["validate", "--online"]);
    assert!(act.out.contains("customers  "), "{}", act.out);
    assert!(!act.out.contains("word_without_choice"), "{}", act.out);
}

fn rows_for_which_the_plan_has_no_room_are_said(stage: &mut Stage) {
    stage.remap("\nsyncs:", "\nsmartsuite: {plan: free}\n\nsyncs:");
    stage.sql("DELETE FROM orders");
    // Five are there.
    let more = |from: u32, to: u32| {
        let rows = (from..=to).map(|id| format!("({id}, 'C', 'c{id}@example.com', 'active')"));
        let rows = rows.collect::<Vec<_>>().join(", ");
        stage.sql(&format!(
            "INSERT INTO customers (id, customer_name, email, status) VALUES {rows}"
        ));
    };
    more(10_001, 10_995);
    let full = stage.run(&["validate", "--online"]).ended(0);
    assert!(!full.out.contains("plan_too_small"), "a thousand have room: {}", full.out);
    more(10_996, 10_996);
    stage.run(&["validate", "--online"]).ended(0).said(&[
        "warning[plan_too_small]: table \"Customers\" would hold 1001 records, 0 now and 1001 more by `customers`; plan \
         `free` allows 1000 in a table",
        "warning[plan_too_small]: solution \"Sales\" would hold ",
        "change to a larger plan",
        "customers  fits: 7 columns into table `Customers`",
    ]);
    stage.sql("DELETE FROM customers WHERE id = 10996");
    // A record that people made takes room, too.
    let path = format!("/api/v1/applications/{CUSTOMERS}/records/");
    stage.smartsuite.api("POST", &path, &json!({"title": "Theirs"}));
    stage.run(&["validate", "--online"]).ended(0).said(&[
        "warning[plan_too_small]: table \"Customers\" would hold 1001 records, 1 now and 1000 more by `customers`",
    ]);
    // Two syncs of one table, each of which has room alone.
    stage.sql("DELETE FROM customers WHERE id > 10595");
    let first = stage.mapping();
    let sync = |name: &str| {
        format!(
            "  - name: {name}\n    source: {{table: customers}}\n    destination:\n      table_id: {CUSTOMERS}\n      \
             external_id_field: scustextid\n      key_prefix: \"{name}:\"\n      field_mappings: {{customer_name: title}}\n"
        )
    };
    stage.map(&format!("smartsuite: {{plan: free}}\nsyncs:\n{}{}", sync("one"), sync("two")));
    stage.run(&["validate", "--online"]).ended(0).said(&[
        "warning[plan_too_small]: table \"Customers\" would hold 1201 records, 1 now and 1200 more by `one`, `two`",
    ]);
    // Rows that have their records already need no more.
    stage.map(&first);
    stage.run(&["run", "--over-budget"]).ended(0);
    let act = stage.run(&["validate", "--online"]).ended(0);
    assert!(!act.out.contains("plan_too_small"), "{}", act.out);
}

fn offline_nothing_is_asked(stage: &mut Stage) {
    stage
        .run(&["validate"])
        .ended(0)
        .said(&[
            "is not there yet: the first run makes it",
            "`validate --online` asks both servers too",
        ])
        .cost_nothing();
    assert!(!stage.state().exists(), "looking makes nothing");
    stage.remap("primary_key: id", "primry_key: id");
    stage.unset("MYSQL_HOST");
    stage.setting("MYSQL_PORT", "many");
    let act = stage.run(&["validate", "--online"]).ended(64).cost_nothing();
    act.said(&[
        "error[config_unknown_key]",
        "2 settings are missing or wrong",
        "MYSQL_HOST",
        "MYSQL_PORT",
        "servers       not asked",
    ]);
}

fn servers_that_are_down_are_no_mistake_of_the_files(stage: &mut Stage) {
    stage.setting("SMARTSUITE_BASE_URL", "http://127.0.0.1:9");
    stage.setting("MYSQL_PORT", "9");
    let act = stage.run(&["validate", "--online"]).ended(1);
    act.said(&[
        "[mysql_unreachable]",
        "[smartsuite_unreachable]",
        "not everything could be looked at",
    ]);
    stage.setting("MYSQL_PORT", stage.database.port().to_string());
    stage.setting("MYSQL_PASSWORD", "wrong");
    stage.run(&["validate", "--online"]).ended(64).said(&["[mysql_access_denied]"]);
}

fn a_changed_table_lets_a_stopped_sync_go_again(stage: &mut Stage) {
    stage.refuse_texts_beyond(Some(60));
    let rows: Vec<String> =
        (0..95).map(|row| format!("('More {row}', 'active', REPEAT('x', 61))")).collect();
    stage.sql(&format!(
        "UPDATE customers SET company = REPEAT('x', 61);
         INSERT INTO customers (customer_name, status, company) VALUES {}",
        rows.join(", ")
    ));
    stage.run(&["run", "--sync-name", "customers"]).ended(1);
    stage.run(&["validate", "--online"]).ended(0);
    stage.run(&["run", "--sync-name", "customers"]).ended(1).said(&["stopped"]).cost_nothing();
    // A person changes the table; the next look at it lets the sync go again.
    stage.smartsuite.api(
        "POST",
        "/api/v1/applications/6500000000000000000000c1/add_field/",
        &serde_json::json!({
            "field": {"slug": "snewfield1", "label": "New", "field_type": "textfield", "params": {}, "is_new": true},
            "field_position": {"prev_sibling_slug": "title"},
            "auto_fill_structure_layout": true,
        }),
    );
    let address = "/api/v1/applications/6500000000000000000000c1/";
    let added = throwaway_server::wait_until(std::time::Duration::from_secs(20), || {
        let table = stage.smartsuite.api("GET", address, &serde_json::Value::Null);
        Ok(table.to_string().contains("snewfield1"))
    });
    assert!(added.unwrap());
    stage.sql("UPDATE customers SET company = 'Short'");
    stage.run(&["validate", "--online"]).ended(0);
    stage.run(&["run", "--sync-name", "customers"]).ended(0).said(&["100 created"]);
}

/// A definition is tried out by `validate` before it is run: the state must not take it over yet.
fn looking_changes_nothing(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let good = stage.mapping();
    stage.remap(
        "      primary_key: id\n      # SQL that yields",
        "      primary_key: email\n      # SQL that yields",
    );
    stage.remap("6500000000000000000000d1", "6500000000000000000000dd");
    stage.run(&["validate", "--online"]).ended(64);
    stage.map(&good);
    stage.run(&["run"]).ended(0).cost_nothing();
}

/// A row in, a record out: the file says what must come, and `validate --online` tries it.
fn mappings_have_tests(stage: &mut Stage) {
    let act = stage.run(&["validate", "--online"]).ended(0);
    act.said(&["customers  fits: 7 columns into table `Customers`, 2 tests passed"]);
    stage.remap("sstatus001: Active, screditlim", "sstatus001: Pending, screditlim");
    stage.remap("refused: choice_unknown", "refused: required_empty");
    stage.run(&["validate", "--online"]).ended(64).said(&[
        "error[mapping_test_failed]: the test \"a status becomes the choice of that name\" fails: field `sstatus001` \
         becomes `Active`, not `Pending`",
        "error[mapping_test_failed]: the test \"a status without a choice is refused\" fails: the row is refused with \
         `choice_unknown`, not `required_empty`",
        "- name: a status becomes",
    ]);
    stage.remap("row: {customer_name: Ann, status: vip}", "row: {custmer_name: Ann}");
    stage
        .run(&["validate", "--online"])
        .ended(64)
        .said(&["the query returns no column `custmer_name`"]);
}
