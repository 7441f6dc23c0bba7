//! Following the binlog of real servers.

mod audience;
mod changes;
mod definitions;
mod failover;
mod guard;
mod loss;
mod settings;
mod silence;
