//! A simulated MySQL: rows, transactions that are stamped when they start and seen when they commit.

mod looks;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    error::{SourceError, SourceErrorKind, SourcePart},
    key::Key,
    mutation::{self, Mutation},
    port::{Boxed, Clock, ReadScope, RowRead, RowSource, Watermark},
    source::{Column, ColumnKind, Row},
    value::Value,
};

use self::looks::{Asked, Look};
use crate::clock::SimClock;

/// One row of the simulated table, as committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimRow {
    /// `name`
    pub name: String,
    /// `amount`
    pub amount: i64,
    /// `updated_at`: when the statement that wrote it started, not when it was committed.
    pub updated_at: Timestamp,
}

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<i64, SimRow>,
    /// Open transactions: when each began.
    open: BTreeMap<u64, Timestamp>,
    next_transaction: u64,
    /// Reads that fail before they yield anything.
    broken_reads: u32,
    /// The next read fails once it has yielded so many batches.
    breaks_after: Option<usize>,
    /// How long each batch of rows takes.
    batch_takes: Duration,
    /// Most rows of a batch, where that is fewer than were asked for.
    batch_rows: Option<usize>,
    /// Raised by a restart: reads of an earlier life are over.
    life: u64,
    /// Reads that are open.
    open_reads: u64,
    /// Reads that failed.
    failed_reads: u64,
    /// What happens while the next read opens, after its snapshot was taken.
    while_opening: Option<Hook>,
    /// Reads opened so far.
    reads: u64,
    /// The key column holds this text instead of the number.
    key_text: Option<fn(i64) -> String>,
    /// Most rows of a page, where fewer than are asked for.
    page_rows: Option<usize>,
    /// Pages that still open before one does not.
    pages_left: Option<usize>,
    /// The next read of all keys breaks off before its end.
    keys_break: bool,
    /// No read has a position.
    no_cursor: bool,
    /// Rows that the next read of all keys does not show, though they are there.
    unseen: BTreeSet<i64>,
    /// Rows whose `deleted` column is set; the column is there only if this is.
    deleted: Option<BTreeSet<i64>>,
    /// What each read showed, and did not show.
    looks: Vec<Look>,
    /// Every change since the beginning.
    log: Vec<Change>,
    /// Where the part of the log begins that still exists.
    log_begins: usize,
}

/// One entry of the database's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A transaction that wrote this row.
    Row(i64),
    /// Something that does not say which rows it changed.
    Unnamed,
}

