//! The state as text: one JSON object a line, to move it to another machine or to make one by other means.
//!
//! What is moved is what cannot be asked for or read again: which record belongs to which row, how far was read, which
//! keys are looked at once more, and the calls of each day. What waits, what is in quarantine and what nobody answered
//! is found again by the full read that follows, and by the audit before the first create.

mod export;
mod import;
mod line;

pub use export::{Exported, export};
pub use import::{ImportError, Imported, Trust};
