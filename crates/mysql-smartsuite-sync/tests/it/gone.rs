//! Rows that are gone, and tables read without SQL.

use smartsuite_emulator::RouteKind::{BulkCreate, BulkDelete, BulkUpdate, List, Table};

use crate::stage::{CUSTOMERS, Stage, on_every_server, on_mariadb};

on_every_server! {
    a_record_goes_with_its_row_and_many_only_with_a_yes
    rows_are_read_again_on_demand
}

on_mariadb! {
    an_archived_record_comes_back_with_its_row
    a_record_is_archived_before_it_is_deleted
    a_query_must_say_which_rows_there_are
}

/// The customers as a table, without SQL; `more` belongs to the destination.
fn table(stage: &Stage, more: &str) {
    stage.sql("DELETE FROM orders");
    stage.map(&format!(
        "syncs:
  - name: customers
    source:
      table: customers
      where: customer_name <> 'nobody'
      updated_at_field: updated_at
    destination:
      table_id: {CUSTOMERS}
      external_id_field: scustextid
{more}
      field_mappings: {{customer_name: title, company: scompany01}}
"
    ));
}

fn a_record_goes_with_its_row_and_many_only_with_a_yes(stage: &mut Stage) {
    table(stage, "      on_delete: delete");
    stage.run(&["run"]).ended(0).said(&["5 rows read, 5 created"]).cost(&[Table, List, BulkCreate]);
    stage.run(&["run"]).ended(0).cost_nothing();
    stage.sql("DELETE FROM customers WHERE id = 2");
    stage.run(&["run"]).ended(0).said(&["1 deleted"]).cost(&[BulkDelete]);
    assert!(!stage.records(CUSTOMERS).contains_key("2"));
    // The row returns.
    stage.sql("INSERT INTO customers (id, customer_name) VALUES (2, 'Again')");
    stage.run(&["run"]).ended(0).said(&["1 created"]);
    assert_eq!(stage.records(CUSTOMERS)["2"]["title"], "Again");
    // More than half of them: nothing goes before somebody says so.
    stage.sql("DELETE FROM customers WHERE id IN (1, 3, 4)");
    stage
        .run(&["run"])
        .ended(2)
        .said(&["the rows of 3 of 5 records are gone", "[deletes_need_a_yes]", "--allow-deletes 3"])
        .cost_nothing();
    stage.run(&["status"]).ended(0).said(&[
        "3 records without a row",
        "run --allow-deletes 3",
        "swept",
    ]);
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
    stage.run(&["run", "--allow-deletes", "2"]).ended(2).cost_nothing();
    stage.run(&["run", "--allow-deletes", "3"]).ended(0).said(&["3 deleted"]).cost(&[BulkDelete]);
    assert_eq!(stage.records(CUSTOMERS).len(), 2);
    // An empty table is not believed, whatever was allowed.
    stage.sql("DELETE FROM customers");
    stage
        .run(&["run", "--allow-deletes", "9"])
        .ended(2)
        .said(&["[source_shows_nothing]"])
        .cost_nothing();
    assert_eq!(stage.records(CUSTOMERS).len(), 2);
}

fn rows_are_read_again_on_demand(stage: &mut Stage) {
    table(stage, "");
    stage.sql("UPDATE customers SET updated_at = '2020-01-01'");
    stage.run(&["run"]).ended(0).said(&["5 created"]);
    stage.sql("UPDATE customers SET company = 'silent', updated_at = '2020-01-01'");
    stage.run(&["run"]).ended(0).cost_nothing();
    stage
        .run(&["resync", "customers", "--id", "1"])
        .ended(0)
        .warned(&["1 row marked to be read again"])
        .said(&["1 updated"])
        .cost(&[BulkUpdate]);
    stage
        .run(&["resync", "customers", "--where", "id IN (2, 3) AND company = 'silent'"])
        .ended(0)
        .warned(&["2 rows marked to be read again"])
        .said(&["2 updated"]);
    stage.run(&["resync", "customers", "--where", "1) OR (1"]).ended(64);
    stage.run(&["resync", "customers"]).ended(0).said(&["5 rows read (2 changed), 2 updated"]);
    stage.sql("UPDATE customers SET company = 'louder', updated_at = '2020-01-01' WHERE id = 1");
    stage.run(&["run", "--reconcile"]).ended(0).said(&["1 updated"]);
    assert_eq!(stage.records(CUSTOMERS)["1"]["scompany01"], "louder");
}

