//! Who changes rows and tables all the time.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{JoinHandle, sleep},
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use throwaway_server::SqlClient;

use super::{AGAIN, Stage};

/// Keys that rows may have.
const KEYS: u64 = 400;
/// Statements that are sent together.
const TOGETHER: u64 = 6;
/// Between two batches: the program shall have work, the machine too.
const PAUSE: Duration = Duration::from_millis(20);
/// While there is no server.
const OUTAGE: Duration = Duration::from_millis(100);
/// Batches after which a table is defined anew.
const DEFINED_EVERY: u64 = 25;
/// Batches after which a tally is written, and after how many more it is changed.
const TALLIED_EVERY: u64 = 4;
const TALLIED_AGAIN: u64 = 20;
/// Added to the numbers of tallies that are changed.
const CHANGED: u64 = 1_000_000;

/// A writer at work.
pub(super) struct Writer {
    stop: Arc<AtomicBool>,
    batches: Arc<AtomicUsize>,
    thread: JoinHandle<Written>,
}

/// What was written, by kind.
#[derive(Default)]
pub(super) struct Written(BTreeMap<&'static str, usize>);

/// The kinds that must have occurred.
const KINDS: [&str; 12] = [
    "inserts",
    "updates",
    "deletes",
    "key changes",
    "roll-backs",
    "columns added",
    "columns dropped",
    "renames in two steps",
    "tables swapped",
    "tables emptied",
    "tallies",
    "tallies changed",
];

impl Writer {
    pub(super) fn start(stage: &Stage, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let batches = Arc::new(AtomicUsize::new(0));
        let hand = Hand {
            client: stage.database.client().clone(),
            chance: SmallRng::seed_from_u64(seed ^ 0x5eed),
            counter: 0,
            columns: 0,
            definitions: 0,
            written: Written::default(),
        };
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&batches));
        let thread = std::thread::spawn(move || hand.write(&stopped, &counted));
        Self { stop, batches, thread }
    }

    /// Batches that were written so far.
    pub(super) fn batches(&self) -> usize {
        self.batches.load(Ordering::Relaxed)
    }

    /// Lets it write its last.
    pub(super) fn end(self) -> Written {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// In a table that is never defined anew: a row that is written once, another that is changed once. Nothing makes up for
/// the loss of the first, nor of the change of the second.
fn tally(round: u64) -> [(&'static str, String); 2] {
    let (changed, earlier) = (CHANGED + round, CHANGED + round.saturating_sub(TALLIED_AGAIN));
    [
        (
            "tallies",
            format!(
                "INSERT INTO tallies (id, name) VALUES ({round}, 'tally {round}'), ({changed}, 'tally {changed}')"
            ),
        ),
        (
            "tallies changed",
            format!("UPDATE tallies SET name = 'tally {earlier}{AGAIN}' WHERE id = {earlier}"),
        ),
    ]
}

struct Hand {
    client: SqlClient,
    chance: SmallRng,
    /// Rises with each statement, so that no row's counter ever steps back.
    counter: u64,
    columns: u64,
    definitions: usize,
    written: Written,
}

impl Hand {
    fn write(mut self, stop: &AtomicBool, batches: &AtomicUsize) -> Written {
        let mut round = 0;
        while !stop.load(Ordering::Relaxed) {
            round += 1;
            let mut batch = if round % DEFINED_EVERY == 0 {
                vec![self.definition()]
            } else {
                (0..self.chance.random_range(1..=TOGETHER)).map(|_| self.statement()).collect()
            };
            if round % TALLIED_EVERY == 0 {
                batch.extend(tally(round));
            }
            let sql: Vec<&str> = batch.iter().map(|(_, sql)| sql.as_str()).collect();
            match self.client.execute(&sql.join(";\n")) {
                Ok(()) => {
                    for (kind, _) in &batch {
                        *self.written.0.entry(kind).or_default() += 1;
                    }
                    batches.fetch_add(1, Ordering::Relaxed);
                    sleep(PAUSE);
                }
                // The server is away, or came back in the middle of a definition: mended like any other time.
                Err(_) => {
                    sleep(OUTAGE);
                    let _away = self.client.execute("RENAME TABLE aside TO things");
                }
            }
        }
        self.written
    }

    fn key(&mut self) -> u64 {
        self.chance.random_range(1..=KEYS)
    }

    fn statement(&mut self) -> (&'static str, String) {
        self.counter += 1;
        let (counter, key, other) = (self.counter, self.key(), self.key());
        match self.chance.random_range(0..20) {
            0..=5 => {
                let last = (key + self.chance.random_range(0..12)).min(KEYS);
                let rows: Vec<String> =
                    (key..=last).map(|id| format!("({id}, 'thing {id}', {counter})")).collect();
                let rows = rows.join(", ");
                ("inserts", format!("INSERT IGNORE INTO things (id, name, counter) VALUES {rows}"))
            }
            6..=11 => {
                ("updates", format!("UPDATE things SET counter = {counter} WHERE id = {key}"))
            }
            12..=13 => {
                let rest = key % 29;
                ("updates", format!("UPDATE things SET counter = {counter} WHERE id % 29 = {rest}"))
            }
            14..=15 => ("deletes", format!("DELETE FROM things WHERE id IN ({key}, {other})")),
            16..=17 => (
                "key changes",
                format!(
                    "UPDATE IGNORE things SET id = {other}, counter = {counter} WHERE id = {key}"
                ),
            ),
            18 => (
                "roll-backs",
                format!(
                    "START TRANSACTION; UPDATE things SET counter = 900000 WHERE id % 7 = 3; \
                     DELETE FROM things WHERE id = {key}; ROLLBACK"
                ),
            ),
            _ => (
                // A row that goes and comes in one transaction.
                "updates",
                format!(
                    "START TRANSACTION; DELETE FROM things WHERE id = {key}; \
                     INSERT INTO things (id, name, counter) VALUES ({key}, 'again', {counter}); COMMIT"
                ),
            ),
        }
    }

    fn definition(&mut self) -> (&'static str, String) {
        self.definitions += 1;
        self.counter += 1;
        match self.definitions % 6 {
            1 | 4 => {
                self.columns += 1;
                let column = self.columns;
                ("columns added", format!("ALTER TABLE things ADD note_{column} TEXT FIRST"))
            }
            2 => {
                let column = self.columns;
                ("columns dropped", format!("ALTER TABLE things DROP note_{column}"))
            }
            3 => (
                "renames in two steps",
                "RENAME TABLE things TO aside; RENAME TABLE aside TO things".to_owned(),
            ),
            5 => (
                "tables swapped",
                "DROP TABLE IF EXISTS fresh, old; CREATE TABLE fresh LIKE things; \
                 INSERT INTO fresh SELECT * FROM things; \
                 RENAME TABLE things TO old, fresh TO things; DROP TABLE old"
                    .to_owned(),
            ),
            _ => {
                let counter = self.counter;
                (
                    "tables emptied",
                    format!(
                        "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT id FROM things; \
                         TRUNCATE TABLE things; \
                         INSERT INTO things (id, name, counter) SELECT id, 'refilled', {counter} FROM kept; \
                         DROP TABLE kept"
                    ),
                )
            }
        }
    }
}

impl Written {
    /// Whether every kind occurred.
    pub(super) fn is_complete(&self) -> bool {
        KINDS.iter().all(|kind| self.0.contains_key(kind))
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, kind) in KINDS.iter().enumerate() {
            let count = self.0.get(kind).copied().unwrap_or(0);
            write!(f, "{}{count} {kind}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
