//! What people and machines get to see.

mod answer;
pub(crate) mod count;
pub(crate) mod dedupe;
pub(crate) mod diagnostic;
pub(crate) mod doctor;
pub(crate) mod explain;
mod paint;
pub(crate) mod plan;
pub(crate) mod quarantine;
pub(crate) mod run;
mod screen;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod validation;
pub(crate) mod value;
pub(crate) mod verify;

pub(crate) use answer::Answer;
pub(crate) use count::{calls_made, counted, seconds, thousands};
pub(crate) use paint::Paint;
pub(crate) use screen::Screen;
