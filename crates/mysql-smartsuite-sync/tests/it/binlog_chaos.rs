//! The real service follows the binlog while everything goes wrong that can: it is killed, the server is restarted,
//! connections are cut, logs are purged, answers are lost; rows and tables change all the time.
//!
//! Each row has a counter that only rises. What arrives in SmartSuite must never step back, key by key, and in the end
//! both sides must hold the same. A second table is written to and never defined anew: nothing but the log leads to its
//! rows, so that no reading of everything makes up for what a reader of the log loses. `SYNC_CHAOS_SECONDS` and
//! `SYNC_CHAOS_SEED` say for how long and which chance; `make chaos` takes ten minutes. The program's clock runs sixty
//! times faster, as in `chaos`, so that a run of an hour is one of a minute.

mod mishap;
mod witness;
mod writer;

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rand::{SeedableRng as _, rngs::SmallRng};
use smartsuite_emulator::{
    Fault, FaultKind, FaultScript,
    RouteKind::{BulkCreate, BulkDelete, BulkUpdate},
};
use throwaway_server::{Flavor, Server, skip_if_unavailable, wait_until};

use self::{mishap::Mishaps, witness::Witness, writer::Writer};
use crate::{
    chaos::setting,
    stage::{CUSTOMERS, ORDERS, Stage, signal},
};

/// How long it lasts where nobody says otherwise.
const SECONDS: u64 = 60;
/// What a tally's name ends with once it was changed.
const AGAIN: &str = " again";
/// How long one waits for what must come.
const LIMIT: Duration = Duration::from_mins(2);

#[test]
fn on_mariadb() {
    counters_only_rise_and_both_sides_agree(Flavor::MariaDb);
}

#[test]
fn on_mysql() {
    counters_only_rise_and_both_sides_agree(Flavor::MySql);
}

/// The service, or nothing between two of its lives.
struct Service(Option<Child>);

