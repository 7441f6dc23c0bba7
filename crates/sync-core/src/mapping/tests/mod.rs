//! Cells in, field values out; and what compiling says.

mod allowed;
mod choices;
mod compile;
mod compound;
mod computed;
mod dates;
mod fixture;
mod laws;
mod links;
mod lists;
mod misfits;
mod numbers;
mod phones;
mod rows;
mod texts;
mod totality;
