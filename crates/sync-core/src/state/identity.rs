//! Which sync, which destination, and by whose leave something is written.

use jiff::Timestamp;

use crate::{key::Key, port::Watermark};

/// A sync in the state; stable for its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyncId(pub i64);

/// A table of an account on a host, in the state. Links, entries and marks belong to one (`protocol.md` D11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DestinationId(pub i64);

/// A sync as its definition has it now; the state compares it with what it saw last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncIdentity {
    /// Its name.
    pub name: String,
    /// The name it had before, if it was renamed.
    pub previously: Option<String>,
    /// Host of the service, without port.
    pub host: String,
    /// SmartSuite's account id.
    pub account: String,
    /// SmartSuite's table id.
    pub table: String,
    /// Slug of the external-id field.
    pub external_id_field: String,
    /// Hash of all that decides what a row becomes: query, mapping, types, options, zone.
    pub values_hash: String,
    /// Hash of what makes a key: columns and prefix; `None` while the key columns are not known, because only the
    /// database's schema says them and it could not be asked.
    pub key_hash: Option<String>,
    /// The sync makes no records, but changes those that are there, which may be another sync's.
    pub only_updates: bool,
    /// A person said that the links of other key columns may be dropped and records be adopted anew.
    pub accept_key_change: bool,
}

/// Why the next read must be a full one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullReadReason {
    /// The sync has never completed a read in this state.
    First,
    /// The file was written by the Python program, whose position passed rows it had not delivered.
    TakenOver,
    /// Query, mapping, types, options or zone changed.
    DefinitionChanged,
    /// The table in SmartSuite, or a column of the source, is another than it was: nobody changed the sync.
    SchemaChanged,
    /// Another table, account or host.
    DestinationChanged,
    /// Another external-id field; it is filled on every linked record.
    ExternalIdFieldChanged,
    /// A person asked for it (`state reset`).
    Reset,
    /// The state came from another machine, of which nobody said that it rests (`state import`).
    Imported,
    /// The state knows of fewer calls than were sent: an old copy was put in its place (`protocol.md` D9).
    OlderState,
    /// The stream of changes could not say which rows changed.
    LogGap,
    /// The stream of changes was lost and begun anew.
    PositionLost,
    /// A person wants every row read again.
    Resync,
}

impl FullReadReason {
    /// The word for it in the state.
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::TakenOver => "taken_over",
            Self::DefinitionChanged => "definition_changed",
            Self::SchemaChanged => "schema_changed",
            Self::DestinationChanged => "destination_changed",
            Self::ExternalIdFieldChanged => "external_id_field_changed",
            Self::Reset => "reset",
            Self::Imported => "imported",
            Self::OlderState => "older_state",
            Self::LogGap => "log_gap",
            Self::PositionLost => "position_lost",
            Self::Resync => "resync",
        }
    }

    /// The reason with this word; an unknown one is as good as the first read.
    pub fn from_word(word: &str) -> Self {
        [
            Self::TakenOver,
            Self::DefinitionChanged,
            Self::SchemaChanged,
            Self::DestinationChanged,
            Self::ExternalIdFieldChanged,
            Self::Reset,
            Self::Imported,
            Self::OlderState,
            Self::LogGap,
            Self::PositionLost,
            Self::Resync,
        ]
        .into_iter()
        .find(|reason| reason.word() == word)
        .unwrap_or(Self::First)
    }

    /// The reason in a sentence's middle: `reads everything because ...`.
    pub fn because(self) -> &'static str {
        match self {
            Self::First => "it has not run to its end before",
            Self::TakenOver => "the state was taken over and its position is not trusted",
            Self::DefinitionChanged => "its query or mapping changed",
            Self::SchemaChanged => "the table in SmartSuite or a column of the source changed",
            Self::DestinationChanged => "its destination changed",
            Self::ExternalIdFieldChanged => "its external-id field changed",
            Self::Reset => "somebody asked for it with `state reset`",
            Self::Imported => "its state was imported",
            Self::OlderState => "an old copy of the state file was put in its place",
            Self::LogGap => "the binlog could not say which rows changed",
            Self::PositionLost => "the position in the binlog was lost",
            Self::Resync => "somebody asked for it",
        }
    }
}

