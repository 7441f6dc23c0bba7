//! The faults stop: within a few runs everything must be right, stay right, and cost nothing more.

use std::{collections::BTreeSet, time::Duration};

use rusqlite::Connection;
use sync_core::{mutation, port::Clock as _, state::RunStatus};
use sync_engine::run::{RunOutcome, RunReport};

use super::Life;
use crate::{
    oracle::{Mapped, What, Wrong, wrong},
    plan::{Gone, Launch},
};

/// Runs after which a world without faults must be right.
const RUNS_MAX: usize = 6;
/// A row that no plan has.
const LAST_ROW: i64 = 9_999;
/// A little more than the hour after which a key is looked at once more.
const PAST_THE_HOUR: Duration = Duration::from_mins(61);

impl Life {
    /// Lets the world come to rest, and looks whether everything is right.
    pub(super) async fn come_to_rest(&mut self) -> Result<(), Wrong> {
        self.tell("the faults stop");
        self.drive(None).await?;
        self.world.network.emulator().set_faults(smartsuite_emulator::FaultScript::default());
        self.world.network.answer_as_usual();
        self.world.database.calm();
        mutation::free_disk();
        for id in self.transactions.keys().copied().collect::<Vec<_>>() {
            self.write(crate::plan::Change::Commit(id));
        }
        let late = Duration::from_millis(self.setup.late_max_ms);
        self.pass(late + Duration::from_mins(2)).await?;
        let (disturbed, touched) = self.oracle.take_disturbed();
        for id in &disturbed {
            self.put(*id, &format!("row {id} at last"), *id);
        }
        // A source without any row is not believed. And what landed late is removed where a create was answered once: it
        // tells who we are. What people replaced is found when something is created.
        let replaced = self.oracle.replaced();
        let is_empty = self.setup.gone != Gone::Stay && self.oracle.rows().is_empty();
        if is_empty || self.setup.is_late() || !replaced.is_empty() {
            self.put(LAST_ROW, "the last row", 1);
        }
        self.succeed(touched + replaced.len() as u64).await?;
        if self.setup.is_late() {
            self.pass(PAST_THE_HOUR).await?;
            self.run().await?;
            self.run().await?;
        } else {
            if !self.has_late_writes {
                self.all_right(&replaced)?;
            }
            self.costs_nothing().await?;
            self.pass(PAST_THE_HOUR).await?;
            self.run().await?;
            if self.has_late_writes {
                // What the second look found to differ was marked; where the log is followed the next run reads it.
                self.run().await?;
            }
        }
        self.all_right(&BTreeSet::new())?;
        // What lands very late in a table that the sync has left is seen to when it comes back.
        let table = &self.world.definition.destination.table_id;
        self.oracle.sees_table(&self.seen(table))?;
        self.costs_nothing().await
    }

    async fn pass(&mut self, length: Duration) -> Result<(), Wrong> {
        self.world.clock.sleep(length).await;
        self.look()
    }

    /// One run in a process of its own.
    async fn run(&mut self) -> Result<RunReport, Wrong> {
        self.run_as(Launch { yes: true, ..Launch::ORDINARY }).await
    }

    async fn run_as(&mut self, launch: Launch) -> Result<RunReport, Wrong> {
        self.start(launch)?;
        loop {
            match self.next_turn(None).await {
                Some(super::Turn::Ended(ended)) => {
                    self.hear()?;
                    let (actor, report) = *ended;
                    self.ended(&actor, report.clone())?;
                    self.look()?;
                    match report {
                        Ok(report) => return Ok(report),
                        // The definition was put back.
                        Err(_) => return Box::pin(self.run_as(launch)).await,
                    }
                }
                _ => {
                    self.hear()?;
                    self.moves_on()?;
                }
            }
        }
    }

