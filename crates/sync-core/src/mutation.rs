//! Rules that a test build can leave out, to show that the simulator notices (`cargo x sim --mutations`).
//!
//! Each mutation is a deliberate mistake at one place of the program. Without the feature `mutations`, which only the
//! simulator asks for, [`is_on`] is `false` at compile time and nothing of this is in the program. With it, a
//! mutation is on for the present thread alone, and off unless somebody turns it on.

/// Declares the mutations with the rule that each removes and what the program then does.
macro_rules! mutations {
    ($($name:ident $rule:literal $does:literal)*) => {
        /// A deliberate mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutation {
            $(#[doc = $does] $name,)*
        }

        impl Mutation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The rule that it removes.
            pub fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule,)* }
            }

            /// What the program does instead.
            pub fn does(self) -> &'static str {
                match self { $(Self::$name => $does,)* }
            }
        }
    };
}

mutations! {
    TwoReaders "C1" "two processes read one sync at once, and the rows of an older read are stored over a newer one's"
    WishNotWithdrawn "C2" "a wish that the source took back stays"
    ComparedWithLink "C2" "a row is compared with the link while another wish of its key waits or is sent"
    UnknownIsEqual "C3" "an unknown fingerprint counts as equal"
    PositionFirst "C4" "the position moves with a read's first chunk"
    MarksForgottenFirst "C5" "marks are forgotten when the read that answers them begins"
    NewerMarksForgotten "C5" "a read forgets marks that were made after its snapshot"
    OldAnswerSettlesNewer "C6" "an answer settles the key's newer entry too"
    RefusalOutlivesWish "C6" "a refusal is parked though a newer wish of the key waits"
    DifferenceOnlyMarked "C7" "a link whose record differs is believed on, its key only marked"
    CandidateNotAsked "C8" "what a sweep did not show counts as gone, whatever is found when it is asked for by key"
    GoneAtOnce "C8" "one read by key that finds no row is enough for its record to go"
    KeptUnlinked "C8" "a record that may not be deleted loses its link"
    AdoptedDeleted "P6" "records that the tool did not create are deleted as its own are"
    DeletesUnguarded "P6" "however many records would go, nobody is asked"
    EventSkipped "C5" "the last key that a stream of changes names is passed over"
    StreamPositionFirst "C5" "the position in the stream is stored before the keys that lead to it are marked"
    BelievedWhileSent "D1" "a link keeps its fingerprint while an update is on its way"
    MarkedWithoutSync "D1" "a call leaves before its marks are safe from a power cut"
    UnansweredForgotten "D1" "an update without an answer is taken for done"
    LeftBehindForgotten "D1" "an update that a dead process was sending is taken for done"
    ServerErrorAnswers "D2" "a 5xx counts as an answer"
    GarbledAnswers "D2" "a web page or a broken body counts as an answer"
    OneLook "D3" "the first look-up decides about a create without an answer"
    LooksAtOnce "D3" "the last look-up does not wait for 90 seconds"
    NoControl "D3" "a look-up is believed without its control"
    CountedFromMark "D3" "a create that a dead process left behind counts from its mark"
    UnnamedRepeated "D3" "what a 2xx does not name is created again without a look"
    UnansweredRepeated "D3" "a create without an answer is sent again without a look"
    AnyoneSettles "D4" "anybody's record settles a create at once"
    DraftBelieved "D5" "an adopted record is believed to hold the draft"
    NoSecondLook "D6" "nothing is looked at once more"
    TwinsStay "D6" "a second look removes no twin"
    MissingCreatedBlind "D7" "a create that follows a 404 does not look first"
    NoAudit "D8" "a process creates before it has looked at what is above the mark"
    AdoptedNotRead "D8" "the key of a record that an audit adopted is not read again"
    KnownKeyIgnored "D8" "a second record of a known key is passed over"
    OldStateBelieved "D9" "an old copy of the state is believed"
    OldStateCreatesAtOnce "D9" "with an old copy of the state, creates do not wait for the last one sent"
    LockForAll "D10" "every process gets the lock"
    TokenUnchecked "D10" "every process gets the lock, and the fencing token is not checked"
    PositionKept "D11" "the position outlives a change of the destination"
    CreatesForgotten "D11" "creates on their way to a table are forgotten when the sync leaves it"
    RefusedBisectedBlind "P7" "a refused call of creates is halved and sent again without a look"
    BisectDropsRow "P7" "halving a refused call drops its last row"
    RefusedForgotten "P7" "a refused row is dropped instead of parked"
    GateOff "P4" "calls leave when they like"
    GateStaysOpen "P4" "a 429 does not close the gate"
    DepartureKept "P4" "a departure is used after other calls have left in its time"
    NoOverlap "P2" "the position is the clock, whatever transactions are open"
    DefinitionIgnored "P2" "a changed mapping reads nothing again"
    FieldChangeIgnored "P1" "another external-id field is not filled on the linked records"
    KeyChangeAccepted "P1" "other key columns are accepted without a word"
    MissingForgotten "P2" "an update whose record is gone is taken for done"
    SupersededUncounted "P2" "entries that a newer one replaced are in no book"
    DeletesCopies "P6" "a second look removes every other record of the key, whoever made it"
    LastWriterOnly "P6" "a record that people wrote to, and we after them, counts as untouched"
    OneRowACall "P3" "each call holds one row"
    StructureUncached "P3" "each run asks for the table's structure"
}

/// Whether the program is to make this mistake.
#[cfg(not(feature = "mutations"))]
#[inline]
pub const fn is_on(_: Mutation) -> bool {
    false
}

#[cfg(feature = "mutations")]
pub use switch::{durable_commits, fill_disk, free_disk, is_on, turn_on};

/// Notes a commit that is safe from a power cut. Does nothing outside the simulator.
#[cfg(not(feature = "mutations"))]
#[inline]
pub const fn note_durable_commit() {}

#[cfg(feature = "mutations")]
pub use switch::note_durable_commit;

/// Whether a commit finds the disk full. Never outside the simulator, which makes it so in the midst of a run.
#[cfg(not(feature = "mutations"))]
#[inline]
pub const fn is_disk_full() -> bool {
    false
}

#[cfg(feature = "mutations")]
pub use switch::is_disk_full;

#[cfg(feature = "mutations")]
mod switch {
    use std::cell::Cell;

    use super::Mutation;

    thread_local! {
        static ON: Cell<Option<Mutation>> = const { Cell::new(None) };
        static DURABLE: Cell<u64> = const { Cell::new(0) };
        static IS_FULL: Cell<bool> = const { Cell::new(false) };
    }

    /// Whether the program is to make this mistake.
    pub fn is_on(mutation: Mutation) -> bool {
        ON.get() == Some(mutation)
    }

    /// From now on the present thread makes this mistake and no other; `None`: none.
    pub fn turn_on(mutation: Option<Mutation>) {
        ON.set(mutation);
    }

    /// Notes a commit that is safe from a power cut.
    pub fn note_durable_commit() {
        DURABLE.set(DURABLE.get() + 1);
    }

    /// Commits of this thread that were safe from a power cut when they returned.
    pub fn durable_commits() -> u64 {
        DURABLE.get()
    }

    /// From now on every commit of this thread finds the disk full.
    pub fn fill_disk() {
        IS_FULL.set(true);
    }

    /// There is room again.
    pub fn free_disk() {
        IS_FULL.set(false);
    }

    /// Whether a commit finds the disk full.
    pub fn is_disk_full() -> bool {
        IS_FULL.get()
    }
}
