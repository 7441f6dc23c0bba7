//! What `schedule` is made of: a shift serves one configuration, with a keeper for each sync and a post through which
//! others reach it.

mod beside;
mod desk;
pub(crate) mod health;
mod http;
mod keeper;
mod manager;
mod past;
mod post;
mod reload;
mod shift;
mod vitals;

pub(crate) use beside::{Beside, within};
pub(crate) use desk::ServiceDesk;
pub(crate) use http::Http;
pub(crate) use manager::Manager;
pub(crate) use reload::Reload;
pub(crate) use shift::{Shift, ShiftPlan};
pub(crate) use vitals::Vitals;
