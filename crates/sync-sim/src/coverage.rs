//! What struck when: how often each kind of trouble met each state of the protocol.

use std::{collections::BTreeMap, fmt};

/// A state of the protocol that something was in when trouble struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// A read was open.
    MidCapture,
    /// An entry waited.
    Waiting,
    /// An entry was marked, and its call had not left.
    Marked,
    /// A writing call was on its way.
    OnTheWire,
    /// A writing call had been answered, and nothing was settled.
    Answered,
    /// A create was in doubt, before its first look-up.
    FirstLook,
    /// A create was in doubt, after a look-up that decided nothing.
    SecondLook,
    /// Answers had just been settled: no other has come since.
    Settled,
    /// A process had taken over from a dead one, and its run went on.
    TakeOver,
    /// The state had been lost or replaced by an old copy, and no run had succeeded since.
    RestoredState,
}

impl Stand {
    /// All, in the order of an entry's life.
    pub const ALL: [Self; 10] = [
        Self::MidCapture,
        Self::Waiting,
        Self::Marked,
        Self::OnTheWire,
        Self::Answered,
        Self::FirstLook,
        Self::SecondLook,
        Self::Settled,
        Self::TakeOver,
        Self::RestoredState,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::MidCapture => "mid-capture",
            Self::Waiting => "waiting",
            Self::Marked => "marked",
            Self::OnTheWire => "on the wire",
            Self::Answered => "answered",
            Self::FirstLook => "1st look",
            Self::SecondLook => "2nd look",
            Self::Settled => "settled",
            Self::TakeOver => "take-over",
            Self::RestoredState => "restored",
        }
    }
}

/// What a kind of trouble strikes; with that, which states it can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// A process, wherever it is, or the database beside it.
    Anything,
    /// A call that has had no effect yet.
    CallBefore,
    /// A call that has had its effect.
    CallAfter,
    /// A read of the database.
    Read,
    /// A file or a definition that no process is using.
    Idle,
    /// The key columns of a sync that has succeeded with this state.
    Key,
}

impl Target {
    /// Whether trouble of this kind can strike while something is in this state.
    fn can_meet(self, stand: Stand) -> bool {
        // These are states of a process that lives.
        let is_alive =
            matches!(stand, Stand::MidCapture | Stand::Answered | Stand::Settled | Stand::TakeOver);
        match self {
            Self::Anything => true,
            // Nothing is read before every call has been answered and settled.
            Self::CallBefore | Self::Read => stand != Stand::Answered,
            Self::CallAfter => stand != Stand::OnTheWire,
            Self::Idle => !is_alive,
            Self::Key => !is_alive && stand != Stand::RestoredState,
        }
    }
}

/// Every kind of trouble.
const TROUBLES: [(&str, Target); 30] = [
    ("SIGKILL", Target::Anything),
    ("power cut", Target::Anything),
    ("stopped", Target::Anything),
    ("disk full", Target::Anything),
    ("busy", Target::Anything),
    ("database restart", Target::Anything),
    ("log purged", Target::Anything),
    ("log without names", Target::Anything),
    ("read failed", Target::Read),
    ("state lost", Target::Idle),
    ("old state put back", Target::Idle),
    ("definition changed", Target::Idle),
    ("key columns changed", Target::Key),
    ("late", Target::CallBefore),
    ("status before", Target::CallBefore),
    ("status after", Target::CallAfter),
    ("challenge before", Target::CallBefore),
    ("challenge after", Target::CallAfter),
    ("reset before", Target::CallBefore),
    ("reset after", Target::CallAfter),
    ("never before", Target::CallBefore),
    ("never after", Target::CallAfter),
    ("delay ms before", Target::CallBefore),
    ("delay ms after", Target::CallAfter),
    ("truncate before", Target::CallBefore),
    ("truncate after", Target::CallAfter),
    ("rate limit before", Target::CallBefore),
    ("rate limit after", Target::CallAfter),
    ("short answer after", Target::CallAfter),
    ("blind look up", Target::CallAfter),
];

/// What one world was made of, or many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Strikes by kind and state.
    pub strikes: BTreeMap<(String, Stand), u64>,
    /// Rows at the end, faults, deaths of processes and calls, of each world.
    pub worlds: Vec<[u64; 4]>,
    /// Runs that ended.
    pub runs: u64,
    /// Largest share of its bound that the calls of the last runs took, in percent.
    pub dearest: u64,
}

impl Tally {
    /// Trouble struck while these states were.
    pub fn strikes(&mut self, kind: &str, stands: &[Stand]) {
        for stand in stands {
            *self.strikes.entry((kind.to_owned(), *stand)).or_default() += 1;
        }
    }

    /// Adds another world's.
    pub fn add(&mut self, other: Self) {
        for (cell, times) in other.strikes {
            *self.strikes.entry(cell).or_default() += times;
        }
        self.worlds.extend(other.worlds);
        self.runs += other.runs;
        self.dearest = self.dearest.max(other.dearest);
    }

    fn times(&self, kind: &str, stand: Stand) -> u64 {
        self.strikes.get(&(kind.to_owned(), stand)).copied().unwrap_or(0)
    }

    /// Kinds of trouble and states that could have met and did not.
    pub fn never_met(&self) -> Vec<(&'static str, Stand)> {
        let pairs = TROUBLES.iter().flat_map(|&(kind, target)| {
            let possible = Stand::ALL.into_iter().filter(move |stand| target.can_meet(*stand));
            possible.map(move |stand| (kind, stand))
        });
        pairs.filter(|(kind, stand)| self.times(kind, *stand) == 0).collect()
    }

    /// Kinds of trouble and states that met though that is held to be impossible; kinds that are not known.
    pub fn met_against_belief(&self) -> Vec<(String, Stand)> {
        let is_believed = |kind: &str, stand: Stand| {
            TROUBLES.iter().any(|(known, target)| *known == kind && target.can_meet(stand))
        };
        let met = self.strikes.keys().filter(|(kind, stand)| !is_believed(kind, *stand));
        met.cloned().collect()
    }

    /// The median over worlds of rows, faults, deaths and calls.
    pub fn medians(&self) -> [u64; 4] {
        [0, 1, 2, 3].map(|column| {
            let mut values: Vec<u64> = self.worlds.iter().map(|world| world[column]).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or(0)
        })
    }
}

impl fmt::Display for Tally {
    /// The table, in Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, faults, deaths, calls] = self.medians();
        writeln!(
            f,
            "{} worlds, {} runs; median of a world: {rows} rows, {faults} faults, {deaths} deaths of a process, {calls} \
             calls\n",
            self.worlds.len(),
            self.runs
        )?;
        write!(f, "| trouble |")?;
        for stand in Stand::ALL {
            write!(f, " {} |", stand.word())?;
        }
        writeln!(f, "\n|---|{}", "--:|".repeat(Stand::ALL.len()))?;
        for (kind, target) in TROUBLES {
            write!(f, "| {kind} |")?;
            for stand in Stand::ALL {
                match self.times(kind, stand) {
                    0 if !target.can_meet(stand) => write!(f, " – |")?,
                    times => write!(f, " {times} |")?,
                }
            }
            writeln!(f)?;
        }
        let never = self.never_met();
        writeln!(f, "\n{} possible pairs did not meet", never.len())?;
        for (kind, stand) in never {
            writeln!(f, "  {kind}: {}", stand.word())?;
        }
        for (kind, stand) in self.met_against_belief() {
            writeln!(f, "held to be impossible, and met: {kind}: {}", stand.word())?;
        }
        Ok(())
    }
}
