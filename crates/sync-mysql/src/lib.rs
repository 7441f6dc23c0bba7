//! MySQL and MariaDB as a source of rows.
//!
//! [`MysqlSource`] is the whole of it: constructed from [`ConnectOptions`] and a sync's definition, it opens reads.
//! Behind it, in the order of a read: `session` connects and makes the settings, `layout` learns the query's columns,
//! `statement` writes the SQL, `read` takes rows off the wire, `convert` makes values of them. `explainer` and `mask`
//! turn what goes wrong into words that hold no row values.

mod column;
mod convert;
mod explainer;
mod key_literal;
mod layout;
mod mask;
mod options;
mod read;
mod server;
mod session;
mod source;
mod statement;

pub use options::{ConnectOptions, SslMode, TimeLimits, UnknownSslMode};
pub use server::{Flavour, ServerVersion};
pub use source::MysqlSource;
