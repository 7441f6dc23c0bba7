//! Following the binlog of real servers.

mod audience;
mod changes;
mod definitions;
mod guard;
mod loss;
mod settings;
