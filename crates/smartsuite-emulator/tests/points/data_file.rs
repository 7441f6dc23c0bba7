//! What `--data` keeps between runs (points 46 and 51).

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_SOLUTION, Emulator, Seed, SharedEmulator};
use tempfile::TempDir;

use crate::program::Program;

const CUSTOMERS: &str = "/api/v1/applications/6500000000000000000000c1/";
const RPC: &str = "/smartsuite.webhooks.engine.Webhooks/";

/// What a later release might write.
const LATER: &str = r#"{"smartsuite_emulator": 99, "shape": "unheard of"}"#;

/// Everything a person could look at.
fn seen(program: &Program, webhook: &str) -> Value {
    let all = |path: &str, body: &Value| program.call("POST", path, body).ok();
    let solution = json!({"solution_id": DEMO_SOLUTION});
    json!([
        program
            .call("GET", "/_emulator/tables/6500000000000000000000c1/dump?all=true", &Value::Null)
            .ok(),
        program.call("GET", CUSTOMERS, &Value::Null).ok(),
        all("/api/v1/deleted-records/", &solution),
        all(&format!("{RPC}ListEvents"), &json!({"webhook_id": webhook}))["events"],
        all(&format!("{RPC}ListEvents"), &json!({"webhook_id": webhook, "page_size": "1"})),
    ])
}

/// Does a bit of everything; the webhook.
fn live(program: &Program) -> String {
    let webhook = json!({"webhook": {
        "kinds": ["RECORD_CREATED", "RECORD_UPDATED", "RECORD_DELETED"],
        "notification_status": {"disabled": {}},
        "locator": {"account_id": DEMO_ACCOUNT, "solution_id": DEMO_SOLUTION},
    }});
    let made = program.call("POST", &format!("{RPC}CreateWebhook"), &webhook).ok();
    let id = made["webhook"]["webhook_id"].as_str().unwrap().to_owned();
    let items = json!({"items": [{"title": "One"}, {"title": "Two"}, {"title": "Three"}]});
    let made = program.call("POST", &format!("{CUSTOMERS}records/bulk/"), &items).ok();
    let record = |at: usize| format!("{CUSTOMERS}records/{}/", made[at]["id"].as_str().unwrap());
    program.call("PATCH", &record(0), &json!({"scompany01": "Changed"})).ok();
    program.call("DELETE", &record(2), &Value::Null).ok();
    assert_eq!(program.call("PATCH", &record(2), &json!({})).status, 404);
    let field =
        json!({"slug": "scompany01", "label": "Firm", "field_type": "textfield", "params": {}});
    program.call("PUT", &format!("{CUSTOMERS}change_field/"), &field).ok();
    let person = json!({
        "action": "update", "table": "6500000000000000000000c1", "record": made[1]["id"],
        "values": {"scompany01": "By hand"},
    });
    program.call("POST", "/_emulator/people", &person).ok();
    program.call("POST", "/_emulator/clock", &json!({"advance_seconds": 3600})).ok();
    program.call("POST", &format!("{CUSTOMERS}records/"), &json!({"title": "Four"})).ok();
    id
}

