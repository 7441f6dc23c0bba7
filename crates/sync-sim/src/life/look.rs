//! Looking at a world: what its processes said, what struck whom in which state, and what the oracle thinks of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
};

use rusqlite::{Connection, OpenFlags};
use smartsuite_emulator::LogEntry;
use sync_core::{
    mutation::{self, Mutation},
    state::CallKind,
};
use sync_engine::event::Event;

use super::Life;
use crate::{
    coverage::Stand,
    disk::Durable,
    oracle::{What, Wrong, wrong},
    plan::Gone,
    world::{OTHER_TABLE, TABLE},
};

/// Requests that a story ends with.
const REQUESTS_TOLD: usize = 40;

/// Where each process is in its run.
#[derive(Debug, Default)]
pub(super) struct Phases {
    of: BTreeMap<usize, Phase>,
    /// The process that began a run last.
    holder: Option<usize>,
    /// A process died while it held the sync, and no run has ended since.
    pub(super) is_taken_over: bool,
    /// The state was lost or replaced, and no run has succeeded since.
    pub(super) is_restored: bool,
    /// Rows that people asked to be read again.
    pub(super) marked: BTreeSet<i64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Phase {
    is_running: bool,
    /// Writing calls that left and were not answered.
    in_flight: u32,
    /// An answer came that is not settled.
    has_answer: bool,
    /// Answers were settled, and no other has come since.
    has_settled: bool,
    /// It reads, or stores what it has read.
    reads: bool,
}

impl Phases {
    fn of(&mut self, process: usize) -> &mut Phase {
        self.of.entry(process).or_default()
    }

    pub(super) fn dies(&mut self, process: usize) {
        let was_running = self.of.remove(&process).is_some_and(|phase| phase.is_running);
        self.is_taken_over |= was_running;
        self.ends(process);
    }

    pub(super) fn ends(&mut self, process: usize) {
        self.of.remove(&process);
        if self.holder == Some(process) {
            self.holder = None;
        }
    }

    fn hears(&mut self, process: usize, event: &Event) -> Result<(), Wrong> {
        let is_write = |kind: &CallKind| {
            matches!(kind, CallKind::Create | CallKind::Update | CallKind::Delete)
        };
        match event {
            Event::RunBegan { .. } => {
                let other = self.holder.filter(|other| *other != process);
                if let Some(other) = other.filter(|_| !is_judged_by_its_work()) {
                    let text = format!("process {process} begins while {other} holds the sync");
                    return wrong(What::TwoHolders, text);
                }
                self.holder = Some(process);
                *self.of(process) = Phase { is_running: true, ..Phase::default() };
            }
            Event::Captured { .. } | Event::Settled { .. } | Event::RunEnded { .. }
                if self.holder.is_some_and(|holder| holder != process)
                    && !mutation::is_on(Mutation::TwoReaders) =>
            {
                return wrong(What::TwoHolders, format!("process {process} still writes"));
            }
            Event::RunEnded { .. } => {
                self.holder = None;
                self.is_taken_over = false;
                *self.of(process) = Phase::default();
            }
            Event::Settled { .. } => {
                let phase = self.of(process);
                (phase.has_answer, phase.has_settled, phase.reads) = (false, true, false);
            }
            Event::CallLeft { kind, .. } => {
                let phase = self.of(process);
                phase.reads = false;
                phase.in_flight += u32::from(is_write(kind));
            }
            Event::CallEnded { kind, .. } => {
                let phase = self.of(process);
                phase.has_settled = false;
                if is_write(kind) {
                    phase.in_flight = phase.in_flight.saturating_sub(1);
                    phase.has_answer = true;
                }
            }
            Event::ReadOpened { .. } => self.of(process).reads = true,
            _ => {}
        }
        Ok(())
    }
}

/// Whether the mistake that is built in lets two hold the sync, which is seen at once, and is to be seen by what comes of it.
fn is_judged_by_its_work() -> bool {
    mutation::is_on(Mutation::TwoReaders) || mutation::is_on(Mutation::TokenUnchecked)
}

impl Life {
    /// Hears what the processes said since the last turn, and notes what struck.
    pub(super) fn hear(&mut self) -> Result<(), Wrong> {
        let said =
            std::mem::take(&mut *self.sayings.lock().unwrap_or_else(PoisonError::into_inner));
        for (process, at, event) in &said {
            if let Event::RunBegan { .. } = event {
                let (now, allowed) = (self.now(), self.allowed.contains(process));
                self.oracle.run_begins(now, allowed, self.phases.is_taken_over);
            }
            self.phases.hears(*process, event)?;
            if let Event::CallLeft { .. } = event {
                self.oracle.sees_leaving(*at)?;
            }
            if let Event::CallLeft { kind: CallKind::Delete | CallKind::Update, .. } = event {
                self.learn();
            }
        }
        let ears: Vec<_> = self.cast.actors.iter().map(|actor| Arc::clone(&actor.ear)).collect();
        for ear in ears {
            let reports =
                std::mem::take(&mut *ear.reports.lock().unwrap_or_else(PoisonError::into_inner));
            for report in reports {
                self.reported(ear.number, &report)?;
            }
        }
        for strike in self.world.network.strikes() {
            self.faults += 1;
            self.has_late_writes |= strike.is_late_write();
            let mut stands = self.stands();
            // What strikes before the effect finds a call on its way; what strikes after it, one that is answered.
            let (never, own) = if strike.is_before() {
                (Stand::Answered, Stand::OnTheWire)
            } else {
                (Stand::OnTheWire, Stand::Answered)
            };
            stands.retain(|stand| *stand != never);
            if strike.is_of_a_write() {
                // The entries of a call that arrives are not those whose call has not left.
                stands.retain(|stand| *stand != Stand::Marked);
                if !stands.contains(&own) {
                    stands.push(own);
                }
            }
            self.tally.strikes(&kind_of(&strike.fault), &stands);
        }
        let failed = self.world.database.failed_reads();
        if failed > self.failed_reads {
            self.failed_reads = failed;
            self.faults += 1;
            self.strike("read failed");
        }
        let commits = mutation::durable_commits();
        if commits != self.durable.0 {
            self.durable = (commits, Durable::now(&self.world.state_path()));
        }
        Ok(())
    }