impl Service {
    fn start(&mut self, stage: &Stage) {
        let mut command = stage.program(&["schedule", "--interval", "60"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.0.get_or_insert_with(|| command.spawn().unwrap());
    }

    fn kill(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        assert!(child.try_wait().unwrap().is_none(), "the service ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Ends it as the system does.
    fn end(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        signal(&child, "-TERM");
        let ended = wait_until(LIMIT, || Ok(child.try_wait()?.is_some())).unwrap();
        assert!(ended, "the service does not end");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn counters_only_rise_and_both_sides_agree(flavor: Flavor) {
    let Some(mut server) = skip_if_unavailable(Server::start(flavor)).unwrap() else { return };
    let seconds = setting("SYNC_CHAOS_SECONDS").unwrap_or(SECONDS);
    let seed: u64 = setting("SYNC_CHAOS_SEED").unwrap_or(4);
    println!("binlog chaos on {flavor}: seed {seed}, {seconds} s");
    let mut stage = Stage::on(server.create_database().unwrap());
    set(&mut stage, seed);

    let mut service = Service(None);
    let mut witness = Witness::default();
    let mut mishaps = Mishaps::new(SmallRng::seed_from_u64(seed));
    let writer = Writer::start(&stage, seed);
    let length = Duration::from_secs(seconds);
    let began = Instant::now();
    while began.elapsed() < length || !mishaps.are_complete() {
        assert!(began.elapsed() < length * 3, "not everything happens: {mishaps:?}");
        service.start(&stage);
        mishaps.one(&stage, &mut server, &mut service, &writer);
        witness.look(&stage);
    }
    let written = writer.end();
    stage.smartsuite.with(|emulator| emulator.set_faults(FaultScript::default()));
    // The server may have been ended between the emptying of the table and its filling: of an empty source no row is
    // believed to be gone.
    let last = "INSERT INTO things (id, name, counter) VALUES (9000000, 'last', 1)";
    stage.database.execute(last).unwrap();

    // The service itself must bring every row that there is; what may not go without a yes stays.
    service.start(&stage);
    tallies_arrive(&stage);
    let wished = rows(&stage);
    let arrived = wait_until(LIMIT, || {
        let held = records(&stage);
        Ok(wished.iter().all(|(id, row)| held.get(id) == Some(row)))
    });
    assert!(arrived.unwrap(), "rows are missing:\n{}", log_end(&stage));
    service.end();
    let runs = come_right(&stage);
    witness.look(&stage);
    agree(&stage, &wished);
    let lost = said(&stage, "the position in the binlog is lost");
    // Else the log was not the only way to the tallies.
    assert_eq!(said(&stage, "tallies: everything is read again:"), 0, "{}", log_end(&stage));
    println!(
        "binlog chaos on {flavor}: {:.0} s; {mishaps}; {lost} lost positions repaired; written: {written}; {witness}; {} \
         rows, right after {runs} runs",
        began.elapsed().as_secs_f64(),
        wished.len(),
    );
    assert!(written.is_complete(), "not everything was written: {written}");
    assert!(witness.is_complete(), "not everything was seen: {witness}");
    assert!(lost > 0, "no purge lost a position");
}

/// The table, its mapping, a user who may follow, and a SmartSuite that loses answers.
fn set(stage: &mut Stage, seed: u64) {
    stage.smartsuite.restart(seed);
    stage.setting("SMARTSUITE_BASE_URL", stage.smartsuite.url.clone());
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", jiff::Timestamp::now()));
    let user = stage.database.create_user("SELECT", "PROCESS, REPLICATION SLAVE").unwrap();
    stage.setting("MYSQL_USER", user.name.clone());
    stage.setting("MYSQL_PASSWORD", user.password.clone());
    stage.user = user;
    stage.sql(
        "CREATE TABLE things (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL, counter BIGINT NOT NULL); \
         CREATE TABLE tallies (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL)",
    );
    stage.map(&format!(
        "smartsuite: {{dedicated_member: true}}
syncs:
  - name: things
    capture: binlog
    on_position_lost: repair
    source: {{table: things}}
    destination:
      table_id: {CUSTOMERS}
      external_id_field: scustextid
      on_delete: delete
      field_mappings: {{name: title, counter: screditlim}}
  - name: tallies
    capture: binlog
    on_position_lost: repair
    source: {{table: tallies}}
    destination: {{table_id: {ORDERS}, external_id_field: sorderexid, field_mappings: {{name: title}}}}
"
    ));
    let lost = || Fault::new(FaultKind::Reset).times(None).probability(0.02);
    let writes = [BulkCreate, BulkUpdate, BulkDelete];
    stage.smartsuite.fault(lost().on(&writes).after_the_effect());
    stage.smartsuite.fault(lost().on(&writes));
}

/// What is to be held of each row: its name and its counter.
type Held = BTreeMap<String, (String, i64)>;

fn rows(stage: &Stage) -> Held {
    let lines = stage.database.client().query("SELECT id, name, counter FROM things").unwrap();
    let cells = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        let mut cell = || cells.next().unwrap();
        (cell(), (cell(), cell().parse().unwrap()))
    };
    lines.lines().map(cells).collect()
}

fn records(stage: &Stage) -> Held {
    let records = stage.records(CUSTOMERS).into_iter();
    records
        .map(|(id, record)| {
            let name = record["title"].as_str().unwrap_or_default().to_owned();
            (id, (name, witness::number(&record["screditlim"]).unwrap_or(-1)))
        })
        .collect()
}

/// Every tally that stands there by now must arrive, by the log alone: neither a change of its table nor a compare of
/// everything leads to it.
fn tallies_arrive(stage: &Stage) {
    let written = stage.database.client().query("SELECT id, name FROM tallies").unwrap();
    let written: Vec<_> = written.lines().filter_map(|line| line.split_once('\t')).collect();
    let arrived = wait_until(LIMIT, || {
        let held = stage.records(ORDERS);
        let is_there = |(id, name): &(&str, &str)| {
            // One that changes meanwhile has a newer name.
            held.get(*id).is_some_and(|record| {
                let title = record["title"].as_str().unwrap_or_default();
                title == *name || title.strip_suffix(AGAIN) == Some(name)
            })
        };
        Ok(written.iter().all(is_there))
    });
    assert!(arrived.unwrap(), "tallies are missing:\n{}", log_end(stage));
}

/// Runs, with every delete allowed, until one is a success; answers how many it took.
fn come_right(stage: &Stage) -> usize {
    for runs in 1..=10 {
        let act = stage.run(&["run", "--reconcile", "--allow-deletes", "1000000"]);
        if act.code == Some(0) {
            return runs;
        }
        println!("binlog chaos: not right yet: {}{}", act.out.trim(), act.err);
    }
    panic!("ten runs without a fault were no success");
}

/// Both sides hold the same: seen by looking, said by the program, and a read of everything finds nothing to write.
fn agree(stage: &Stage, wished: &Held) {
    assert_eq!(records(stage), *wished);
    let report = stage.run(&["verify", "--sync-name", "things", "--json"]).ended(0).json();
    assert_eq!(report["syncs"][0]["equal"], wished.len());
    let act = stage.run(&["run", "--full"]).ended(0);
    // An hour passes within a minute here, so a second look may be due, which lists.
    let writes = [BulkCreate, BulkUpdate, BulkDelete].map(|kind| act.calls(kind));
    assert_eq!(writes, [0; 3], "{}\n{}", act.out, act.err);
}

/// How many lines of the log hold these words.
fn said(stage: &Stage, words: &str) -> usize {
    log(stage).lines().filter(|line| line.contains(words)).count()
}

fn log(stage: &Stage) -> String {
    fs::read_to_string(stage.path("logs/sync.log")).unwrap_or_default()
}

fn log_end(stage: &Stage) -> String {
    let log = log(stage);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
