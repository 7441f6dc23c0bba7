//! Capture: rows of a read, typed, mapped and compared, into the outbox; the position with the last chunk.

mod mapped;
mod seen;

use std::collections::{BTreeMap, BTreeSet};

use sync_core::{
    deletes::{GonePolicy, marks_deleted},
    error::SourceError,
    key::Key,
    mapping::{CompiledMapping, Notes, RowFault},
    mutation::{self, Mutation},
    port::{ReadScope, RowRead, RowSource, Watermark},
    slug::Slug,
    source::{Column, Row},
    state::{
        Books, CapturedRow, Chunk, DirtyKey, Extent, PageMark, ReadEnd, ReadTicket, RowOutcome,
        StateError, StateStore, Stop, Writer,
    },
};
use tokio_util::sync::CancellationToken;

use self::{
    mapped::{MappedRow, Mapper},
    seen::Seen,
};
use crate::{calls::Calls, event::Event, run::LABELS_MAX};

/// Rows of a page: few enough that dirty keys soon have their turn, many enough that opening it costs nothing beside.
const PAGE_ROWS: usize = 50_000;
/// Rows committed together: long enough to be quick, short enough that delivery gets its turn.
const CHUNK_ROWS: usize = 1_000;
/// Unchanged rows that are counted before the run's books in the state hear of them.
const UNCHANGED_MAX: u64 = 10_000;
/// Keys asked for at once.
pub(crate) const KEYS_MAX: usize = 500;
/// Rows of one sync in quarantine at which it stops: a mistake, not bad rows. None is ever dropped to make room.
pub(crate) const QUARANTINE_MAX: u64 = 10_000;
/// Why a read did not come to its end.
#[derive(Debug)]
pub(crate) enum Broken {
    State(StateError),
    Source(SourceError),
    Cancelled,
    /// So many rows stand in quarantine that the sync stops.
    QuarantineFull,
    /// A row ends the run (`on_unknown: error`).
    Ended(Box<RowFault>),
}

impl From<StateError> for Broken {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<SourceError> for Broken {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// What to read.
pub(crate) struct Wanted {
    pub(crate) scope: ReadScope,
    /// Keys that a read did not show and that are asked for once more.
    suspected: BTreeSet<Key>,
    /// For pages after the first: the position that the first one began with.
    began: Option<Watermark>,
    /// For pages after the first: the number of its read.
    first_read: Option<i64>,
    /// Whether the place of a page is kept, so that a later run goes on from it.
    keeps_place: bool,
}

impl Wanted {
    /// Rows of a whole read.
    pub(crate) fn rows(scope: ReadScope) -> Self {
        let (began, first_read) = (None, None);
        Self { scope, suspected: BTreeSet::new(), began, first_read, keeps_place: false }
    }

    /// A page of rows.
    pub(crate) fn page(from: Option<PageMark>, keeps_place: bool) -> Self {
        let first_read = from.as_ref().map(|mark| mark.first_read);
        let (after, began) = from.map_or((None, None), |mark| (Some(mark.after), mark.watermark));
        let scope = ReadScope::Page { after, rows_max: PAGE_ROWS };
        Self { began, first_read, keeps_place, ..Self::rows(scope) }
    }

    /// Rows by their keys.
    pub(crate) fn keys(keys: Vec<DirtyKey>) -> Self {
        let suspected = keys.iter().filter(|dirty| dirty.suspected).map(|dirty| dirty.key.clone());
        let suspected = suspected.collect();
        let keys = keys.into_iter().map(|dirty| dirty.key).collect();
        Self { suspected, ..Self::rows(ReadScope::Keys(keys)) }
    }
}

/// A read that is open, with the ticket it was begun under.
pub(crate) struct OpenRead {
    pub(crate) ticket: ReadTicket,
    pub(crate) rows: Box<dyn RowRead>,
    wanted: Wanted,
}

impl OpenRead {
    /// Where the next incremental read may start.
    fn watermark(&self) -> Option<Watermark> {
        match &self.wanted.scope {
            ReadScope::Page { after: Some(_), .. } => self.wanted.began.clone(),
            _ => self.rows.watermark(),
        }
    }

