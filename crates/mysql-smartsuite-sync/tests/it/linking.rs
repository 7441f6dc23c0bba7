//! Records linked to each other as rows point to each other.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate, List};

use crate::stage::{CUSTOMERS, ORDERS, Stage, on_every_server, on_mariadb};

on_every_server! {
    orders_are_linked_to_their_customers
    join_tables_and_superiors_are_linked
    a_join_table_alone_changes_links
}

on_mariadb! {
    a_link_to_a_deleted_record_fails_no_row
    tables_that_point_to_each_other_are_planned_to_the_call
    a_mapping_of_several_files_is_one
    links_that_cannot_be_are_refused_before_anything_is_read
}

/// The customer that each order is linked to, by external ids; `?` for a record that is none of them.
fn customers_of_orders(stage: &Stage) -> BTreeMap<String, String> {
    names_of(stage.records(ORDERS), "scustomer0", &stage.records(CUSTOMERS))
}

fn names_of(
    records: BTreeMap<String, Value>,
    slug: &str,
    parents: &BTreeMap<String, Value>,
) -> BTreeMap<String, String> {
    let name = |id: &Value| {
        parents.iter().find(|(_, parent)| parent["id"] == *id).map_or("?", |(name, _)| name)
    };
    records
        .into_iter()
        .map(|(key, record)| {
            let ids = record[slug].as_array().cloned().unwrap_or_default();
            let mut names: Vec<_> = ids.iter().map(name).collect();
            names.sort_unstable();
            (key, names.join(","))
        })
        .collect()
}

fn orders_are_linked_to_their_customers(stage: &mut Stage) {
    stage.map_with_links();
    stage.run(&["run"]).ended(0);
    let linked = customers_of_orders(stage);
    let customers: Vec<&str> = linked.values().map(String::as_str).collect();
    assert_eq!(customers.first(), Some(&"1"));
    assert!(customers.iter().all(|customer| !customer.is_empty()), "{linked:?}");
    // The other side, which SmartSuite writes, is nobody's drift.
    let back = &stage.records(CUSTOMERS)["1"]["sordback"];
    assert_eq!(back.as_array().map(Vec::len), Some(2), "{back}");
    stage.run(&["run"]).ended(0).cost_nothing();
    stage.run(&["run", "--full"]).ended(0).cost_nothing();
    stage.run(&["verify"]).ended(0);

    // An order of a customer that is not there, and that comes later.
    stage.sql("ALTER TABLE orders DROP FOREIGN KEY orders_customer");
    stage.sql("ALTER TABLE orders MODIFY customer_id INT NULL");
    stage.sql(
        "INSERT INTO orders (id, customer_id, order_number, order_date, total_amount)
         VALUES (50, 99, 'SO-50', '2025-10-01', 5)",
    );
    stage
        .run(&["run"])
        .ended(0)
        .said(&["1 created, 1 without a link yet"])
        .cost(&[List, BulkCreate]);
    stage.run(&["run"]).ended(0).cost_nothing();
    stage.run(&["status", "--sync-name", "orders"]).ended(0).said(&[
        "1 link lacking in field `scustomer0`: sync `customers` has no record for 99",
        "a link is made by itself",
    ]);
    let json = stage.run(&["status", "--json"]).json();
    assert_eq!(json["syncs"][1]["lacking_links"][0]["keys"], json!(["99"]));
    let explained = stage.run(&["explain", "orders", "50"]).ended(0);
    explained
        .said(&["customers 99: left out, as that row has no record", "it is as intended already"]);
    let act = stage.run(&["explain", "orders", "1", "--json"]).ended(0);
    let explained = act.json();
    assert_eq!(explained["source"]["links"][0]["key"], "1");
    assert_eq!(explained["source"]["links"][0]["record"], stage.records(CUSTOMERS)["1"]["id"]);
    assert_eq!(explained["source"]["fingerprint"], explained["link"]["fingerprint"]);
    stage.sql("INSERT INTO customers (id, customer_name) VALUES (99, 'Late')");
    stage.run(&["run"]).ended(0).cost(&[List, BulkCreate, BulkUpdate]);
    assert_eq!(customers_of_orders(stage)["50"], "99");
    let status = stage.run(&["status", "--sync-name", "orders"]);
    assert!(!status.out.contains("lacking"), "{}", status.out);

    // Another customer; none.
    stage.sql("UPDATE orders SET customer_id = IF(id = 50, NULL, 3) WHERE id IN (1, 50)");
    stage.run(&["run"]).ended(0).said(&["2 updated"]).cost(&[BulkUpdate]);
    let linked = customers_of_orders(stage);
    assert_eq!((linked["1"].as_str(), linked["50"].as_str()), ("3", ""));

    // A customer's record is recreated under another id: its orders follow in the same run.
    let record = stage.records(CUSTOMERS)["2"]["id"].as_str().unwrap().to_owned();
    stage.smartsuite.person("delete", CUSTOMERS, &record, json!({}));
    stage.sql("UPDATE customers SET company = 'New pier' WHERE id = 2");
    stage.run(&["run"]).ended(0);
    assert_eq!(customers_of_orders(stage)["3"], "2");
    stage.run(&["run", "--full"]).ended(0).cost_nothing();
    stage.run(&["verify"]).ended(0);
}

