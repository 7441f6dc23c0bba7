//! The database's log: how fast keys are read out of it beside the server's own tool, and what it takes to follow many
//! changes.

use std::{fs, net::TcpListener, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use sync_mysql::binlog::LogFile;
use throwaway_server::{packages, wait_until};

use super::{calls, count, expect_count, median};
use crate::{
    figure::{Figure, Figures},
    links::Links,
    process::{elapsed, measured_without_output},
    stage::{Aside, COLUMNS, Emulator, Mode, OPEN_GATE, Stage, run_json},
};

/// Rows that one transaction changes.
const TOGETHER: u64 = 10_000;
/// Rounds, in each of which the yardstick goes first.
const ROUNDS: usize = 5;
/// Rows a second, keys only.
const RATE_MIN: f64 = 5_000_000.0;
/// The most resident memory, in MiB.
const MEMORY_MAX: f64 = 64.0;

/// The server's own reader of logs.
const TOOL: &str = "mariadb-binlog";

/// Makes sure that the yardstick is there: better now than after a quarter of an hour.
pub(crate) fn prepare() -> Result<()> {
    if Command::new(TOOL).arg("--version").output().is_ok_and(|said| said.status.success()) {
        return Ok(());
    }
    packages::install(TOOL, &["mariadb-client"])
}

/// Measures both.
pub(crate) fn measure(product: &Path, rows: u64, figures: &mut Figures) -> Result<()> {
    println!("filling a table of {rows} rows on a server with a log");
    let stage = Stage::with_log(product, rows)?;
    decode(&stage, rows, figures)?;
    follow(&stage, rows, figures)
}

/// The keys of a log of inserts, and of one of updates, which hold each row twice.
fn decode(stage: &Stage, rows: u64, figures: &mut Figures) -> Result<()> {
    stage.database.execute("CREATE TABLE copies LIKE people")?;
    let columns = u64::try_from(COLUMNS.split(',').count() + 1)?;
    for (kind, statement) in [
        ("inserts", "INSERT INTO copies SELECT * FROM people WHERE id"),
        ("updates", "UPDATE copies SET credit = credit + 1 WHERE id"),
    ] {
        let log = logged(stage, rows, statement)?;
        let (mut own, mut tool) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut yardstick = Command::new(TOOL);
            let cost = measured_without_output(yardstick.arg("--no-defaults").arg(&log))?;
            tool.push(cost.seconds);
            let (seconds, tally) = elapsed(|| {
                let bytes = fs::read(&log)?;
                let columns = usize::try_from(columns)?;
                anyhow::Ok(LogFile::new(&bytes).tally(stage.database.name(), "copies", columns))
            });
            let tally = tally?;
            ensure!((tally.keys, tally.unreadable) == (rows, 0), "the log holds {tally:?}");
            own.push(seconds);
        }
        let case = format!("keys of a log of {rows} {kind}");
        let (own, tool) = (median(own), median(tool));
        let megabytes = fs::metadata(&log)?.len() as f64 / 1e6;
        let rate = Figure::at_least(&case, "rows a second", rows as f64 / own, RATE_MIN);
        figures.add(rate.by_its_goal());
        figures.add(Figure::told(&case, "megabytes", megabytes));
        figures.add(Figure::at_most(&case, "time beside `mariadb-binlog`", own / tool, 1.0));
    }
    Ok(())
}

/// Changes every row, some together, and answers the file of the log that holds just that.
fn logged(stage: &Stage, rows: u64, statement: &str) -> Result<std::path::PathBuf> {
    stage.database.execute("FLUSH BINARY LOGS")?;
    let logs = stage.database.client().query("SHOW BINARY LOGS")?;
    let newest = logs.lines().last().and_then(|line| line.split_whitespace().next());
    let file = stage.server.data_folder().join(newest.context("the server writes a log")?);
    change(stage, rows, statement)?;
    stage.database.execute("FLUSH BINARY LOGS")?;
    Ok(file)
}

