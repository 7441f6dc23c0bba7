//! Alerts: what arrives, and what does not.

use std::time::Duration;

use serde_json::Value;
use smartsuite_emulator::{Fault, FaultKind, RouteKind::BulkCreate};
use throwaway_server::wait_until;

use crate::{
    browser::Browser,
    sink::Sink,
    stage::{CUSTOMERS, ORDERS, Stage, now, on_mariadb, signal},
    web::Service,
};

on_mariadb! {
    a_script_of_failures_yields_exactly_the_expected_messages
    every_way_can_be_tried_and_private_addresses_are_not_called
    a_mail_server_that_is_down_is_shown_everywhere_and_leaves_the_syncs_running
    a_call_and_an_endpoint_that_hang_do_not_hold_up_the_end
}

const LIMIT: Duration = Duration::from_mins(1);

/// Waits for so many messages of the plain form; answers their titles.
fn titles(web: &Sink, count: usize) -> Vec<String> {
    assert!(
        wait_until(LIMIT, || Ok(web.at("/hook").len() >= count)).unwrap(),
        "{:?}",
        web.at("/hook")
    );
    let title = |body: &String| {
        serde_json::from_str::<Value>(body).unwrap()["title"].as_str().unwrap().to_owned()
    };
    web.at("/hook").iter().map(title).collect()
}

fn a_script_of_failures_yields_exactly_the_expected_messages(stage: &mut Stage) {
    let (web, mail) = (Sink::web(), Sink::mail());
    let alerts = format!(
        "alerts:
  email: {{server: 127.0.0.1, port: {}, security: none, from: sync@example.org, to: ops@example.org}}
  slack: http://127.0.0.1:{port}/slack
  teams: http://127.0.0.1:{port}/hangs
  webhook: {{url: 'http://127.0.0.1:{port}/hook'}}
  heartbeat: {{url: 'http://127.0.0.1:{port}/beat', minutes: 1}}
  group: 0
  allow_internal: true
",
        mail.port,
        port = web.port,
    );
    stage.map(&format!("{alerts}{}", stage.mapping()));
    for name in ["    name: customers", "  - name: orders"] {
        stage.remap(name, &format!("{name}\n    freshness: 10000"));
    }
    // A minute is a second.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", now()));
    stage.sql(
        "ALTER TABLE customers MODIFY status ENUM('active', 'inactive', 'pending', 'vip') NOT NULL",
    );
    let child = stage.start(&["schedule", "--run-immediately", "--interval", "1"]);
    assert!(wait_until(LIMIT, || Ok(!web.at("/beat").is_empty())).unwrap(), "no sign of life");
    assert_eq!(web.at("/hook"), [] as [String; 0], "all is well");
    stage.sql("UPDATE customers SET status = 'vip' WHERE id IN (1, 2)");
    titles(&web, 1);
    stage.sql("UPDATE customers SET status = 'active' WHERE id IN (1, 2)");
    titles(&web, 2);
    stage.sql("RENAME TABLE orders TO orders_away");
    titles(&web, 3);
    // An endpoint that hangs leaves the syncs running.
    stage.sql("UPDATE customers SET company = 'Meanwhile' WHERE id = 3");
    let done = || Ok(stage.records(CUSTOMERS)["3"]["scompany01"] == "Meanwhile");
    assert!(wait_until(LIMIT, done).unwrap());
    stage.sql("RENAME TABLE orders_away TO orders");
    let titles = titles(&web, 4);
    let unsent = || {
        Ok(!stage.run(&["status", "--json"]).json()["alerts_unsent"].as_array().unwrap().is_empty())
    };
    assert!(wait_until(LIMIT, unsent).unwrap(), "what could not be sent is shown");
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0).warned(&["alert_unsent", "no answer in time"]);
    assert_eq!(titles[0], "customers: 2 rows in quarantine");
    assert!(titles[1].starts_with("customers: over (quarantine, since "), "{titles:?}");
    assert!(titles[2].starts_with("orders: the last run failed: "), "{titles:?}");
    assert!(titles[3].starts_with("orders: over (failed, since "), "{titles:?}");
    assert_eq!(
        (web.at("/hook").len(), web.at("/slack").len(), mail.at("ops@example.org").len()),
        (4, 4, 4)
    );
    let first = &mail.at("ops@example.org")[0];
    assert!(first.contains("Subject: SmartSuite sync: customers: 2 rows in quarantine"), "{first}");
    assert!(first.contains("hint: `quarantine list`"), "{first}");
    assert!(!first.contains("vip"), "no value of a row is told");
    // A restart repeats nothing.
    let child = stage.start(&["schedule", "--interval", "1"]);
    let beats = web.at("/beat").len();
    assert!(wait_until(LIMIT, || Ok(web.at("/beat").len() > beats + 1)).unwrap());
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
    assert_eq!(web.at("/hook").len(), 4);
}

