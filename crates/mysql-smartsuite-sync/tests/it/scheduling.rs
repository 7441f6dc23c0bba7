//! The service.

use std::{fs, os::unix::net::UnixDatagram, time::Duration};

use smartsuite_emulator::RouteKind::BulkUpdate;
use throwaway_server::wait_until;

use crate::stage::{CUSTOMERS, ORDERS, Stage, now, on_mariadb, signal};

on_mariadb! {
    it_runs_at_once_if_asked_and_ends_gracefully
    it_waits_for_its_time_otherwise
    a_time_missed_while_it_was_down_runs_once
    servers_that_are_down_do_not_end_it
    a_wrong_configuration_ends_it_at_once
    the_service_manager_is_told
    it_is_ready_when_it_can_be_reached
    the_watchdog_is_not_fed_while_the_state_cannot_be_read
    a_changed_mapping_file_is_served_and_one_that_cannot_be_used_is_not
    a_changed_file_that_is_included_is_served
}

const LIMIT: Duration = Duration::from_secs(30);

fn logged(stage: &Stage, words: &str) -> bool {
    wait_until(LIMIT, || {
        Ok(fs::read_to_string(stage.path("logs/sync.log")).unwrap_or_default().contains(words))
    })
    .unwrap()
}

fn it_runs_at_once_if_asked_and_ends_gracefully(stage: &mut Stage) {
    for (name, code) in [("-TERM", 0), ("-INT", 130)] {
        let child = stage.start(&["schedule", "--run-immediately", "--interval", "60"]);
        let done = wait_until(LIMIT, || {
            Ok(stage.records(CUSTOMERS).len() == 5 && stage.records(ORDERS).len() == 7)
        });
        assert!(done.unwrap());
        assert!(logged(stage, "next run at "));
        signal(&child, name);
        fs::remove_file(stage.path("logs/sync.log")).unwrap();
        stage.finish(child, 0).ended(code).warned(&["ending: ", "ended: nothing is under way"]);
    }
}

fn it_waits_for_its_time_otherwise(stage: &mut Stage) {
    stage.remap("  - name: orders", "  - name: orders\n    schedule:\n      cron: \"0 0 1 1 *\"\n      time_zone: Europe/Berlin");
    let child = stage.start(&["schedule", "--interval", "60"]);
    assert!(logged(stage, "orders: next run at "));
    assert!(logged(stage, "customers: next run at "));
    signal(&child, "-TERM");
    let act = stage.finish(child, 0).ended(0).cost_nothing();
    assert!(act.err.contains("-12-31 23:00:00 UTC"), "midnight in Berlin:\n{}", act.err);
}

fn a_time_missed_while_it_was_down_runs_once(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection.execute("UPDATE runs SET started_at = started_at - 36000000", []).unwrap();
    drop(connection);
    let since = stage.smartsuite.newest_request();
    let child = stage.start(&["schedule", "--interval", "60"]);
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS)["1"]["scompany01"] == "New"));
    assert!(done.unwrap());
    signal(&child, "-TERM");
    let act = stage.finish(child, since).ended(0);
    assert_eq!(act.calls(BulkUpdate), 1);
    assert_eq!(act.err.matches("run began").count(), 2, "each sync once:\n{}", act.err);
}

fn servers_that_are_down_do_not_end_it(stage: &mut Stage) {
    stage.setting("SMARTSUITE_BASE_URL", "http://127.0.0.1:9");
    stage.setting("MYSQL_PORT", "9");
    let mut child = stage.start(&["schedule", "--run-immediately", "--interval", "60"]);
    assert!(logged(stage, "smartsuite_unreachable"));
    assert!(logged(stage, "ERROR customers: "));
    assert!(logged(stage, "next run at "));
    assert!(child.try_wait().unwrap().is_none());
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
}

fn a_wrong_configuration_ends_it_at_once(stage: &mut Stage) {
    stage.remap("  - name: orders", "  - name: orders\n    schedule:\n      cron: never");
    stage.run(&["schedule"]).ended(64).warned(&["error[config_bad_cron]"]).cost_nothing();
    stage.remap("      cron: never", "      interval: 5");
    stage.run(&["schedule", "--interval", "0"]).ended(64).warned(&["SYNC_INTERVAL_MINUTES"]);
    for name in ["customers", "orders"] {
        stage.remap(&format!(" name: {name}"), &format!(" name: {name}\n    enabled: false"));
    }
    stage.run(&["schedule"]).ended(64).warned(&["no sync is enabled"]);
}

