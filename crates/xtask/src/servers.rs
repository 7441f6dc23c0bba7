//! One server of each flavor for a whole run of tests.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context as _, Result};
use throwaway_server::{Flavor, Server, SharedServer, Unavailable};

use crate::project::{as_if_typed, run};

/// The servers that many test processes share.
pub(crate) struct Servers {
    running: Vec<Server>,
    absent: Vec<Unavailable>,
}

impl Servers {
    /// Starts both and says so. A missing `MySQL` is said loudly, a missing `MariaDB` is an error.
    pub(crate) fn start() -> Result<Self> {
        let mut servers = Self { running: Vec::new(), absent: Vec::new() };
        for flavor in Flavor::ALL {
            match Server::start(flavor) {
                Ok(server) => {
                    println!("{flavor} {} at {}", server.version(), server.url());
                    servers.running.push(server);
                }
                Err(error) => {
                    let unavailable: Unavailable = error.downcast()?;
                    println!("*** {unavailable}. ITS TESTS ARE SKIPPED ***");
                    servers.absent.push(unavailable);
                }
            }
        }
        Ok(servers)
    }

    /// What a test process needs to find them.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, String)> {
        let running = self.running.iter().map(SharedServer::variable_for);
        running.chain(self.absent.iter().map(SharedServer::variable_for_absent))
    }

    /// Ends them and removes their files, as a drop does.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

/// Runs a command with the servers and ends with its failure if it fails.
pub(crate) fn run_with(command: &[OsString]) -> Result<()> {
    let (program, arguments) = command.split_first().context("no command was given")?;
    let servers = Servers::start()?;
    let mut command = as_if_typed(Command::new(program));
    run(&program.to_string_lossy(), command.args(arguments).envs(servers.environment()))
}
