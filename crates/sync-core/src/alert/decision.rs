//! When a message leaves: conditions as they are now against what was told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AlertKind, Condition, Judgement, QuietHours};

/// How messages are sent.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// How long changes are gathered.
    pub group: SignedDuration,
    /// When nobody is told.
    pub quiet_hours: Option<QuietHours>,
}

impl Manners {
    /// Whether nobody is told now.
    pub fn are_quiet(&self, now: Timestamp) -> bool {
        self.quiet_hours.as_ref().is_some_and(|quiet| quiet.holds(now))
    }
}

/// An alert that the state remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// What is, or was, wrong.
    pub condition: Condition,
    /// Since when.
    pub since: Timestamp,
    /// The level that was told; `None`: nothing yet.
    pub told: Option<u64>,
    /// Since when there is something to tell; `None`: nothing.
    pub pending: Option<Timestamp>,
    /// Whether it has passed.
    pub is_over: bool,
}

/// A message, for every way alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// When it was decided.
    pub at: Timestamp,
    /// What it tells, what began first.
    pub changes: Vec<Change>,
}

/// One change of a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whether it began or ended.
    pub turn: Turn,
    /// What.
    pub kind: AlertKind,
    /// The sync; empty for what concerns all.
    pub subject: String,
    /// What happened.
    pub text: String,
    /// What to do next.
    pub hint: String,
    /// When it began.
    pub since: Timestamp,
}

/// Whether a state began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It began.
    Began,
    /// It became worse.
    Worse,
    /// It ended.
    Ended,
}

/// What is to be remembered, and what is to be said now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// To be remembered from now on, instead of what was.
    pub remembered: Vec<Remembered>,
    /// To be said.
    pub message: Option<Message>,
}

/// Holds what is wrong now against what is remembered.
pub fn decide(
    remembered: Vec<Remembered>,
    judgement: Judgement,
    manners: &Manners,
    now: Timestamp,
) -> Decision {
    let Judgement { wrong, undecided } = judgement;
    let place = |condition: &Condition| (condition.subject.clone(), condition.kind);
    let mut now_wrong: BTreeMap<(String, AlertKind), Condition> =
        wrong.into_iter().map(|condition| (place(&condition), condition)).collect();
    let still = remembered.iter().map(|alert| place(&alert.condition));
    let holds: BTreeSet<(String, AlertKind)> =
        now_wrong.keys().cloned().chain(still.filter(|place| undecided.contains(place))).collect();
    let is_outdone = |condition: &Condition| {
        let graver = condition.kind.graver();
        graver.is_some_and(|kind| holds.contains(&(condition.subject.clone(), kind)))
    };
    let mut kept = Vec::new();
    for mut alert in remembered {
        let key = place(&alert.condition);
        match (now_wrong.remove(&key), alert.told) {
            // Nobody heard of it, and what is graver says it too.
            (Some(condition), None) if is_outdone(&condition) => {}
            (Some(condition), told) => {
                if alert.is_over {
                    // It came back before anybody was told that it had passed.
                    (alert.is_over, alert.pending) = (false, None);
                }
                if let Some(told) = told {
                    // Worse only as long as it is.
                    let since = alert.pending.unwrap_or(now);
                    alert.pending = is_worse(condition.level, told).then_some(since);
                }
                alert.condition = condition;
                kept.push(alert);
            }
            (None, _) if undecided.contains(&key) => {
                if alert.is_over {
                    (alert.is_over, alert.pending) = (false, None);
                }
                kept.push(alert);
            }
            // Nobody heard of it.
            (None, None) => {}
            (None, Some(_)) => {
                if !alert.is_over {
                    (alert.is_over, alert.pending) = (true, Some(now));
                }
                kept.push(alert);
            }
        }
    }
    now_wrong.retain(|_, condition| !is_outdone(condition));
    kept.extend(now_wrong.into_values().map(|condition| Remembered {
        condition,
        since: now,
        told: None,
        pending: Some(now),
        is_over: false,
    }));
    let oldest = kept.iter().filter_map(|alert| alert.pending).min();
    let is_due = oldest.is_some_and(|at| now.duration_since(at) >= manners.group || at > now);
    if !is_due || manners.are_quiet(now) {
        return Decision { remembered: kept, message: None };
    }
    let mut changes = Vec::new();
    for alert in &mut kept {
        if alert.pending.take().is_none() {
            continue;
        }
        let turn = match (alert.is_over, alert.told) {
            (true, _) => Turn::Ended,
            (false, None) => Turn::Began,
            (false, Some(_)) => Turn::Worse,
        };
        alert.told = Some(alert.condition.level);
        changes.push(Change {
            turn,
            kind: alert.condition.kind,
            subject: alert.condition.subject.clone(),
            text: alert.condition.text.clone(),
            hint: alert.condition.hint.clone(),
            since: alert.since,
        });
    }
    kept.retain(|alert| !alert.is_over);
    changes.sort_by(|one, other| {
        let key =
            |change: &Change| (change.turn, change.since, change.subject.clone(), change.kind);
        key(one).cmp(&key(other))
    });
    Decision { remembered: kept, message: Some(Message { at: now, changes }) }
}

/// Twice as bad as was told is worth another message.
fn is_worse(level: u64, told: u64) -> bool {
    level >= told.saturating_mul(2)
}

impl Message {
    /// In one line: what it is about.
    pub fn title(&self) -> String {
        let ended = self.changes.iter().filter(|change| change.turn == Turn::Ended).count();
        let began = self.changes.len() - ended;
        match (began, ended, self.changes.as_slice()) {
            (_, _, [only]) => only.line(),
            (0, ended, _) => format!("{ended} problems are over"),
            (began, 0, _) => format!("{began} problems"),
            (1, ended, _) => format!("1 problem, {ended} over"),
            (began, ended, _) => format!("{began} problems, {ended} over"),
        }
    }

    /// Line by line.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self
            .changes
            .iter()
            .map(|change| match change.turn {
                Turn::Ended => change.line(),
                Turn::Began | Turn::Worse => format!("{}\n  hint: {}", change.line(), change.hint),
            })
            .collect();
        lines.join("\n")
    }
}

impl Change {
    /// In one line.
    pub fn line(&self) -> String {
        let subject = if self.subject.is_empty() { "all syncs" } else { &self.subject };
        match self.turn {
            Turn::Began => format!("{subject}: {}", self.text),
            Turn::Worse => format!("{subject}: worse: {}", self.text),
            Turn::Ended => {
                let since = self.since.strftime("%Y-%m-%d %H:%M UTC");
                format!("{subject}: over ({}, since {since})", self.kind.word().replace('_', " "))
            }
        }
    }
}