struct Hook(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

/// The database. Clones share it.
#[derive(Clone, Debug)]
pub struct SimDatabase {
    tables: Arc<Mutex<Tables>>,
    clock: SimClock,
}

/// What a transaction will write when it commits.
#[derive(Debug)]
pub struct OpenTransaction {
    number: u64,
    began: Timestamp,
}

impl SimDatabase {
    /// An empty one.
    pub fn new(clock: SimClock) -> Self {
        Self { tables: Arc::default(), clock }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Inserts or updates a row in a transaction of its own.
    pub fn put(&self, id: i64, name: &str, amount: i64) {
        let transaction = self.begin();
        self.commit_put(transaction, id, name, amount);
    }

    /// Changes a row without its cursor column noticing, as a write that bypasses the application does.
    pub fn put_silently(&self, id: i64, name: &str) {
        let mut tables = self.tables();
        if let Some(row) = tables.rows.get_mut(&id) {
            name.clone_into(&mut row.name);
            tables.log.push(Change::Row(id));
        }
    }

    /// Changes a row without the database's log naming it, as a write with `sql_log_bin=0` does.
    pub fn put_unlogged(&self, id: i64, name: &str) {
        if let Some(row) = self.tables().rows.get_mut(&id) {
            name.clone_into(&mut row.name);
        }
    }

    /// Makes a row's cursor column older, as if it had been written so long ago.
    pub fn age(&self, id: i64, by: Duration) {
        if let Some(row) = self.tables().rows.get_mut(&id) {
            row.updated_at = row.updated_at.saturating_sub(by).unwrap_or(row.updated_at);
        }
    }

    /// Begins a transaction; what it writes is stamped with this moment.
    pub fn begin(&self) -> OpenTransaction {
        let began = self.clock.now();
        let mut tables = self.tables();
        let number = tables.next_transaction;
        tables.next_transaction += 1;
        tables.open.insert(number, began);
        OpenTransaction { number, began }
    }

    /// Commits a transaction that wrote one row.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a committed transaction cannot be used again"
    )]
    pub fn commit_put(&self, transaction: OpenTransaction, id: i64, name: &str, amount: i64) {
        let mut tables = self.tables();
        tables.open.remove(&transaction.number);
        tables
            .rows
            .insert(id, SimRow { name: name.to_owned(), amount, updated_at: transaction.began });
        tables.log.push(Change::Row(id));
    }

    /// Ends a transaction without its writes.
    #[expect(clippy::needless_pass_by_value, reason = "it cannot be used again")]
    pub fn roll_back(&self, transaction: OpenTransaction) {
        self.tables().open.remove(&transaction.number);
    }

    /// The server goes down and comes up: open reads break off, open transactions are rolled back, and must not be
    /// committed any more.
    pub fn restart(&self) {
        let mut tables = self.tables();
        tables.life += 1;
        tables.open.clear();
    }

    /// Reads that are open now.
    pub fn open_reads(&self) -> u64 {
        self.tables().open_reads
    }

    /// Reads that failed so far.
    pub fn failed_reads(&self) -> u64 {
        self.tables().failed_reads
    }

    /// Batches hold at most so many rows, whatever is asked for.
    pub fn yield_at_most(&self, rows: usize) {
        self.tables().batch_rows = Some(rows);
    }

    /// No read fails any more on purpose.
    pub fn calm(&self) {
        let mut tables = self.tables();
        (tables.broken_reads, tables.breaks_after) = (0, None);
        (tables.keys_break, tables.unseen) = (false, BTreeSet::new());
    }

    /// Deletes a row.
    pub fn delete(&self, id: i64) {
        let mut tables = self.tables();
        tables.rows.remove(&id);
        tables.log.push(Change::Row(id));
    }

    /// Sets a row's `deleted` column, where there is one, as an application does that deletes nothing.
    pub fn set_deleted(&self, id: i64) {
        let now = self.clock.now();
        let mut tables = self.tables();
        let Some(row) = tables.rows.get_mut(&id) else { return };
        row.updated_at = now;
        if let Some(deleted) = &mut tables.deleted {
            deleted.insert(id);
        }
        tables.log.push(Change::Row(id));
    }

    /// Empties a row's `deleted` column.
    pub fn set_live(&self, id: i64) {
        if let Some(deleted) = &mut self.tables().deleted {
            deleted.remove(&id);
        }
    }

    /// Something happens of which the log does not say which rows it changed.
    pub fn log_unnamed(&self) {
        self.tables().log.push(Change::Unnamed);
    }

    /// What the log holds so far is purged.
    pub fn purge_log(&self) {
        let mut tables = self.tables();
        tables.log_begins = tables.log.len();
    }

    /// Where the log ends.
    pub(crate) fn log_end(&self) -> usize {
        self.tables().log.len()
    }

    /// At most so many changes from there on; `None`: that part of the log does not exist any more.
    pub(crate) fn log_from(&self, at: usize, changes_max: usize) -> Option<Vec<Change>> {
        let tables = self.tables();
        let is_there = (tables.log_begins..=tables.log.len()).contains(&at);
        is_there.then(|| tables.log[at..].iter().take(changes_max).copied().collect())
    }

    /// From now on there is a column `deleted`, and it is set in these rows.
    pub fn mark_deleted(&self, ids: impl IntoIterator<Item = i64>) {
        self.tables().deleted = Some(ids.into_iter().collect());
    }

    /// Pages hold so many rows, however many are asked for.
    pub fn page_rows(&self, rows: usize) {
        self.tables().page_rows = Some(rows);
    }

    /// After so many pages, one cannot be read.
    pub fn break_page_after(&self, pages: usize) {
        self.tables().pages_left = Some(pages);
    }

    /// The next read of all keys yields some and breaks off.
    pub fn break_keys(&self) {
        self.tables().keys_break = true;
    }

    /// The table has no cursor column.
    pub fn without_cursor(&self) {
        self.tables().no_cursor = true;
    }

    /// Inserts a row whose cursor column is as old as can be.
    pub fn put_silently_new(&self, id: i64, name: &str, amount: i64) {
        let row = SimRow { name: name.to_owned(), amount, updated_at: Timestamp::UNIX_EPOCH };
        self.tables().rows.insert(id, row);
    }

    /// The next read of all keys passes these rows over.
    pub fn hide_keys(&self, ids: impl IntoIterator<Item = i64>) {
        self.tables().unseen = ids.into_iter().collect();
    }

    /// The next reads fail.
    pub fn break_reads(&self, reads: u32) {
        self.tables().broken_reads = reads;
    }

    /// The next read fails once it has yielded so many batches of rows.
    pub fn break_after(&self, batches: usize) {
        self.tables().breaks_after = Some(batches);
    }

    /// From the next read on, each batch of rows takes so long; its rows are still those of the read's snapshot.
    pub fn slow_down(&self, batch_takes: Duration) {
        self.tables().batch_takes = batch_takes;
    }

    /// Does `what` while the next read opens: its snapshot is taken, but whoever reads does not know yet.
    pub fn while_opening(&self, what: impl FnOnce() + Send + 'static) {
        self.tables().while_opening = Some(Hook(Box::new(what)));
    }

    /// Reads opened so far.
    pub fn reads(&self) -> u64 {
        self.tables().reads
    }

    /// How many reads in a row should have shown that this row is there and did not: the most that somebody who looked
    /// back at a moment between the two could count.
    pub fn missed(&self, id: i64, from: Timestamp, until: Timestamp) -> usize {
        looks::missed(&self.tables().looks, id, from, until)
    }

    /// What reads have shown may be known to nobody any more: from now on every row counts as missed, until a read shows
    /// it.
    pub fn forget_looks(&self) {
        let now = self.clock.now();
        self.tables().looks.extend([Look::of_nothing(now), Look::of_nothing(now)]);
    }

    /// Makes the key column a text, derived from each row's number.
    pub fn key_by(&self, text: fn(i64) -> String) {
        self.tables().key_text = Some(text);
    }

    /// The key of a row.
    pub fn key(&self, id: i64) -> Key {
        Key::from_text(&self.tables().key_text.map_or_else(|| id.to_string(), |text| text(id)))
    }

    /// What is committed now.
    pub fn rows(&self) -> BTreeMap<i64, SimRow> {
        self.tables().rows.clone()
    }
}

