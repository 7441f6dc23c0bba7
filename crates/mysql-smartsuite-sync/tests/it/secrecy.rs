//! Planted secrets: in credentials, rows, keys and servers' messages. None may be said where it need not be.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use smartsuite_emulator::{Fault, FaultKind, RouteKind::BulkCreate};

use crate::stage::{Stage, on_every_server};

on_every_server! {
    nothing_secret_is_said_or_logged
}

/// What rows, keys and messages hold. Commands that are made to show rows may say it.
const ROW: &str = "planted-row-4711";
/// What nobody may ever say.
const TOKEN: &str = "planted-token-4712";

/// A gateway that refuses every request with a JSON answer which repeats its headers.
struct Gateway {
    url: String,
    asked: Arc<AtomicBool>,
}

impl Gateway {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&asked);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(mut connection) = connection else { return };
                let mut bytes = [0; 4096];
                let count = connection.read(&mut bytes).unwrap_or(0);
                let head = String::from_utf8_lossy(&bytes[..count]).into_owned();
                let body =
                    serde_json::json!({ "detail": format!("forbidden: {head}") }).to_string();
                let answer = format!(
                    "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                drop(connection.write_all(answer.as_bytes()));
                seen.fetch_or(head.contains(smartsuite_emulator::DEMO_TOKEN), Ordering::SeqCst);
            }
        });
        Self { url, asked }
    }

    /// Whether it saw, and repeated, the key.
    fn was_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

fn nothing_secret_is_said_or_logged(stage: &mut Stage) {
    let password = stage.user.password.clone();
    stage.sql(&format!(
        "ALTER TABLE customers MODIFY status VARCHAR(40) NOT NULL;
         ALTER TABLE customers ADD code VARCHAR(60) NOT NULL DEFAULT '';
         UPDATE customers SET code = CONCAT('{ROW}-key-', id), company = '{ROW}-company', customer_name = '{ROW}-name';
         UPDATE customers SET status = '{ROW}-status' WHERE id = 1;
         UPDATE customers SET company = CONCAT(company, REPEAT('x', 61)) WHERE id = 2;"
    ));
    stage.refuse_texts_beyond(Some(60));
    stage.remap("SELECT id, customer_name", "SELECT code, customer_name");
    stage.remap(
        "      primary_key: id\n      # SQL that yields",
        "      primary_key: code\n      # SQL that yields",
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
    play(stage, &["quarantine", "retry", "--all"], 0);
    play(stage, &["state", "show", "--check"], 0);
    play(stage, &["state", "backup"], 0);
    play(stage, &["state", "export", "state.jsonl"], 0);
    // A web page that repeats the key, as a gateway's error may.
    stage.setting("SMARTSUITE_TOKEN", smartsuite_emulator::DEMO_TOKEN);
    let base_url = stage.smartsuite.url.clone();
    let gateway = Gateway::start();
    stage.setting("SMARTSUITE_BASE_URL", gateway.url.clone());
    play(stage, &["--log-level", "DEBUG", "run", "--full"], 1);
    assert!(gateway.was_asked(), "nobody asked the gateway");
    stage.setting("SMARTSUITE_BASE_URL", base_url);
    stage.setting("SMARTSUITE_TOKEN", TOKEN);
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
        for secret in [ROW, TOKEN, &password, smartsuite_emulator::DEMO_TOKEN] {
            assert!(!text.contains(secret), "`{secret}` is in {place}:\n{text}");
        }
    }
    assert!(!status.contains(TOKEN) && !status.contains(&password));
    nothing_secret_is_kept(
        stage.folder.path(),
        &[TOKEN, &password, smartsuite_emulator::DEMO_TOKEN],
    );
}

/// Every file that the program wrote: what holds rows is its owner's alone, and none holds a credential.
fn nothing_secret_is_kept(folder: &Path, credentials: &[&str]) {
    let mut looked_at = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // The user's own files.
            if name == ".env" || name == "sync_mappings.yml" {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let holds = |word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
            for credential in credentials {
                assert!(!holds(credential), "a credential is in {name}");
            }
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let is_state = name.starts_with("sync_state.db") || name == "state.jsonl";
            assert!(!is_state || mode == 0o600, "{name} has mode {mode:o}");
            assert!(is_state || !holds(ROW), "a row is in {name}");
            looked_at.push(name);
        }
    }
    for expected in ["sync_state.db", "sync.log", "state.jsonl"] {
        assert!(looked_at.iter().any(|name| name == expected), "{looked_at:?}");
    }
    assert!(looked_at.iter().any(|name| name.contains(".backup-")), "{looked_at:?}");
}
