//! Cells in, field values out; and what compiling says.

mod fixture;
mod texts;
