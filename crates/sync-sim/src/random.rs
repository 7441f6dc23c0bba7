//! Worlds made by chance from a seed, in two phases: faults on, where nothing wrong may ever be seen; faults off, where
//! everything must become right within a few runs.

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::json;
use smartsuite_emulator::{
    BulkAnswer, BulkBadItem, BulkOrder, Fault, FaultKind, FaultScript, LateEnd, OutOfRange,
    Profile, RouteKind,
};
use sync_core::{port::Clock, state::RunStatus};
use sync_engine::run::{RunOptions, RunOutcome, RunReport};

use crate::{
    crash::CrashAfter,
    world::{AMOUNT_MAX, World},
};

/// Runs after which a world without faults must be right.
const RUNS_MAX: usize = 6;
/// Effects come at most this late; what comes later than the last look-up is beyond what is promised here.
const LATE_MAX_MS: u64 = 80_000;

/// What a world was made of, for the report and for coverage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows at the end.
    pub rows: usize,
    /// Runs that came to an end.
    pub runs: usize,
    /// Processes that died in a run.
    pub crashes: usize,
    /// How often each fault struck.
    pub faults: BTreeMap<String, usize>,
    /// Requests that the emulator saw.
    pub requests: usize,
}

/// Lives through the world of a seed.
///
/// # Errors
/// What was wrong, in words.
pub fn live(seed: u64) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut life = Life::new(seed);
        life.faults_on().await?;
        life.faults_off().await?;
        Ok(life.tally)
    })
}

