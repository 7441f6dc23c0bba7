//! What the product means, without doing any of it: no I/O, no clock, no chance, no async runtime.
//!
//! Reading order: [`config`] is what the user wants, [`source`] and [`table`] describe both sides, [`value`] is a cell
//! of a row, [`field_value`] a cell of a record, [`expression`] and [`json_path`] compute
//! values of several columns or of parts of one, [`mapping`] turns the one into the other, [`draft`] is the record a
//! row should become, [`key`] what ties the two together, [`sql`] reads the user's query. [`capture`], [`delivery`],
//! [`doubt`], [`silence`] and [`breaker`] decide, [`comparison`] and [`shared_id`] judge what both sides really hold, [`pace`] and [`schedule`] say when, [`budget`] how many, [`freshness`] how late
//! is too late and [`alert`] who is to be told, [`state`] is what is remembered, [`drift`] what has changed of both schemas, [`port`] the
//! world around the engine.

#[macro_use]
mod stable_code;

pub mod alert;
pub mod breaker;
pub mod budget;
pub mod capture;
pub mod change;
pub mod comparison;
pub mod config;
pub mod deletes;
pub mod delivery;
pub mod doubt;
pub mod draft;
pub mod drift;
mod encoding;
pub mod error;
pub mod expression;
pub mod field_value;
pub mod freshness;
pub mod json_path;
pub mod key;
pub mod mapping;
pub mod matching;
pub mod mutation;
pub mod pace;
pub mod port;
pub mod record;
pub mod scan;
pub mod schedule;
pub mod second_look;
pub mod secret;
pub mod shared_id;
pub mod silence;
pub mod slug;
pub mod source;
pub mod sql;
pub mod state;
pub mod table;
pub mod value;
