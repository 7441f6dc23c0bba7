//! The service over HTTP: triggers, health, figures and commands, and that nothing of it disturbs the syncs.

use std::{
    fs,
    io::Write as _,
    net::{TcpListener, TcpStream},
    time::Duration,
};

use throwaway_server::wait_until;

use crate::{
    stage::{CUSTOMERS, ORDERS, Stage, now, on_mariadb, signal},
    web::Service,
};

on_mariadb! {
    a_trigger_runs_the_sync_now_and_a_burst_becomes_one_run
    tokens_and_roles_are_kept_apart
    whatever_comes_over_http_the_syncs_run
    a_port_that_is_taken_is_said_and_tried_again
    an_address_that_others_reach_needs_a_token
    a_pause_outlives_a_restart
    refused_rows_are_seen_retried_and_dropped
    a_record_tells_its_story_and_is_read_again
    figures_are_scraped
    many_open_pages_take_little_memory
    slow_clients_take_every_place_and_the_syncs_run
    a_clock_that_jumps_leaves_the_syncs_running
}

const LIMIT: Duration = Duration::from_secs(30);
const TRIGGERED: &str = r#"{"status":"triggered"}"#;

fn runs(stage: &Stage) -> i64 {
    stage.state_value("SELECT count(*) FROM runs")
}

fn a_trigger_runs_the_sync_now_and_a_burst_becomes_one_run(stage: &mut Stage) {
    let service = Service::start(stage, &["--interval", "60"]);
    assert_eq!(service.get("/readyz").text, r#"{"ready":true,"reasons":[],"warnings":[]}"#);
    let answer = service.post("/webhook/sync/customers", "");
    assert_eq!((answer.status, answer.text.as_str()), (202, TRIGGERED));
    service.until("/api/v1/overview", |all| all["syncs"][0]["standing"] == "good");
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
    assert_eq!(stage.records(ORDERS).len(), 0, "only what was triggered runs");
    let before = runs(stage);
    stage.sql("UPDATE customers SET company = 'Burst' WHERE id = 1");
    for _ in 0..20 {
        assert_eq!(service.post("/webhook/sync/customers", "{\"any\": 1}").status, 202);
    }
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS)["1"]["scompany01"] == "Burst"));
    assert!(done.unwrap());
    service.until("/api/v1/overview", |all| all["syncs"][0]["standing"] == "good");
    let burst = runs(stage) - before;
    assert!((1..20).contains(&burst), "{burst} runs for 20 triggers");
    assert_eq!(service.post("/webhook/sync/nobody", "").problem(), (404, "sync_unknown".into()));
    assert_eq!(service.get("/webhook/sync/customers").problem(), (405, "http_wrong_method".into()));
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    let stop = "UPDATE syncs SET stop_code = 'x', stop_message = 'all was refused', stop_remedy = 'mend it'";
    connection.execute(stop, []).unwrap();
    let one = "1 sync is stopped until a person acts";
    let ready = service.until("/readyz", |answer| answer["warnings"][0]["message"] == one);
    assert_eq!(ready["ready"], true, "starting it anew would mend nothing");
    // One that only creates no more still runs.
    connection.execute("UPDATE syncs SET stop_creates = 1", []).unwrap();
    service.until("/readyz", |answer| answer["warnings"] == serde_json::json!([]));
    connection.execute("UPDATE syncs SET stop_creates = 0", []).unwrap();
    let answer = service.post("/webhook/sync/customers", "");
    assert_eq!(answer.problem(), (409, "sync_stopped".into()));
    assert!(answer.text.contains("mend it"));
    // A person may let it go again.
    assert_eq!(service.post("/api/v1/syncs/customers/run", "{\"retry\": true}").status, 200);
    service.until("/api/v1/overview", |all| all["syncs"][0]["standing"] == "good");
    service.end(stage);
}

