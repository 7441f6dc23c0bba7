//! Everything that requests change, in one value that can be stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dice::Dice;
use crate::model::account::Account;
use crate::model::cell::Cell;
use crate::model::record::{Record, Stamp};
use crate::model::table::Table;
use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::rules::webhooks::Webhook;

/// How much work was done, so that tests can show that it does not grow with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Work {
    /// Records looked at by filters, lists and checks of uniqueness.
    pub records_examined: u64,
    /// Questions asked of an index.
    pub index_probes: u64,
    /// Entries written to or removed from indexes.
    pub index_writes: u64,
    /// Records written.
    pub records_written: u64,
}

/// Counts work; readers of the world count too.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkMeter(std::cell::Cell<Work>);

impl WorkMeter {
    /// What was counted so far.
    pub(crate) fn read(&self) -> Work {
        self.0.get()
    }

    /// Counts.
    pub(crate) fn count(&self, add: impl FnOnce(&mut Work)) {
        let mut work = self.0.get();
        add(&mut work);
        self.0.set(work);
    }
}

/// Something that takes effect by itself at its time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// A field's new label and params (point 18).
    ChangeField { table: ObjectId, field: Value },
    /// A file that was attached by its address (point 42).
    AttachFile { table: ObjectId, record: ObjectId, slug: String, address: String, by: ObjectId },
}

/// A comment on a record (section 3.14).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: ObjectId,
    pub(crate) made: Stamp,
    pub(crate) message: Value,
    pub(crate) assigned_to: Value,
}

/// Accounts, tables, webhooks and what is still to happen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) tables: BTreeMap<ObjectId, Table>,
    pub(crate) webhooks: BTreeMap<String, Webhook>,
    pub(crate) comments: BTreeMap<ObjectId, Vec<Comment>>,
    /// The address a file came from, by its handle.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) pending: BTreeMap<u64, (Moment, Pending)>,
    pub(crate) dice: Dice,
    /// Counts effects: a request had one when this has grown.
    pub(crate) changes: u64,
    last_stamp: Moment,
    /// The moment of the request at hand.
    #[serde(skip)]
    pub(crate) now: Moment,
    /// Whether records are kept as they were, for lists that lag behind.
    #[serde(skip)]
    pub(crate) keeps_before: bool,
    #[serde(skip)]
    pub(crate) work: WorkMeter,
}

impl World {
    pub(crate) fn empty(seed: u64) -> Self {
        Self {
            accounts: BTreeMap::new(),
            tables: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            comments: BTreeMap::new(),
            files: BTreeMap::new(),
            pending: BTreeMap::new(),
            dice: Dice::new(seed),
            changes: 0,
            last_stamp: Moment::default(),
            now: Moment::default(),
            keeps_before: false,
            work: WorkMeter::default(),
        }
    }

    /// A stamp for an effect at `now`: later than any before, with real microseconds.
    pub(crate) fn stamp(&mut self, now: Moment, by: ObjectId) -> Stamp {
        let micros = i64::try_from(self.changes.wrapping_mul(7919) % 613).unwrap_or(0);
        let at = now.plus_micros(micros).max(self.last_stamp.plus_micros(1));
        // A clock that was set back must not hold the stamps in the future.
        let at = if at.micros_since(now) > 1_000_000 { now } else { at };
        self.last_stamp = at;
        self.changes += 1;
        Stamp { at, by }
    }

    /// Adds a record at the end of its table.
    pub(crate) fn insert(&mut self, table: ObjectId, record: Record) -> u64 {
        let Some(table) = self.tables.get_mut(&table) else { return 0 };
        let rank = table.next_rank();
        if self.keeps_before {
            table.remember(rank, self.now);
        }
        table.insert(record, &self.work)
    }

    /// Replaces cells of a record.
    pub(crate) fn write(&mut self, table: ObjectId, rank: u64, cells: Vec<(usize, Cell)>) {
        let Some(table) = self.tables.get_mut(&table) else { return };
        if self.keeps_before {
            table.remember(rank, self.now);
        }
        table.write(rank, cells, &self.work);
    }

    /// Notes who changed a record, and when.
    pub(crate) fn set_updated(&mut self, table: ObjectId, rank: u64, stamp: Stamp) {
        if let Some(table) = self.tables.get_mut(&table) {
            table.set_updated(rank, stamp);
        }
    }

    /// Moves a record into the recycle bin, or out of it.
    pub(crate) fn set_deleted(&mut self, table: ObjectId, rank: u64, stamp: Option<Stamp>) {
        let Some(table) = self.tables.get_mut(&table) else { return };
        if self.keeps_before {
            table.remember(rank, self.now);
        }
        table.set_deleted(rank, stamp);
    }

    /// Lets something happen later.
    pub(crate) fn later(&mut self, at: Moment, what: Pending) {
        let key = self.pending.last_key_value().map_or(0, |(last, _)| last + 1);
        self.pending.insert(key, (at, what));
    }

    /// Takes the earliest thing that is due.
    pub(crate) fn take_due(&mut self, now: Moment) -> Option<(Moment, Pending)> {
        let due = self.pending.iter().filter(|(_, (at, _))| *at <= now);
        let key = due.min_by_key(|(key, (at, _))| (*at, **key)).map(|(key, _)| *key)?;
        self.pending.remove(&key)
    }

    /// The tables of a solution that exist.
    pub(crate) fn tables_of(&self, solution: ObjectId) -> impl Iterator<Item = &Table> {
        self.tables.values().filter(move |t| t.solution == solution && t.deleted.is_none())
    }
}
