//! The world around the engine, as contracts. Each has a real implementation and a simulated one.

use std::{future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    draft::Fields,
    error::{CallError, Complaint, SourceError},
    key::Key,
    record::{RecordId, SeenRecord},
    source::{Column, Row},
    state::{StateError, SyncId},
    table::{Choice, Field, FieldText, Member, TableStructure},
};

/// A boxed future, so that ports can be trait objects and the engine is compiled once.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Time. Nothing else in the engine may ask for it or wait for it.
pub trait Clock: Send + Sync {
    /// The wall clock, UTC. May jump; used for what is stored and shown, and for gaps between processes.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start; never goes back. Used for waiting and measuring.
    fn elapsed(&self) -> Duration;

    /// Waits. Dropping the future ends the wait.
    fn sleep(&self, length: Duration) -> Boxed<'static, ()>;
}

/// Chance: jitter only. Nothing correct may depend on it.
pub trait Dice: Send + Sync {
    /// A number from 0 to `bound` - 1; 0 when `bound` is 0.
    fn below(&self, bound: u64) -> u64;
}

/// The operating system's locks: one holder a sync, on this machine, until the process is gone.
pub trait Locks: Send + Sync {
    /// Takes the sync's lock; it is held until the value is dropped. `None`: somebody else has it, be it another
    /// process or another run of this one. Whoever has a sync of this name keeps others out too, whatever number it has
    /// in his state.
    fn try_lock(
        &self,
        sync: SyncId,
        name: &str,
    ) -> Result<Option<Box<dyn Send + Sync>>, StateError>;
}

/// The position of a query sync: the server's clock, held below the oldest open transaction, as a value of the
/// cursor column. Text `YYYY-MM-DDTHH:MM:SS[.ffffff]`, in the zone the column is written in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark(pub String);

/// Which rows a read should yield.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadScope {
    /// Every row of the source: `:last_sync_time` is NULL.
    Full,
    /// Rows changed at or after the watermark, with the margin that makes skipping impossible.
    Since(Watermark),
    /// Exactly the rows with these keys, as they are now; a key without a row yields nothing. At most 500.
    Keys(Vec<Key>),
    /// The rows after a key, from the first without one, in the order of the key, at most `rows_max`: see
    /// [`RowRead::next_page`]. Only of tables; one whose key does not allow it yields every row at once.
    Page {
        /// The last key of the page before.
        after: Option<Key>,
        /// Most rows.
        rows_max: usize,
    },
    /// The key columns alone, of every row there is, in no order.
    LiveKeys,
    /// The key columns alone, of the rows for which an SQL condition over the source's columns holds.
    KeysWhere(String),
}

/// Rows from a database.
pub trait RowSource: Send + Sync {
    /// Opens one read: one consistent snapshot of the rows in `scope`.
    ///
    /// When this returns, the snapshot is open: rows committed before the call are visible to it. Reads may be
    /// opened one after another without limit; two at once are allowed but the engine never does it for one sync
    /// (`protocol.md` C1).
    ///
    /// # Errors
    /// Nothing has been read; the call may be repeated.
    fn open(&self, scope: ReadScope) -> Boxed<'_, Result<Box<dyn RowRead>, SourceError>>;
}

/// One open read. Dropping it abandons the rest without draining it.
pub trait RowRead: Send {
    /// The columns of every row of this read.
    fn columns(&self) -> &[Column];

    /// Where the next incremental read may start once every row of this read is safely stored. `None` for reads
    /// by key or of keys, and for sources without a cursor. Of a full read in pages, that of the first page counts.
    fn watermark(&self) -> Option<Watermark>;

    /// The key after which the next page begins, once all rows of this one were yielded; `None`: this was the last,
    /// or the read is of no pages.
    fn next_page(&self) -> Option<Key> {
        None
    }

    /// What the reader wants to say about how it read: a missing privilege, a forgotten transaction. Each is one
    /// sentence, free of row values.
    fn notes(&self) -> Vec<String>;

    /// The next rows, at most `rows_max`; empty at the end. Never waits for the destination: a reader that stalls
    /// is killed by the server.
    ///
    /// # Errors
    /// The read is over; rows already yielded were true, the rest is unknown. The watermark must not be used.
    fn next_rows(&mut self, rows_max: usize) -> Boxed<'_, Result<Vec<Row>, SourceError>>;
}

/// The part of a table that one sync writes and reads.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordShape {
    /// The table's id.
    pub table: String,
    /// The field that carries the key.
    pub external_id: Field,
    /// The mapped, writable fields that are kept as they are in the source, the external-id field among them, in order
    /// of their slugs. Records are read and compared by these.
    pub fields: Vec<Field>,
    /// Fields that only a new record gets; never read.
    pub on_create: Vec<Field>,
    /// Fields that a new record gets and that are filled where they are found empty; never compared, but their
    /// emptiness is read.
    pub if_empty: Vec<Field>,
}

impl RecordShape {
    /// The field with this slug, if it is compared.
    pub fn field(&self, slug: &str) -> Option<&Field> {
        self.fields.iter().find(|field| &*field.slug == slug)
    }

    /// The field with this slug, if anything writes it.
    pub fn written_field(&self, slug: &str) -> Option<&Field> {
        let besides = self.on_create.iter().chain(&self.if_empty);
        self.fields.iter().chain(besides).find(|field| &*field.slug == slug)
    }
}

/// Which records to list.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordFilter {
    /// Every record.
    All,
    /// Records whose external id is one of these (at most 25).
    ExternalIds(Vec<String>),
    /// Records with an `autonumber` above this.
    Above(u64),
}