fn tokens_and_roles_are_kept_apart(stage: &mut Stage) {
    stage.setting("SYNC_OPERATOR_TOKEN", "operator-0123456789");
    stage.setting("SYNC_VIEWER_TOKEN", "viewer-0123456789");
    stage.setting("SYNC_WEBHOOK_TOKEN", "webhook-0123456789");
    stage.setting("SYNC_TRUSTED_PROXIES", "127.0.0.1");
    let mut service = Service::start(stage, &["--interval", "60"]);
    for (token, overview, run, webhook) in [
        (None, 401, 401, 401),
        (Some("viewer-0123456789"), 200, 403, 401),
        (Some("webhook-0123456789"), 401, 401, 202),
        (Some("operator-0123456789"), 200, 200, 202),
    ] {
        service.token = token.map(str::to_owned);
        assert_eq!(service.get("/api/v1/overview").status, overview, "{token:?}");
        assert_eq!(service.post("/api/v1/syncs/customers/run", "").status, run, "{token:?}");
        assert_eq!(service.post("/webhook/sync/orders", "").status, webhook, "{token:?}");
    }
    service.token = None;
    assert_eq!(service.get("/healthz").status, 200, "whether it lives everybody may ask");
    assert_eq!(service.get("/metrics").status, 401);
    let signed_in = service.post("/api/v1/session", "{\"token\": \"viewer-0123456789\"}");
    assert_eq!(signed_in.json()["role"], "viewer");
    let cookie = signed_in.head.split("set-cookie: ").nth(1).unwrap();
    let cookie = format!("cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert_eq!(service.send("GET", "/api/v1/overview", &cookie, "").status, 200);
    let foreign =
        format!("{cookie}origin: http://evil.example\r\ncontent-type: application/json\r\n");
    let path = "/api/v1/syncs/customers/run";
    assert_eq!(
        service.send("POST", path, &foreign, "{}").problem(),
        (403, "http_another_site".into())
    );
    // Behind the proxy somebody guesses, and others come in as before.
    let ask = |client: &str, token: &str| {
        let headers = format!("x-forwarded-for: {client}\r\nauthorization: Bearer {token}\r\n");
        service.send("GET", "/metrics", &headers, "").status
    };
    for attempt in 0..5 {
        assert_eq!(ask("198.51.100.1", &format!("guess-{attempt}-0123456789")), 401);
    }
    assert_eq!(ask("10.0.0.9, 198.51.100.1", "viewer-0123456789"), 429);
    assert_eq!(ask("198.51.100.2", "viewer-0123456789"), 200);
    let log = fs::read_to_string(stage.path("logs/sync.log")).unwrap();
    assert!(!log.contains("-0123456789"), "a token is in the log");
    service.end(stage);
    stage.setting("SYNC_TRUSTED_PROXIES", "everybody");
    stage.run(&["schedule"]).ended(64).warned(&["SYNC_TRUSTED_PROXIES"]);
    stage.setting("SYNC_OPERATOR_TOKEN", "short");
    stage.run(&["schedule"]).ended(64).warned(&["SYNC_OPERATOR_TOKEN"]);
}

fn whatever_comes_over_http_the_syncs_run(stage: &mut Stage) {
    let service = Service::start(stage, &["--interval", "60"]);
    // Silent and slow clients, which keep their connections.
    let mut slow = Vec::new();
    for part in [
        "",
        "POST /webhook/sync/customers HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhal",
        "GET / HTT",
    ] {
        let mut stream = TcpStream::connect(&service.address).unwrap();
        stream.write_all(part.as_bytes()).unwrap();
        slow.push(stream);
    }
    let huge = "x".repeat(70_000);
    assert_eq!(
        service.post("/webhook/sync/customers", &huge).problem(),
        (413, "http_body_too_large".into())
    );
    let answer = service.raw(format!("GET /{huge} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes());
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert_eq!(service.raw(b"\x00\x01 nonsense\r\n\r\n").status, 400);
    assert_eq!(
        service.post("/api/v1/syncs/customers/run", "{\"retry\": 7}").problem(),
        (400, "http_bad_request".into())
    );
    assert_eq!(
        service.send("POST", "/api/v1/syncs/customers/run", "", "{}").problem(),
        (400, "http_bad_request".into())
    );
    assert_eq!(service.get("/nowhere").problem(), (404, "http_not_found".into()));
    assert_eq!(
        service.send("DELETE", "/api/v1/overview", "", "").problem(),
        (405, "http_wrong_method".into())
    );
    assert_eq!(service.get("/api/v1/syncs/%FF%00%F0/record?key=%FF").status / 100, 4);
    let page = service.get("/");
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    let answer = service.post("/webhook/sync/customers", "");
    assert_eq!(answer.status, 202);
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS).len() == 5));
    assert!(done.unwrap());
    drop(slow);
    service.end(stage);
}

fn a_port_that_is_taken_is_said_and_tried_again(stage: &mut Stage) {
    // Half a minute passes in half a second.
    stage.setting("SYNC_TEST_CLOCK", "60@2026-11-01T00:00:00Z");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let child =
        stage.start(&["schedule", "--run-immediately", "--interval", "600", "--listen", &address]);
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS).len() == 5));
    assert!(done.unwrap(), "the syncs run without it");
    drop(taken);
    let listens = wait_until(LIMIT, || Ok(TcpStream::connect(&address).is_ok()));
    assert!(listens.unwrap());
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0).warned(&[
        "no pages and no triggers",
        "http_port",
        "pages and triggers at",
    ]);
}

