//! Schemas that change under a mapping: nothing is blanked, and what happens is what `on_drift` says.

use serde_json::json;
use smartsuite_emulator::RouteKind::{BulkUpdate, Table};

use crate::{
    stage::{CUSTOMERS, Stage, on_every_server, on_mariadb},
    web::Service,
};

on_every_server! {
    a_vanished_column_stops_the_sync_and_blanks_nothing
    a_sync_that_ignores_drift_goes_on_without_a_vanished_column
    a_column_of_another_type_is_read_again_in_every_row
}

on_mariadb! {
    a_vanished_field_is_noticed_by_what_an_answer_shows
    a_new_column_of_a_table_gets_a_field_once
    what_drifted_is_shown_whichever_process_found_it
}

/// Only the customers, with every column of their table.
fn map_customers(stage: &Stage, source: &str, more: &str) {
    stage.map(&format!(
        "syncs:
  - name: customers
{more}    source:
      {source}
      primary_key: id
      updated_at_field: updated_at
    destination:
      table_id: {CUSTOMERS}
      external_id_field: scustextid
      field_mappings:
        customer_name: title
        company: scompany01
        credit_limit: screditlim
"
    ));
}

const QUERY: &str = "query: 'SELECT * FROM customers WHERE :last_sync_time IS NULL OR updated_at >= :last_sync_time'";

fn companies(stage: &Stage) -> Vec<String> {
    let records = stage.records(CUSTOMERS);
    records.values().map(|record| record["scompany01"].as_str().unwrap_or("").to_owned()).collect()
}

const COMPANIES: [&str; 5] =
    ["Roche Fleurs", "North Pier Cycles", "Okafor Bakes 🥐", "Weiß Gartenbau", ""];

fn a_vanished_column_stops_the_sync_and_blanks_nothing(stage: &mut Stage) {
    for source in [QUERY, "table: customers"] {
        map_customers(stage, source, "");
        stage.run(&["run"]).ended(0);
        assert_eq!(companies(stage), COMPANIES);
        stage.sql("ALTER TABLE customers RENAME COLUMN company TO firm");
        stage.sql("UPDATE customers SET customer_name = CONCAT(customer_name, '!')");
        stage
            .run(&["run"])
            .ended(1)
            .said(&[
                "the mapping fits no more: column `company` is there no more",
                "[schema_drift]",
                "with `on_drift: ignore`",
            ])
            .cost_nothing();
        assert_eq!(companies(stage), COMPANIES, "nothing is blanked");
        stage.run(&["validate", "--online"]).ended(64).said(&["company"]);
        stage.run(&["status"]).said(&["column `company` is there no more"]);
        stage.sql("ALTER TABLE customers RENAME COLUMN firm TO company");
        stage.run(&["run"]).ended(0).said(&["5 updated"]);
        assert_eq!(companies(stage), COMPANIES);
    }
}

fn a_sync_that_ignores_drift_goes_on_without_a_vanished_column(stage: &mut Stage) {
    for source in [QUERY, "table: customers"] {
        map_customers(stage, source, "    on_drift: ignore\n");
        stage.run(&["run"]).ended(0);
        stage.sql("ALTER TABLE customers RENAME COLUMN company TO firm");
        stage.sql("UPDATE customers SET customer_name = 'Renamed' WHERE id = 1");
        let plan = stage.run(&["plan", "--json"]).ended(0).json();
        assert_eq!(plan["calls"], 1, "{plan:#}");
        stage
            .run(&["run"])
            .ended(0)
            .warned(&["field `scompany01` is left as it is, as its mapping fits no more"])
            .cost(&[BulkUpdate]);
        assert_eq!(companies(stage), COMPANIES, "nothing is blanked");
        assert_eq!(stage.records(CUSTOMERS)["1"]["title"], "Renamed");
        stage.run(&["run"]).ended(0).cost_nothing();
        stage.run(&["run", "--full"]).ended(0).cost_nothing();
        let said = "field `scompany01` is left as it is, as its mapping fits no more: ";
        stage.run(&["status"]).ended(0).said(&["left out", said]);
        let json = stage.run(&["status", "--json"]).json();
        assert_eq!(json["syncs"][0]["state"]["left_out"][0]["field"], "scompany01");
        let found = stage.run(&["validate", "--online"]).ended(0);
        found.said(&["warning[mapping_left_out]: field `scompany01` is left as it is"]);
        stage.sql("ALTER TABLE customers RENAME COLUMN firm TO company");
        stage.sql("UPDATE customers SET company = 'Back', updated_at = updated_at WHERE id = 5");
        stage.run(&["run"]).ended(0);
        assert_eq!(
            companies(stage)[4],
            "Back",
            "values flow again, also of rows that did not change"
        );
        let json = stage.run(&["status", "--json"]).json();
        assert_eq!(json["syncs"][0]["state"]["left_out"], json!([]));
        stage.sql("UPDATE customers SET company = NULL WHERE id = 5");
        stage.sql("UPDATE customers SET customer_name = 'Amélie Roche' WHERE id = 1");
        stage.run(&["run"]).ended(0);
    }
    // What never fitted is a mistake, not drift.
    stage.remap("company: scompany01", "compny: scompany01");
    stage.run(&["run"]).ended(1).said(&["compny", "[mysql_missing_column]"]);
}