fn a_record_is_archived_before_it_is_deleted(stage: &mut Stage) {
    table(
        stage,
        "      on_delete: delete
      archive: {field: sstatus001, value: Inactive, restored: Active}",
    );
    stage.run(&["validate", "--online"]).ended(0);
    stage.run(&["run"]).ended(0).said(&["5 created"]);
    stage.sql("DELETE FROM customers WHERE id = 2");
    stage.run(&["plan"]).ended(0).said(&["- archive 2", "- delete 2", "2 API calls"]);
    let before = stage.smartsuite.newest_request();
    stage.run(&["run"]).ended(0).said(&["1 deleted"]).cost(&[BulkUpdate, BulkDelete]);
    assert!(!stage.records(CUSTOMERS).contains_key("2"));
    let archiving = &stage.smartsuite.requests_after(before)[0];
    assert!(archiving.body.as_deref().unwrap_or_default().contains("sstatus001"));
    // Both are in the log of effects.
    stage.run(&["explain", "customers", "2"]).said(&["archived", "deleted"]);
    stage.run(&["run"]).ended(0).cost_nothing();
}

fn an_archived_record_comes_back_with_its_row(stage: &mut Stage) {
    table(
        stage,
        "      on_delete: archive
      archive: {field: sstatus001, value: Inactive, restored: Active}",
    );
    stage.run(&["run"]).ended(0).said(&["5 created"]);
    let before = stage.records(CUSTOMERS);
    stage.sql("DELETE FROM customers WHERE id = 2");
    stage.run(&["run"]).ended(0).said(&["1 archived"]).cost(&[BulkUpdate]);
    stage.run(&["run"]).ended(0).cost_nothing();
    let archived = stage.records(CUSTOMERS);
    assert_eq!(archived["2"]["id"], before["2"]["id"]);
    let inactive = archived["2"]["sstatus001"].clone();
    assert_ne!(inactive, before["2"]["sstatus001"]);
    stage.sql("INSERT INTO customers (id, customer_name) VALUES (2, 'Again')");
    stage.run(&["run"]).ended(0).said(&["1 updated"]).cost(&[BulkUpdate]);
    let back = stage.records(CUSTOMERS);
    assert_eq!((&back["2"]["id"], &back["2"]["title"]), (&before["2"]["id"], &"Again".into()));
    assert_ne!(back["2"]["sstatus001"], inactive);
    stage.remap("value: Inactive", "value: Asleep");
    stage
        .run(&["validate", "--online"])
        .ended(64)
        .said(&["archive_field_unusable", "its choices:"]);
}

fn a_query_must_say_which_rows_there_are(stage: &mut Stage) {
    stage.sql("DELETE FROM orders");
    stage.remap("      # on_delete: ignore", "      on_delete: delete");
    stage.run(&["validate"]).ended(64).said(&["config_deletes_unseen", "keys_query"]);
    stage.remap("      # keys_query: SELECT id", "      keys_query: SELECT email");
    stage.run(&["validate", "--online"]).ended(64).said(&["`keys_query` does not return `id`"]);
    stage.remap("      keys_query: SELECT email", "      keys_query: SELECT id");
    stage.run(&["run"]).ended(0);
    stage.sql("DELETE FROM customers WHERE id = 2");
    stage.run(&["run"]).ended(0).said(&["1 deleted"]).cost(&[BulkDelete]);
}