/// One page of records, in rising order of `autonumber`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordPage {
    /// The records, restricted to the shape; none is in the recycle bin.
    pub records: Vec<SeenRecord>,
    /// How many match in all, as the service says.
    pub total: u64,
    /// How many records the answer held before those that do not match were dropped. Offsets count these: a reading
    /// by offset ends when `offset + received` reaches `total`, or at a page that received none.
    pub received: usize,
    /// The highest `autonumber` received, if every record had one and they rose: only then may a reading go on above
    /// it. `None` also for an empty page.
    pub rising_to: Option<u64>,
}

/// One page of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPage {
    /// Those that are still there and have an e-mail address.
    pub members: Vec<Member>,
    /// How many the answer held; offsets count these.
    pub received: usize,
    /// How many there are in all, as the service says.
    pub total: u64,
}

/// A 2xx answer to a bulk create or update.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BulkAnswer {
    /// The records that the answer names; may be fewer than were sent, in any order.
    pub records: Vec<SeenRecord>,
    /// What the answer says against single items, where it does. Such an item is **not** proved untouched: it
    /// counts as one that no answer names, and the complaint as the reason once a look-up finds it missing.
    pub complaints: Vec<Complaint>,
    /// As [`CallError::retry_as_is`]: what is not named may have been written in a form that will be another next
    /// time.
    pub retry_as_is: bool,
}

/// Most items in a bulk call.
pub const BULK_MAX: usize = 25;
/// Most records in a page.
pub const PAGE_MAX: usize = 1000;

/// SmartSuite. **Each method makes exactly one HTTP request**, so that whoever calls can pass the gate and count it
/// first; none retries, none follows a redirect.
///
/// Errors classify the answer (`CallErrorKind::is_answered`): only an answered error proves that the call will have
/// no effect later. Whether a refused bulk call has written the items before the bad one is unknown, so that a create
/// is looked up after every error but `NotSent`.
pub trait RecordTarget: Send + Sync {
    /// The table with its fields and choices. May be repeated.
    fn structure<'a>(&'a self, table: &'a str) -> Boxed<'a, Result<TableStructure, CallError>>;

    /// The table with one of its fields as the service describes it, for [`RecordTarget::add_choices`]; no field where
    /// the table has none of this slug. May be repeated.
    fn field<'a>(
        &'a self,
        table: &'a str,
        slug: &'a str,
    ) -> Boxed<'a, Result<(TableStructure, Option<FieldText>), CallError>>;

    /// Adds choices to a field, behind those that it has. **Must not be repeated** with the same `field`: the service
    /// replaces the whole list, so what others added since `field` was read would be lost. Whether it took effect shows
    /// in the structure, perhaps seconds later.
    ///
    /// # Errors
    /// Unless the error is an answer, the choices may have been added.
    fn add_choices<'a>(
        &'a self,
        table: &'a str,
        field: &'a FieldText,
        choices: &'a [Choice],
    ) -> Boxed<'a, Result<(), CallError>>;

    /// One page of the workspace's members, at most [`PAGE_MAX`]. May be repeated. Members that left the workspace are not
    /// among them.
    fn members(&self, offset: u64) -> Boxed<'_, Result<MemberPage, CallError>>;

    /// Creates records in one call, 1 to 25. **Must not be repeated** without a look-up.
    ///
    /// `Ok` lists the records that the answer names; it may be shorter than `items`, in any order. An item that no
    /// answer names by its external id is in doubt.
    fn create<'a>(
        &'a self,
        shape: &'a RecordShape,
        items: &'a [Fields],
    ) -> Boxed<'a, Result<BulkAnswer, CallError>>;

    /// Updates the given fields of records in one PATCH, 1 to 25, each id once. May be repeated. `Ok` lists
    /// the records that the answer names; one that it leaves out was not updated, or is gone.
    ///
    /// # Errors
    /// `NotFound` for several items may mean that one of the ids is unknown: bisect. For a single one, the record
    /// or the whole table is missing; [`RecordTarget::structure`] tells which.
    fn update<'a>(
        &'a self,
        shape: &'a RecordShape,
        items: &'a [(RecordId, Fields)],
    ) -> Boxed<'a, Result<BulkAnswer, CallError>>;

    /// Moves records to the recycle bin in one bulk call, 1 to 25. May be repeated. `Ok` lists the ids that the
    /// answer names; of one that it leaves out nothing is known.
    ///
    /// # Errors
    /// `NotFound` as in [`RecordTarget::update`]: with several ids, bisect.
    fn delete<'a>(
        &'a self,
        table: &'a str,
        ids: &'a [RecordId],
    ) -> Boxed<'a, Result<Vec<RecordId>, CallError>>;

    /// One record by id; `None` if it is not there or in the recycle bin. May be repeated.
    fn get<'a>(
        &'a self,
        shape: &'a RecordShape,
        id: &'a RecordId,
    ) -> Boxed<'a, Result<Option<SeenRecord>, CallError>>;

    /// One page of records, unhydrated, sorted by `autonumber`, at most [`PAGE_MAX`]. May be repeated. Matches are
    /// compared again, canonically, on this side: the service's own comparison may be loose.
    fn list<'a>(
        &'a self,
        shape: &'a RecordShape,
        filter: &'a RecordFilter,
        offset: u64,
        limit: usize,
    ) -> Boxed<'a, Result<RecordPage, CallError>>;
}