/// The columns of a read.
fn columns(text_key: bool, keys_only: bool, deleted: bool) -> Vec<Column> {
    let column = |name: &str, kind| Column { name: name.into(), kind, nullable: false };
    let number = ColumnKind::Int { unsigned: false, width: 11 };
    let key = column("id", if text_key { ColumnKind::Text } else { number });
    if keys_only {
        return vec![key];
    }
    let mut columns = vec![
        key,
        column("name", ColumnKind::Text),
        column("amount", ColumnKind::Int { unsigned: false, width: 20 }),
    ];
    if deleted {
        columns.push(column("deleted", ColumnKind::Int { unsigned: false, width: 1 }));
    }
    columns
}

impl RowSource for SimDatabase {
    fn open(&self, scope: ReadScope) -> Boxed<'_, Result<Box<dyn RowRead>, SourceError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let mut tables = self.tables();
            tables.reads += 1;
            if tables.broken_reads > 0 {
                tables.broken_reads -= 1;
                tables.failed_reads += 1;
                return Err(SourceError {
                    about: SourcePart::Whole,
                    kind: SourceErrorKind::Unreachable,
                    message: "the database cannot be reached".into(),
                    remedy: "wait".into(),
                });
            }
            if let (ReadScope::Page { .. }, Some(left)) = (&scope, tables.pages_left) {
                tables.pages_left = left.checked_sub(1);
                if left == 0 {
                    return Err(interrupted());
                }
            }
            let key_text = tables.key_text;
            let key = |id: i64| match key_text {
                Some(text) => Value::Text(text(id)),
                None => Value::Int(i128::from(id)),
            };
            let since = match &scope {
                ReadScope::Since(mark) => mark.0.parse::<Timestamp>().ok(),
                _ => None,
            };
            let keys_only = matches!(scope, ReadScope::LiveKeys | ReadScope::KeysWhere(_));
            let unseen = if scope == ReadScope::LiveKeys {
                std::mem::take(&mut tables.unseen)
            } else {
                BTreeSet::new()
            };
            let deleted = tables.deleted.clone();
            let wanted = |id: &i64, row: &SimRow| match &scope {
                ReadScope::Keys(keys) => {
                    Key::from_cells([("id", &key(*id))]).is_ok_and(|key| keys.contains(&key))
                }
                ReadScope::Page { after, .. } => after.as_ref().is_none_or(|after| {
                    Key::from_cells([("id", &key(*id))]).is_ok_and(|key| key > *after)
                }),
                ReadScope::LiveKeys => !unseen.contains(id),
                ReadScope::KeysWhere(_) => true,
                ReadScope::Full | ReadScope::Since(_) => {
                    since.is_none_or(|since| row.updated_at >= since)
                }
            };
            let row = |(id, row): (&i64, &SimRow)| {
                let mut cells = vec![key(*id)];
                if !keys_only {
                    cells.push(Value::Text(row.name.clone()));
                    cells.push(Value::Int(i128::from(row.amount)));
                    let is_set = deleted.as_ref().map(|deleted| deleted.contains(id));
                    cells.extend(is_set.map(|is_set| Value::Int(i128::from(is_set))));
                }
                Row(cells)
            };
            let mut rows: Vec<Row> =
                tables.rows.iter().filter(|(id, row)| wanted(id, row)).map(row).collect();
            let mut next_page = None;
            if let ReadScope::Page { rows_max, .. } = &scope {
                let of = |row: &Row| Key::from_cells([("id", row.0.first()?)]).ok();
                rows.sort_by_key(of);
                let most = tables.page_rows.unwrap_or(*rows_max).min(*rows_max);
                if rows.len() > most {
                    rows.truncate(most);
                    next_page = rows.last().and_then(of);
                }
            }
            let oldest = tables.open.values().min().copied().unwrap_or(now).min(now);
            let mark = if mutation::is_on(Mutation::NoOverlap) {
                now
            } else {
                oldest.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(oldest)
            };
            let watermark = match scope {
                ReadScope::Full | ReadScope::Since(_) | ReadScope::Page { after: None, .. } => {
                    Some(Watermark(mark.to_string()))
                }
                _ => None,
            };
            tables.open_reads += 1;
            let watermark = watermark.filter(|_| !tables.no_cursor);
            let keys_break = scope == ReadScope::LiveKeys && std::mem::take(&mut tables.keys_break);
            if keys_break {
                tables.breaks_after = Some(1);
            }
            let read = SimRead {
                columns: columns(key_text.is_some(), keys_only, deleted.is_some()),
                next_page,
                rows,
                watermark,
                clock: self.clock,
                batch_takes: tables.batch_takes,
                batch_rows: tables.batch_rows.unwrap_or(usize::MAX),
                breaks_after: tables.breaks_after.take(),
                life: tables.life,
                asked: Asked::by(&scope),
                seen: BTreeSet::new(),
                deleted,
                tables: Arc::clone(&self.tables),
            };
            let hook = tables.while_opening.take();
            drop(tables);
            if let Some(Hook(what)) = hook {
                what();
            }
            Ok(Box::new(read) as Box<dyn RowRead>)
        })
    }
}

