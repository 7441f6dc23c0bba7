//! The command line: every option, the first line, the end.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Program, command};

fn written(folder: &TempDir, name: &str, content: &Value) -> String {
    let file = folder.path().join(name);
    std::fs::write(&file, content.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn get(program: &Program, path: &str) -> crate::program::Reply {
    program.call("GET", path, &Value::Null)
}

#[test]
fn it_says_where_it_listens_and_what_it_is_and_ends_cleanly_on_sigterm() {
    let mut program = Program::start(&[]);
    assert!(program.address.starts_with("127.0.0.1:"), "{}", program.address);
    let second = program.line();
    assert!(second.contains("public material") && second.contains("/_emulator/"), "{second}");
    assert_eq!(get(&program, "/_emulator/ready").ok()["ready"], true);
    assert_eq!(program.terminate(), Some(0));
}

#[test]
fn the_port_is_the_one_asked_for_and_a_taken_one_is_an_error() {
    let first = Program::start(&["--port", "0"]);
    let port = first.address.rsplit_once(':').unwrap().1.to_owned();
    let taken = command(&["--port", &port]).output().unwrap();
    assert_eq!(taken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&taken.stderr).contains(&format!("port {port}")));
    assert_eq!(first.terminate(), Some(0));
    let second = Program::start(&["--port", &port]);
    assert_eq!(second.address, format!("127.0.0.1:{port}"));
}

#[test]
fn profile_set_and_rate_limit_move_the_switches() {
    let options: &[(&[&str], &str, Value)] = &[
        (&[], "rate_limit", json!(5)),
        (&["--rate-limit", "off"], "rate_limit", Value::Null),
        (&["--rate-limit", "9"], "rate_limit", json!(9)),
        (&["--profile", "strict"], "unknown_slug", json!("refuse")),
        (&["--profile", "strict", "--set", "unknown_slug=ignore"], "unknown_slug", json!("ignore")),
        (&["--set", "nulls=first", "--set", "list_lag_ms=7"], "list_lag_ms", json!(7)),
        (&["--set", "link_bumps=off"], "link_bumps", json!(false)),
    ];
    for (args, switch, position) in options {
        let program = Program::start(args);
        let profile = get(&program, "/_emulator/profile").ok();
        assert_eq!(profile[*switch], *position, "{args:?}");
    }
    let program = Program::start(&["--rate-limit", "2"]);
    let statuses = (0..3).map(|_| get(&program, "/api/v1/solutions/").status);
    // Two of the three may fall into different seconds; never do all three.
    assert!(statuses.filter(|status| *status == 200).count() >= 2);
}

#[test]
fn a_seed_is_the_demo_nothing_or_a_file() {
    let folder = TempDir::new().unwrap();
    let member = "6500000000000000000000e9";
    let seed = json!({"accounts": [{
        "id": "s1234567", "members": [{"id": member}], "keys": [{"token": "demo-token", "member": member}],
        "solutions": [{"id": "6500000000000000000000a9", "name": "Own", "tables": [
            {"id": "6500000000000000000000c9", "name": "Mine", "records": [{"title": "Seeded"}]},
        ]}],
    }]});
    let file = written(&folder, "seed.json", &seed);
    for (seed, names) in [
        ("demo", json!([{"name": "Customers"}, {"name": "Orders"}])),
        ("empty", json!([])),
        (&*file, json!([{"name": "Mine"}])),
    ] {
        let program = Program::start(&["--seed", seed]);
        assert_eq!(get(&program, "/api/v1/applications/?fields=name").ok(), names, "{seed}");
    }
}

#[test]
fn faults_are_read_from_a_file() {
    let folder = TempDir::new().unwrap();
    let file = written(&folder, "faults.json", &json!([{"fault": {"status": 502}, "skip": 1}]));
    let program = Program::start(&["--faults", &file]);
    let statuses = [1, 2, 3].map(|_| get(&program, "/api/v1/solutions/").status);
    assert_eq!(statuses, [200, 502, 200]);
}

#[test]
fn data_is_kept_in_its_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("kept.json");
    let records = "/api/v1/applications/6500000000000000000000c1/records/";
    let program = Program::with_data(&file);
    let made = program.call("POST", records, &json!({"title": "Kept"})).ok();
    assert_eq!(program.terminate(), Some(0));
    let program = Program::with_data(&file);
    let read = get(&program, &format!("{records}{}/", made["id"].as_str().unwrap())).ok();
    assert_eq!(read["title"], "Kept");
}