    /// Where the next page begins, if there is one.
    fn next_page(&self) -> Option<PageMark> {
        Some(PageMark {
            after: self.rows.next_page()?,
            watermark: self.watermark(),
            first_read: self.first_read(),
        })
    }

    /// Number of the read that yielded the first page, or of this one.
    fn first_read(&self) -> i64 {
        self.wanted.first_read.unwrap_or(self.ticket.read)
    }
}

/// What capture needs to know of its sync.
pub(crate) struct Capture<'a> {
    pub(crate) calls: &'a Calls,
    pub(crate) source: &'a dyn RowSource,
    pub(crate) writer: Writer,
    pub(crate) cancelled: &'a CancellationToken,
    /// What becomes of records whose rows are gone.
    pub(crate) policy: GonePolicy,
    /// Name of the column that says that a row counts as deleted.
    pub(crate) deleted_field: Option<&'a str>,
    /// Whether rows that are gone are found without anybody naming them.
    pub(crate) is_swept: bool,
}

/// Labels by field.
pub(crate) type Wishes = BTreeMap<Slug, BTreeSet<String>>;

/// What a read yielded besides its rows.
#[derive(Default)]
pub(crate) struct Yield {
    /// Where the next page begins, if there is one.
    pub(crate) next_page: Option<PageMark>,
    /// Keys were asked for once more and the source showed no row at all: it is not believed.
    pub(crate) source_was_empty: bool,
    pub(crate) books: Books,
    /// Faults of rows that have no key to be parked under, by code and words.
    pub(crate) keyless: BTreeMap<(&'static str, String), u64>,
    pub(crate) notes: Notes,
    /// Labels of choices that rows ask for, by field.
    pub(crate) wanted: Wishes,
    /// The same of the rows of the chunk under way.
    wishes: Wishes,
    /// The first row that ends the run.
    ends: Option<Box<RowFault>>,
}

impl Yield {
    /// What a row that cannot be written asks for.
    fn take_wishes(&mut self, fault: &RowFault) {
        if fault.ends_run && self.ends.is_none() {
            self.ends = Some(Box::new(fault.clone()));
        }
        if let (Some(slug), false) = (&fault.slug, fault.choices.is_empty()) {
            self.wishes.entry(slug.clone()).or_default().extend(fault.choices.iter().cloned());
        }
    }

    fn ask_for(&mut self, wishes: Wishes) {
        for (slug, labels) in wishes {
            let wanted = self.wanted.entry(slug).or_default();
            let room = (LABELS_MAX + 1).saturating_sub(wanted.len());
            wanted.extend(labels.into_iter().take(room));
        }
    }
}

impl Capture<'_> {
    /// Begins a read. The ticket is taken before the snapshot opens, so that the read answers only dirty marks that
    /// stood before (`protocol.md` C5).
    pub(crate) async fn open(&self, wanted: Wanted) -> Result<OpenRead, Broken> {
        let writer = self.writer;
        let ticket = self.calls.state.run(move |state| state.begin_read(&writer)).await?;
        let rows = self.rows(wanted.scope.clone()).await?;
        Ok(OpenRead { ticket, rows, wanted })
    }

    async fn rows(&self, scope: ReadScope) -> Result<Box<dyn RowRead>, Broken> {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => Err(Broken::Cancelled),
            rows = self.source.open(scope) => Ok(rows?),
        }
    }

