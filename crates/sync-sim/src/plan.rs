//! What happens in a world, as a list of explicit steps: made from a seed, replayed exactly, and shortened by leaving
//! steps out.

use std::fmt;

use smartsuite_emulator::{FaultKind, ProfileName, RouteKind};

use crate::coverage::Stand;

/// A world before it is lived through.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Of everything that the steps do not say: ids, delays on the way.
    pub seed: u64,
    /// What holds from the beginning to the end.
    pub setup: Setup,
    /// What happens, one after the other.
    pub steps: Vec<Step>,
}

/// What holds in a world from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Setup {
    /// How the service behaves where the truth is uncertain.
    pub profile: ProfileName,
    /// A refused bulk call has written the items before the bad one.
    pub half_written: bool,
    /// Bulk answers come in another order, with an outcome for each item.
    pub shuffled: bool,
    /// The token's member is the tool's alone.
    pub dedicated: bool,
    /// Effects may come up to this many milliseconds after their connection ended.
    pub late_max_ms: u64,
    /// Rows of one batch that the database yields.
    pub batch_rows: usize,
    /// How long the database takes for a batch, in milliseconds.
    pub batch_takes_ms: u64,
    /// What becomes of records whose rows are gone.
    pub gone: Gone,
    /// The application marks rows as deleted instead of deleting them.
    pub soft: bool,
    /// The rows are those of a table, so many a page, instead of a query's.
    pub page_rows: Option<usize>,
    /// The database's log says which rows changed; it names so many at once.
    pub log_batch: Option<usize>,
}

/// What becomes of records whose rows are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Nothing.
    Stay,
    /// Those that the tool created are deleted.
    Deleted,
    /// All are deleted.
    AllDeleted,
    /// A field is set.
    Archived,
}

impl Setup {
    /// Whether effects may come after the last look-up, so that two records of one key may be seen for an hour.
    pub fn is_late(&self) -> bool {
        self.late_max_ms > 90_000
    }
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Rows change, each in a transaction of its own unless it says otherwise.
    Write(Vec<Change>),
    /// People work in SmartSuite.
    People(Vec<Edit>),
    /// These faults are added to those that still wait for their request.
    Faults(Vec<Trap>),
    /// So many look-ups find nothing though something is there.
    BlindLookUps(u32),
    /// So many reads find the database unreachable.
    DatabaseDown(u32),
    /// A read breaks off after so many batches.
    ReadBreaks(usize),
    /// The database restarts.
    DatabaseRestarts,
    /// The next read of all keys passes these over, though they are there.
    HideKeys(Vec<i64>),
    /// The next read of all keys breaks off.
    KeysBreak,
    /// What the database's log holds is purged.
    LogPurged,
    /// Something happens of which the log does not say what.
    LogUnnamed,
    /// Rows change without their cursor column, and somebody asks for them to be read again.
    Resync(Vec<(i64, char)>),
    /// A process starts. It runs beside what follows.
    Start(Launch),
    /// So many milliseconds pass.
    Wait(u64),
    /// Processes go on until something is in this state, and then this strikes; it never does if all end before.
    Meet(Stand, Blow),
    /// Processes go on until a look-up by external id is on its way, and then this strikes, with the same condition.
    MeetLookUp(Blow),
    /// Every process comes to its end.
    Finish,
    /// The state file is lost; what lies beside it stays.
    LoseState,
    /// The state file is copied.
    BackUpState,
    /// The copy is put in the state file's place.
    RestoreState,
    /// The definition changes, from the next process on.
    Configure(Configuration),
}

/// What strikes at a moment that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// The first process dies by SIGKILL.
    Kill,
    /// Power is cut; the number says where the disk stopped.
    PowerCut(u32),
    /// The first process is stopped for so many seconds.
    Stop(u64),
    /// Another process wants the same sync.
    Rival,
    /// The database restarts.
    Restart,
    /// The next read finds the database unreachable.
    Unreachable,
    /// What the database's log holds is purged.
    PurgedLog,
    /// Something happens of which the log does not say what.
    UnnamedLog,
    /// The next look-up finds nothing.
    BlindLookUp,
    /// No room is left on the disk, until a process has ended of it.
    FullDisk,
    /// The next call meets this fault; `after`: it takes effect all the same.
    Call {
        /// What goes wrong.
        fault: FaultKind,
        /// Whether the request takes effect all the same.
        after: bool,
    },
}

/// A change of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is inserted or updated; `refused`: SmartSuite will not take its amount.
    Put {
        /// Its number.
        id: i64,
        /// Its value.
        value: char,
        /// Whether its amount is one that the service refuses.
        refused: bool,
    },
    /// It is deleted.
    Delete(i64),
    /// Its key changes.
    Rekey(i64, i64),
    /// A transaction writes it and stays open.
    Begin(i64, char),
    /// The transaction that wrote it commits.
    Commit(i64),
    /// The transaction that wrote it is rolled back.
    RollBack(i64),
}

/// What people do with the record of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// They delete it.
    Delete(i64),
    /// They copy it, key and all.
    Copy(i64),
    /// They write into a field of their own.
    Note(i64),
    /// They write into a field that is mapped.
    Retitle(i64),
    /// They make one with its key by hand.
    Make(i64),
    /// They delete it, and make another with its key by hand.
    Replace(i64),
}

/// A fault of the service that waits for its request.
#[derive(Clone, Debug, PartialEq)]
pub struct Trap {
    /// What goes wrong.
    pub fault: FaultKind,
    /// With which request.
    pub route: RouteKind,
    /// Whether the request takes effect all the same.
    pub after: bool,
    /// Requests let pass first.
    pub skip: u64,
    /// Requests struck.
    pub times: u64,
}

/// A process to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Runs that it makes, some seconds apart.
    pub runs: u32,
    /// It reads everything.
    pub full: bool,
    /// It tries what is in quarantine, and lets a stopped sync go again.
    pub retry: bool,
    /// However many records may go with their rows.
    pub yes: bool,
    /// Seconds that it goes on following the log.
    pub follows: u64,
    /// Pages the state file may grow by until the disk is full.
    pub pages: Option<u32>,
    /// How it ends.
    pub fate: Fate,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// When its run does.
    Ends,
    /// By SIGKILL.
    Dies(Moment),
    /// By a power cut, which takes every process with it and what had not reached the disk; the number says where
    /// between the last durable commit and the last commit the disk stopped.
    LosesPower(Moment, u32),
    /// It is stopped for so many seconds, then goes on; `dies`: until it is killed.
    Stops {
        /// When.
        at: Moment,
        /// How long.
        seconds: u64,
        /// Whether it is killed then.
        dies: bool,
    },
}

impl Launch {
    /// One that makes one run and comes to its end.
    pub const ORDINARY: Self = Self {
        runs: 1,
        full: false,
        retry: false,
        yes: false,
        follows: 0,
        pages: None,
        fate: Fate::Ends,
    };
}

/// A moment in a process's life: so many turns after so many calls have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Calls that must have left.
    pub calls: u32,
    /// Turns after that.
    pub turns: u32,
}

/// A change of the definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configuration {
    /// The amount is mapped, or not.
    Amount(bool),
    /// Records go to the other table, or back.
    OtherTable(bool),
    /// The other field carries the key, or the first one again.
    OtherExternalId(bool),
    /// Another column is named as the key, for one process, which must refuse to work.
    OtherKey,
    /// The sync is renamed.
    Rename(u32),
    /// The title is the row's amount, or its name again.
    TitleIsAmount(bool),
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {:?}", self.seed, self.setup)?;
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "  {number:>3} {step:?}")?;
        }
        Ok(())
    }
}
