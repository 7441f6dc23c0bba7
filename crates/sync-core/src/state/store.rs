//! The port to the state.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    deletes::{Going, GonePolicy},
    draft::{Fingerprint, LinkWish},
    field_value::FieldValue,
    key::Key,
    pace::Rate,
    record::RecordId,
    slug::Slug,
    state::{
        Books, ChoiceStore, Chunk, ComparisonStore, Control, DestinationId, DirtyKey, Dispatch,
        DispatchRequest, Doubt, FullReadReason, LinkField, MatchingStore, OpenedSync, ReadTicket,
        RunEnd, SecondLook, SecondSettlement, SeenLink, SeenLinks, Settlement, Stop, StreamMarks,
        StreamPosition, SweepEnd, SweepTicket, SyncId, SyncIdentity, Writer,
    },
    table::TableStructure,
};

/// What a call is for; calls are counted by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// Bulk create.
    Create,
    /// Bulk update.
    Update,
    /// Bulk delete.
    Delete,
    /// Reading a table's structure.
    Structure,
    /// Records above the mark, before a process's first create.
    Audit,
    /// Reading a whole table to link or compare its records.
    Scan,
    /// Looking up creates in doubt, or records that may be gone.
    LookUp,
}

impl CallKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Structure,
        Self::Audit,
        Self::Scan,
        Self::LookUp,
    ];

    /// The word for it in the state and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Structure => "structure",
            Self::Audit => "audit",
            Self::Scan => "scan",
            Self::LookUp => "look_up",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Up to where a stream of changes was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// After everything that was named.
    pub position: StreamPosition,
    /// Every change committed before this time was named.
    pub as_of: Timestamp,
    /// How long the database keeps its log; `None`: not known.
    pub retention: Option<Duration>,
}

/// The highest `autonumber` accounted for in a table; `None`: the table was never read (`protocol.md` D8).
pub type Mark = Option<u64>;

/// What can be wrong with the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Another process took the sync over; this one must stop.
    #[error("another process has taken over this sync")]
    Fenced,
    /// The key columns changed, so links and keys no longer match.
    #[error("the key columns of sync `{sync}` changed")]
    KeyChanged {
        /// The sync.
        sync: String,
    },
    /// The external-id field or the key columns changed while nobody knows whether records that carry the old ones
    /// were created: they could not be looked up any more.
    #[error(
        "{creates} records of sync `{sync}` may have been created under its previous definition"
    )]
    UnresolvedCreates {
        /// The sync.
        sync: String,
        /// Creates that no answer accounts for.
        creates: u64,
    },
    /// The file cannot be read or written: permissions, read-only file system, a folder in its place.
    #[error("the state file `{path}` cannot be used: {reason}")]
    NotWritable {
        /// The file.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// The disk is full.
    #[error("the disk that holds the state file is full")]
    DiskFull,
    /// The file is damaged or no state at all.
    #[error("the state file `{path}` is damaged or is not a state file: {reason}")]
    Corrupt {
        /// The file.
        path: String,
        /// What was seen.
        reason: String,
    },
    /// There is no state yet.
    #[error("there is no state file `{path}`")]
    Missing {
        /// The file.
        path: String,
    },
    /// The file was removed, or another one put in its place, after this process had opened it.
    #[error("the state file `{path}` was removed or replaced while this program used it")]
    Replaced {
        /// The file.
        path: String,
    },
    /// An older version of this tool, or the Python program, wrote the file, and who only reads does not migrate it.
    #[error("the state file `{path}` is of version {found}, older than this program's {known}")]
    Older {
        /// The file.
        path: String,
        /// Its version; 0 is the Python program's.
        found: i64,
        /// The version of this program.
        known: i64,
    },
    /// A newer version of this tool wrote the file.
    #[error("the state file `{path}` is of version {found}, newer than this program's {known}")]
    Newer {
        /// The file.
        path: String,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The file lies where locks cannot be trusted.
    #[error("the state file `{path}` is on a network file system ({kind})")]
    NetworkFileSystem {
        /// The file.
        path: String,
        /// The file system's type.
        kind: String,
    },
    /// Another process keeps the file busy.
    #[error("the state file is busy: another process keeps it locked")]
    Busy,
    /// Anything else the store says.
    #[error("the state store failed: {0}")]
    Other(String),
}

stable_codes!(&StateError {
    Self::Fenced => "state_taken_over",
    Self::KeyChanged { .. } => "state_key_changed",
    Self::UnresolvedCreates { .. } => "state_unresolved_creates",
    Self::NotWritable { .. } => "state_not_writable",
    Self::DiskFull => "state_disk_full",
    Self::Corrupt { .. } => "state_corrupt",
    Self::Missing { .. } => "state_missing",
    Self::Replaced { .. } => "state_replaced",
    Self::Older { .. } => "state_older",
    Self::Newer { .. } => "state_newer",
    Self::NetworkFileSystem { .. } => "state_network_file_system",
    Self::Busy => "state_busy",
    Self::Other(_) => "state_failed",
});

impl StateError {
    /// What a person should do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Fenced => "let the other process finish; `status` says who holds the sync",
            Self::KeyChanged { .. } => {
                "put `primary_key` and `key_prefix` back, or run once with `--accept-key-change`: the links are \
                 dropped and records are adopted again by their external id"
            }
            Self::UnresolvedCreates { .. } => {
                "put `external_id_field`, `primary_key` and `key_prefix` back and run: after two minutes for what \
                 `status` shows in doubt, else once more after an hour, as what was given up may come late; then \
                 change them"
            }
            Self::NotWritable { .. } => {
                "make the file and its folder readable and writable for this user, or set STATE_DB_PATH"
            }
            Self::DiskFull => "free some space and run again; nothing was lost",
            Self::Corrupt { .. } => {
                "restore a backup, or move the file away: records are then adopted by their external id, none is \
                 created twice"
            }
            Self::Missing { .. } => "run a sync, or set STATE_DB_PATH to where the state is",
            Self::Replaced { .. } => {
                "start the program again: it goes on with the file that is there, and creates nothing twice"
            }
            Self::Older { .. } => "run a sync: the file is backed up and brought up to date",
            Self::Newer { .. } => "use the newer program, or the backup made before its migration",
            Self::NetworkFileSystem { .. } => "set STATE_DB_PATH to a file on a local disk",
            Self::Busy => "run again when the other process has finished",
            Self::Other(_) => "see the log; nothing was lost",
        }
    }
}