    async fn next(&self, rows: &mut dyn RowRead, rows_max: usize) -> Result<Vec<Row>, Broken> {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => Err(Broken::Cancelled),
            rows = rows.next_rows(rows_max) => Ok(rows?),
        }
    }

    /// The keys of every row there is, each chunk handed to `each`. Answers how many rows of the read have no key.
    pub(crate) async fn live_keys<F: Future<Output = Result<(), StateError>>>(
        &self,
        key_columns: &[String],
        mut each: impl FnMut(Vec<Key>) -> F,
    ) -> Result<(), Broken> {
        let mut read = self.open(Wanted::rows(ReadScope::LiveKeys)).await?;
        let places: Vec<Option<usize>> = key_columns
            .iter()
            .map(|name| read.rows.columns().iter().position(|column| column.name == *name))
            .collect();
        loop {
            let rows = self.next(&mut *read.rows, SWEEP_ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.calls.heartbeat(self.writer).await?;
            let key = |row: &Row| {
                let cells = key_columns.iter().zip(&places);
                let cells: Option<Vec<_>> = cells
                    .map(|(name, place)| Some((name.as_str(), row.0.get((*place)?)?)))
                    .collect();
                Key::from_cells(cells?).ok()
            };
            // A row without a usable key has no record that could go.
            each(rows.iter().filter_map(key).collect()).await?;
        }
    }

    /// Whether the source shows any row at all.
    async fn shows_a_row(&self) -> Result<bool, Broken> {
        let mut rows = self.rows(ReadScope::KeysWhere("TRUE".to_owned())).await?;
        Ok(!self.next(&mut *rows, 1).await?.is_empty())
    }

    /// Stores every row of a read; with the last chunk its position moves. While a chunk is being stored, the next one
    /// is read and mapped.
    pub(crate) async fn store(
        &self,
        mut read: OpenRead,
        mapping: &CompiledMapping,
        into: &mut Yield,
    ) -> Result<(), Broken> {
        let is_by_key = matches!(read.wanted.scope, ReadScope::Keys(_));
        let mut mapper = Mapper::new(mapping);
        let mut unchanged = 0;
        let mut chunk = self.next_chunk(&mut read, &mut mapper, into).await?;
        while let Some(next) = chunk {
            let is_last = next.is_last;
            let ahead = async {
                if is_last {
                    return Ok(None);
                }
                self.next_chunk(&mut read, &mut mapper, into).await
            };
            let stored = self.stored(next, mapping, &mut unchanged);
            let (stored, ahead) = tokio::join!(biased; stored, ahead);
            let Stored { books, quarantined, wishes } = stored?;
            // A row that stands in quarantine already asks again when it is tried again, not with each read.
            if books.parked > 0 || is_by_key {
                into.ask_for(wishes);
            }
            into.books += books;
            if books.read > 0 {
                self.calls.observe(&Event::Captured { books });
            }
            if quarantined >= QUARANTINE_MAX {
                return Err(Broken::QuarantineFull);
            }
            chunk = ahead?;
        }
        Ok(())
    }

    /// Reads and maps the next rows.
    async fn next_chunk(
        &self,
        read: &mut OpenRead,
        mapper: &mut Mapper<'_>,
        into: &mut Yield,
    ) -> Result<Option<NextChunk>, Broken> {
        let rows = self.next(&mut *read.rows, CHUNK_ROWS).await?;
        let is_last = rows.is_empty();
        self.calls.heartbeat(self.writer).await?;
        let marker = self.marker(&*read.rows);
        let is_asked = |row: &Row| {
            mapper.mapping.key(row).is_ok_and(|key| read.wanted.suspected.contains(&key))
        };
        let (gone, rows): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .filter(|row| !mutation::is_on(Mutation::CandidateNotAsked) || !is_asked(row))
            .partition(|row| marker.is_set(row));
        let mapped = mapper.mapped(rows, read.rows.columns(), into);
        if let Some(fault) = into.ends.take() {
            return Err(Broken::Ended(fault));
        }
        let wishes = std::mem::take(&mut into.wishes);
        let mut rows = self.marked(&gone, &read.wanted, mapper, &mapped, into);
        let seen = &mapper.seen;
        let mut answered = Vec::new();
        if is_last {
            let absent = self.absent(&read.wanted, seen);
            let believed = !self.doubts(&absent, seen).await?;
            into.source_was_empty |= !believed;
            answered = asked(&read.wanted.scope);
            if believed {
                rows.extend(absent);
            } else if !self.is_swept {
                // No sweep finds them again: they are asked for until the source shows a row.
                let kept = self.going(absent.into_iter().map(|row| row.key).collect()).await?;
                answered.retain(|key| !kept.contains(key));
            }
            into.next_page = read.next_page();
        }
        let chunk = Chunk {
            ticket: read.ticket,
            rows,
            unchanged: 0,
            answered,
            end: (is_last || mutation::is_on(Mutation::PositionFirst))
                .then(|| end_of(read))
                .flatten(),
            now: self.calls.clock.now(),
        };
        Ok(Some(NextChunk { mapped, chunk, wishes, is_last }))
    }

    /// Those keys of which something could go.
    async fn going(&self, keys: Vec<Key>) -> Result<BTreeSet<Key>, Broken> {
        let writer = self.writer;
        let going = move |state: &mut dyn StateStore| {
            let mut going = BTreeSet::new();
            for key in keys {
                if state.may_go(&writer, &key)? {
                    going.insert(key);
                }
            }
            Ok(going)
        };
        Ok(self.calls.state.run(going).await?)
    }

    /// Rows, and of those that are mapped as far as their fingerprint, in order, whether they are unchanged.
    async fn compared(
        &self,
        ticket: ReadTicket,
        rows: Vec<MappedRow>,
    ) -> Result<(Vec<MappedRow>, Vec<bool>), StateError> {
        if rows.iter().all(|row| row.print().is_none()) {
            return Ok((rows, Vec::new()));
        }
        let writer = self.writer;
        let compare = move |state: &mut dyn StateStore| {
            let prints: Vec<_> = rows.iter().filter_map(MappedRow::print).collect();
            let known = state.unchanged(&writer, ticket, &prints)?;
            Ok((rows, known))
        };
        self.calls.state.run(compare).await
    }

    /// Commits a chunk, unless nothing in it changed: then its rows are only counted, in `unchanged` until a later chunk
    /// is committed. Answers what was committed, and the rows in quarantine if any were added.
    async fn stored(
        &self,
        next: NextChunk,
        mapping: &CompiledMapping,
        unchanged: &mut u64,
    ) -> Result<Stored, StateError> {
        let NextChunk { mapped, mut chunk, wishes, is_last } = next;
        let writer = self.writer;
        let (mapped, known) = self.compared(chunk.ticket, mapped).await?;
        let mut known = known.into_iter();
        let marked = std::mem::take(&mut chunk.rows);
        for row in mapped {
            if row.print().is_some() && known.next() == Some(true) {
                *unchanged += 1;
            } else {
                chunk.rows.push(row.captured(mapping));
            }
        }
        chunk.rows.extend(marked);
        let is_nothing = chunk.rows.is_empty() && chunk.end.is_none() && !is_last;
        if is_nothing && *unchanged < UNCHANGED_MAX {
            return Ok(Stored { books: Books::default(), quarantined: 0, wishes });
        }
        chunk.unchanged = std::mem::take(unchanged);
        let store = move |state: &mut dyn StateStore| {
            let books = state.capture(&writer, &chunk)?;
            let quarantined = if books.parked > 0 { state.quarantined(&writer)? } else { 0 };
            Ok((books, quarantined))
        };
        let (books, quarantined) = self.calls.state.run(store).await?;
        Ok(Stored { books, quarantined, wishes })
    }
}

