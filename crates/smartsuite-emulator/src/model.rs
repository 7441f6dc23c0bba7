//! What the emulator holds: accounts, solutions, tables, fields, records.

pub(crate) mod account;
pub(crate) mod cell;
pub(crate) mod field;
pub(crate) mod field_type;
pub(crate) mod index;
pub(crate) mod record;
pub(crate) mod table;
pub(crate) mod world;