fn every_way_can_be_tried_and_private_addresses_are_not_called(stage: &mut Stage) {
    stage.run(&["alerts", "test"]).ended(64).warned(&["says nothing of alerts"]);
    let web = Sink::web();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let alerts = format!(
        "alerts:
  email: {{server: 127.0.0.1, port: {closed}, security: none, from: sync@example.org, to: ops@example.org}}
  slack: http://localhost:{}/slack
",
        web.port
    );
    stage.map(&format!("{alerts}{}", stage.mapping()));
    stage
        .run(&["alerts", "test"])
        .ended(1)
        .said(&["slack      not sent: the host is in a private network"]);
    assert_eq!(web.at("/slack"), [] as [String; 0]);
    stage.remap("alerts:\n  email", "alerts:\n  allow_internal: true\n  email");
    stage.run(&["alerts", "test"]).ended(1).said(&["slack      sent", "email      not sent: "]);
    let said: Value = serde_json::from_str(&web.at("/slack")[0]).unwrap();
    assert!(said["text"].as_str().unwrap().contains("this is a test"), "{said}");
}

fn a_mail_server_that_is_down_is_shown_everywhere_and_leaves_the_syncs_running(stage: &mut Stage) {
    let mail = Sink::mail();
    mail.set_up(false);
    let alerts = format!(
        "alerts:
  email: {{server: 127.0.0.1, port: {}, security: none, from: sync@example.org, to: ops@example.org}}
  group: 0
  allow_internal: true
",
        mail.port
    );
    stage.map(&format!("{alerts}{}", stage.mapping()));
    // A minute is a second.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", now()));
    stage.sql("RENAME TABLE orders TO orders_away");
    // Before anything is sent, as attempts become rarer.
    let browser = Browser::start();
    let service = Service::start(stage, &["--run-immediately", "--interval", "1"]);
    let ready = service.until("/readyz", |answer| answer["warnings"][0]["code"] == "alerts_unsent");
    assert_eq!(ready["ready"], true, "starting it anew would mend nothing");
    let shown = service.get("/api/v1/overview").json();
    let (alert, unsent) = (&shown["alerts"][0], &shown["unsent"][0]);
    assert_eq!((&alert["kind"], &alert["subject"]), (&"failed".into(), &"orders".into()));
    assert_eq!(unsent["channel"], "email");
    assert!(unsent["attempts"].as_u64().unwrap() > 0 && unsent["error"] != "", "{unsent}");
    stage.run(&["status"]).ended(0).said(&[
        "alerts",
        "orders: the last run failed",
        "unsent",
        "by email: ",
    ]);
    let json = stage.run(&["status", "--json"]).ended(0).json();
    assert_eq!(json["alerts"][0]["kind"], "failed");
    assert_eq!(json["alerts_unsent"][0]["channel"], "email");
    if let Some(mut browser) = browser {
        browser.look(1280, 900, "light");
        browser.open(&format!("http://{}/", service.address));
        browser.sees("What is wrong");
        browser.sees("orders: the last run failed");
        browser.sees("could not be sent by email");
        assert_eq!(browser.barriers(), [""; 0]);
    }
    stage.sql("UPDATE customers SET company = 'Meanwhile' WHERE id = 3");
    let done = || {
        Ok(stage.records(CUSTOMERS).get("3").is_some_and(|one| one["scompany01"] == "Meanwhile"))
    };
    assert!(wait_until(LIMIT, done).unwrap(), "the syncs run");
    // It is tried again until somebody takes it, of which some minutes are spared here.
    mail.set_up(true);
    let state = rusqlite::Connection::open(stage.state()).unwrap();
    state.execute("UPDATE alert_messages SET next_try = 0", []).unwrap();
    drop(state);
    assert!(wait_until(LIMIT, || Ok(!mail.at("ops@example.org").is_empty())).unwrap());
    service.until("/readyz", |answer| answer["warnings"] == serde_json::json!([]));
    assert_eq!(service.get("/api/v1/overview").json()["unsent"], serde_json::json!([]));
    service.end(stage);
}

fn a_call_and_an_endpoint_that_hang_do_not_hold_up_the_end(stage: &mut Stage) {
    let web = Sink::web();
    let alerts = format!(
        "alerts:
  webhook: {{url: 'http://127.0.0.1:{port}/hangs'}}
  heartbeat: {{url: 'http://127.0.0.1:{port}/hangs/too', minutes: 1}}
  group: 0
  allow_internal: true
",
        port = web.port
    );
    stage.map(&format!("{alerts}{}", stage.mapping()));
    // A minute is a second: the bound of two minutes is two, and a call of SmartSuite's may take a real minute.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", now()));
    stage.sql("RENAME TABLE orders TO orders_away");
    stage.smartsuite.fault(Fault::new(FaultKind::Never).on(&[BulkCreate]));
    let child = stage.start(&["schedule", "--run-immediately", "--interval", "1"]);
    let calls = || {
        let made = stage.smartsuite.requests_after(0);
        Ok(made.iter().any(|call| call.route == BulkCreate) && !web.at("/hangs").is_empty())
    };
    assert!(wait_until(LIMIT, calls).unwrap(), "nothing hangs");
    signal(&child, "-TERM");
    let began = std::time::Instant::now();
    stage.finish(child, 0).ended(0).warned(&["not everything has ended in time"]);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    // What hung is looked up and created once.
    stage.sql("RENAME TABLE orders_away TO orders");
    stage.run(&["run"]).ended(0);
    assert_eq!((stage.records(CUSTOMERS).len(), stage.records(ORDERS).len()), (5, 7));
}
