//! Who asked for what and what came of it, so that tests can count calls (point 14).

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::moment::Moment;
use crate::outcome::Effect;
use crate::route::RouteKind;

/// Entries beyond this number push out the oldest; the counters keep counting.
const MOST_ENTRIES: usize = 200_000;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Its number, from 1 since the emulator started; clearing does not begin anew.
    pub number: u64,
    /// When, on the emulator's clock, as ISO text.
    pub at: String,
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Which kind of call.
    pub route: RouteKind,
    /// The key used, empty when none was accepted.
    pub key: String,
    /// The status answered; 0 when the connection got no answer.
    pub status: u16,
    /// What it did.
    pub effect: Effect,
    /// The fault that struck it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How many items it sent, for calls that send some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
    /// The body, where bodies are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// How many requests there were since the last clearing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counters {
    /// All of them.
    pub requests: u64,
    /// By kind of call.
    pub by_route: BTreeMap<RouteKind, u64>,
    /// By status; 0 stands for no answer.
    pub by_status: BTreeMap<u16, u64>,
    /// Those that changed something.
    pub effects: u64,
}

/// The log and its counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<LogEntry>,
    counters: Counters,
    last_number: u64,
    /// Whether bodies are kept.
    pub(crate) keeps_bodies: bool,
}

impl RequestLog {
    pub(crate) fn add(&mut self, mut entry: LogEntry) -> u64 {
        self.last_number += 1;
        entry.number = self.last_number;
        self.counters.requests += 1;
        *self.counters.by_route.entry(entry.route).or_default() += 1;
        *self.counters.by_status.entry(entry.status).or_default() += 1;
        self.counters.effects += u64::from(entry.effect == Effect::Applied);
        self.entries.push_back(entry);
        if self.entries.len() > MOST_ENTRIES {
            self.entries.pop_front();
        }
        self.last_number
    }

    /// Notes what became of a request whose time came late: its status if somebody waited for it,
    /// and whether it changed something.
    pub(crate) fn settled_late(&mut self, number: u64, status: Option<u16>, has_changed: bool) {
        self.counters.effects += u64::from(has_changed);
        let entry = self.entries.iter_mut().rev().find(|entry| entry.number == number);
        if let Some(entry) = entry {
            entry.effect = if has_changed { Effect::AppliedLate } else { Effect::None };
            entry.status = status.unwrap_or(entry.status);
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.iter()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.counters = Counters::default();
    }
}

/// A new entry, before anything is known of the answer.
pub(crate) fn entry(now: Moment, method: &str, path: &str, route: RouteKind) -> LogEntry {
    LogEntry {
        number: 0,
        at: now.exact(),
        method: method.to_owned(),
        path: path.to_owned(),
        route,
        key: String::new(),
        status: 0,
        effect: Effect::None,
        fault: None,
        items: None,
        body: None,
    }
}