/// The state. One value has one connection; methods block, and are short. What a method changes is atomic, and
/// visible to other processes when it returns.
///
/// Every method that takes a [`Writer`] fails with [`StateError::Fenced`], changing nothing, if the token is not
/// the sync's newest.
pub trait StateStore: ComparisonStore + ChoiceStore + MatchingStore + Send {
    /// Registers a sync or finds it, and applies the rules for a changed definition (`design.md` section 4,
    /// point 7). May be repeated; whoever still runs by an older definition is fenced, as what it read and is about
    /// to store no longer is what is wanted.
    ///
    /// A state that knows of fewer calls than were sent is an old copy: its fingerprints become unknown and every
    /// sync reads everything (`protocol.md` D9).
    ///
    /// Refused, changing nothing, with [`StateError::KeyChanged`] and [`StateError::UnresolvedCreates`].
    fn open_sync(
        &mut self,
        identity: &SyncIdentity,
        now: Timestamp,
    ) -> Result<OpenedSync, StateError>;

    /// Where the state keeps what belongs to the sync and to its table, for those who only look: the rules for a
    /// changed definition are not applied.
    fn place(&mut self, identity: &SyncIdentity) -> Result<(SyncId, DestinationId), StateError>;

    /// Takes the sync's lease under a new fencing token. The caller holds the operating system's lock. What a dead
    /// holder left `sending` becomes a wish again (updates, deletes) or doubt counted from `now` (creates), and its
    /// `running` runs become `interrupted`. What it left is counted by [`StateStore::backlog`] from then on.
    ///
    /// Fails with [`StateError::Fenced`] if another process changed the definition since `sync` was opened, and with
    /// [`StateError::Replaced`] if this state is not the one that is found in its place any more: whoever finds the other
    /// one would know nothing of what is sent.
    fn hold(
        &mut self,
        sync: &OpenedSync,
        holder: &str,
        now: Timestamp,
    ) -> Result<Writer, StateError>;

    /// Says that the holder lives.
    fn heartbeat(&mut self, writer: &Writer, now: Timestamp) -> Result<(), StateError>;

