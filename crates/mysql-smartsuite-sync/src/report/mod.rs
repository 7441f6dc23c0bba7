//! What people and machines get to see.

mod count;
pub(crate) mod dedupe;
pub(crate) mod diagnostic;
mod paint;
pub(crate) mod run;
mod screen;
pub(crate) mod status;
pub(crate) mod validation;
pub(crate) mod verify;

pub(crate) use count::{calls_made, counted, seconds, thousands};
pub(crate) use paint::Paint;
pub(crate) use screen::Screen;