#[test]
fn a_restart_keeps_records_autonumbers_fields_the_bin_and_the_webhooks_log() {
    for is_killed in [false, true] {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("emulator.json");
        let program = Program::with_data(&file);
        let webhook = live(&program);
        let before = seen(&program, &webhook);
        let titles: Vec<&Value> = before[0]["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| &record["title"])
            .collect();
        assert_eq!(titles, ["One", "Two", "Three", "Four"]);
        assert_eq!(before[3].as_array().unwrap().len(), 7);
        if is_killed {
            program.kill();
        } else {
            assert_eq!(program.terminate(), Some(0));
        }

        let program = Program::with_data(&file);
        assert_eq!(seen(&program, &webhook), before, "killed: {is_killed}");
        let next =
            program.call("POST", &format!("{CUSTOMERS}records/"), &json!({"title": "Five"})).ok();
        assert_eq!(next["autonumber"], 5);
        let clock = program.call("GET", "/_emulator/clock", &Value::Null).ok();
        assert_eq!(clock["ahead_ms"], 3_600_000);
    }
}

#[test]
fn a_journal_is_read_under_the_switches_it_was_written_under() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("emulator.json");
    let data = file.to_str().unwrap();
    let program =
        Program::start(&["--data", data, "--set", "long_text=cut", "--set", "max_text_chars=3"]);
    program.call("POST", &format!("{CUSTOMERS}records/"), &json!({"title": "Shortened"})).ok();
    program.kill();
    let program = Program::start(&["--data", data]);
    let list = program.call("POST", &format!("{CUSTOMERS}records/list/"), &json!({})).ok();
    assert_eq!(list["items"][0]["title"], "Sho");
    let long =
        program.call("POST", &format!("{CUSTOMERS}records/"), &json!({"title": "Not shortened"}));
    assert_eq!(long.ok()["title"], "Not shortened", "the new run has its own");
}

#[test]
fn a_reset_and_the_months_calls_survive_a_kill() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("emulator.json");
    let program = Program::with_data(&file);
    program.call("POST", &format!("{CUSTOMERS}records/"), &json!({"title": "One"})).ok();
    program.call("POST", "/_emulator/reset", &Value::Null).ok();
    program
        .call("POST", "/_emulator/quota", &json!({"account": DEMO_ACCOUNT, "used": 62_500}))
        .ok();
    program.kill();
    let program = Program::with_data(&file);
    let dump =
        program.call("GET", "/_emulator/tables/6500000000000000000000c1/dump", &Value::Null).ok();
    assert_eq!(dump["count"], 0);
    assert_eq!(program.call("GET", "/api/v1/solutions/", &Value::Null).status, 429);
}

#[test]
fn a_line_of_the_journal_that_broke_off_is_left_out() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("emulator.json");
    let program = Program::with_data(&file);
    program.call("POST", &format!("{CUSTOMERS}records/"), &json!({"title": "Kept"})).ok();
    program.call("POST", &format!("{CUSTOMERS}records/"), &json!({"title": "Torn"})).ok();
    program.kill();
    let journal = folder.path().join("emulator.json.journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.truncate(bytes.len() - 20);
    std::fs::write(&journal, bytes).unwrap();
    let program = Program::with_data(&file);
    let list = program.call("POST", &format!("{CUSTOMERS}records/list/"), &json!({})).ok();
    let titles: Vec<&Value> =
        list["items"].as_array().unwrap().iter().map(|record| &record["title"]).collect();
    assert_eq!(titles, ["Kept"]);
}

#[test]
fn a_journal_that_its_snapshot_holds_already_is_not_applied_again() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("emulator.json");
    let journal = folder.path().join("emulator.json.journal");
    let program = Program::with_data(&file);
    program.call("POST", &format!("{CUSTOMERS}records/"), &json!({"title": "Once"})).ok();
    let old = std::fs::read(&journal).unwrap();
    assert_eq!(program.terminate(), Some(0));
    // As a kill leaves it that comes after the new snapshot and before its journal.
    std::fs::write(&journal, old).unwrap();
    let program = Program::with_data(&file);
    let dump =
        program.call("GET", "/_emulator/tables/6500000000000000000000c1/dump", &Value::Null).ok();
    assert_eq!(dump["count"], 1);
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    for (name, content, said) in [
        ("text", "not json", "not a file of the emulator"),
        ("other", r#"{"some":"json"}"#, "not a file of the emulator"),
        ("later", LATER, "written in form 99"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let emulator = Emulator::builder().seed(Seed::demo().unwrap()).build().unwrap();
        let error = SharedEmulator::with_file(emulator, &file).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
    }
}
