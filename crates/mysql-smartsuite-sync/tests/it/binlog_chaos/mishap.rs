//! What goes wrong, one thing after the other.

use std::{fmt, thread::sleep, time::Duration};

use rand::{Rng as _, rngs::SmallRng, seq::SliceRandom as _};
use throwaway_server::{Server, wait_until};

use super::{LIMIT, Service, Stage, Writer, tallies_arrive};

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mishap {
    /// The service is killed at a random moment.
    Kill,
    /// The same, and the log behind its position is deleted before it comes back.
    Purge,
    /// Its connections are cut.
    Cut,
    /// The server is shut down and started again.
    Restart,
    /// The same without a shutdown.
    Crash,
}

/// As often as each comes up in a round.
const ROUND: [Mishap; 10] = [
    Mishap::Kill,
    Mishap::Kill,
    Mishap::Kill,
    Mishap::Kill,
    Mishap::Purge,
    Mishap::Cut,
    Mishap::Cut,
    Mishap::Cut,
    Mishap::Restart,
    Mishap::Crash,
];

/// What goes wrong, and how often it did.
#[derive(Debug)]
pub(super) struct Mishaps {
    chance: SmallRng,
    left: Vec<Mishap>,
    kills: usize,
    purges: usize,
    /// Connections that were cut.
    cuts: usize,
    restarts: usize,
    crashes: usize,
}

impl Mishaps {
    pub(super) fn new(chance: SmallRng) -> Self {
        Self { chance, left: Vec::new(), kills: 0, purges: 0, cuts: 0, restarts: 0, crashes: 0 }
    }

    /// Whether each kind occurred.
    pub(super) fn are_complete(&self) -> bool {
        let counts = [self.kills, self.purges, self.cuts, self.restarts, self.crashes];
        counts.iter().all(|count| *count > 0)
    }

    /// Lets the service work for a while, and then one thing go wrong.
    pub(super) fn one(
        &mut self,
        stage: &Stage,
        server: &mut Server,
        service: &mut Service,
        writer: &Writer,
    ) {
        if self.left.is_empty() {
            self.left = ROUND.to_vec();
            self.left.shuffle(&mut self.chance);
        }
        sleep(Duration::from_millis(self.chance.random_range(200..3_000)));
        match self.left.pop().unwrap() {
            Mishap::Kill => {
                service.kill();
                self.kills += 1;
            }
            Mishap::Purge => {
                // A repair reads everything: whatever the log was for until now must have come by it.
                tallies_arrive(stage);
                service.kill();
                self.kills += 1;
                purge(stage, writer);
                self.purges += 1;
            }
            Mishap::Cut => self.cuts += cut(stage),
            Mishap::Restart => {
                server.restart().unwrap();
                self.restarts += 1;
            }
            Mishap::Crash => {
                server.kill().unwrap();
                server.restart().unwrap();
                self.crashes += 1;
            }
        }
    }
}

impl fmt::Display for Mishaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills of the service, {} purges of the log, {} connections cut, {} restarts and {} crashes of the server",
            self.kills, self.purges, self.cuts, self.restarts, self.crashes
        )
    }
}

/// Kills every connection of the program's user, if there are any.
fn cut(stage: &Stage) -> usize {
    let client = stage.database.client();
    let sql =
        format!("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{}'", stage.user.name);
    let ids = client.query(&sql).unwrap();
    // Some end by themselves meanwhile.
    ids.lines().filter(|id| client.execute(&format!("KILL {id}")).is_ok()).count()
}

/// Deletes every file of the log but the newest, after something was written that the program has not read.
fn purge(stage: &Stage, writer: &Writer) {
    let before = writer.batches();
    let written = wait_until(LIMIT, || Ok(writer.batches() > before + 2)).unwrap();
    assert!(written, "nothing is written any more");
    let client = stage.database.client();
    client.execute("FLUSH BINARY LOGS").unwrap();
    // A file that a crash would still need is not deleted at once.
    let purged = wait_until(LIMIT, || {
        let logs = client.query("SHOW BINARY LOGS")?;
        let newest = logs.lines().last().unwrap().split_whitespace().next().unwrap().to_owned();
        client.execute(&format!("PURGE BINARY LOGS TO '{newest}'"))?;
        Ok(client.query("SHOW BINARY LOGS")?.lines().count() == 1)
    });
    assert!(purged.unwrap(), "old files of the log stay");
}
