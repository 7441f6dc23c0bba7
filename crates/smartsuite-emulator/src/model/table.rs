//! A table ("application" in paths and JSON) with its records and their indexes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::index::ValueIndex;
use crate::model::record::{Record, Stamp};
use crate::model::world::WorkMeter;
use crate::moment::Moment;
use crate::object_id::ObjectId;

/// A record as it was, and when it stopped being so; none: it was not there.
type Before = (Moment, Option<Box<Record>>);

/// A table. A record's rank is its `autonumber` and its place in the default order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) id: ObjectId,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) account: String,
    pub(crate) solution: ObjectId,
    pub(crate) record_term: String,
    pub(crate) layout: Option<Value>,
    pub(crate) order: u64,
    pub(crate) created: Stamp,
    pub(crate) primary: String,
    /// Until when a copy of another table is still being made.
    pub(crate) copying_until: Option<Moment>,
    pub(crate) deleted: Option<Stamp>,
    /// In the order of the structure.
    pub(crate) fields: Vec<Field>,
    columns: usize,
    rows: BTreeMap<u64, Record>,
    next_rank: u64,
    #[serde(skip)]
    by_id: BTreeMap<ObjectId, u64>,
    #[serde(skip)]
    live: u64,
    /// The recycle bin: when, and which.
    #[serde(skip)]
    bin: BTreeSet<(Moment, u64)>,
    #[serde(skip)]
    indexes: BTreeMap<usize, ValueIndex>,
    #[serde(skip)]
    before: BTreeMap<u64, Vec<Before>>,
}

/// What a new table starts with.
#[derive(Debug)]
pub(crate) struct NewTable {
    pub(crate) id: ObjectId,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) account: String,
    pub(crate) solution: ObjectId,
    pub(crate) order: u64,
    pub(crate) created: Stamp,
}

impl Table {
    pub(crate) fn new(new: NewTable) -> Self {
        Self {
            id: new.id,
            name: new.name,
            slug: new.slug,
            account: new.account,
            solution: new.solution,
            record_term: "record".to_owned(),
            layout: None,
            order: new.order,
            created: new.created,
            primary: "title".to_owned(),
            copying_until: None,
            deleted: None,
            fields: Vec::new(),
            columns: 0,
            rows: BTreeMap::new(),
            next_rank: 1,
            by_id: BTreeMap::new(),
            live: 0,
            bin: BTreeSet::new(),
            indexes: BTreeMap::new(),
            before: BTreeMap::new(),
        }
    }

    /// Puts a field at a place of the structure and gives it a column if it stores values.
    pub(crate) fn add_field(&mut self, mut field: Field, at: usize) {
        if field.kind.is_stored() {
            field.column = Some(self.columns);
            if field.kind.is_indexed() {
                self.indexes.insert(self.columns, ValueIndex::default());
            }
            self.columns += 1;
        }
        self.fields.insert(at.min(self.fields.len()), field);
    }

    /// The field of a slug as readers see the structure at that moment.
    pub(crate) fn field(&self, slug: &str, now: Moment) -> Option<&Field> {
        self.fields.iter().find(|field| field.slug == slug && field.is_visible(now))
    }

    /// The field of a slug, also one that is deleted or not yet visible.
    pub(crate) fn any_field_mut(&mut self, slug: &str) -> Option<&mut Field> {
        self.fields.iter_mut().find(|field| field.slug == slug)
    }

