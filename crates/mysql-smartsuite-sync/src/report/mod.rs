//! What people and machines get to see.

mod count;
pub(crate) mod diagnostic;
mod paint;
pub(crate) mod quarantine;
pub(crate) mod run;
mod screen;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod validation;

pub(crate) use count::{calls_made, counted, seconds, thousands};
pub(crate) use paint::Paint;
pub(crate) use screen::Screen;