    /// Runs until there is nothing left to do.
    async fn succeed(&mut self, disturbed: u64) -> Result<(), Wrong> {
        let rows = self.oracle.rows().len() as u64;
        let refused = self.oracle.refused(self.amount_is_mapped).len() as u64;
        let (ghosts, tried) = (self.ghosts(), self.tried());
        let (mut calls, mut runs, mut full) = (0, 0, false);
        for _ in 0..RUNS_MAX {
            let launch = Launch { retry: true, yes: true, full, ..Launch::ORDINARY };
            let report = self.run_as(launch).await?;
            calls += report.calls;
            runs += 1;
            if self.is_good(&report) {
                // Each run may look at the table's structure and at what is in doubt; each row is written once, and
                // each that is refused or whose record is gone stands alone after its batch was halved five times. What is
                // refused is tried once more by each run, and what went unanswered before is halved and asked for.
                let bound = runs * (4 + refused)
                    + 10 * refused
                    + 2 * (rows + ghosts).div_ceil(25)
                    + 10 * disturbed
                    + 3 * tried
                    + 4;
                self.tally.dearest = self.tally.dearest.max(calls * 100 / bound);
                if calls > bound {
                    let text =
                        format!("{calls} calls of {bound} for {rows} rows, {tried} tried before");
                    return wrong(What::TooCostly, text);
                }
                return Ok(());
            }
            // A person says that so few rows are right.
            full = is_about(&report, "rows_vanished");
            self.pass(Duration::from_secs(100)).await?;
        }
        wrong(What::NoSuccess, format!("{RUNS_MAX} runs without success"))
    }

    /// Success, or all but the rows that the service refuses.
    fn is_good(&self, report: &RunReport) -> bool {
        let refused = self.oracle.refused(self.amount_is_mapped).len() as u64;
        match report.outcome {
            RunOutcome::Ran { status: RunStatus::Success, .. } => true,
            RunOutcome::Ran { status: RunStatus::Partial, .. } => {
                refused > 0 && report.books.waiting_after == 0
            }
            RunOutcome::Ran { .. } | RunOutcome::Busy | RunOutcome::Stopped(_) => false,
        }
    }

    /// Records whose rows are gone.
    fn ghosts(&self) -> u64 {
        let seen = self.seen(&self.world.definition.destination.table_id);
        self.oracle.ghosts(&seen)
    }

    /// Whether everything is as it should be, `but` for these rows, which may take an hour.
    fn all_right(&self, but: &BTreeSet<i64>) -> Result<(), Wrong> {
        let seen = self.seen(&self.world.definition.destination.table_id);
        let mapped =
            Mapped { amount: self.amount_is_mapped, title_is_amount: self.title_is_amount };
        self.oracle.sees_the_end(&seen, &self.quarantine(), mapped, but)
    }

    /// A run in which nothing changed makes no call. A second look that falls due just then is none of its own, nor is
    /// another try of a row that the service refuses: where a run takes minutes, each of several may meet one, for an hour
    /// after the last fault.
    async fn costs_nothing(&mut self) -> Result<(), Wrong> {
        let until = self.world.clock.elapsed() + PAST_THE_HOUR;
        while self.world.clock.elapsed() < until {
            let due_at = self.due_at();
            let report = self.run().await?;
            if report.calls == 0 {
                return Ok(());
            }
            if due_at.is_none_or(|at| at > self.now().as_millisecond()) {
                let text =
                    format!("{} calls though nothing changes and nothing is due", report.calls);
                return wrong(What::WastedCall, text);
            }
            self.pass(Duration::from_secs(100)).await?;
        }
        wrong(What::WastedCall, "run after run makes calls though nothing changes")
    }

    /// Entries that may have been sent and are not settled: of records that go, a dead process may have sent any.
    fn tried(&self) -> u64 {
        let question = "SELECT count(*) FROM outbox WHERE gone OR attempts > 0";
        let count = |state: Connection| state.query_row(question, [], |row| row.get::<_, i64>(0));
        self.open_state().and_then(count).map_or(0, i64::unsigned_abs)
    }

    /// When the next second look or the next try of a refused row is due, in milliseconds.
    fn due_at(&self) -> Option<i64> {
        let question = "SELECT min(at) FROM (SELECT due_at AS at FROM second_looks
                          UNION ALL SELECT not_before FROM outbox WHERE state = 2)";
        self.open_state().and_then(|state| state.query_row(question, [], |row| row.get(0))).ok()?
    }
}

fn is_about(report: &RunReport, code: &str) -> bool {
    matches!(&report.outcome, RunOutcome::Ran { trouble: Some(trouble), .. } if trouble.code == code)
}