fn an_address_that_others_reach_needs_a_token(stage: &mut Stage) {
    stage
        .run(&["schedule", "--listen", "0.0.0.0:0"])
        .ended(64)
        .warned(&["no token", "SYNC_OPERATOR_TOKEN"]);
    stage.run(&["schedule", "--listen", "somewhere"]).ended(64).warned(&["SYNC_LISTEN"]);
}

fn a_pause_outlives_a_restart(stage: &mut Stage) {
    let service = Service::start(stage, &["--interval", "60"]);
    // It has never run: a pause needs nothing to be known of it.
    assert_eq!(service.post("/api/v1/syncs/customers/pause", "").json()["status"], "done");
    assert_eq!(service.post("/webhook/sync/customers", "").problem(), (409, "sync_paused".into()));
    service.end(stage);
    stage.run(&["status"]).ended(0).said(&["paused", "until it is resumed", "it has not run yet"]);
    let status = stage.run(&["status", "--json"]).ended(0).json();
    assert!(
        status["syncs"][0]["paused_at"].is_string() && status["syncs"][1]["paused_at"].is_null()
    );
    let service = Service::start(stage, &["--interval", "60", "--run-immediately"]);
    let done = wait_until(LIMIT, || Ok(stage.records(ORDERS).len() == 7));
    assert!(done.unwrap());
    let all = service.until("/api/v1/overview", |all| all["syncs"][1]["standing"] == "good");
    assert_eq!(all["syncs"][0]["standing"], "paused");
    assert_eq!(stage.records(CUSTOMERS).len(), 0);
    assert_eq!(service.post("/api/v1/syncs/customers/resume", "").json()["status"], "done");
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS).len() == 5));
    assert!(done.unwrap());
    service.end(stage);
}

fn refused_rows_are_seen_retried_and_dropped(stage: &mut Stage) {
    stage.refuse_texts_beyond(Some(60));
    stage.sql("UPDATE customers SET company = repeat('x', 61) WHERE id IN (1, 2)");
    let service = Service::start(stage, &["--interval", "60", "--run-immediately"]);
    let found = service.until("/api/v1/quarantine", |all| {
        all["rows"].as_array().is_some_and(|rows| rows.len() == 2)
    });
    let row = &found["rows"][0];
    assert_eq!((row["sync"].as_str(), row["key"].as_str()), (Some("customers"), Some("1")));
    assert_eq!(found["groups"][0]["rows"], 2);
    assert_eq!(row["values"]["scompany01"], "x".repeat(61));
    service.until("/api/v1/overview", |all| all["syncs"][0]["standing"] == "warning");
    let request = r#"{"sync": "customers", "key": "2"}"#;
    assert_eq!(service.post("/api/v1/quarantine/drop", request).json()["rows"], 1);
    stage.refuse_texts_beyond(None);
    assert_eq!(
        service.post("/api/v1/quarantine/retry", "{}").problem(),
        (400, "http_bad_request".into())
    );
    assert_eq!(service.post("/api/v1/quarantine/retry", r#"{"all": true}"#).json()["rows"], 1);
    service.until("/api/v1/quarantine", |all| all["rows"].as_array().is_some_and(Vec::is_empty));
    let done = wait_until(LIMIT, || {
        Ok(stage
            .records(CUSTOMERS)
            .get("1")
            .is_some_and(|record| record["scompany01"] == "x".repeat(61)))
    });
    assert!(done.unwrap());
    service.end(stage);
}

fn a_record_tells_its_story_and_is_read_again(stage: &mut Stage) {
    let service = Service::start(stage, &["--interval", "60", "--run-immediately"]);
    service.until("/api/v1/overview", |all| all["syncs"][0]["standing"] == "good");
    let story = service.get("/api/v1/syncs/customers/record?key=3&live=true").json();
    assert_eq!(story["source"]["found"], true);
    assert_eq!(story["link"]["created_here"], true);
    assert_eq!(story["effects"][0]["kind"], "created");
    assert_eq!(
        service.get("/api/v1/syncs/customers/record?key=3").json()["source"],
        serde_json::Value::Null
    );
    assert_eq!(
        service.get("/api/v1/syncs/customers/record").problem(),
        (400, "http_bad_request".into())
    );
    assert_eq!(
        service.get("/api/v1/syncs/nobody/record?key=3").problem(),
        (404, "sync_unknown".into())
    );
    // The cursor does not show this change; a resync does.
    stage.sql("UPDATE customers SET company = 'Unseen', updated_at = updated_at WHERE id = 3");
    assert_eq!(
        service.post("/api/v1/syncs/customers/resync", r#"{"keys": ["3"]}"#).json()["status"],
        "triggered"
    );
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS)["3"]["scompany01"] == "Unseen"));
    assert!(done.unwrap());
    let detail = service.get("/api/v1/syncs/customers").json();
    assert_eq!(detail["destination"]["table_name"], "Customers");
    assert!(detail["fields"].as_array().unwrap().iter().all(|field| field["is_missing"] == false));
    service.end(stage);
}