    /// The fields as readers see the structure at that moment.
    pub(crate) fn visible_fields(&self, now: Moment) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.is_visible(now))
    }

    /// The column of the title.
    pub(crate) fn title_column(&self) -> Option<usize> {
        self.fields.iter().find(|field| field.slug == self.primary).and_then(|field| field.column)
    }

    /// How many records it shows.
    pub(crate) fn live_count(&self) -> u64 {
        self.live
    }

    /// The place a record of that id has, deleted or not.
    pub(crate) fn rank_of(&self, id: ObjectId) -> Option<u64> {
        self.by_id.get(&id).copied()
    }

    /// The record of an id, deleted or not.
    pub(crate) fn any(&self, id: ObjectId) -> Option<&Record> {
        self.rank_of(id).and_then(|rank| self.rows.get(&rank))
    }

    /// The record of an id, unless it is deleted.
    pub(crate) fn live(&self, id: ObjectId) -> Option<&Record> {
        self.any(id).filter(|record| record.deleted.is_none())
    }

    /// The record at a place.
    pub(crate) fn at(&self, rank: u64) -> Option<&Record> {
        self.rows.get(&rank)
    }

    /// All records in the default order, deleted ones too.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.rows.iter().map(|(rank, record)| (*rank, record))
    }

    /// The ranks from `first` on.
    pub(crate) fn ranks_from(&self, first: u64) -> impl Iterator<Item = u64> {
        self.rows.range(first..).map(|(rank, _)| *rank)
    }

    /// The `autonumber` the next record will have.
    pub(crate) fn next_rank(&self) -> u64 {
        self.next_rank
    }

    /// Adds a record at the end.
    pub(crate) fn insert(&mut self, record: Record, work: &WorkMeter) -> u64 {
        let rank = self.next_rank;
        self.next_rank += 1;
        for (column, index) in &mut self.indexes {
            let written = index.insert(record.cell(*column), rank);
            work.count(|work| work.index_writes += written);
        }
        self.by_id.insert(record.id, rank);
        match &record.deleted {
            Some(stamp) => {
                self.bin.insert((stamp.at, rank));
            }
            None => self.live += 1,
        }
        self.rows.insert(rank, record);
        work.count(|work| work.records_written += 1);
        rank
    }

    /// Replaces cells of the record at a place.
    pub(crate) fn write(&mut self, rank: u64, cells: Vec<(usize, Cell)>, work: &WorkMeter) {
        let Some(record) = self.rows.get_mut(&rank) else { return };
        for (column, cell) in cells {
            if let Some(index) = self.indexes.get_mut(&column) {
                let removed = index.remove(record.cell(column), rank);
                let written = removed + index.insert(&cell, rank);
                work.count(|work| work.index_writes += written);
            }
            record.put(column, cell);
        }
        work.count(|work| work.records_written += 1);
    }

    /// Notes who changed the record at a place, and when.
    pub(crate) fn set_updated(&mut self, rank: u64, stamp: Stamp) {
        if let Some(record) = self.rows.get_mut(&rank) {
            record.updated = stamp;
        }
    }

    /// Moves the record at a place into the recycle bin, or out of it.
    pub(crate) fn set_deleted(&mut self, rank: u64, stamp: Option<Stamp>) {
        let Some(record) = self.rows.get_mut(&rank) else { return };
        match record.deleted.take() {
            Some(was) => {
                self.bin.remove(&(was.at, rank));
            }
            None => self.live = self.live.saturating_sub(1),
        }
        match stamp {
            Some(stamp) => {
                self.bin.insert((stamp.at, rank));
            }
            None => self.live += 1,
        }
        record.deleted = stamp.map(Box::new);
    }

    /// Removes the record at a place for good; its id and its number are not used again.
    pub(crate) fn purge(&mut self, rank: u64) {
        let Some(record) = self.rows.remove(&rank) else { return };
        for (column, index) in &mut self.indexes {
            index.remove(record.cell(*column), rank);
        }
        self.by_id.remove(&record.id);
        match &record.deleted {
            Some(stamp) => {
                self.bin.remove(&(stamp.at, rank));
            }
            None => self.live = self.live.saturating_sub(1),
        }
        self.before.remove(&rank);
    }

    /// The deleted records, latest first.
    pub(crate) fn deleted_rows(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.bin.iter().rev().filter_map(|(_, rank)| Some((*rank, self.rows.get(rank)?)))
    }

    /// The record that has been in the bin for longest, if it came there before a moment.
    pub(crate) fn oldest_deleted(&self, before: Moment) -> Option<u64> {
        self.bin.first().filter(|(at, _)| *at <= before).map(|(_, rank)| *rank)
    }

    /// Keeps the record at a place as it is now, for lists that lag behind (point 41).
    pub(crate) fn remember(&mut self, rank: u64, now: Moment) {
        let was = self.rows.get(&rank).cloned().map(Box::new);
        self.before.entry(rank).or_default().push((now, was));
    }

    /// The record at a place as a list sees it that lags behind until `horizon`.
    pub(crate) fn seen_at(&self, rank: u64, horizon: Option<Moment>) -> Option<&Record> {
        let changed_since = horizon.and_then(|horizon| {
            let changes = self.before.get(&rank)?;
            changes.iter().find(|(at, _)| *at > horizon)
        });
        match changed_since {
            Some((_, was)) => was.as_deref(),
            None => self.rows.get(&rank),
        }
    }

    /// The places whose records a lagging list may see otherwise than they are.
    pub(crate) fn lagging(&self) -> impl Iterator<Item = u64> {
        self.before.keys().copied()
    }

    /// Forgets what no list can see any more.
    pub(crate) fn forget_before(&mut self, horizon: Moment) {
        self.before.retain(|_, changes| {
            changes.retain(|(at, _)| *at > horizon);
            !changes.is_empty()
        });
    }

    /// The places that may hold a text in a column; none when the column has no index.
    pub(crate) fn candidates(
        &self,
        column: usize,
        text: &str,
    ) -> Option<impl Iterator<Item = u64> + '_> {
        self.indexes.get(&column).map(|index| index.candidates(text))
    }

    /// Leaves the structure alone.
    pub(crate) fn clear_records(&mut self) {
        self.rows.clear();
        self.before.clear();
        self.next_rank = 1;
        self.rebuild();
    }

    /// Rebuilds what is not stored.
    pub(crate) fn rebuild(&mut self) {
        self.by_id = self.rows.iter().map(|(rank, record)| (record.id, *rank)).collect();
        self.live = self.rows.values().map(|record| u64::from(record.deleted.is_none())).sum();
        self.bin = self
            .rows
            .iter()
            .filter_map(|(rank, record)| Some((record.deleted.as_ref()?.at, *rank)))
            .collect();
        self.indexes = self
            .fields
            .iter()
            .filter(|field| field.kind.is_indexed())
            .filter_map(|field| Some((field.column?, ValueIndex::default())))
            .collect();
        for (column, index) in &mut self.indexes {
            for (rank, record) in &self.rows {
                index.insert(record.cell(*column), *rank);
            }
        }
    }

    /// How many fields of the given types it has, for the plan's limits.
    pub(crate) fn count_fields(&self, of: impl Fn(FieldType) -> bool) -> usize {
        self.fields.iter().filter(|field| field.deleted_at.is_none() && of(field.kind)).count()
    }
}