    /// The oracle learns which records there are, before some of them go.
    fn learn(&mut self) {
        if self.setup.gone != Gone::Stay || self.setup.is_late() {
            for table in [TABLE, OTHER_TABLE] {
                let seen = self.seen(table);
                self.oracle.learns(&seen);
            }
        }
    }

    /// The oracle looks at everything.
    pub(super) fn look(&mut self) -> Result<(), Wrong> {
        self.hear()?;
        self.learn();
        let log: Vec<LogEntry> = self.world.network.emulator().log().cloned().collect();
        self.world.clear_log();
        let database = &self.world.database;
        self.oracle
            .sees_requests(&log, |id, from, until| database.missed(id, from, until))
            .inspect_err(|_| self.tell(&told(&log)))?;
        for table in [TABLE, OTHER_TABLE] {
            let seen = self.seen(table);
            self.oracle.sees_notes(&seen)?;
            if !self.setup.is_late() {
                self.oracle.sees_table(&seen)?;
            }
        }
        Ok(())
    }

    /// Tells the last requests.
    pub(super) fn tell_requests(&mut self) {
        let log: Vec<LogEntry> = self.world.network.emulator().log().cloned().collect();
        self.tell(&told(&log));
    }

    /// Trouble strikes whoever is there.
    pub(super) fn strike(&mut self, kind: &str) {
        let stands = self.stands();
        self.tally.strikes(kind, &stands);
    }

    /// Trouble strikes one process.
    pub(super) fn strike_of(&mut self, place: usize, kind: &str) {
        let number = self.cast.actors[place].ear.number;
        self.tell(&format!("process {number}: {kind}"));
        self.strike(kind);
    }

    /// A process finds the disk full, and ends.
    pub(super) fn strike_full(&mut self, process: usize) {
        let mut stands = self.stands();
        if self.phases.of(process).reads {
            stands.push(Stand::MidCapture);
        }
        self.tally.strikes("disk full", &stands);
    }