    /// Gives the lease back.
    fn release(&mut self, writer: &Writer) -> Result<(), StateError>;

    /// Begins a read; to be called before its snapshot opens. Rows of earlier reads are refused from then on
    /// (`protocol.md` C1).
    fn begin_read(&mut self, writer: &Writer) -> Result<ReadTicket, StateError>;

    /// Which of these rows of a read, each named by its key and the fingerprint of its draft, [`StateStore::capture`] would
    /// find unchanged now, in their order. Changes nothing. Rows with link fields are not for this: their fingerprint
    /// depends on records.
    fn unchanged(
        &mut self,
        writer: &Writer,
        ticket: ReadTicket,
        rows: &[(&Key, Fingerprint)],
    ) -> Result<Vec<bool>, StateError>;

    /// Stores rows of a read by the rule of [`crate::capture::decide`], and with the last chunk the position. Link
    /// fields are filled first: with the records, as they are now, of the rows that each points to; a row without a
    /// record is left out until it has one.
    /// Answers what became of rows and entries.
    fn capture(&mut self, writer: &Writer, chunk: &Chunk) -> Result<Books, StateError>;

    /// Registers the link fields of the sync, in place of those it had. What rows point to is remembered for each, and
    /// a row is marked dirty whenever the record of a row that it points to appears, changes or goes: in the
    /// transaction that changes it, whoever writes it. Answers whether a field is new: then the next read must be a
    /// full one, as nobody knows yet what rows point to.
    fn set_links(&mut self, writer: &Writer, fields: &[LinkField]) -> Result<bool, StateError>;

    /// The values of a row's link fields, as [`StateStore::capture`] would fill them now. Changes nothing.
    fn resolve(
        &mut self,
        writer: &Writer,
        key: &Key,
        wishes: &[LinkWish],
    ) -> Result<Vec<(Slug, FieldValue)>, StateError>;

    /// Marks keys as to be read again.
    fn mark_dirty(&mut self, writer: &Writer, keys: &[Key]) -> Result<(), StateError>;

    /// The same for those who do not hold the sync: a person's command, another sync. Whoever holds it, or will,
    /// reads the keys once more, which is never wrong; a read that is under way does not clear these marks (C5).
    fn request_reads(&mut self, sync: SyncId, keys: &[Key]) -> Result<(), StateError>;

    /// Asks for a full read of the sync, by its next run. Needs no hold on it. A read that is under way, or pages of which
    /// the first was read before, does not answer it.
    fn request_full_read(&mut self, sync: SyncId, reason: FullReadReason)
    -> Result<(), StateError>;

    /// Marks what a stream of changes named, for each of its syncs, and moves the stream's position of every one of
    /// these syncs, in one write (`protocol.md` C5): a sync without keys is named too, so that its position moves.
    /// The fencing token of each is checked; if one is not the newest, nothing changes.
    fn mark_stream(&mut self, marks: &[StreamMarks], end: &StreamEnd) -> Result<(), StateError>;

    /// The sync follows its stream no more. The position stays, for when it does again, and says nothing of how old its
    /// records are.
    fn leave_stream(&mut self, writer: &Writer) -> Result<(), StateError>;

    /// Keys to be read again, oldest mark first, at most `keys_max`.
    fn dirty(&mut self, writer: &Writer, keys_max: usize) -> Result<Vec<DirtyKey>, StateError>;

    /// Begins a sweep, before its read opens. What an unfinished one has noted is forgotten. Nothing of a sweep
    /// outlives this connection.
    fn begin_sweep(&mut self, writer: &Writer, now: Timestamp) -> Result<SweepTicket, StateError>;

    /// Notes keys that the sweep's read has shown. They are kept on disk: memory does not grow with them.
    fn sweep(&mut self, writer: &Writer, keys: &[Key]) -> Result<(), StateError>;

    /// Compares what the whole read has shown with what is known, and finds the candidates: keys with a link or an
    /// entry that stood before the sweep began and that were not shown (`protocol.md` C8). Marks nothing; a
    /// read that has shown no key at all finds none. `held`: whether candidates wait for a yes, for those who ask.
    fn end_sweep(
        &mut self,
        writer: &Writer,
        ticket: SweepTicket,
        allowed: Option<u64>,
        now: Timestamp,
    ) -> Result<SweepEnd, StateError>;