/// The service manager's end of what it is told, of a watchdog that wants to hear something each half second.
fn manager(stage: &mut Stage) -> UnixDatagram {
    let path = stage.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    stage.setting("NOTIFY_SOCKET", path.display().to_string());
    stage.setting("WATCHDOG_USEC", "1000000");
    socket
}

fn heard(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

fn it_is_ready_when_it_can_be_reached(stage: &mut Stage) {
    let socket = manager(stage);
    // As many messages as the manager's end holds: whoever says one more waits until it is heard.
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    let mut before = 0;
    while other.send_to(b"BEFORE", stage.path("notify")).is_ok() {
        before += 1;
    }
    let child = stage.start(&["schedule", "--interval", "60", "--listen", "127.0.0.1:0"]);
    assert!(logged(stage, "pages and triggers at http://127.0.0.1:"));
    for _ in 0..before {
        assert_eq!(heard(&socket), "BEFORE");
    }
    assert_eq!(heard(&socket), "READY=1");
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
}

fn the_watchdog_is_not_fed_while_the_state_cannot_be_read(stage: &mut Stage) {
    let socket = manager(stage);
    stage.run(&["run"]).ended(0);
    let state = rusqlite::Connection::open(stage.state()).unwrap();
    let version: i64 = state.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let child = stage.start(&["schedule", "--interval", "60"]);
    while heard(&socket) != "WATCHDOG=1" {}
    // As a program of a newer version leaves it.
    state.pragma_update(None, "user_version", 99).unwrap();
    let complaint = "STATUS=the state cannot be read: ";
    while !heard(&socket).starts_with(complaint) {}
    for _ in 0..3 {
        let said = heard(&socket);
        assert!(said.starts_with(complaint), "{said}");
    }
    state.pragma_update(None, "user_version", version).unwrap();
    while heard(&socket) != "WATCHDOG=1" {}
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
}

fn the_service_manager_is_told(stage: &mut Stage) {
    let socket = manager(stage);
    stage.run(&["run"]).ended(0);
    let since = stage.smartsuite.newest_request();
    let child = stage.start(&["schedule", "--interval", "60"]);
    let mut all: Vec<String> = Vec::new();
    let mut until = |words: &str| {
        while all.last().is_none_or(|last| last != words) {
            all.push(heard(&socket));
        }
        all.clone()
    };
    assert_eq!(until("READY=1").len(), 1, "it is the first thing that is said");
    let before = until("WATCHDOG=1");
    assert!(before.contains(&"STATUS=2 syncs, 0 running".to_owned()), "{before:?}");
    signal(&child, "-TERM");
    until("STOPPING=1");
    stage.finish(child, since).ended(0).cost_nothing();
}

fn a_changed_mapping_file_is_served_and_one_that_cannot_be_used_is_not(stage: &mut Stage) {
    // A minute is a second.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", now()));
    let mut child = stage.start(&["schedule", "--run-immediately", "--interval", "600"]);
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS).len() == 5));
    assert!(done.unwrap());
    let good = stage.mapping();
    stage.remap("    name: customers", "    name: customers\n    enabled: perhaps");
    signal(&child, "-HUP");
    assert!(logged(stage, "the service goes on with it as it was"));
    assert!(child.try_wait().unwrap().is_none());
    // This one is noticed by itself.
    stage.map(
        &good.replace("    name: customers", "    name: customers\n    schedule: {interval: 1}"),
    );
    assert!(logged(stage, "the mapping file was read anew: serving 2 syncs"));
    stage.sql("UPDATE customers SET company = 'Served anew' WHERE id = 1");
    let done = || Ok(stage.records(CUSTOMERS)["1"]["scompany01"] == "Served anew");
    assert!(wait_until(LIMIT, done).unwrap());
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0).warned(&["ended: nothing is under way any more"]);
}

fn a_changed_file_that_is_included_is_served(stage: &mut Stage) {
    // A minute is a second.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", now()));
    let part = stage.mapping();
    let part = part.get(part.find("syncs:").unwrap()..).unwrap().to_owned();
    let file = stage.path("config/part.yml");
    fs::write(&file, &part).unwrap();
    stage.map("include: [part.yml]\n");
    let child = stage.start(&["schedule", "--run-immediately", "--interval", "600"]);
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS).len() == 5));
    assert!(done.unwrap());
    let often = "    name: customers\n    schedule: {interval: 1}";
    fs::write(&file, part.replace("    name: customers", often)).unwrap();
    assert!(logged(stage, "the mapping file was read anew: serving 2 syncs"));
    stage.sql("UPDATE customers SET company = 'Served anew' WHERE id = 1");
    let done = || Ok(stage.records(CUSTOMERS)["1"]["scompany01"] == "Served anew");
    assert!(wait_until(LIMIT, done).unwrap());
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
}
