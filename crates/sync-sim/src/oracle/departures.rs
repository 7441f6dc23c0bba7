//! What the oracle knows of rows that went, and what may become of their records.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Seen, What, Wrong, wrong};
use crate::plan::Gone;

/// How a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    Delete,
    Archive,
}

/// A record that goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going<'a> {
    /// Its id.
    pub(super) record: &'a str,
    pub(super) departure: Departure,
    pub(super) at: Timestamp,
    /// People made it or wrote to it.
    pub(super) touched: bool,
    pub(super) made_by_people: bool,
}

/// Reads that must have passed over a row before its record goes.
const READS_MIN: usize = 2;
/// How long a call of an earlier run may still be on its way.
const ON_THE_WAY: SignedDuration = SignedDuration::from_secs(1);
/// So many records may go at once whatever their share, if they are not more than half.
const FEW: usize = 20;

/// What is known of rows and records that went.
#[derive(Debug)]
pub(super) struct Departures {
    policy: Gone,
    /// The token's member is the tool's alone.
    dedicated: bool,
    /// Whether the state can tell of every record that the tool made it; `None`: it does not know its member yet.
    pub(super) is_certain: Option<bool>,
    /// When each row was not there; the last time may go on.
    absences: BTreeMap<i64, Vec<(Timestamp, Option<Timestamp>)>>,
    /// The keys of every record that was ever there.
    keys: BTreeMap<String, BTreeSet<i64>>,
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    began: Timestamp,
    allowed: bool,
    after_death: bool,
    /// Keys whose records went.
    gone: BTreeSet<i64>,
}

impl Default for Departures {
    fn default() -> Self {
        Self::new(Gone::Stay, true)
    }
}

impl Departures {
    pub(super) fn new(policy: Gone, dedicated: bool) -> Self {
        Self {
            policy,
            dedicated,
            is_certain: None,
            absences: BTreeMap::new(),
            keys: BTreeMap::new(),
            runs: Vec::new(),
        }
    }

    pub(super) fn comes(&mut self, id: i64, now: Timestamp) {
        let absences = self.absences.entry(id).or_insert(vec![(Timestamp::MIN, None)]);
        if let Some((_, to @ None)) = absences.last_mut() {
            *to = Some(now);
        }
    }

    pub(super) fn goes(&mut self, id: i64, now: Timestamp) {
        self.absences.entry(id).or_default().push((now, None));
    }

    pub(super) fn run_begins(&mut self, began: Timestamp, allowed: bool, after_death: bool) {
        self.runs.push(Run { began, allowed, after_death, gone: BTreeSet::new() });
    }

    pub(super) fn learns(&mut self, records: &[Seen]) {
        for record in records {
            let ids = record.keys.iter().filter_map(|key| key.parse::<i64>().ok());
            self.keys.entry(record.id.clone()).or_default().extend(ids);
        }
    }

    /// Whether the row was not there at some time since then.
    fn was_absent(&self, id: i64, from: Timestamp, to: Timestamp) -> bool {
        let Some(absences) = self.absences.get(&id) else { return true };
        absences.iter().any(|(began, ended)| *began <= to && ended.is_none_or(|end| end >= from))
    }

    /// A record is deleted or archived; `missed` answers how many reads in a row had passed over a row between the two.
    pub(super) fn sees(
        &mut self,
        going: &Going<'_>,
        missed: impl Fn(i64, Timestamp, Timestamp) -> usize,
    ) -> Result<(), Wrong> {
        let Going { record, departure, at, touched, made_by_people } = *going;
        let deletes_theirs = self.policy == Gone::AllDeleted || departure == Departure::Archive;
        if made_by_people && !deletes_theirs {
            return wrong(What::ForeignDelete, format!("record {record} is people's"));
        }
        let Some(keys) = self.keys.get(record).cloned() else { return Ok(()) };
        let before = at.saturating_sub(ON_THE_WAY).unwrap_or(at);
        let began = self.runs.iter().rev().find(|run| run.began <= before);
        let from = began.map_or(Timestamp::MIN, |run| run.began);
        let fits_policy = match departure {
            Departure::Delete => matches!(self.policy, Gone::Deleted | Gone::AllDeleted),
            Departure::Archive => self.policy == Gone::Archived,
        };
        let has_twin =
            self.keys.iter().any(|(other, of)| other != record && !of.is_disjoint(&keys));
        let may_be_twin = departure == Departure::Delete && self.dedicated && !touched && has_twin;
        if fits_policy && keys.iter().all(|id| self.was_absent(*id, from, at)) {
            // What has just been read may have come too late for a call that is on its way.
            let is_missed = |id: i64| missed(id, before, at) >= READS_MIN;
            if let Some(id) = keys.iter().find(|id| !is_missed(**id))
                && !may_be_twin
            {
                let text = format!("record {record} goes on the word of one read of row {id}");
                return wrong(What::UnwantedDelete, text);
            }
            return self.counts(&keys, at);
        }
        if may_be_twin {
            return Ok(());
        }
        if touched {
            return wrong(What::ForeignDelete, format!("record {record} was touched by people"));
        }
        wrong(What::UnwantedDelete, format!("{departure:?} of record {record}, whose row is there"))
    }

    /// Without a yes only few may go at once.
    fn counts(&mut self, keys: &BTreeSet<i64>, at: Timestamp) -> Result<(), Wrong> {
        let all: BTreeSet<i64> = self.keys.values().flatten().copied().collect();
        let Some(run) = self.runs.iter_mut().rev().find(|run| run.began <= at) else {
            return Ok(());
        };
        // A call of a process that died may arrive now.
        let is_recent = at.duration_since(run.began) < ON_THE_WAY;
        if run.allowed || run.after_death && is_recent {
            return Ok(());
        }
        run.gone.extend(keys);
        let (gone, of) = (run.gone.len(), all.len());
        if gone > FEW && gone * 10 > of || gone * 2 > of {
            return wrong(What::TooManyDeletes, format!("{gone} of at most {of} records went"));
        }
        Ok(())
    }

    /// Whether a record without a row must not be there, or must be archived.
    pub(super) fn must_be_gone(&self, record: &Seen, made_by_people: &BTreeSet<String>) -> bool {
        // Of two records with one key who lost the state links the older one. Where nobody can say whose the other is, it is
        // told of and stays.
        let keys = self.keys.get(&record.id);
        let shares = |theirs: &BTreeSet<i64>| keys.is_some_and(|keys| !keys.is_disjoint(theirs));
        let has_their_twin =
            made_by_people.iter().any(|theirs| self.keys.get(theirs).is_some_and(shares));
        if self.is_certain == Some(false) && !self.dedicated && has_their_twin {
            return false;
        }
        match self.policy {
            Gone::Stay => false,
            Gone::AllDeleted => true,
            Gone::Deleted => self.dedicated && self.is_certain == Some(true),
            Gone::Archived => record.archived.is_empty(),
        }
    }
}