/// How many keys of a sweep are noted together.
const SWEEP_ROWS: usize = 5_000;

/// Where a read carries the mark of deleted rows.
pub(crate) struct Marker(Option<usize>);

impl Marker {
    /// The column of this name, where one is named.
    pub(crate) fn of(name: Option<&str>, columns: &[Column]) -> Self {
        Self(name.and_then(|name| columns.iter().position(|column| column.name == name)))
    }

    pub(crate) fn is_set(&self, row: &Row) -> bool {
        self.0.and_then(|place| row.0.get(place)).is_some_and(marks_deleted)
    }
}

impl Capture<'_> {
    fn marker(&self, rows: &dyn RowRead) -> Marker {
        Marker::of(self.deleted_field, rows.columns())
    }

    /// What the absence of a row comes to.
    fn gone(&self, key: &Key, wanted: &Wanted) -> RowOutcome {
        match self.policy {
            GonePolicy::Leave => RowOutcome::Absent,
            GonePolicy::Delete { .. } | GonePolicy::ArchiveFirst { .. } | GonePolicy::Archive
                if wanted.suspected.contains(key) || mutation::is_on(Mutation::GoneAtOnce) =>
            {
                RowOutcome::Gone
            }
            GonePolicy::Delete { .. } | GonePolicy::ArchiveFirst { .. } | GonePolicy::Archive => {
                RowOutcome::Unseen
            }
        }
    }

    /// Rows that say of themselves that they are deleted.
    fn marked(
        &self,
        rows: &[Row],
        wanted: &Wanted,
        mapper: &mut Mapper<'_>,
        mapped: &[MappedRow],
        into: &mut Yield,
    ) -> Vec<CapturedRow> {
        let mut captured = Vec::new();
        if rows.is_empty() {
            return captured;
        }
        let mut taken: BTreeSet<Key> = mapped.iter().map(|row| row.key.clone()).collect();
        for row in rows {
            let Ok(key) = mapper.mapping.key(row) else {
                // Without a key there is no record either.
                into.books.read += 1;
                into.books.unchanged += 1;
                continue;
            };
            let outcome = self.gone(&key, wanted);
            if outcome == RowOutcome::Absent {
                into.books.read += 1;
                into.books.unchanged += 1;
            }
            if matches!(wanted.scope, ReadScope::Keys(_)) {
                mapper.seen.insert(key.clone(), mapped::fingerprint(&outcome));
            }
            // A row of that key that is not deleted stands for both.
            if taken.insert(key.clone()) {
                captured.push(CapturedRow { key, outcome, cells: None });
            } else if outcome != RowOutcome::Absent {
                into.books.read += 1;
                into.books.unchanged += 1;
            }
        }
        captured
    }

    /// Keys that were asked for and have no row.
    fn absent(&self, wanted: &Wanted, seen: &Seen) -> Vec<CapturedRow> {
        asked(&wanted.scope)
            .into_iter()
            .filter(|key| !seen.contains(key))
            .map(|key| CapturedRow { outcome: self.gone(&key, wanted), key, cells: None })
            .collect()
    }

    /// An empty read deletes nothing: where no row was shown and records would go, the source must show that it has
    /// any row at all.
    async fn doubts(&self, absent: &[CapturedRow], seen: &Seen) -> Result<bool, Broken> {
        let would_go = absent.iter().any(|row| row.outcome == RowOutcome::Gone);
        Ok(would_go && seen.is_empty() && !self.shows_a_row().await?)
    }
}

