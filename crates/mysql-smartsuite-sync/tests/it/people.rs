//! People by their e-mail addresses, choices made on demand, and a table that was filled from a file.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate};

use crate::stage::{Stage, on_every_server};

on_every_server! {
    people_are_found_by_their_addresses
    a_table_from_a_file_is_taken_over_and_choices_are_added
}

/// A table with these fields besides its key.
fn table(stage: &Stage, fields: &[(&str, &str, Value)]) -> String {
    let field = |(slug, kind, params): &(&str, &str, Value)| json!({"slug": slug, "label": slug, "field_type": kind, "params": params, "is_new": true});
    let mut structure = vec![field(&("skey000001", "textfield", json!({})))];
    structure.extend(fields.iter().map(field));
    let solution = stage.smartsuite.api("GET", "/api/v1/solutions/", &Value::Null)[0]["id"].clone();
    let body = json!({"name": "People", "solution": solution, "structure": structure});
    let made = stage.smartsuite.api("POST", "/api/v1/applications/", &body);
    made["id"].as_str().unwrap().to_owned()
}

fn keyed(stage: &Stage, table: &str) -> BTreeMap<String, Value> {
    let records = stage.smartsuite.records(table).into_iter();
    records
        .map(|record| (record["skey000001"].as_str().unwrap_or_default().to_owned(), record))
        .collect()
}

fn people_are_found_by_their_addresses(stage: &mut Stage) {
    stage.sql("CREATE TABLE tasks (id INT PRIMARY KEY, title VARCHAR(40), owner VARCHAR(200))");
    stage.sql(
        "INSERT INTO tasks VALUES (1, 'one', 'Pat@Example.com'), (2, 'both', 'pat@example.com, sync@example.com'),
         (3, 'nobody', NULL), (4, 'stranger', 'who@example.com')",
    );
    let tasks =
        table(stage, &[("sowner0001", "userfield", json!({"entries_allowed": "multiple"}))]);
    let mapping = |on_unknown: &str| {
        format!(
            "syncs:
  - name: tasks
    source: {{query: \"SELECT id, title, owner FROM tasks\", primary_key: id}}
    destination:
      table_id: {tasks}
      external_id_field: skey000001
      field_mappings: {{title: title}}
      fields:
        sowner0001: {{column: owner, on_unknown: {on_unknown}}}
"
        )
    };
    stage.map(&mapping("quarantine"));
    stage.run(&["validate", "--online"]).ended(0);
    stage.run(&["run"]).ended(2).said(&["3 created"]);
    let owners = |stage: &Stage| -> Vec<usize> {
        let records = keyed(stage, &tasks).into_values();
        records.map(|record| record["sowner0001"].as_array().map_or(0, Vec::len)).collect()
    };
    assert_eq!(owners(stage), [1, 2, 0]);
    stage.run(&["quarantine", "list"]).ended(0).said(&["person_unknown"]);
    // The members are known: nobody asks for them again.
    stage.run(&["run"]).ended(2).cost_nothing();
    stage.map(&mapping("blank"));
    stage.run(&["run"]).ended(0).said(&["1 created"]);
    assert_eq!(owners(stage), [1, 2, 0, 0]);
    stage.run(&["run"]).ended(0).cost_nothing();
    stage.run(&["verify"]).ended(0);
}

fn a_table_from_a_file_is_taken_over_and_choices_are_added(stage: &mut Stage) {
    stage.sql("CREATE TABLE members (id INT PRIMARY KEY, name VARCHAR(40), mail VARCHAR(80), grade VARCHAR(20))");
    stage.sql(
        "INSERT INTO members VALUES (1, 'Ada', 'ada@example.com', 'Gold'), (2, 'Ben', 'BEN@example.com', 'Silver'),
         (3, 'Cyd', 'cyd@example.com', 'Gold'), (4, 'Dan', 'twin@example.com', 'Silver')",
    );
    let choices = json!({"choices": [{"value": "gold1", "label": "Gold"}]});
    let members = table(
        stage,
        &[
            ("smail00001", "emailfield", json!({"entries_allowed": "multiple"})),
            ("sgrade0001", "singleselectfield", choices),
        ],
    );
    for mail in ["ada@example.com", "ben@Example.com", "twin@example.com", "twin@example.com"] {
        let values = json!({"title": "from a file", "smail00001": [mail]});
        stage.smartsuite.api("POST", &format!("/api/v1/applications/{members}/records/"), &values);
    }
    stage.map(&format!(
        "syncs:
  - name: members
    source: {{query: \"SELECT id, name, mail, grade FROM members\", primary_key: id}}
    destination:
      table_id: {members}
      external_id_field: skey000001
      match_on: [smail00001]
      field_mappings: {{name: title, mail: smail00001}}
      fields:
        sgrade0001: {{column: grade, on_unknown: create}}
"
    ));
    stage.run(&["validate", "--online"]).ended(0);
    let planned = stage.run(&["plan"]).ended(2);
    let planned = planned.said(&[
        "would create 1, update 2",
        "2 rows of these updates",
        "+ choice \"Silver\"",
    ]);
    assert_eq!((planned.calls(BulkCreate), planned.calls(BulkUpdate)), (0, 0));
    // A row that waits for its choice counts once.
    stage.run(&["run"]).ended(2).said(&[
        "4 rows read, 1 created, 2 updated, 1 refused",
        "1 row: match_ambiguous",
        "1 row in quarantine",
    ]);
    let records = keyed(stage, &members);
    assert_eq!(records["2"]["title"], "Ben");
    assert_eq!(stage.smartsuite.records(&members).len(), 5);
    assert_eq!(records["1"]["sgrade0001"], "gold1");
    assert_eq!(records["2"]["sgrade0001"].as_str().map(str::len), Some(5));
    stage.run(&["quarantine", "show", "members", "4"]).ended(0).said(&["match_ambiguous"]);
    stage.run(&["run"]).ended(2).cost_nothing();
}
