//! The month's calls as the state counts them, and who holds the engine to them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use sync_core::{
    budget::{BudgetDefinition, Ledger, Member, Stage, THROTTLED_RATE, Verdict},
    config::model::Config,
    pace::Rate,
    state::StateError,
};
use sync_engine::{governor::Governor, run::Trouble};
use sync_store::StateReader;

use crate::report::{counted, thousands};

/// How long what the state said is believed: other processes count there too.
const AGE_MAX: SignedDuration = SignedDuration::from_secs(20);
/// Entries in one call.
const ENTRIES_A_CALL: u64 = 25;

/// The calls that the state has counted.
pub(crate) fn ledger(reader: &StateReader, now: Timestamp) -> Result<Ledger, StateError> {
    let mut ledger = Ledger::default();
    for count in reader.calls(Ledger::since(now))? {
        ledger.add(count.day, &count.sync, count.calls);
    }
    Ok(ledger)
}

/// What becomes of what is more than the month allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It is spread over the month.
    Spread,
    /// A person is asked first; the rest is spread.
    Ask,
    /// A person has said yes.
    Agreed,
}

/// Holds syncs to a budget.
pub(crate) struct BudgetKeeper {
    definition: BudgetDefinition,
    manner: Manner,
    state_path: PathBuf,
    memory: Mutex<Memory>,
}

struct Memory {
    ledger: Ledger,
    read_at: Option<Timestamp>,
    members: BTreeMap<String, Member>,
}

impl BudgetKeeper {
    /// Of the file's budget, if it has one.
    pub(crate) fn of(config: &Config, state_path: &Path, manner: Manner) -> Option<Self> {
        let definition = config.budget?;
        let members = config
            .syncs
            .iter()
            .filter(|sync| sync.enabled)
            .map(|sync| (sync.name.clone(), Member { priority: sync.priority, backlog: 0 }))
            .collect();
        let memory = Memory { ledger: Ledger::default(), read_at: None, members };
        let state_path = state_path.to_owned();
        Some(Self { definition, manner, state_path, memory: Mutex::new(memory) })
    }

    /// What is known, as fresh as need be. A state that cannot be read now is read later.
    fn memory(&self, now: Timestamp) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = memory.read_at.is_none_or(|at| now < at || now.duration_since(at) > AGE_MAX);
        if is_old
            && let Ok(reader) = StateReader::open(&self.state_path)
            && let Ok(ledger) = ledger(&reader, now)
        {
            (memory.ledger, memory.read_at) = (ledger, Some(now));
        }
        memory
    }

    /// What the verdict says of a sync's next call.
    fn judge(&self, memory: &Memory, sync: &str, now: Timestamp) -> Result<(), Trouble> {
        if self.manner == Manner::Agreed {
            // Only SmartSuite's own end holds.
            let used = memory.ledger.used(&self.definition, now);
            if self.definition.stage(used) < Stage::Stopped {
                return Ok(());
            }
        }
        match memory.ledger.verdict(&self.definition, &memory.members, sync, now) {
            Verdict::Now => Ok(()),
            Verdict::Paced => Err(trouble(
                "budget_paced",
                "its share of today's calls is spent; what waits is sent bit by bit, so that the month lasts",
                "nothing is lost; `priority: high` lets a sync go first, `run --over-budget` sends at once",
            )),
            Verdict::UsedUp(until) => Err(trouble(
                "budget_used_up",
                &format!("the month's calls are used up; what waits is sent from {until} on"),
                "nothing is lost; buy calls and raise `monthly_calls`, or run with `--over-budget`",
            )),
        }
    }
}

fn trouble(code: &str, message: &str, remedy: &str) -> Trouble {
    Trouble {
        code: code.to_owned(),
        message: message.to_owned(),
        remedy: remedy.to_owned(),
        findings: Vec::new(),
    }
}

impl Governor for BudgetKeeper {
    fn begins(&self, sync: &str, entries: u64, now: Timestamp) -> Result<(), Trouble> {
        let calls = entries.div_ceil(ENTRIES_A_CALL);
        let mut memory = self.memory(now);
        memory.members.entry(sync.to_owned()).or_default().backlog = calls;
        let left = self.definition.left(memory.ledger.used(&self.definition, now));
        if self.manner == Manner::Ask && calls > left && left > 0 {
            return Err(trouble(
                "over_budget",
                &format!(
                    "{} wait, which takes {} or more; {} left this month",
                    counted(entries, "row"),
                    counted(calls, "call"),
                    thousands(left)
                ),
                "`plan` says what it costs; `run --over-budget` sends it nonetheless, `schedule` spreads it",
            ));
        }
        self.judge(&memory, sync, now)
    }

    fn may_send(&self, sync: &str, now: Timestamp) -> Result<(), Trouble> {
        let memory = self.memory(now);
        self.judge(&memory, sync, now)
    }

    fn count(&self, sync: &str, now: Timestamp) {
        let mut memory = self.memory(now);
        memory.ledger.add(now.to_zoned(TimeZone::UTC).date(), sync, 1);
        if let Some(member) = memory.members.get_mut(sync) {
            member.backlog = member.backlog.saturating_sub(1);
        }
    }

    fn rate(&self, usual: Rate, now: Timestamp) -> Rate {
        let memory = self.memory(now);
        let stage = self.definition.stage(memory.ledger.used(&self.definition, now));
        if stage >= Stage::Throttled && (usual.0 == 0 || usual.0 > THROTTLED_RATE) {
            Rate(THROTTLED_RATE)
        } else {
            usual
        }
    }
}