/// What stops a sync whose quarantine is full.
pub(crate) fn quarantine_full() -> Stop {
    Stop {
        code: "quarantine_full".into(),
        message: "10,000 rows or more are in quarantine: something is wrong with all of them".into(),
        remedy: "see `quarantine list` for what they suffer from and mend it; then `run --retry`, or `quarantine drop` \
                 to forget them"
            .into(),
        key: None,
        until: None,
        only_creates: false,
    }
}

/// Keys whose dirty marks the read answers.
fn asked(scope: &ReadScope) -> Vec<Key> {
    match scope {
        ReadScope::Keys(keys) => keys.clone(),
        ReadScope::Full
        | ReadScope::Since(_)
        | ReadScope::Page { .. }
        | ReadScope::LiveKeys
        | ReadScope::KeysWhere(_) => Vec::new(),
    }
}

/// What moves at the end of a read: nothing, for one by keys or of keys.
fn end_of(read: &OpenRead) -> Option<ReadEnd> {
    let extent = match (&read.wanted.scope, read.rows.next_page()) {
        (ReadScope::Since(_), _) => Extent::Changes,
        (ReadScope::Page { .. }, Some(after)) if read.wanted.keeps_place => Extent::Page(after),
        (ReadScope::Keys(_) | ReadScope::LiveKeys | ReadScope::KeysWhere(_), _)
        | (ReadScope::Page { .. }, Some(_)) => return None,
        (ReadScope::Full, _) | (ReadScope::Page { .. }, None) => Extent::Everything,
    };
    Some(ReadEnd { watermark: read.watermark(), extent, first_read: read.first_read() })
}

/// Rows that are ready to be stored.
struct NextChunk {
    mapped: Vec<MappedRow>,
    /// The rest: rows that are gone, and what ends with the chunk.
    chunk: Chunk,
    /// What its rows in quarantine ask for.
    wishes: Wishes,
    is_last: bool,
}

/// What a chunk came to when it was stored.
struct Stored {
    books: Books,
    /// Rows in quarantine, if any were added.
    quarantined: u64,
    /// What its rows in quarantine ask for.
    wishes: Wishes,
}