struct Life {
    chance: SmallRng,
    world: World,
    /// Copies that people made, by external id.
    copies: BTreeMap<String, usize>,
    next_id: i64,
    /// A 429 was injected, and calls still meet its lock-out.
    locked_out: bool,
    old_state: Option<Vec<u8>>,
    tally: Tally,
    /// What happened, told when something is wrong.
    story: Vec<String>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut chance = SmallRng::seed_from_u64(seed);
        let profile = profile(&mut chance);
        let mut world = World::new(seed, profile);
        world.dedicated_member = chance.random_bool(0.7);
        Self {
            chance,
            world,
            copies: BTreeMap::new(),
            next_id: 1,
            locked_out: false,
            old_state: None,
            tally: Tally::default(),
            story: Vec::new(),
        }
    }

    /// Rounds of work, faults, people and deaths. After each, nothing wrong may be seen.
    async fn faults_on(&mut self) -> Result<(), String> {
        for _ in 0..self.chance.random_range(1..60) {
            self.insert();
        }
        for _ in 0..self.chance.random_range(3..10) {
            self.work();
            self.people();
            self.trouble();
            self.state_file().await;
            self.process().await?;
            self.nothing_wrong()?;
            let pause =
                Duration::from_secs(*[0, 3, 60, 400].choose(&mut self.chance).unwrap_or(&0));
            self.world.clock.sleep(pause).await;
            self.nothing_wrong()?;
        }
        Ok(())
    }

    /// Every row is touched; within a few runs each must have its one record with its newest values.
    async fn faults_off(&mut self) -> Result<(), String> {
        self.world.network.emulator().set_faults(FaultScript::default());
        self.world.clock.sleep(Duration::from_secs(200)).await;
        let rows: Vec<i64> = self.world.database.rows().into_keys().collect();
        for id in &rows {
            self.world.database.put(*id, &format!("row {id} at last"), *id);
        }
        self.tally.rows = rows.len();
        for _ in 0..RUNS_MAX {
            let options = RunOptions { retry: true, ..RunOptions::default() };
            let report = self
                .world
                .process()
                .run(options)
                .await
                .map_err(|error| self.fail(&error.to_string()))?;
            self.finished(&report)?;
            if status(&report) == Some(RunStatus::Success) {
                return self.all_right().await;
            }
            self.world.clock.sleep(Duration::from_secs(100)).await;
        }
        Err(self.fail("no success within a few runs although nothing fails any more"))
    }

    /// One process runs the sync: to its end, or until it dies.
    async fn process(&mut self) -> Result<(), String> {
        let process = self.world.process();
        let options = RunOptions {
            full: self.chance.random_bool(0.1),
            retry: self.chance.random_bool(0.3),
            ..RunOptions::default()
        };
        if self.chance.random_bool(0.5) {
            let polls = self.chance.random_range(0..300);
            match CrashAfter::new(process.run(options), polls).await {
                Some(report) => {
                    self.finished(&report.map_err(|error| self.fail(&error.to_string()))?)?;
                }
                None => {
                    self.tally.crashes += 1;
                    self.story.push(format!("died at poll {polls}"));
                }
            }
        } else {
            let report =
                process.run(options).await.map_err(|error| self.fail(&error.to_string()))?;
            self.finished(&report)?;
        }
        Ok(())
    }

    fn finished(&mut self, report: &RunReport) -> Result<(), String> {
        self.tally.runs += 1;
        self.story.push(format!("run: {:?} {:?}", report.outcome, report.books));
        if let RunOutcome::Ran { trouble: Some(trouble), .. } = &report.outcome
            && trouble.code == "books_do_not_balance"
        {
            return Err(self.fail("the books do not balance"));
        }
        Ok(())
    }

    /// Changes in the source.
    fn work(&mut self) {
        for _ in 0..self.chance.random_range(0..20) {
            match self.chance.random_range(0..10) {
                0..3 => self.insert(),
                3 => {
                    let id = self.some_row();
                    self.world.database.delete(id);
                    self.story.push(format!("row {id} deleted"));
                }
                _ => {
                    let id = self.some_row();
                    let value = *["A", "B", "C"].choose(&mut self.chance).unwrap_or(&"A");
                    let amount = if self.chance.random_bool(0.03) { AMOUNT_MAX + 1 } else { id };
                    self.world.database.put(id, &format!("row {id} {value}"), amount);
                }
            }
        }
    }

    fn insert(&mut self) {
        let id = self.next_id;
        self.next_id += 1;
        self.world.database.put(id, &format!("row {id} A"), id);
    }

    fn some_row(&mut self) -> i64 {
        self.chance.random_range(1..=self.next_id.max(2) - 1)
    }

    /// People in SmartSuite delete, copy and annotate records.
    fn people(&mut self) {
        if !self.chance.random_bool(0.4) {
            return;
        }
        let key = self.some_row().to_string();
        let Some(record) = self.world.record_ids(&key).first().cloned() else { return };
        match self.chance.random_range(0..3) {
            0 => {
                self.world.person(&json!({"action": "delete", "record": record}));
                self.story.push(format!("people delete the record of {key}"));
            }
            1 => {
                self.world.person(&json!({"action": "copy", "record": record}));
                *self.copies.entry(key.clone()).or_default() += 1;
                self.story.push(format!("people copy the record of {key}"));
            }
            _ => {
                let values = json!({"snoteaaaaa": "seen"});
                self.world.person(&json!({"action": "update", "record": record, "values": values}));
            }
        }
    }

    /// Faults for the next process.
    fn trouble(&mut self) {
        let mut faults = FaultScript::default();
        for _ in 0..self.chance.random_range(0..4) {
            let late = FaultKind::Late {
                ms: self.chance.random_range(1_000..LATE_MAX_MS),
                end: *[LateEnd::Reset, LateEnd::Never, LateEnd::GatewayTimeout]
                    .choose(&mut self.chance)
                    .unwrap_or(&LateEnd::Reset),
            };
            let kinds = [
                FaultKind::Status(500),
                FaultKind::Status(503),
                FaultKind::Challenge(200),
                FaultKind::Reset,
                FaultKind::Never,
                FaultKind::DelayMs(9_000),
                late,
                FaultKind::Truncate(40),
                FaultKind::ShortAnswer(1),
                FaultKind::RateLimit,
            ];
            let kind = *kinds.choose(&mut self.chance).unwrap_or(&FaultKind::Reset);
            let routes = [
                RouteKind::BulkCreate,
                RouteKind::BulkCreate,
                RouteKind::BulkUpdate,
                RouteKind::List,
            ];
            let route = *routes.choose(&mut self.chance).unwrap_or(&RouteKind::List);
            let mut fault = Fault::new(kind)
                .on(&[route])
                .skip(self.chance.random_range(0..3))
                .times(Some(self.chance.random_range(1..3)));
            // A 2xx that leaves an item out without having done anything is what no service answers.
            if matches!(kind, FaultKind::ShortAnswer(_)) || self.chance.random_bool(0.6) {
                fault = fault.after_the_effect();
            }
            self.story.push(format!("fault {kind:?} on {route:?}"));
            faults.faults.push(fault);
        }
        self.world.network.emulator().set_faults(faults);
        if self.chance.random_bool(0.05) {
            self.world.database.break_reads(1);
        }
    }

    /// The state file is copied, lost, or an old copy of it put in its place.
    async fn state_file(&mut self) {
        let path = self.world.state_path();
        match self.chance.random_range(0..30) {
            0 => {
                self.remove_state();
                self.story.push("the state is lost".into());
                // What was sent just before is not visible yet: a state lost within that time is a stated limit.
                self.world.clock.sleep(Duration::from_secs(100)).await;
            }
            1..5 => self.old_state = std::fs::read(&path).ok(),
            _ => {}
        }
    }

    fn remove_state(&self) {
        let path = self.world.state_path();
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            drop(std::fs::remove_file(name));
        }
    }

    /// No key may have two records, other than those people made.
    fn nothing_wrong(&mut self) -> Result<(), String> {
        let records = self.world.records();
        for (key, records) in &records {
            let copies = self.copies.get(key).copied().unwrap_or(0);
            if !key.is_empty() && records.len() > 1 + copies {
                return Err(self.fail(&format!("{} records carry the key {key}", records.len())));
            }
        }
        let log: Vec<_> = self.world.network.emulator().log().cloned().collect();
        let mut any_429 = false;
        for entry in &log {
            if let Some(fault) = &entry.fault {
                *self.tally.faults.entry(fault.clone()).or_default() += 1;
            }
            if entry.status == 429 {
                any_429 = true;
                // A process that died before it could close the gate is followed by one that runs into the lock-out.
                self.locked_out |= entry.fault.is_some();
                if !self.locked_out {
                    return Err(self.fail("the gate let too many calls pass"));
                }
            }
        }
        self.locked_out &= any_429 || log.is_empty();
        self.tally.requests += log.len();
        self.world.clear_log();
        Ok(())
    }

    /// Every row has a record with its values, and exactly one that people did not make.
    async fn all_right(&mut self) -> Result<(), String> {
        self.nothing_wrong()?;
        let records = self.world.records();
        for (key, wished) in self.world.wished() {
            let found = records.get(&key).cloned().unwrap_or_default();
            if !wished.iter().all(|one| found.contains(one)) {
                return Err(self.fail(&format!("row {key} should be {wished:?} and is {found:?}")));
            }
        }
        self.world.clear_log();
        let report = self.world.run().await;
        self.finished(&report)?;
        if self.world.all_requests() > 0 {
            return Err(self.fail("a run in which nothing changed made a call"));
        }
        Ok(())
    }

    fn fail(&self, what: &str) -> String {
        format!("{what}\n{}", self.story.join("\n"))
    }
}

/// A profile with some of the nastier answers to what nobody knows.
fn profile(chance: &mut SmallRng) -> Profile {
    let profiles =
        [Profile::default(), Profile::strict(), Profile::lenient(), Profile::adversarial()];
    let mut profile = profiles.choose(chance).cloned().unwrap_or_default();
    profile.out_of_range = OutOfRange::Refuse;
    if chance.random_bool(0.3) {
        profile.bulk_bad_item = *[BulkBadItem::PartialThenRefuse, BulkBadItem::RefuseAll]
            .choose(chance)
            .unwrap_or(&BulkBadItem::RefuseAll);
    }
    if chance.random_bool(0.3) {
        profile.bulk_order = BulkOrder::Shuffled;
        profile.bulk_answer = BulkAnswer::Outcomes;
    }
    profile
}

fn status(report: &RunReport) -> Option<RunStatus> {
    match &report.outcome {
        RunOutcome::Ran { status, .. } => Some(*status),
        RunOutcome::Busy | RunOutcome::Stopped(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_worlds_hold() {
        for seed in 0..100 {
            if let Err(story) = live(seed) {
                panic!("seed {seed}: {story}\nreplay: cargo x sim --seed {seed}");
            }
        }
    }
}