#[test]
fn webhooks_are_served_on_a_second_port_as_well() {
    let mut program = Program::start(&["--webhooks-port", "0"]);
    program.line();
    let line = program.line();
    let address = line.trim().strip_prefix("webhooks also on http://").unwrap();
    let body = json!({"solution_id": "6500000000000000000000a1"}).to_string();
    let path = "/smartsuite.webhooks.engine.Webhooks/ListWebhooks";
    let request = crate::program::request("POST", path, &body);
    let reply = crate::program::exchange(address, &request).unwrap();
    assert_eq!(crate::program::Reply::of(&reply).status, 200);
}

#[test]
fn the_same_chance_makes_the_same_ids() {
    let folder = TempDir::new().unwrap();
    let choice = |chance: &str| {
        let field = json!({"slug": "sfield0001", "label": "x", "field_type": "singleselectfield",
            "params": {"choices": [{"label": "x"}]}});
        let table = json!({"id": "6500000000000000000000c9", "name": "x", "fields": [field]});
        let seed = json!({"accounts": [{
            "id": "s1234567", "members": [{"id": "6500000000000000000000e9"}], "keys": [],
            "solutions": [{"id": "6500000000000000000000a9", "name": "x", "tables": [table]}],
        }]});
        let file = written(&folder, "chance.json", &seed);
        let program = Program::start(&["--seed", &file, "--chance", chance]);
        let page = get(&program, "/_emulator/tables/6500000000000000000000c9/dump");
        assert_eq!(page.status, 200);
        let body = json!({"action": "create", "table": "6500000000000000000000c9"});
        let made = program.call("POST", "/_emulator/people", &body).ok();
        made["id"].as_str().unwrap().chars().skip(8).collect::<String>()
    };
    assert_eq!(choice("1"), choice("1"));
    assert_ne!(choice("1"), choice("2"));
}

#[test]
fn a_wrong_option_is_told_in_words_and_by_its_exit_code() {
    let folder = TempDir::new().unwrap();
    let seed = written(&folder, "seed.json", &json!({"accounts": [{"id": 5}]}));
    let faults = written(&folder, "faults.json", &json!([{"fault": "explode"}]));
    let text = written(&folder, "data.json", &json!("other"));
    let nowhere = Path::new("/nowhere/at/all.json").to_str().unwrap();
    let options: &[(&[&str], &str)] = &[
        (&["--port", "many"], "--port"),
        (&["--profile", "wild"], "adversarial"),
        (&["--set", "nulls"], "SWITCH=VALUE"),
        (&["--set", "nulls=middle"], "nulls"),
        (&["--set", "nonsense=1"], "there is no switch `nonsense`"),
        (&["--rate-limit", "fast"], "rate_limit"),
        (&["--seed", nowhere], nowhere),
        (&["--seed", &seed], "seed"),
        (&["--faults", nowhere], nowhere),
        (&["--faults", &faults], "explode"),
        (&["--data", &text], "not a file of the emulator"),
        (&["--nonsense"], "--nonsense"),
    ];
    for (args, said) in options {
        let output = command(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{args:?}: {error}");
        assert!(error.contains(said), "{args:?}: {error}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn help_names_every_option() {
    let output = command(&["--help"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--port",
        "--profile",
        "--set",
        "--seed",
        "--faults",
        "--data",
        "--webhooks-port",
        "--rate-limit",
        "--chance",
    ] {
        assert!(help.contains(option), "{option}");
    }
    assert!(help.contains("not a live account"), "{help}");
}