/// A customer's record was deleted and nobody has noticed: orders go without it, and it is created again.
fn a_link_to_a_deleted_record_fails_no_row(stage: &mut Stage) {
    stage.map_with_links();
    stage.run(&["run"]).ended(0);
    let record = stage.records(CUSTOMERS)["2"]["id"].as_str().unwrap().to_owned();
    stage.smartsuite.person("delete", CUSTOMERS, &record, json!({}));
    stage.sql("UPDATE orders SET notes = 'changed' WHERE customer_id IN (1, 2)");
    stage.run(&["run", "--sync-name", "orders"]).ended(0);
    assert!(
        stage.records(ORDERS).values().filter(|order| order["sordernote"] == "changed").count() > 2
    );
    stage.run(&["run"]).ended(0);
    let linked = customers_of_orders(stage);
    assert_eq!((linked["1"].as_str(), linked["3"].as_str()), ("1", "2"), "{linked:?}");
    stage.run(&["run", "--full"]).ended(0).cost_nothing();
}

/// A table that people made in SmartSuite, with a text field `skey000001` for the key.
fn table(stage: &Stage, name: &str, fields: &[Value]) -> String {
    let mut structure = vec![json!({
        "slug": "skey000001", "label": "Key", "field_type": "textfield", "params": {}, "is_new": true,
    })];
    structure.extend(fields.iter().cloned());
    let solution = stage.smartsuite.api("GET", "/api/v1/solutions/", &Value::Null)[0]["id"].clone();
    let body = json!({"name": name, "solution": solution, "structure": structure});
    let made = stage.smartsuite.api("POST", "/api/v1/applications/", &body);
    made["id"].as_str().unwrap().to_owned()
}

fn link_field(slug: &str, table: &str) -> Value {
    json!({
        "slug": slug, "label": slug, "field_type": "linkedrecordfield", "is_new": true,
        "params": {"linked_application": table, "entries_allowed": "multiple"},
    })
}

/// A field that was added appears a moment later.
fn wait_for_field(stage: &Stage, table: &str, slug: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    let path = format!("/api/v1/applications/{table}/");
    while !stage.smartsuite.api("GET", &path, &Value::Null).to_string().contains(slug) {
        assert!(Instant::now() < until, "field {slug} does not appear");
        std::thread::yield_now();
    }
}

fn keyed(stage: &Stage, table: &str) -> BTreeMap<String, Value> {
    stage
        .smartsuite
        .records(table)
        .into_iter()
        .map(|record| (record["skey000001"].as_str().unwrap_or_default().to_owned(), record))
        .collect()
}

