//! From a row to the record it should become.
//!
//! [`CompiledMapping::compile`] holds a sync's definition against both live schemas and reports every disagreement
//! at once; [`CompiledMapping::draft`] then turns each row into a [`Draft`](crate::draft::Draft) or a [`RowFault`].
//! What happens to a single value is in `coerce`, one file for each rule.
//!
//! Whatever comes out is canonical: what SmartSuite gives back for it compares equal, whatever it does to zeros,
//! separators and order on the way. That is what makes an unchanged row cost nothing.

mod allowed;
mod archive;
mod coerce;
mod compile;
mod compiled;
mod constant;
mod external_id;
mod family;
mod fault;
mod finding;
mod fit;
mod hash;
mod key_columns;
mod link;
mod new_choice;
mod notes;
mod origin;
mod pair;
pub mod room;
mod rule;
mod suggestion;
mod treatment;
mod unwritable;
mod zone;

#[cfg(test)]
mod tests;

pub use archive::Archive;
pub(crate) use coerce::cell_text;
pub use compiled::CompiledMapping;
pub use fault::{FaultCode, RowFault};
pub use finding::{Finding, FindingCode, Severity};
pub use hash::{MappingHash, definition_hash};
pub use new_choice::new_choices;
pub use notes::Notes;