fn what_drifted_is_shown_whichever_process_found_it(stage: &mut Stage) {
    map_customers(stage, QUERY, "    on_drift: ignore\n");
    stage.run(&["run"]).ended(0);
    stage.sql("ALTER TABLE customers RENAME COLUMN company TO firm");
    stage.run(&["run"]).ended(0);
    // This service has run nothing yet.
    let service = Service::start(stage, &["--interval", "600"]);
    let detail = service.get("/api/v1/syncs/customers").json();
    assert_eq!(detail["notes"], json!([]));
    assert_eq!(detail["left_out"][0]["slug"], "scompany01", "{detail:#}");
    assert!(detail["left_out"][0]["reason"].as_str().unwrap().contains("company"));
    service.end(stage);
    stage.sql("ALTER TABLE customers RENAME COLUMN firm TO company");
    stage.run(&["run"]).ended(0);
    let service = Service::start(stage, &["--interval", "600"]);
    assert_eq!(service.get("/api/v1/syncs/customers").json()["left_out"], json!([]));
    service.end(stage);
}

fn a_column_of_another_type_is_read_again_in_every_row(stage: &mut Stage) {
    map_customers(stage, QUERY, "");
    stage.run(&["run"]).ended(0);
    // Rounds every value, and moves no cursor.
    stage.sql("ALTER TABLE customers MODIFY credit_limit DECIMAL(10, 1) NULL");
    let act = stage.run(&["run"]).ended(0).cost(&[BulkUpdate]);
    act.warned(&[
        "column `credit_limit` was DECIMAL with 2 digits behind the point and is DECIMAL with 1",
    ])
    .said(&["5 rows read", "1 updated"]);
    assert_eq!(stage.records(CUSTOMERS)["5"]["screditlim"].as_str(), Some("750.3"));
    stage.run(&["run"]).ended(0).cost_nothing();
    let path = format!("/api/v1/applications/{CUSTOMERS}/");
    assert!(stage.smartsuite.api("GET", &path, &json!(null)).to_string().contains("screditlim"));
}

/// A field is deleted in SmartSuite while the table's structure is cached.
fn a_vanished_field_is_noticed_by_what_an_answer_shows(stage: &mut Stage) {
    map_customers(stage, QUERY, "");
    stage.run(&["run"]).ended(0);
    let delete = |stage: &Stage| {
        let path = format!("/api/v1/applications/{CUSTOMERS}/delete_field/");
        stage.smartsuite.api("POST", &path, &json!({"slug": "scompany01"}));
    };
    let age = |stage: &Stage| {
        let connection = rusqlite::Connection::open(stage.state()).unwrap();
        let hours =
            "UPDATE destinations SET structure_read_at = structure_read_at - 2 * 3600 * 1000";
        connection.execute(hours, []).unwrap();
    };
    delete(stage);
    stage.sql("UPDATE customers SET customer_name = 'Renamed' WHERE id = 1");
    stage.run(&["run"]).cost(&[BulkUpdate]).ended(0);
    age(stage);
    stage.sql("UPDATE customers SET customer_name = 'Again' WHERE id = 1");
    stage.run(&["run"]).cost(&[BulkUpdate, Table]).ended(1).said(&["[table_changed]"]);
    stage
        .run(&["run"])
        .ended(1)
        .said(&["field `scompany01` (textfield) is there no more", "[schema_drift]"])
        .cost_nothing();
    // With the other policy the rest goes on.
    map_customers(stage, QUERY, "    on_drift: ignore\n");
    stage.run(&["run"]).ended(0).cost(&[BulkUpdate]);
    assert_eq!(stage.records(CUSTOMERS)["1"]["title"], "Again");
    stage.run(&["run"]).ended(0).cost_nothing();
}

fn a_new_column_of_a_table_gets_a_field_once(stage: &mut Stage) {
    map_customers(stage, QUERY, "    on_drift: extend\n");
    stage.run(&["validate"]).ended(64).said(&["`on_drift: extend` needs `source.table`"]);
    map_customers(stage, "table: customers", "    on_drift: extend\n");
    let fields = |stage: &Stage| {
        let path = format!("/api/v1/applications/{CUSTOMERS}/");
        let table = stage.smartsuite.api("GET", &path, &json!(null));
        let made = |field: &&serde_json::Value| {
            field["label"].as_str().is_some_and(|label| label.starts_with("Loyalty"))
        };
        let fields = table["structure"].as_array().unwrap().iter().filter(made);
        fields.map(|field| field["slug"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    stage.run(&["run"]).ended(0);
    stage.sql("ALTER TABLE customers ADD COLUMN loyalty_points INT NULL");
    stage.sql("UPDATE customers SET loyalty_points = 7 WHERE id = 2");
    stage.run(&["plan"]).ended(0).said(&["customers"]);
    assert_eq!(fields(stage), [""; 0], "a plan makes nothing");
    stage.run(&["run"]).ended(0).warned(&["made field \"Loyalty points\" for the new column"]);
    let [slug] = fields(stage).try_into().unwrap();
    let slug: String = slug;
    assert_eq!(stage.records(CUSTOMERS)["2"][&slug], json!("7"));
    stage.run(&["run"]).ended(0).cost_nothing();
    stage.run(&["run", "--full"]).ended(0).cost_nothing();
    // What was there before is left to people, and a lost state makes no second field.
    for name in ["sync_state.db", "sync_state.db-wal", "sync_state.db-shm", "sync_state.db.lock"] {
        drop(std::fs::remove_file(stage.path(name)));
    }
    stage.run(&["run"]).ended(0);
    stage.sql("UPDATE customers SET loyalty_points = 8 WHERE id = 2");
    stage.run(&["run"]).ended(0);
    assert_eq!(fields(stage), std::slice::from_ref(&slug));
    assert_eq!(stage.records(CUSTOMERS)["2"][&slug], json!("8"));
    // A column that goes away again leaves its field as it is.
    stage.sql("ALTER TABLE customers DROP COLUMN loyalty_points");
    stage.run(&["run"]).ended(0);
    assert_eq!(stage.records(CUSTOMERS)["2"][&slug], json!("8"));
}