fn join_tables_and_superiors_are_linked(stage: &mut Stage) {
    stage.sql("CREATE TABLE tags (shop CHAR(2), name VARCHAR(20), PRIMARY KEY (shop, name))");
    stage.sql("INSERT INTO tags VALUES ('de', 'urgent'), ('de', 'gift'), ('fr', 'gift')");
    stage.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, shop CHAR(2), tag VARCHAR(20))");
    stage.sql("INSERT INTO notes VALUES (1, 'de', 'gift'), (2, 'fr', 'gift'), (3, NULL, 'gift')");
    stage.sql("CREATE TABLE note_tags (note_id BIGINT, shop CHAR(2), tag VARCHAR(20))");
    stage.sql("INSERT INTO note_tags VALUES (1, 'de', 'urgent'), (1, 'fr', 'gift'), (2, 'de', 'gift'), (9, 'x', 'x')");
    stage.sql("CREATE TABLE employees (id INT PRIMARY KEY, name VARCHAR(20), manager_id INT NULL)");
    stage.sql("INSERT INTO employees VALUES (1, 'Boss', NULL), (2, 'Ann', 1), (3, 'Ben', 2), (4, 'Own', 4)");
    let tags = table(stage, "Tags", &[]);
    let notes =
        table(stage, "Notes", &[link_field("smaintag01", &tags), link_field("salltags01", &tags)]);
    let employees = table(stage, "Employees", &[]);
    let own = link_field("smanager01", &employees);
    stage.smartsuite.api(
        "POST",
        &format!("/api/v1/applications/{employees}/add_field/"),
        &json!({"field": own, "field_position": {"prev_sibling_slug": "title"}, "auto_fill_structure_layout": true}),
    );
    wait_for_field(stage, &employees, "smanager01");
    stage.map(&format!(
        r#"syncs:
  - name: notes
    source:
      query: |
        SELECT n.id, n.shop, n.tag, CONCAT('note ', n.id) AS title,
          (SELECT CONCAT('[', GROUP_CONCAT(JSON_ARRAY(t.shop, t.tag)), ']') FROM note_tags t WHERE t.note_id = n.id) AS tags
        FROM notes n
      primary_key: id
    destination:
      table_id: {notes}
      external_id_field: skey000001
      field_mappings: {{title: title}}
      links:
        smaintag01: {{sync: tags, from: [shop, tag]}}
        salltags01: {{sync: tags, from: tags, list: true}}
  - name: tags
    source: {{query: "SELECT shop, name, name AS title FROM tags", primary_key: [shop, name]}}
    destination: {{table_id: {tags}, external_id_field: skey000001, field_mappings: {{title: title}}}}
  - name: employees
    source: {{query: "SELECT id, name, manager_id FROM employees", primary_key: id}}
    destination:
      table_id: {employees}
      external_id_field: skey000001
      field_mappings: {{name: title}}
      links:
        smanager01: {{sync: employees, from: manager_id}}
"#
    ));
    stage.run(&["validate", "--online"]).ended(0);
    stage.run(&["run"]).ended(0).said(&["notes      done: 3 rows read, 3 created"]);
    let by_tag = keyed(stage, &tags);
    let main: Vec<String> =
        names_of(keyed(stage, &notes), "smaintag01", &by_tag).into_values().collect();
    assert_eq!(main, ["de|gift", "fr|gift", ""]);
    let all: Vec<String> =
        names_of(keyed(stage, &notes), "salltags01", &by_tag).into_values().collect();
    assert_eq!(all, ["de|urgent,fr|gift", "de|gift", ""]);
    let people = keyed(stage, &employees);
    let managers: Vec<String> =
        names_of(people.clone(), "smanager01", &people).into_values().collect();
    assert_eq!(managers, ["", "1", "2", "4"]);
    stage.run(&["run"]).ended(0).cost_nothing();

    // The join table changes.
    stage.sql("DELETE FROM note_tags WHERE note_id = 1 AND tag = 'gift'");
    stage.run(&["run"]).ended(0).cost(&[BulkUpdate]);
    let all = names_of(keyed(stage, &notes), "salltags01", &by_tag);
    assert_eq!(all["1"], "de|urgent");
}

