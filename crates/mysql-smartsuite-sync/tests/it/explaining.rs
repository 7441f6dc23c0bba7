//! Why a record is as it is.

use crate::stage::{CUSTOMERS, Stage, on_mariadb};

on_mariadb! {
    a_row_is_followed_from_the_database_to_its_record
    a_refused_row_is_explained
    what_nobody_knows_is_said
}

fn a_row_is_followed_from_the_database_to_its_record(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let record = stage.records(CUSTOMERS)["1"]["id"].as_str().unwrap().to_owned();
    let act = stage.run(&["explain", "customers", "1"]).ended(0).cost_nothing();
    act.said(&[
        "customers  key 1",
        "customer_name  Amélie Roche",
        "Status        Active",
        "nothing: it is as intended already",
        &format!("{record}, created by this tool"),
        "nothing waits",
        &format!("created record {record}"),
    ]);
    stage.sql("UPDATE customers SET company = 'Elsewhere' WHERE id = 1");
    stage
        .run(&["explain", "customers", "1"])
        .ended(0)
        .said(&["Company       Elsewhere", "it is sent"]);
    let json = stage.run(&["explain", "customers", "1", "--json"]).ended(0).json();
    assert_eq!(json["link"]["record"], record.as_str());
    assert_eq!(json["source"]["row"]["company"], "Elsewhere");
    assert_ne!(json["source"]["fingerprint"], json["link"]["fingerprint"]);
    assert_eq!(json["effects"][0]["kind"], "created");
    // The state alone.
    stage.setting("MYSQL_PORT", "9");
    let act = stage.run(&["explain", "customers", "1", "--offline"]).ended(0);
    assert!(!act.out.contains("Amélie"), "{}", act.out);
    stage
        .run(&["explain", "customers", "1"])
        .ended(0)
        .said(&["could not be read", "[mysql_unreachable]"]);
}

fn a_refused_row_is_explained(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.sql(
        "ALTER TABLE customers MODIFY status ENUM('active', 'inactive', 'pending', 'vip') NOT NULL;
         UPDATE customers SET status = 'vip' WHERE id = 2",
    );
    stage.run(&["run"]).ended(2);
    stage.run(&["explain", "customers", "2"]).ended(0).said(&[
        "cannot be written",
        "`vip` [choice_unknown]",
        "is in quarantine",
        "tried again by itself after",
    ]);
    // One that SmartSuite itself refuses: its words, and what was called for it in which run.
    stage.refuse_texts_beyond(Some(60));
    stage.sql("UPDATE customers SET company = REPEAT('x', 61) WHERE id = 3");
    stage.run(&["run"]).ended(2);
    let act = stage.run(&["explain", "customers", "3"]).ended(0).cost_nothing();
    act.said(&["is in quarantine, refused 1 time", "[smartsuite_refused]", "hint: "]);
    let json = stage.run(&["explain", "customers", "3", "--json"]).ended(0).json();
    let (newest, first) = (&json["effects"][0], &json["effects"][1]);
    assert_eq!(
        (&newest["kind"], &newest["code"]),
        (&"refused".into(), &"smartsuite_refused".into())
    );
    assert!(newest["call"].as_i64() > first["call"].as_i64(), "{json}");
    assert!(newest["run"].as_i64() > first["run"].as_i64(), "{json}");
    let refused = format!(
        "(run {}, call {})",
        newest["run"].as_i64().unwrap(),
        newest["call"].as_i64().unwrap()
    );
    stage.run(&["explain", "customers", "3"]).ended(0).said(&[&refused]);
}

fn what_nobody_knows_is_said(stage: &mut Stage) {
    stage.run(&["explain", "customers", "1"]).ended(1).warned(&["there is no state file"]);
    stage.run(&["run"]).ended(0);
    stage.run(&["explain", "customers", "99"]).ended(1).said(&[
        "the query yields no row with this key",
        "none is linked",
        "nobody knows this key",
    ]);
    stage.run(&["explain", "custmers", "1"]).ended(64).warned(&["did you mean `customers`?"]);
}
