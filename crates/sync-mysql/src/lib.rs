//! MySQL and MariaDB as a source of rows.
//!
//! [`MysqlSource`] is the whole of it: constructed from [`ConnectOptions`] and a sync's definition, it opens reads.
//! Behind it, in the order of a read: `session` connects and makes the settings, `moment` and `overlap` find
//! the position, `layout` learns the query's columns, `statement` writes the SQL, `read` takes rows off the wire, `convert` makes values of them. `explainer` and `mask`
//! turn what goes wrong into words that hold no row values. [`MysqlSource::check`] looks at a query before it runs.

pub mod binlog;
mod census;
mod check;
mod column;
mod column_values;
mod convert;
mod diagnosis;
mod explainer;
mod finding;
mod index_use;
mod key_literal;
mod layout;
mod mask;
mod moment;
mod options;
mod overlap;
mod read;
mod rights;
mod server;
mod session;
mod source;
mod statement;
mod table;

pub use census::{ForeignKey, SourceColumn, SourceTable, census};
pub use check::SourceReport;
pub use convert::shown_value;
pub use diagnosis::{Diagnosis, diagnose};
pub use finding::{Severity, SourceFinding, SourceFindingCode};
pub use options::{ConnectOptions, SslMode, TimeLimits, UnknownSslMode};
pub use overlap::Overlaps;
pub use rights::Rights;
pub use server::{Flavour, ServerVersion};
pub use source::MysqlSource;