/// The rows of the join table change and those of the notes do not: seen in the log, and in a view that is read whole.
fn a_join_table_alone_changes_links(stage: &mut Stage) {
    let user = stage.database.create_user("SELECT", "PROCESS, REPLICATION SLAVE").unwrap();
    stage.setting("MYSQL_USER", user.name);
    stage.setting("MYSQL_PASSWORD", user.password);
    stage.sql("CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20))");
    stage.sql("INSERT INTO tags VALUES (1, 'urgent'), (2, 'gift'), (3, 'new')");
    stage.sql("CREATE TABLE notes (id INT PRIMARY KEY, title VARCHAR(20))");
    stage.sql("INSERT INTO notes VALUES (1, 'one'), (2, 'two')");
    stage.sql(
        "CREATE TABLE note_tags (note_id INT, tag_id INT, PRIMARY KEY (note_id, tag_id), KEY (tag_id))",
    );
    stage.sql("INSERT INTO note_tags VALUES (1, 1), (1, 2)");
    let query = "SELECT n.id, n.title, (SELECT GROUP_CONCAT(t.tag_id) FROM note_tags t WHERE t.note_id = n.id) AS tag_ids FROM notes n";
    // The same as a JSON array.
    let as_json = query.replace("GROUP_CONCAT", "JSON_ARRAYAGG");
    stage.sql(&format!("CREATE VIEW tagged AS {as_json}"));
    let tags = table(stage, "Tags", &[]);
    let followed = table(stage, "Followed", &[link_field("stags00001", &tags)]);
    let viewed = table(stage, "Viewed", &[link_field("stags00001", &tags)]);
    let destination = |table: &str| {
        format!(
            "destination: {{table_id: {table}, external_id_field: skey000001, field_mappings: {{title: title}}, \
             links: {{stags00001: {{sync: tags, from: tag_ids, list: true}}}}}}"
        )
    };
    stage.map(&format!(
        r#"syncs:
  - name: tags
    source: {{table: tags}}
    destination: {{table_id: {tags}, external_id_field: skey000001, field_mappings: {{name: title}}}}
  - name: followed
    capture: binlog
    source:
      query: "{query}"
      primary_key: id
      related:
        - {{table: note_tags, column: note_id, matches: id}}
    {}
  - name: viewed
    source: {{table: tagged, primary_key: id}}
    {}
"#,
        destination(&followed),
        destination(&viewed)
    ));
    stage.run(&["validate", "--online"]).ended(0);
    stage.run(&["run"]).ended(0);
    let both = |stage: &Stage| {
        let by_tag = keyed(stage, &tags);
        let [followed, viewed] = [&followed, &viewed].map(|table| {
            let names = names_of(keyed(stage, table), "stags00001", &by_tag);
            names.into_values().collect::<Vec<_>>()
        });
        assert_eq!(followed, viewed);
        followed
    };
    assert_eq!(both(stage), ["1,2", ""]);
    stage.run(&["run"]).ended(0).cost_nothing();
    // A tag more, one less, another note's first, and one that moves between notes.
    for (change, linked) in [
        ("INSERT INTO note_tags VALUES (1, 3)", ["1,2,3", ""]),
        ("DELETE FROM note_tags WHERE note_id = 1 AND tag_id = 1", ["2,3", ""]),
        ("INSERT INTO note_tags VALUES (2, 1)", ["2,3", "1"]),
        ("UPDATE note_tags SET note_id = 2 WHERE tag_id = 3", ["2", "1,3"]),
    ] {
        stage.sql(change);
        stage.run(&["run"]).ended(0).cost(&[BulkUpdate, BulkUpdate]);
        assert_eq!(both(stage), linked, "{change}");
    }
    // A tag that is not there yet is waited for.
    stage.sql("INSERT INTO note_tags VALUES (2, 4)");
    stage.run(&["run"]).ended(0);
    assert_eq!(both(stage), ["2", "1,3"]);
    stage.sql("INSERT INTO tags VALUES (4, 'late')");
    stage.run(&["run"]).ended(0);
    let by_tag = keyed(stage, &tags);
    let names = names_of(keyed(stage, &followed), "stags00001", &by_tag);
    assert_eq!(names["2"], "1,3,4");
    assert_eq!(both(stage), ["2", "1,3,4"]);
    stage.run(&["run"]).ended(0).cost_nothing();
}

