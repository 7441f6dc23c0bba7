//! How syncs stand, for people and for machines. Made to show rows: keys and reasons of refused ones appear here and
//! nowhere else.

mod json;
mod text;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sync_core::{
    alert::Remembered,
    budget::{BudgetDefinition, BudgetReport, Month},
    config::model::SyncDefinition,
    state::{CallKind, StateError},
};
use sync_store::{AlertMessage, LackingLinks, QuarantinedRow, RunReport, StateReader, SyncReport};

pub(crate) use json::json;
pub(crate) use text::text;

use crate::budget;

/// Everything `status` shows.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// When it was asked.
    pub(crate) now: Timestamp,
    /// In the order of the mapping file, then those that only the state knows.
    pub(crate) syncs: Vec<SyncStatus>,
    /// Calls by kind, of every sync together.
    pub(crate) today: BTreeMap<CallKind, u64>,
    /// The same since the month's first day, UTC; the billing month's where a budget is set.
    pub(crate) this_month: BTreeMap<CallKind, u64>,
    /// Until when every call waits, after a 429.
    pub(crate) paused_until: Option<Timestamp>,
    /// How the month stands, where a budget is set.
    pub(crate) budget: Option<BudgetReport>,
    /// What a service has found wrong.
    pub(crate) alerts: Vec<Remembered>,
    /// Messages about it that could not be sent.
    pub(crate) unsent: Vec<AlertMessage>,
}

/// How one sync stands.
#[derive(Clone, Debug)]
pub(crate) struct SyncStatus {
    /// Its name.
    pub(crate) name: String,
    /// As the mapping file has it; `None`: it is there no more, or the file cannot be used.
    pub(crate) definition: Option<SyncDefinition>,
    /// As the state has it; `None`: it has not run.
    pub(crate) state: Option<SyncReport>,
    /// Records that its rows are linked to.
    pub(crate) linked: u64,
    /// Its newest runs, newest first.
    pub(crate) runs: Vec<RunReport>,
    /// Rows in quarantine, as many as were asked for.
    pub(crate) rows: Vec<QuarantinedRow>,
    /// Links that wait for a row's record.
    pub(crate) lacking: Vec<LackingLinks>,
    /// Calls of this month.
    pub(crate) calls_this_month: u64,
    /// Since when a person has let the service run it no more.
    pub(crate) paused_at: Option<Timestamp>,
}

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Most runs a sync.
    pub(crate) runs: usize,
    /// Most refused rows a sync.
    pub(crate) rows: usize,
    /// The month's calls, where the mapping file says how many there are.
    pub(crate) budget: Option<BudgetDefinition>,
}

impl Status {
    /// Asks the state. `defined`: the syncs of the mapping file to be shown; `wanted`: whether one that only the state
    /// knows is shown too.
    pub(crate) fn read(
        reader: &StateReader,
        defined: &[&SyncDefinition],
        wanted: impl Fn(&str) -> bool,
        extent: Extent,
        now: Timestamp,
    ) -> Result<Self, StateError> {
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let month = Month::of(today, extent.budget.map_or(1, |budget| budget.billing_day)).from;
        let calls = reader.calls(month)?;
        let mut status = Self {
            alerts: reader.alerts()?,
            unsent: reader.unsent_alerts()?,
            now,
            syncs: Vec::new(),
            today: BTreeMap::new(),
            this_month: BTreeMap::new(),
            paused_until: reader.gate_closed_until(now)?,
            budget: match &extent.budget {
                Some(definition) => Some(budget::ledger(reader, now)?.report(definition, now)),
                None => None,
            },
        };
        for call in &calls {
            *status.this_month.entry(call.kind).or_default() += call.calls;
            if call.day == today {
                *status.today.entry(call.kind).or_default() += call.calls;
            }
        }
        let mut known = reader.syncs()?;
        for definition in defined {
            let names = [Some(&definition.name), definition.previously.as_ref()];
            let place = names
                .into_iter()
                .flatten()
                .find_map(|name| known.iter().position(|sync| sync.name == *name));
            let state = place.map(|place| known.remove(place));
            status.syncs.push(SyncStatus::new(&definition.name, Some(definition), state));
        }
        let others = known.into_iter().filter(|sync| wanted(&sync.name));
        status
            .syncs
            .extend(others.map(|sync| SyncStatus::new(&sync.name.clone(), None, Some(sync))));
        for sync in &mut status.syncs {
            // By its name in the file, whether or not it has run.
            sync.paused_at = reader.paused_at(&sync.name)?;
            let Some(name) = sync.state.as_ref().map(|state| state.name.clone()) else { continue };
            sync.linked = reader.links(&name)?;
            sync.runs = reader.runs(&name, extent.runs)?;
            sync.lacking = reader.lacking_links(&name)?;
            sync.rows = reader.quarantine(&name, None, extent.rows)?;
            let own = calls.iter().filter(|call| call.sync == name);
            sync.calls_this_month = own.map(|call| call.calls).sum();
        }
        Ok(status)
    }
}

impl Status {
    /// Where there is no state yet.
    pub(crate) fn unknown(defined: &[&SyncDefinition], now: Timestamp) -> Self {
        let syncs =
            defined.iter().map(|sync| SyncStatus::new(&sync.name, Some(sync), None)).collect();
        Self {
            now,
            syncs,
            today: BTreeMap::new(),
            this_month: BTreeMap::new(),
            paused_until: None,
            budget: None,
            alerts: Vec::new(),
            unsent: Vec::new(),
        }
    }
}

impl SyncStatus {
    fn new(name: &str, definition: Option<&SyncDefinition>, state: Option<SyncReport>) -> Self {
        Self {
            name: name.to_owned(),
            definition: definition.cloned(),
            state,
            linked: 0,
            runs: Vec::new(),
            rows: Vec::new(),
            lacking: Vec::new(),
            calls_this_month: 0,
            paused_at: None,
        }
    }

    /// Rows in quarantine, shown or not.
    fn refused(&self) -> u64 {
        self.state.iter().flat_map(|state| &state.quarantined).map(|one| one.rows).sum()
    }
}
