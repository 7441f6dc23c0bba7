//! SmartSuite's JSON, here and nowhere else.
//!
//! Everything read is treated as foreign: unknown keys, types and shapes are normal, nothing is trusted to be there,
//! and large answers are walked rather than loaded as trees.

pub(crate) mod bulk;
pub(crate) mod field;
pub(crate) mod list;
pub(crate) mod record;
pub(crate) mod structure;
pub(crate) mod walk;