/// A circle of tables and one with superiors: the plan has the second turn that the run makes.
fn tables_that_point_to_each_other_are_planned_to_the_call(stage: &mut Stage) {
    stage.sql(
        "CREATE TABLE teams (id INT PRIMARY KEY, name VARCHAR(20), head INT);
         CREATE TABLE staff (id INT PRIMARY KEY, name VARCHAR(20), team INT, superior INT);
         INSERT INTO teams VALUES (1, 'Sales', 11), (2, 'Stock', NULL);
         INSERT INTO staff VALUES (11, 'Ann', 1, NULL), (12, 'Bob', 2, 11), (13, 'Cid', NULL, 12);",
    );
    let teams = table(stage, "Teams", &[]);
    let staff = table(stage, "Staff", &[link_field("steam00001", &teams)]);
    for (table, slug) in [(&teams, "shead00001"), (&staff, "ssuperior1")] {
        stage.smartsuite.api(
            "POST",
            &format!("/api/v1/applications/{table}/add_field/"),
            &json!({
                "field": link_field(slug, &staff),
                "field_position": {"prev_sibling_slug": "title"}, "auto_fill_structure_layout": true,
            }),
        );
        wait_for_field(stage, table, slug);
    }
    stage.map(&format!(
        r#"syncs:
  - name: teams
    source: {{query: "SELECT id, name, head FROM teams", primary_key: id}}
    destination:
      table_id: {teams}
      external_id_field: skey000001
      field_mappings: {{name: title}}
      links: {{shead00001: {{sync: staff, from: head}}}}
  - name: staff
    source: {{query: "SELECT id, name, team, superior FROM staff", primary_key: id}}
    destination:
      table_id: {staff}
      external_id_field: skey000001
      field_mappings: {{name: title}}
      links:
        steam00001: {{sync: teams, from: team}}
        ssuperior1: {{sync: staff, from: superior}}
"#
    ));
    let plan = stage.run(&["plan", "--json", "--all", "--out", "the.plan"]).ended(0).json();
    let run = stage.run(&["run", "--plan", "the.plan", "--json"]).ended(0);
    assert_eq!(plan["calls"], run.requests.len(), "{plan:#}");
    let (by_team, by_staff) = (keyed(stage, &teams), keyed(stage, &staff));
    let linked = |records: &BTreeMap<String, Value>, slug, parents| {
        names_of(records.clone(), slug, parents).into_values().collect::<Vec<String>>()
    };
    assert_eq!(linked(&by_team, "shead00001", &by_staff), ["11", ""]);
    assert_eq!(linked(&by_staff, "steam00001", &by_team), ["1", "2", ""]);
    assert_eq!(linked(&by_staff, "ssuperior1", &by_staff), ["", "11", "12"]);
    stage.run(&["run"]).ended(0).cost_nothing();
}

fn a_mapping_of_several_files_is_one(stage: &mut Stage) {
    stage.map(&format!(
        "include: more/orders.yml
syncs:
  - name: customers
    source: {{query: 'SELECT id, customer_name FROM customers', primary_key: id}}
    destination: {{table_id: {CUSTOMERS}, external_id_field: scustextid, field_mappings: {{customer_name: title}}}}
"
    ));
    let orders = format!(
        "syncs:
  - name: orders
    source: {{query: 'SELECT id, order_number, customer_id FROM orders', primary_key: id}}
    destination:
      table_id: {ORDERS}
      external_id_field: sorderexid
      field_mappings: {{order_number: title}}
      fields:
        scustomer0: {{link: {{sync: customers, from: customer_id}}}}
"
    );
    let path = stage.path("config/more/orders.yml");
    stage
        .run(&["validate"])
        .ended(64)
        .said(&["error[config_include_unreadable]", "--> config/sync_mappings.yml:1:10"]);
    std::fs::create_dir_all(stage.path("config/more")).unwrap();
    std::fs::write(&path, orders.replace("from: customer_id", "from: custmer_id")).unwrap();
    let act = stage.run(&["validate", "--online"]).ended(64);
    act.said(&["custmer_id", "--> config/more/orders.yml:9:"]);
    std::fs::write(&path, &orders).unwrap();
    stage.run(&["validate", "--online"]).ended(0).said(&["2 syncs", "everything is in place"]);
    stage.run(&["run"]).ended(0);
    assert_eq!(customers_of_orders(stage)["1"], "1");
    stage.run(&["run"]).ended(0).cost_nothing();
}

fn links_that_cannot_be_are_refused_before_anything_is_read(stage: &mut Stage) {
    stage.map_with_links();
    let example = stage.mapping();
    for (from, to, says) in [
        ("          sync: customers\n", "          sync: custmers\n", "config_link_unknown_sync"),
        (
            "    name: customers\n",
            "    name: customers\n    enabled: false\n",
            "config_link_disabled_sync",
        ),
        ("          from: customer_id", "          from: [id, customer_id]", "config_link_key"),
    ] {
        stage.map(&example.replacen(from, to, 1));
        stage.run(&["validate"]).ended(64).said(&[says]);
    }
    for (from, to, says) in [
        ("        scustomer0:\n", "        sordernumb:\n", "link_field_unsuitable"),
        ("          sync: customers\n", "          sync: orders\n", "link_table_differs"),
        ("          from: customer_id", "          from: custmer_id", "custmer_id"),
    ] {
        let text = example.replacen("        order_number: sordernumb\n", "", 1);
        stage.map(&text.replacen(from, to, 1));
        stage.run(&["validate", "--online"]).ended(64).said(&[says]);
    }
}
