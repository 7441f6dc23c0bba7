//! The real program, killed again and again at moments that a seed chooses, while answers are lost and rows change.
//!
//! `make chaos` kills it 200 times with a new seed; `SYNC_CHAOS_KILLS` and `SYNC_CHAOS_SEED` say otherwise. The program's
//! clock runs sixty times faster, so that the ninety seconds of a doubt are one and a half: the emulator takes a request
//! into effect within milliseconds, so these waits stay as long as they must be in proportion.

mod kill;
mod workload;

use std::{collections::BTreeMap, time::Instant};

use rand::{SeedableRng as _, rngs::SmallRng};
use smartsuite_emulator::{
    Fault, FaultKind, FaultScript,
    RouteKind::{BulkCreate, BulkUpdate},
};

use self::{kill::Kill, workload::Workload};
use crate::stage::{CUSTOMERS, Stage, on_mariadb};

on_mariadb! {
    kills_at_any_moment_double_nothing_and_lose_nothing
}

const RUN: [&str; 3] = ["run", "--sync-name", "customers"];
/// Rows of the first load.
const ROWS: usize = 5_000;

/// What the kills found.
#[derive(Default)]
struct Tally {
    kills: usize,
    found_sending: usize,
    found_in_doubt: usize,
    rivals: usize,
    /// Runs that came to their end before they could be killed.
    finished: usize,
}

impl Tally {
    fn count(&mut self, kill: Kill) {
        self.kills += 1;
        self.found_sending += usize::from(kill.sending > 0);
        self.found_in_doubt += usize::from(kill.in_doubt > 0);
    }
}

pub(crate) fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn kills_at_any_moment_double_nothing_and_lose_nothing(stage: &mut Stage) {
    let kills: usize = setting("SYNC_CHAOS_KILLS").unwrap_or(30);
    let seed: u64 = setting("SYNC_CHAOS_SEED").unwrap_or(4);
    println!("chaos: seed {seed}, {kills} kills");
    let (began, mut chance) = (Instant::now(), SmallRng::seed_from_u64(seed));
    stage.smartsuite.restart(seed);
    stage.setting("SMARTSUITE_BASE_URL", stage.smartsuite.url.clone());
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", jiff::Timestamp::now()));
    let mut workload = Workload::load(stage, ROWS);
    disturb(stage);

    let mut tally = Tally::default();
    while tally.kills < kills {
        // The load comes first, until it is done: a run without work ends before it can be killed.
        if tally.kills > kills / 4 || tally.finished > 0 {
            workload.change(stage, &mut chance);
        }
        kill::one_round(stage, &mut chance, &mut tally);
        let too_many = kills + 20;
        assert!(tally.finished < too_many, "the program ends before it can be killed");
    }

    stage.smartsuite.with(|emulator| emulator.set_faults(FaultScript::default()));
    let runs = come_right(stage);
    agree(stage);
    let share = |found: usize| found * 100 / tally.kills;
    println!(
        "chaos: {} kills in {:.0} s; {} ({} %) found entries being sent, {} ({} %) found entries in doubt; {} rounds had \
         two programs at once; {} runs ended before they were killed; {} rows, right after {runs} more runs",
        tally.kills,
        began.elapsed().as_secs_f64(),
        tally.found_sending,
        share(tally.found_sending),
        tally.found_in_doubt,
        share(tally.found_in_doubt),
        tally.rivals,
        tally.finished,
        workload.rows(),
    );
    assert!(share(tally.found_sending) >= 25, "too few kills found entries being sent");
    assert!(share(tally.found_in_doubt) >= 25, "too few kills found entries in doubt");
}

/// Answers are lost on one call of twenty, half of them before the effect; writes take their time.
fn disturb(stage: &Stage) {
    let lost = || Fault::new(FaultKind::Reset).times(None).probability(0.025);
    stage.smartsuite.fault(lost().after_the_effect());
    stage.smartsuite.fault(lost());
    let slow = Fault::new(FaultKind::DelayMs(30)).on(&[BulkCreate, BulkUpdate]).times(None);
    stage.smartsuite.fault(slow.after_the_effect());
}

/// Runs until one is a success; answers how many it took.
fn come_right(stage: &Stage) -> usize {
    for runs in 1..=10 {
        let act = stage.run(&RUN);
        if act.code == Some(0) {
            return runs;
        }
        println!("chaos: not right yet: {}{}", act.out.trim(), act.err);
    }
    panic!("ten runs without a fault were no success");
}

/// Both sides hold the same: said by the program, and seen by looking.
fn agree(stage: &Stage) {
    let verified = stage.run(&["verify", "--sync-name", "customers", "--json"]).ended(0);
    let report = &verified.json()["syncs"][0];
    let wished = rows(stage);
    assert_eq!(report["rows"], wished.len());
    assert_eq!(report["equal"], wished.len());
    let held: BTreeMap<String, (String, String)> = stage
        .records(CUSTOMERS)
        .into_iter()
        .map(|(id, record)| {
            let text = |slug: &str| record[slug].as_str().unwrap_or_default().to_owned();
            (id, (text("title"), text("scompany01")))
        })
        .collect();
    assert_eq!(held.len(), wished.len());
    for (id, row) in &wished {
        assert_eq!(held.get(id), Some(row), "record of row {id}");
    }
    let act = stage.run(&["run", "--sync-name", "customers", "--full"]);
    assert_eq!(act.calls(BulkCreate) + act.calls(BulkUpdate), 0, "{}", act.out);
}

/// The rows as the database has them: key to name and company.
fn rows(stage: &Stage) -> BTreeMap<String, (String, String)> {
    let query = "SELECT id, customer_name, coalesce(company, '') FROM customers";
    let lines = stage.database.client().query(query).unwrap();
    lines
        .lines()
        .map(|line| {
            let mut cells = line.split('\t').map(str::to_owned);
            let mut cell = || cells.next().unwrap();
            (cell(), (cell(), cell()))
        })
        .collect()
}