    /// Marks the next candidates of the sweep that ended, at most `keys_max`, as suspected and to be read again.
    /// Answers whether there may be more. With the last of them the sweep counts as made `now`.
    fn mark_candidates(
        &mut self,
        writer: &Writer,
        ticket: SweepTicket,
        keys_max: usize,
        now: Timestamp,
    ) -> Result<bool, StateError>;

    /// Counts the records that wait to be deleted or archived, `done` of this run among them, and holds them back
    /// if a person must be asked ([`Going::needs_a_yes`]), else lets them go. A record that a create in doubt may have
    /// made counts as there. Answers the count, and whether they are held. May be repeated, as when doubts are resolved.
    fn guard_deletes(
        &mut self,
        writer: &Writer,
        policy: GonePolicy,
        done: u64,
        allowed: Option<u64>,
    ) -> Result<(Going, bool), StateError>;

    /// Puts entries that are due out of quarantine: refused ones wait again, in calls of their own that leave when
    /// nothing else waits, and their keys are marked dirty. Rows with a fault, and drafts that are not kept, are marked
    /// dirty alone. With `all`, whatever their time.
    fn release_quarantine(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        all: bool,
    ) -> Result<Books, StateError>;

    /// Puts entries that were released and wait back into quarantine, as they stood there: what was tried of them is
    /// refused as before. They are tried again as if they had been refused now. Without `all`, only those of calls
    /// that were sent and split.
    fn put_off_retries(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        all: bool,
    ) -> Result<Books, StateError>;

    /// Rows in quarantine.
    fn quarantined(&mut self, writer: &Writer) -> Result<u64, StateError>;

    /// The next call: entries whose key has nothing in flight, of one operation decided by their links as they are,
    /// marked `sending` with the record they go to, their links' fingerprints unknown. That commit is durable
    /// against power loss when this returns. Entries found equal to their link are settled on the way; when there
    /// are very many, the answer is `Nothing(Some(now))`: ask again. What becomes of a record whose row is gone is the
    /// request's policy: one that may not be deleted keeps its link, marked gone (C8), and the entry counts as equal.
    fn dispatch(
        &mut self,
        writer: &Writer,
        request: &DispatchRequest,
    ) -> Result<(Dispatch, Books), StateError>;

    /// Turns answers into links, quarantine, doubt or wishes. An entry that is not `sending` any more is left alone;
    /// one whose link moved to another record meanwhile becomes a wish again.
    fn settle(
        &mut self,
        writer: &Writer,
        settlements: &[Settlement],
        now: Timestamp,
    ) -> Result<Books, StateError>;

    /// Creates in doubt whose next look-up is due, oldest first, at most `doubts_max`; and when the next one is
    /// due, if none is.
    fn doubts(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        doubts_max: usize,
    ) -> Result<(Vec<Doubt>, Option<Timestamp>), StateError>;

    /// Keys whose second look is due and that have nothing in flight or in doubt, at most `keys_max`: their create was
    /// given up, their update or deletion got no answer, or an audit showed a second record with their external id.
    /// Due is an hour after the key's last call ended, or after the lock was taken from a process that died before
    /// (`protocol.md` D6, D8).
    fn second_looks(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        keys_max: usize,
    ) -> Result<Vec<SecondLook>, StateError>;

    /// Stores what second looks came to: links that change, their keys dirty in the same write (C7), and whether to
    /// look again.
    fn settle_second_looks(
        &mut self,
        writer: &Writer,
        settlements: &[SecondSettlement],
        now: Timestamp,
    ) -> Result<(), StateError>;

    /// A record that is known to be in the table, for a look-up's control: some link other than those of `except`,
    /// with the lowest key or, `from_end`, the highest.
    fn control(
        &mut self,
        writer: &Writer,
        except: &[Key],
        from_end: bool,
    ) -> Result<Option<Control>, StateError>;

    /// The key's record was found missing. `is_left`: the policy leaves it so until its row changes; else the key is
    /// marked dirty in the same write (`protocol.md` C7), and its id is looked up before the row is created again (D7).
    fn set_missing(&mut self, writer: &Writer, key: &Key, is_left: bool) -> Result<(), StateError>;

