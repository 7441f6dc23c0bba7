//! Reads of real servers: the same suite on MariaDB and on MySQL.

mod keys;
mod stage;
mod types;
