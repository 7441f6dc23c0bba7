//! Planted secrets: in credentials, rows, keys and servers' messages. None may be said where it need not be.

use std::fs;

use smartsuite_emulator::{Fault, FaultKind, RouteKind::BulkCreate};

use crate::stage::{Stage, on_every_server};

on_every_server! {
    nothing_secret_is_said_or_logged
}

/// What rows, keys and messages hold. Commands that are made to show rows may say it.
const ROW: &str = "planted-row-4711";
/// What nobody may ever say.
const TOKEN: &str = "planted-token-4712";

fn nothing_secret_is_said_or_logged(stage: &mut Stage) {
    let password = stage.user.password.clone();
    stage.sql(&format!(
        "ALTER TABLE customers MODIFY status VARCHAR(40) NOT NULL;
         ALTER TABLE customers ADD code VARCHAR(60) NOT NULL DEFAULT '';
         UPDATE customers SET code = CONCAT('{ROW}-key-', id), company = '{ROW}-company', customer_name = '{ROW}-name';
         UPDATE customers SET status = '{ROW}-status' WHERE id = 1;
         UPDATE customers SET credit_limit = 2000000 WHERE id = 2;"
    ));
    stage.remap("SELECT id, customer_name", "SELECT code, customer_name");
    stage.remap(
        "      primary_key: id\n      # The column that says",
        "      primary_key: code\n      # The column that says",
    );
    let mut said = String::new();
    let mut play = |stage: &Stage, arguments: &[&str], code: i32| {
        let act = stage.run(arguments);
        said += &format!("{arguments:?}\n{}\n{}\n", act.out, act.err);
        act.ended(code)
    };
    let customers = ["--log-level", "DEBUG", "run", "--sync-name", "customers"];
    // Rows are refused here and by SmartSuite, which repeats them in its words.
    play(stage, &customers, 2);
    play(stage, &["--log-level", "DEBUG", "run", "--full", "--json"], 2);
    play(stage, &["validate", "--online"], 0);
    // Answers are lost, and creates looked up by key.
    stage.sql(&format!(
        "INSERT INTO customers (customer_name, status, code) VALUES ('N', 'active', '{ROW}-key-9')"
    ));
    stage
        .smartsuite
        .fault(Fault::new(FaultKind::Truncate(300)).on(&[BulkCreate]).after_the_effect());
    play(stage, &customers, 2);
    // The database repeats values in its complaint.
    let mapping = stage.mapping();
    stage.remap(
        "WHERE :last_sync_time IS NULL OR updated_at >= :last_sync_time",
        "WHERE (:last_sync_time IS NULL OR updated_at >= :last_sync_time) AND EXTRACTVALUE('<a/>', CONCAT('~', company)) = ''",
    );
    play(stage, &customers, 1);
    play(stage, &["validate", "--online"], 64);
    stage.map(&mapping);
    // Credentials that do not work.
    stage.sql("UPDATE customers SET credit_limit = 3 WHERE id = 3");
    stage.setting("SMARTSUITE_TOKEN", TOKEN);
    play(stage, &["--log-level", "DEBUG", "run", "--full"], 1);
    play(stage, &["validate", "--online"], 64);
    play(stage, &["status"], 0);
    stage.setting("MYSQL_PASSWORD", format!("{TOKEN} password"));
    play(stage, &customers, 1);
    stage.setting("SMARTSUITE_TOKEN", format!("{TOKEN} with a space"));
    stage.setting("MYSQL_PORT", TOKEN);
    play(stage, &customers, 64);
    fs::write(stage.path(".env"), format!("{TOKEN} is no line\n")).unwrap();
    play(stage, &["validate"], 64);

    let log = fs::read_to_string(stage.path("logs/sync.log")).unwrap();
    assert!(
        log.contains("row refused") && log.contains("call leaves"),
        "the log says a lot:\n{log}"
    );
    let status = said.split("[\"status\"]").nth(1).unwrap().split("[\"").next().unwrap().to_owned();
    assert!(status.contains(ROW), "`status` is made to show rows:\n{status}");
    let other = said.replace(&status, "");
    for (place, text) in [("a screen", &other), ("the log", &log)] {
        for secret in [ROW, TOKEN, &password] {
            assert!(!text.contains(secret), "`{secret}` is in {place}:\n{text}");
        }
    }
    assert!(!status.contains(TOKEN) && !status.contains(&password));
}