    /// Whether the record is linked to another key or another sync.
    fn linked_elsewhere(
        &mut self,
        writer: &Writer,
        record: &RecordId,
        key: &Key,
    ) -> Result<bool, StateError>;

    /// The record that the key is linked to; `None` also where that record was found missing.
    fn linked_record(&mut self, writer: &Writer, key: &Key)
    -> Result<Option<RecordId>, StateError>;

    /// Whether something would go with the key's row: a record that is linked and not let go yet, or an entry that waits to
    /// be one.
    fn may_go(&mut self, writer: &Writer, key: &Key) -> Result<bool, StateError>;

    /// Prepares for [`StateStore::link_seen`]: what is linked now is indexed by record.
    fn begin_scan(&mut self, writer: &Writer) -> Result<(), StateError>;

    /// Brings records that a scan or an audit showed into the links: a linked record's fingerprint becomes that of
    /// the values read where it was unknown, and unknown while a write without an answer may change it. Where it was known and
    /// is another, it becomes unknown, and the key is marked dirty. An unlinked record with a key of ours is adopted and its
    /// key marked dirty, unless a record holds that key or another sync the record. Then raises the mark to `mark`. Where a
    /// record holds the key already, [`StateStore::linked_record`] tells which.
    fn link_seen(
        &mut self,
        writer: &Writer,
        seen: &[SeenLink],
        mark: Mark,
        now: Timestamp,
    ) -> Result<SeenLinks, StateError>;

    /// Notes that these linked records hold what archives a record: what else they hold is unknown, and their keys are
    /// marked dirty (`protocol.md` C7), so that a row which is there brings its record back. Not while a call for the
    /// key is under way, or in doubt.
    fn note_archived(
        &mut self,
        writer: &Writer,
        records: &[(Key, RecordId)],
    ) -> Result<(), StateError>;

    /// The table's mark, as far as this sync has accounted for its records: another sync's records have other keys.
    fn mark(&mut self, writer: &Writer) -> Result<Mark, StateError>;

    /// Number of links to the destination.
    fn link_count(&mut self, writer: &Writer) -> Result<u64, StateError>;

    /// Rows that a sync which makes no records found without one.
    fn recordless(&mut self, writer: &Writer) -> Result<u64, StateError>;

    /// Waiting creates, and waiting entries whose link's fingerprint is unknown: what a scan could save.
    fn unsettled(&mut self, writer: &Writer) -> Result<(u64, u64), StateError>;

    /// External ids of up to `keys_max` waiting creates, for a targeted look-up before they are sent; each key once.
    fn waiting_creates(
        &mut self,
        writer: &Writer,
        after: Option<&Key>,
        keys_max: usize,
    ) -> Result<Vec<Key>, StateError>;

    /// When the next waiting entry that the request means may be sent, as far as its own time is concerned: the
    /// request's `now` if one may already, `None` if none waits.
    fn next_ready(
        &mut self,
        writer: &Writer,
        request: &DispatchRequest,
    ) -> Result<Option<Timestamp>, StateError>;

    /// Waiting entries for which a record would be made: those that [`Creates::Held`](crate::state::Creates::Held) leaves out.
    fn held_creates(&mut self, writer: &Writer) -> Result<u64, StateError>;

    /// Whether entries wait, or are on their way, in groups of their own since their call was split.
    fn is_split(&mut self, writer: &Writer) -> Result<bool, StateError>;

    /// Whether linked records still wait for their key in another external-id field: what asks for it finds few of them.
    fn is_filling(&mut self, writer: &Writer) -> Result<bool, StateError>;

    /// Compares the hash of what the live table contributes to values with the one seen last. Where it differs, the
    /// next read must be a full one and quarantined rows are due. Answers whether it differed.
    fn see_shape(&mut self, writer: &Writer, shape_hash: &str) -> Result<bool, StateError>;

    /// What the sync's mapping used of both schemas when it last fitted them, as [`crate::drift::KnownSchema::text`].
    fn known_schema(&mut self, sync: SyncId) -> Result<Option<String>, StateError>;

    /// Replaces that; with `rereads`, the next read must be a full one.
    fn set_known_schema(
        &mut self,
        writer: &Writer,
        text: &str,
        rereads: bool,
    ) -> Result<(), StateError>;

