//! Who looks at every request that reached SmartSuite: a counter must never step back.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;
use smartsuite_emulator::{
    Emulator,
    RouteKind::{BulkCreate, BulkDelete, BulkUpdate},
};

use super::{CUSTOMERS, Stage};

/// What was seen so far.
#[derive(Default)]
pub(super) struct Witness {
    /// The newest counter of each key.
    counters: BTreeMap<String, i64>,
    creates: usize,
    updates: usize,
    deletes: usize,
    /// Answers that were lost after the call had its effect, and calls that were lost before.
    lost_answers: usize,
    lost_calls: usize,
}

impl Witness {
    /// Looks at what arrived since the last time.
    pub(super) fn look(&mut self, stage: &Stage) {
        let entries = stage.smartsuite.with(|emulator| {
            let entries: Vec<_> = emulator.log().cloned().collect();
            Emulator::clear_log(emulator);
            entries
        });
        for entry in entries {
            if entry.fault.is_some() {
                if entry.effect == smartsuite_emulator::Effect::Applied {
                    self.lost_answers += 1;
                } else {
                    self.lost_calls += 1;
                }
            }
            if !entry.path.contains(CUSTOMERS) {
                continue;
            }
            let items = entry.items.unwrap_or(0);
            match entry.route {
                BulkCreate => self.creates += items,
                BulkUpdate => self.updates += items,
                BulkDelete => self.deletes += items,
                _ => continue,
            }
            let body = entry.body.unwrap_or_default();
            let body: Value = serde_json::from_str(&body).unwrap_or_default();
            for item in body["items"].as_array().into_iter().flatten() {
                let (Some(key), Some(counter)) =
                    (item["scustextid"].as_str(), number(&item["screditlim"]))
                else {
                    assert_eq!(entry.route, BulkDelete, "an item without key or counter: {item}");
                    continue;
                };
                let newest = self.counters.entry(key.to_owned()).or_insert(counter);
                assert!(
                    counter >= *newest,
                    "the counter of row {key} stepped back from {newest} to {counter}, in request {}",
                    entry.number
                );
                *newest = counter;
            }
        }
    }

    /// Whether everything happened that proves something.
    pub(super) fn is_complete(&self) -> bool {
        let all = [self.creates, self.updates, self.deletes, self.lost_answers, self.lost_calls];
        all.iter().all(|count| *count > 0)
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seen: {} creates, {} updates, {} deletes, {} answers and {} calls lost",
            self.creates, self.updates, self.deletes, self.lost_answers, self.lost_calls
        )
    }
}

/// A number as SmartSuite takes and gives it: as text or as a number.
pub(super) fn number(value: &Value) -> Option<i64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.split('.').next()?.parse().ok()
}
