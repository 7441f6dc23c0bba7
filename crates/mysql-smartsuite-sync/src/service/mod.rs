//! What `schedule` is made of: a shift serves one configuration, with a keeper for each sync and a post through which
//! others reach it.

mod beside;
mod desk;
pub(crate) mod health;
mod http;
mod keeper;
pub(crate) mod manager;
mod past;
mod post;
mod reload;
mod shift;

pub(crate) use beside::Beside;
pub(crate) use desk::ServiceDesk;
pub(crate) use http::Http;
pub(crate) use reload::Reload;
pub(crate) use shift::{Shift, ShiftPlan};
