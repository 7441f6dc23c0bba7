//! What the engine remembers: links, the outbox, positions. [`StateStore`] is the port, the rest its vocabulary.
//!
//! Two writes move anything that matters: [`StateStore::capture`] (rows into the outbox, and with the last chunk the
//! position) and [`StateStore::settle`] (answers into links or quarantine).

mod books;
mod call;
mod choices;
mod chunk;
mod comparison;
mod identity;
mod matching;
mod second_look;
mod store;
mod sweep;

pub use books::{Books, RunEnd, RunStatus, rows_vanished};
pub use call::{
    Call, CallEntry, Control, Creates, Dispatch, DispatchRequest, Doubt, EntryId, Fault, Origin,
    Outcome, SeenLink, SeenLinks, Settlement,
};
pub use choices::ChoiceStore;
pub use chunk::{CapturedRow, Chunk, DirtyKey, Extent, LinkField, ReadEnd, ReadTicket, RowOutcome};
pub use comparison::{Compared, ComparisonStore, Rest, RestPolicy};
pub use identity::{
    DestinationId, FullReadReason, OpenedSync, PageMark, RECORDS_OF_ANOTHER_SYNC, Stop,
    StreamMarks, StreamPosition, SyncId, SyncIdentity, Writer,
};
pub use matching::{Matched, MatchingStore};
pub use second_look::{LinkChange, SecondLook, SecondSettlement};
pub use store::{CallKind, Mark, StateError, StateStore, StreamEnd};
pub use sweep::{SweepEnd, SweepTicket};