/// A sync that was stopped, or only its creates. No call of that kind is made for it until its definition or its table
/// changes, a person says so, or the stop runs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Stable code.
    pub code: String,
    /// What happened, without row values.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The digest of the API key, where the stop is about the key: with another one the sync starts by itself.
    pub key: Option<String>,
    /// When the sync starts by itself, where the stop is about something that may pass unseen.
    pub until: Option<Timestamp>,
    /// Whether only creates are stopped: rows that have no record wait, and all else goes on.
    pub only_creates: bool,
}

/// The code of a [`Stop`]: rows of the sync have records already, as those of another one.
pub const RECORDS_OF_ANOTHER_SYNC: &str = "records_of_another_sync";

impl Stop {
    /// Whether the sync is stopped at `now` for a process that uses the API key with this digest.
    pub fn holds_for(&self, key_digest: &str, now: Timestamp) -> bool {
        self.key.as_deref().is_none_or(|key| key == key_digest)
            && self.until.is_none_or(|until| now < until)
    }

    /// Whether no run may begin at `now` for a process that uses the API key with this digest.
    pub fn forbids_runs(&self, key_digest: &str, now: Timestamp) -> bool {
        !self.only_creates && self.holds_for(key_digest, now)
    }

    /// What stands still, in a word or two, for the line that begins with it.
    pub fn what(&self) -> &'static str {
        if self.only_creates { "creates nothing" } else { "stopped" }
    }

    /// What to do, and when it passes by itself.
    pub fn advice(&self) -> String {
        match self.until {
            Some(until) => {
                let until = until.strftime("%Y-%m-%d %H:%M");
                format!("{}; the sync tries again by itself after {until} UTC", self.remedy)
            }
            None => self.remedy.clone(),
        }
    }
}

/// How far a stream of changes has been read. The text is of its maker's form and has a version of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPosition(pub String);

/// Keys of one sync that a stream of changes named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMarks {
    /// The sync, by the right of its holder.
    pub writer: Writer,
    /// Keys to be read again.
    pub keys: Vec<Key>,
    /// Set where the stream cannot say which rows changed: every row must be read.
    pub full_read: Option<FullReadReason>,
}

/// How far a full read in pages has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageMark {
    /// The last key of the last page that is stored.
    pub after: Key,
    /// The position that the first of these pages began with: it becomes the sync's when the last page is stored.
    pub watermark: Option<Watermark>,
    /// Number of the read that yielded the first of these pages.
    pub first_read: i64,
}

/// A sync as the state knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSync {
    /// Its id.
    pub id: SyncId,
    /// Its destination's id.
    pub destination: DestinationId,
    /// Where the next incremental read starts.
    pub watermark: Option<Watermark>,
    /// Set when the next read must be a full one.
    pub full_read: Option<FullReadReason>,
    /// How many rows the last full read yielded that nobody had cause to doubt; `None` before the first.
    pub full_rows: Option<u64>,
    /// How far that full read came before it was broken off, where it is read in pages.
    pub page: Option<PageMark>,
    /// When every row was last read.
    pub full_read_at: Option<Timestamp>,
    /// When the keys were last swept.
    pub swept_at: Option<Timestamp>,
    /// Records whose rows that sweep did not show, so many that they wait for a yes.
    pub candidates: u64,
    /// How far its stream of changes has been read.
    pub stream_position: Option<StreamPosition>,
    /// Set when the breaker stopped it.
    pub stopped: Option<Stop>,
    /// Raised when the definition changes: who opened the sync before cannot hold it any more.
    pub definition: i64,
}

/// The right to write for one sync: every commit checks the fencing token, so that a process that lost its lease
/// changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The sync.
    pub sync: SyncId,
    /// Its destination.
    pub destination: DestinationId,
    /// Raised with every new holder.
    pub token: i64,
}