fn change(stage: &Stage, rows: u64, statement: &str) -> Result<()> {
    let statements: Vec<String> = (1..=rows)
        .step_by(usize::try_from(TOGETHER)?)
        .map(|first| format!("{statement} BETWEEN {first} AND {}", first + TOGETHER - 1))
        .collect();
    stage.database.execute(&statements.join(";\n"))
}

/// A run that catches up with changes of every row, none of which SmartSuite must hear of.
fn follow(stage: &Stage, rows: u64, figures: &mut Figures) -> Result<()> {
    let emulator = Emulator::start(stage, &["--rate-limit", "off"])?;
    let links = Links::of(stage, &emulator)?;
    let (state, _) = links.state(stage, &emulator, Mode::Log)?;
    let case = format!("following the log, {rows} rows changed");
    let run = |figure: &str, figures: &mut Figures| -> Result<()> {
        let mut run = stage.product(Mode::Log, &emulator, &state)?;
        let (cost, report) = run_json(run.arg("run"))?;
        // After a transaction of more keys than are kept apart, the table is read whole, and these keys once more.
        let read = count(&report, "read")?;
        ensure!(read >= rows, "every changed row is read: {report}");
        expect_count(&report, "unchanged", read)?;
        figures.add(Figure::told(&case, &format!("seconds, {figure}"), cost.seconds));
        let memory = format!("most resident memory, MiB, {figure}");
        figures.add(Figure::at_most(&case, &memory, cost.resident_mib, MEMORY_MAX));
        figures.add(Figure::at_most(
            &case,
            &format!("API calls, {figure}"),
            calls(&report)? as f64,
            1.0,
        ));
        Ok(())
    };
    run("the first reading of everything", figures)?;
    change(stage, rows, "UPDATE people SET touched = touched + 1 WHERE id")?;
    run("10,000 in each transaction", figures)?;
    stage.database.execute("UPDATE people SET touched = touched + 1")?;
    run("all in one transaction", figures)?;
    arrive(stage, &state, figures)?;
    fs::remove_file(&state)?;
    Ok(())
}

/// Changes made one after the other, each when the one before has arrived.
const CHANGES: usize = 100;
/// How long one may take.
const LIMIT: Duration = Duration::from_mins(1);
/// Half of the changes arrive within this time, in milliseconds: 200 in which changes gather, and 50.
const HALF_MAX: f64 = 250.0;

/// From the commit of a change to the arrival of the request that writes it, in a service that follows the log.
fn arrive(stage: &Stage, state: &Path, figures: &mut Figures) -> Result<()> {
    let keys = 1..=u64::try_from(CHANGES)? + 1;
    let emulator = Emulator::start_with(stage, &["--rate-limit", "off"], keys.clone())?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut service = stage.product(Mode::Log, &emulator, state)?;
    service.env(OPEN_GATE.0, OPEN_GATE.1).args(["schedule", "--listen", &address]);
    let _service = Aside::start(&mut service)?;
    let mut taken = Vec::with_capacity(CHANGES);
    for (number, key) in keys.enumerate() {
        let told = stage.database.client().query(&format!(
            "UPDATE people SET credit = credit + 1 WHERE id = {key};
             SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000 AS SIGNED)"
        ))?;
        let committed: i64 = told.trim().parse().context("the server tells its time")?;
        let mut arrived = None;
        let has_arrived = || {
            arrived = emulator.arrivals("route=bulk_update")?.get(number).copied();
            Ok(arrived.is_some())
        };
        ensure!(wait_until(LIMIT, has_arrived)?, "change {number} arrives");
        // The first one waits for the service to start.
        if let Some(at) = arrived.filter(|_| number > 0) {
            taken.push(at - committed);
        }
    }
    taken.sort_unstable();
    let part = |hundredths: usize| {
        let place = (taken.len() * hundredths).div_ceil(100).saturating_sub(1);
        taken.get(place).map_or(f64::NAN, |milliseconds| *milliseconds as f64)
    };
    let case = "a change in the log, 100 of them one after the other";
    let half = "milliseconds from its commit to the arrival of the request, half of them";
    figures.add(Figure::at_most(case, half, part(50), HALF_MAX).by_its_goal());
    figures.add(Figure::told(case, "the same, 99 of 100", part(99)));
    Ok(())
}