fn figures_are_scraped(stage: &mut Stage) {
    let service = Service::start(stage, &["--interval", "60", "--run-immediately"]);
    service.until("/api/v1/overview", |all| {
        all["syncs"]
            .as_array()
            .is_some_and(|syncs| syncs.iter().all(|sync| sync["standing"] == "good"))
    });
    let page = service.get("/metrics");
    assert!(page.head.contains("text/plain; version=0.0.4"));
    for line in [
        "sync_linked_records{sync=\"customers\"} 5",
        "sync_runs_total{sync=\"orders\",status=\"success\"} 1",
        "sync_runs_total{sync=\"orders\",status=\"failed\"} 0",
        "sync_records_total{sync=\"orders\",done=\"created\"} 7",
        "sync_calls_total{sync=\"customers\",kind=\"create\",outcome=\"ok\"} 1",
        "sync_gate_closed 0",
        "sync_run_duration_seconds_count{sync=\"customers\"} 1",
    ] {
        assert!(page.text.lines().any(|found| found == line), "{line} in\n{}", page.text);
    }
    service.end(stage);
}

/// Kilobytes that the service holds in memory.
fn resident(service: &Service) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", service.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn many_open_pages_take_little_memory(stage: &mut Stage) {
    let service = Service::start(stage, &["--interval", "60"]);
    let before = resident(&service);
    let mut views = Vec::new();
    for _ in 0..50 {
        let mut view = TcpStream::connect(&service.address).unwrap();
        view.write_all(b"GET /api/v1/live HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        views.push(view);
    }
    let paths = [
        "/api/v1/overview",
        "/",
        "/api/v1/budget",
        "/metrics",
        "/api/v1/quarantine",
        "/web/main.js",
    ];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for path in paths.iter().cycle().take(300) {
                    assert_eq!(service.get(path).status, 200, "{path}");
                }
            });
        }
        assert_eq!(service.post("/webhook/sync/customers", "").status, 202);
    });
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS).len() == 5));
    assert!(done.unwrap());
    let grown = resident(&service).saturating_sub(before);
    println!("50 open pages and 1,200 requests: {grown} KiB more than {before} KiB");
    assert!(grown < 32 * 1024, "{grown} KiB");
    drop(views);
    service.end(stage);
}

fn slow_clients_take_every_place_and_the_syncs_run(stage: &mut Stage) {
    // A minute is a second.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", now()));
    let service = Service::start(stage, &["--interval", "1"]);
    // More than the service has places for, each with the first half of a request.
    let half = b"POST /webhook/sync/customers HTTP/1.1\r\nhost: loc";
    let slow: Vec<TcpStream> = (0..600)
        .map(|_| {
            let mut stream = TcpStream::connect(&service.address).unwrap();
            // One that found no place is closed already.
            let _closed = stream.write_all(half);
            stream
        })
        .collect();
    for name in ["Slow", "Slower"] {
        stage.sql(&format!("UPDATE customers SET company = '{name}' WHERE id = 1"));
        arrives(stage, name);
    }
    drop(slow);
    let answers = || Ok(service.get("/healthz").status == 200);
    assert!(wait_until(LIMIT, answers).unwrap());
    service.end(stage);
}

fn a_clock_that_jumps_leaves_the_syncs_running(stage: &mut Stage) {
    // A minute is a second.
    let jump = stage.path("jump");
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}@{}", now(), jump.display()));
    let service = Service::start(stage, &["--interval", "2", "--run-immediately"]);
    for (seconds, name) in [("7200", "Forward"), ("-864000", "Back"), ("0", "Right again")] {
        // Its next time was found by the clock as it was.
        service.until("/api/v1/overview", |all| {
            all["syncs"][0]["standing"] == "good" && all["syncs"][0]["next_run"].is_string()
        });
        fs::write(&jump, seconds).unwrap();
        stage.sql(&format!("UPDATE customers SET company = '{name}' WHERE id = 1"));
        // Two minutes are two seconds here, and ten days four hours: what arrives was not put off by the jump.
        arrives(stage, name);
        assert_eq!(service.get("/readyz").status, 200);
    }
    service.end(stage);
}

/// Waits until the first customer's company has this name in SmartSuite.
#[track_caller]
fn arrives(stage: &Stage, name: &str) {
    let has_come = || {
        let records = stage.records(CUSTOMERS);
        Ok(records.get("1").is_some_and(|record| record["scompany01"] == name))
    };
    assert!(wait_until(LIMIT, has_come).unwrap(), "{name} did not arrive");
}
