//! What the product means, without doing any of it: no I/O, no clock, no chance, no async runtime.
//!
//! Reading order: [`config`] is what the user wants, [`source`] and [`table`] describe both sides,
//! [`value`] is a cell of a row, [`field_value`] a cell of a record, [`draft`] the record a row should
//! become, [`key`] what ties the two together, [`sql`] the user's query, [`port`] the world around the engine.

pub mod config;
pub mod draft;
pub mod error;
pub mod field_value;
pub mod key;
pub mod port;
pub mod record;
pub mod secret;
pub mod slug;
pub mod source;
pub mod sql;
pub mod table;
pub mod value;