    /// The states of the protocol that something is in now.
    pub(super) fn stands(&self) -> Vec<Stand> {
        let mut stands = Vec::new();
        let mut is = |stand: Stand, so: bool| {
            if so {
                stands.push(stand);
            }
        };
        let [waiting, sending, first, second] = self.entries().unwrap_or_default();
        let on_the_wire = self.world.network.writes_on_the_wire() > 0;
        let phases = || self.phases.of.values();
        let has_answer = phases().any(|phase| phase.has_answer);
        let in_flight = phases().any(|phase| phase.in_flight > 0);
        is(Stand::MidCapture, self.world.database.open_reads() > 0);
        is(Stand::Waiting, waiting > 0);
        is(Stand::Marked, sending > 0 && !on_the_wire && !in_flight && !has_answer);
        is(Stand::OnTheWire, on_the_wire);
        is(Stand::Answered, sending > 0 && !on_the_wire && (in_flight || has_answer));
        is(Stand::FirstLook, first > 0);
        is(Stand::SecondLook, second > 0);
        is(Stand::Settled, phases().any(|phase| phase.has_settled));
        is(Stand::TakeOver, self.phases.is_taken_over && self.phases.holder.is_some());
        is(Stand::RestoredState, self.phases.is_restored);
        stands
    }

    /// Entries that wait, are being sent, are in doubt and not looked up, are in doubt and looked up.
    fn entries(&self) -> rusqlite::Result<[i64; 4]> {
        self.ask(
            "SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1 AND doubt = 0),
               count(*) FILTER (WHERE state = 1 AND doubt = 1 AND empty_looks = 0),
               count(*) FILTER (WHERE state = 1 AND doubt = 1 AND empty_looks > 0) FROM outbox",
        )
    }

    fn ask(&self, question: &str) -> rusqlite::Result<[i64; 4]> {
        let state = self.open_state()?;
        state
            .query_row(question, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
    }

    pub(super) fn open_state(&self) -> rusqlite::Result<Connection> {
        Connection::open_with_flags(self.world.state_path(), OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// External ids of rows in quarantine at the present destination.
    pub(super) fn quarantine(&self) -> BTreeSet<String> {
        let keys = || -> rusqlite::Result<BTreeSet<String>> {
            let state = self.open_state()?;
            let mut select = state.prepare(
                "SELECT CAST(key AS TEXT) FROM outbox WHERE state = 2
                   AND destination_id IN (SELECT destination_id FROM syncs)",
            )?;
            select.query_map([], |row| row.get(0))?.collect()
        };
        keys().unwrap_or_default()
    }

    /// Marks a row as to be read again, as a command of another process does; answers whether the state knows the
    /// sync.
    pub(super) fn mark(&mut self, id: i64) -> bool {
        use sync_core::{
            key::Key,
            state::{DestinationId, StateStore as _, SyncId, Writer},
        };
        let place = || -> rusqlite::Result<[i64; 3]> {
            self.open_state()?.query_row(
                "SELECT id, destination_id, token FROM syncs WHERE token > 0",
                [],
                |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]),
            )
        };
        let Ok([sync, destination, token]) = place() else { return false };
        let writer = Writer { sync: SyncId(sync), destination: DestinationId(destination), token };
        let Ok(mut store) = sync_store::SqliteStore::open(&self.world.state_path()) else {
            return false;
        };
        let marked = store.mark_dirty(&writer, &[Key::Int(id)]).is_ok();
        self.phases.marked.insert(id);
        marked
    }
}

/// The last requests of a log.
fn told(log: &[LogEntry]) -> String {
    let last = log.iter().skip(log.len().saturating_sub(REQUESTS_TOLD));
    let lines = last.map(|entry| {
        let fault = entry.fault.as_deref().unwrap_or_default();
        format!("\n            {} {} {} {fault}", entry.at, entry.route, entry.status)
    });
    format!("requests, the last of them:{}", lines.collect::<String>())
}

/// The kind of a fault as the emulator's log calls it: without its numbers, with its time.
fn kind_of(label: &str) -> String {
    let words: String =
        label.chars().map(|c| if c.is_ascii_lowercase() || c == '_' { c } else { ' ' }).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    let is_late = words.first() == Some(&"late");
    match (words.first(), words.last()) {
        (Some(first), _) if is_late => (*first).to_owned(),
        (Some(first), Some(last)) if words.len() > 1 => {
            format!("{} {last}", first.replace('_', " "))
        }
        _ => words.join(" ").replace('_', " "),
    }
}
