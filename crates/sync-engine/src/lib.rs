//! Runs a sync: capture reads MySQL into the outbox, delivery writes SmartSuite from it, and the two meet nowhere else.
//!
//! Reading order: [`engine`] and [`run`] tell the story; `capture` is the fast half, `delivery` the slow one; `calls`
//! is the way to the wire, through [`gate`]; [`event`] is what everybody else may know of it. [`plan`] rehearses all of it; [`verify`]
//! compares both sides and finds doubles.

mod calls;
mod capture;
mod delivery;
pub mod engine;
pub mod event;
pub mod gate;
pub mod governor;
pub mod overseer;
pub mod plan;
mod record_text;
pub mod resync;
pub mod run;
pub mod state;
mod structure;
pub mod verify;
