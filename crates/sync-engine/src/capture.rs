//! Capture: rows of a read, typed, mapped and compared, into the outbox; the position with the last chunk.

use std::collections::BTreeMap;

use sync_core::{
    draft::Fingerprint,
    error::{Quoted, SourceError},
    field_value::FieldValue,
    key::Key,
    mapping::{CompiledMapping, Notes, RowFault},
    port::{ReadScope, RowRead, RowSource},
    source::{Column, Row},
    state::{
        Books, CapturedRow, Chunk, Fault, ReadEnd, ReadTicket, RowOutcome, StateError, Stop, Writer,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{calls::Calls, event::Event};

/// Rows committed together: long enough to be quick, short enough that delivery gets its turn.
const CHUNK_ROWS: usize = 1_000;
/// Keys asked for at once.
pub(crate) const KEYS_MAX: usize = 500;
/// Rows of one sync in quarantine at which it stops: a mistake, not bad rows. None is ever dropped to make room.
pub(crate) const QUARANTINE_MAX: u64 = 10_000;
/// Keys of one read that are remembered to find two rows of one key; larger reads find them among these first ones
/// and within a chunk.
const KEYS_WATCHED: usize = 200_000;

/// Why a read did not come to its end.
#[derive(Debug)]
pub(crate) enum Broken {
    State(StateError),
    Source(SourceError),
    Cancelled,
    /// So many rows stand in quarantine that the sync stops.
    QuarantineFull,
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

/// A read that is open, with the ticket it was begun under.
pub(crate) struct OpenRead {
    pub(crate) ticket: ReadTicket,
    pub(crate) rows: Box<dyn RowRead>,
    scope: ReadScope,
}

/// What capture needs to know of its sync.
pub(crate) struct Capture<'a> {
    pub(crate) calls: &'a Calls,
    pub(crate) source: &'a dyn RowSource,
    pub(crate) writer: Writer,
    pub(crate) cancelled: &'a CancellationToken,
}

/// What a read yielded besides its rows.
#[derive(Default)]
pub(crate) struct Yield {
    pub(crate) books: Books,
    /// Faults of rows that have no key to be parked under, by code and words.
    pub(crate) keyless: BTreeMap<(&'static str, String), u64>,
    pub(crate) notes: Notes,
}

impl Capture<'_> {
    /// Begins a read. The ticket is taken before the snapshot opens, so that the read answers only dirty marks that
    /// stood before (`protocol.md` C5).
    pub(crate) async fn open(&self, scope: ReadScope) -> Result<OpenRead, Broken> {
        let writer = self.writer;
        let ticket = self.calls.state.run(move |state| state.begin_read(&writer)).await?;
        let rows = tokio::select! {
            biased;
            () = self.cancelled.cancelled() => return Err(Broken::Cancelled),
            rows = self.source.open(scope.clone()) => rows?,
        };
        Ok(OpenRead { ticket, rows, scope })
    }

    /// Stores every row of a read; with the last chunk its position moves.
    pub(crate) async fn store(
        &self,
        mut read: OpenRead,
        mapping: &CompiledMapping,
        into: &mut Yield,
    ) -> Result<(), Broken> {
        let mut seen = BTreeMap::new();
        loop {
            let rows = tokio::select! {
                biased;
                () = self.cancelled.cancelled() => return Err(Broken::Cancelled),
                rows = read.rows.next_rows(CHUNK_ROWS) => rows?,
            };
            let is_last = rows.is_empty();
            self.calls.heartbeat(self.writer).await?;
            let mut rows = mapped(&rows, read.rows.columns(), mapping, &mut seen, into);
            if is_last {
                rows.extend(absent(&read.scope, &seen));
            }
            let chunk = Chunk {
                ticket: read.ticket,
                rows,
                answered: if is_last { asked(&read.scope) } else { Vec::new() },
                end: is_last.then(|| end_of(&read)).flatten(),
                now: self.calls.clock.now(),
            };
            let writer = self.writer;
            let (books, quarantined) = self
                .calls
                .state
                .run(move |state| {
                    let books = state.capture(&writer, &chunk)?;
                    let quarantined =
                        if books.parked > 0 { state.quarantined(&writer)? } else { 0 };
                    Ok((books, quarantined))
                })
                .await?;
            into.books += books;
            if books.read > 0 {
                self.calls.observe(&Event::Captured { books });
            }
            if quarantined >= QUARANTINE_MAX {
                return Err(Broken::QuarantineFull);
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// What stops a sync whose quarantine is full.
pub(crate) fn quarantine_full() -> Stop {
    Stop {
        code: "quarantine_full".into(),
        message: format!("{QUARANTINE_MAX} rows or more are in quarantine: something is wrong with all of them"),
        remedy: "see `quarantine list` for what they suffer from and mend it; then `run --retry`, or `quarantine drop` \
                 to forget them"
            .into(),
        key: None,
    }
}

/// Keys that were asked for and have no row.
fn absent(scope: &ReadScope, seen: &BTreeMap<Key, Fingerprint>) -> Vec<CapturedRow> {
    asked(scope)
        .into_iter()
        .filter(|key| !seen.contains_key(key))
        .map(|key| CapturedRow { key, outcome: RowOutcome::Absent, cells: None })
        .collect()
}

/// Keys whose dirty marks the read answers.
fn asked(scope: &ReadScope) -> Vec<Key> {
    match scope {
        ReadScope::Keys(keys) => keys.clone(),
        ReadScope::Full | ReadScope::Since(_) => Vec::new(),
    }
}

/// What moves at the end of a read: nothing, for one by keys.
fn end_of(read: &OpenRead) -> Option<ReadEnd> {
    match read.scope {
        ReadScope::Keys(_) => None,
        ReadScope::Full | ReadScope::Since(_) => {
            Some(ReadEnd { watermark: read.rows.watermark(), full: read.scope == ReadScope::Full })
        }
    }
}

/// Maps rows; of two that share a key and differ, both fail.
fn mapped(
    rows: &[Row],
    columns: &[Column],
    mapping: &CompiledMapping,
    seen: &mut BTreeMap<Key, Fingerprint>,
    into: &mut Yield,
) -> Vec<CapturedRow> {
    let mut captured: Vec<CapturedRow> = Vec::with_capacity(rows.len());
    let mut at: BTreeMap<Key, usize> = BTreeMap::new();
    for row in rows {
        let (key, outcome) = match mapping.draft_noting(row, &mut into.notes) {
            Ok(draft) if draft.links.is_empty() => (draft.key, RowOutcome::Draft(draft.fields)),
            Ok(draft) => (draft.key, RowOutcome::Linked(draft.fields, draft.links)),
            Err(fault) => match fault.key.clone() {
                Some(key) => (key, faulty(&fault)),
                None => {
                    into.books.read += 1;
                    into.books.skipped += 1;
                    *into.keyless.entry((fault.code.code(), fault.to_string())).or_default() += 1;
                    continue;
                }
            },
        };
        let print = fingerprint(&outcome);
        let earlier = seen.get(&key).copied();
        if earlier.is_none() && seen.len() < KEYS_WATCHED {
            seen.insert(key.clone(), print);
        }
        let outcome =
            if earlier.is_some_and(|earlier| earlier != print) { twice() } else { outcome };
        // Each key at most once in a chunk: the later row stands for both.
        match at.get(&key).and_then(|position| captured.get_mut(*position)) {
            Some(same) => {
                into.books.read += 1;
                into.books.skipped += 1;
                if fingerprint(&same.outcome) != print {
                    same.outcome = twice();
                }
            }
            None => {
                at.insert(key.clone(), captured.len());
                let cells = matches!(outcome, RowOutcome::Fault(..)).then(|| row.shown(columns));
                captured.push(CapturedRow { key, outcome, cells });
            }
        }
    }
    captured
}

fn fingerprint(outcome: &RowOutcome) -> Fingerprint {
    match outcome {
        RowOutcome::Draft(fields) => fields.fingerprint(),
        RowOutcome::Linked(fields, wishes) => {
            let keys = |keys: &[Key]| keys.iter().map(|key| key.text().into_owned()).collect();
            let wishes = wishes
                .iter()
                .map(|wish| (wish.slug.clone(), FieldValue::list(keys(&wish.parents))));
            fields.clone().with(wishes.collect()).fingerprint()
        }
        RowOutcome::Fault(_, print) => *print,
        RowOutcome::Gone | RowOutcome::Absent => Fingerprint([0; 16]),
    }
}

/// A row that cannot become a draft. Its fingerprint is of the fault and the value, so that the same fault is parked
/// once and a mended value is noticed.
fn faulty(fault: &RowFault) -> RowOutcome {
    let reason = match fault.excerpt.0.as_str() {
        "" => fault.to_string(),
        excerpt => format!("{fault}: `{excerpt}`"),
    };
    fault_outcome(Fault {
        code: fault.code.code().to_owned(),
        slug: fault.slug.clone(),
        reason: Quoted(reason),
        remedy: fault.remedy().to_owned(),
    })
}

fn twice() -> RowOutcome {
    fault_outcome(Fault {
        code: "key_twice".into(),
        slug: None,
        reason: Quoted("two rows of the query have this key and differ".into()),
        remedy: "make the query yield one row a key: check its joins, or name every key column in `primary_key`".into(),
    })
}

fn fault_outcome(fault: Fault) -> RowOutcome {
    let fields = sync_core::draft::Fields::new(vec![
        ("code".into(), FieldValue::text(fault.code.clone())),
        ("reason".into(), FieldValue::text(fault.reason.0.clone())),
    ]);
    RowOutcome::Fault(fault, fields.fingerprint())
}