fn interrupted() -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::Interrupted,
        message: "the connection to the database was lost".into(),
        remedy: "run again".into(),
    }
}

struct SimRead {
    columns: Vec<Column>,
    next_page: Option<Key>,
    rows: Vec<Row>,
    watermark: Option<Watermark>,
    clock: SimClock,
    batch_takes: Duration,
    batch_rows: usize,
    breaks_after: Option<usize>,
    life: u64,
    asked: Asked,
    /// Rows that it has yielded.
    seen: BTreeSet<i64>,
    /// Rows that say of themselves that they are deleted, where there is a column for it.
    deleted: Option<BTreeSet<i64>>,
    tables: Arc<Mutex<Tables>>,
}

impl Drop for SimRead {
    fn drop(&mut self) {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).open_reads -= 1;
    }
}

impl RowRead for SimRead {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn watermark(&self) -> Option<Watermark> {
        self.watermark.clone()
    }

    fn next_page(&self) -> Option<Key> {
        self.next_page.clone()
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn next_rows(&mut self, rows_max: usize) -> Boxed<'_, Result<Vec<Row>, SourceError>> {
        Box::pin(async move {
            if !self.batch_takes.is_zero() {
                self.clock.sleep(self.batch_takes).await;
            }
            {
                let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
                if tables.life != self.life || self.breaks_after == Some(0) {
                    tables.failed_reads += 1;
                    return Err(interrupted());
                }
            }
            if let Some(batches) = &mut self.breaks_after {
                *batches -= 1;
            }
            let rest = self.rows.split_off(rows_max.min(self.batch_rows).min(self.rows.len()));
            let rows = std::mem::replace(&mut self.rows, rest);
            let ids = looks::ids_of(&rows);
            self.seen.extend(&ids);
            let look = self.asked.look(self.clock.now(), &ids, &self.seen, self.deleted.as_ref());
            self.tables.lock().unwrap_or_else(PoisonError::into_inner).looks.push(look);
            Ok(rows)
        })
    }
}
