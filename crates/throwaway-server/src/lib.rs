//! Private, throw-away MariaDB and MySQL servers for the tests, the demo and the benchmarks.
//!
//! A [`Server`] is a real server process on a free loopback port with its files in a temporary
//! folder. It is found on the machine or installed ([`Flavor`] says how), starts in about a second
//! from a prepared data folder, and is gone with its files when the value is dropped or when the
//! process that started it dies, however it dies.
//!
//! A test wants a [`TestDatabase`]: an empty database of its own on a server that many test
//! processes may share. `cargo x with-servers -- COMMAND` starts one server of each flavor and
//! names them in the environment ([`SharedServer`]); without it every test starts a private one.
//!
//! Reading order: [`Flavor`], `installation`, `template`, `watched_process`, [`Server`],
//! [`SqlClient`], [`TestDatabase`].

mod client;
mod database;
mod environment;
mod flavor;
mod greeting;
mod installation;
mod ledger;
mod mariadb;
mod mysql;
pub mod packages;
mod patience;
mod program;
mod server;
mod shared;
mod template;
mod unavailable;
mod watched_process;

pub use client::SqlClient;
pub use database::{TestDatabase, TestUser};
pub use environment::cache_folder;
pub use flavor::Flavor;
pub use installation::Installation;
pub use ledger::{LEDGER_VARIABLE, LedgerLine};
pub use patience::wait_until;
pub use server::Server;
pub use shared::SharedServer;
pub use unavailable::{Unavailable, skip_if_unavailable};
pub use watched_process::WatchedProcess;
