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
    /// Answers had just been settled.
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
        let mut kinds: Vec<&String> = self.strikes.keys().map(|(kind, _)| kind).collect();
        kinds.dedup();
        for kind in kinds {
            write!(f, "| {kind} |")?;
            for stand in Stand::ALL {
                let times = self.strikes.get(&(kind.clone(), stand)).copied().unwrap_or(0);
                write!(f, " {times} |")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