    /// Replaces what the run leaves out of the mapping because it fits no more: each field with the reason.
    fn set_left_out(
        &mut self,
        writer: &Writer,
        left_out: &[(Slug, String)],
    ) -> Result<(), StateError>;

    /// When a record was deleted last, by whichever sync of this state, as far as that was answered.
    fn deleted_at(&mut self) -> Result<Option<Timestamp>, StateError>;

    /// When a call that writes was marked last, by this state or one that was in its place before.
    fn last_call_at(&mut self) -> Result<Option<Timestamp>, StateError>;

    /// The time before which no writing call may leave, if it is still to come: the state is older than the world, and a
    /// call that it does not know of may be on its way (`protocol.md` D9). What the table holds is asked after it.
    fn calls_from(
        &mut self,
        writer: &Writer,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StateError>;

    /// Entries waiting, being sent or in doubt; and rows in quarantine.
    fn backlog(&mut self, writer: &Writer) -> Result<(u64, u64), StateError>;

    /// A digest of the sync's entries: each key with what is wished for it, what it waits for or is refused for. Equal
    /// digests mean that the same would be sent.
    fn outbox_digest(&mut self, writer: &Writer) -> Result<[u8; 16], StateError>;

    /// The member whose token this is, as answers showed it: in this table, else in another one of the workspace.
    fn own_member(&mut self, writer: &Writer) -> Result<Option<String>, StateError>;

    /// Remembers that member, for every table of the workspace.
    fn set_own_member(&mut self, writer: &Writer, member: &str) -> Result<(), StateError>;

    /// The cached structure and when it was read.
    fn structure(
        &mut self,
        destination: DestinationId,
    ) -> Result<Option<(TableStructure, Timestamp)>, StateError>;

    /// Replaces the cached structure. Where it differs from the cached one, stopped syncs of the table start again
    /// and their quarantined rows are due. Answers whether it differed.
    fn set_structure(
        &mut self,
        destination: DestinationId,
        structure: &TableStructure,
        now: Timestamp,
    ) -> Result<bool, StateError>;

    /// What stands in the way of the sync, if anything.
    fn stop(&mut self, writer: &Writer) -> Result<Option<Stop>, StateError>;

    /// Stops the sync (the breaker), or lets it go again. A stop of creates alone takes the place of none that stops
    /// everything: of two calls under way, either may be answered first.
    fn set_stop(&mut self, writer: &Writer, stop: Option<&Stop>) -> Result<(), StateError>;

    /// Reserves a departure at the key's gate and answers its time. A call of a `kind` is counted, by day, sync and
    /// kind; bulk writes are counted by [`StateStore::dispatch`], which decides what they are.
    fn depart(
        &mut self,
        sync: SyncId,
        key_digest: &str,
        kind: Option<CallKind>,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Timestamp, StateError>;

    /// Closes the key's gate for every process.
    fn close_gate(
        &mut self,
        key_digest: &str,
        retry_after: Option<Duration>,
        jitter: Duration,
        now: Timestamp,
    ) -> Result<(), StateError>;

    /// Until when the key's gate is closed, if it is.
    fn gate_closed_until(
        &mut self,
        key_digest: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StateError>;

    /// Stores that a run began; answers its number.
    fn begin_run(&mut self, writer: &Writer, now: Timestamp) -> Result<i64, StateError>;

    /// Remembers how many rows a full read yielded, for the next one to be held against.
    fn set_full_rows(&mut self, writer: &Writer, rows: u64) -> Result<(), StateError>;

    /// Remembers of how many external ids several records were found. With `at_least`, a smaller number than the one
    /// that is remembered changes nothing.
    fn note_shared_ids(
        &mut self,
        writer: &Writer,
        ids: u64,
        at_least: bool,
    ) -> Result<(), StateError>;

    /// Stores that the run under way failed, as the state itself failed it: with the counts that were stored. The
    /// lease is given back.
    fn fail_run(
        &mut self,
        writer: &Writer,
        run: i64,
        error: &StateError,
        now: Timestamp,
    ) -> Result<(), StateError>;

    /// Stores how a run ended.
    fn end_run(
        &mut self,
        writer: &Writer,
        run: i64,
        end: &RunEnd,
        now: Timestamp,
    ) -> Result<(), StateError>;
}
