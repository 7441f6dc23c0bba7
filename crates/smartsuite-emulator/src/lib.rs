//! A local SmartSuite: REST and webhooks as strict as public material says the service is.
//!
//! It reproduces public material, not a live account. Where the truth is uncertain, a switch of the
//! [`Profile`] decides; `docs/emulator.md` lists each of them with the test that shows it.
//!
//! [`Emulator`] is a pure model: it reads no clock and opens no socket, so that tests drive it in
//! virtual time. [`serve`] puts it on a real port.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "JSON values, field types and operators: what a rule does not name it treats alike"
)]

mod builder;
mod cli;
mod dice;
mod emulator;
mod faults;
mod journal;
mod model;
mod moment;
mod object_id;
mod outcome;
mod page;
mod profile;
mod query;
mod reply;
mod request_log;
mod route;
mod rules;
mod seed;
mod server;
mod side_door;
mod store;
mod validate;

pub use builder::EmulatorBuilder;
pub use cli::{EmulatorArgs, run_cli};
pub use emulator::{BuildError, Emulator};
pub use faults::{Fault, FaultKind, FaultScript, FaultScriptError, LateEnd, When};
pub use model::account::{Key, Member, Plan, Team};
pub use model::world::Work;
pub use object_id::{NotAnId, ObjectId};
pub use outcome::{Effect, Outcome};
pub use profile::*;
pub use request_log::{Counters, LogEntry};
pub use route::RouteKind;
pub use rules::webhooks::ping::PingOut;
pub use seed::{
    AccountSeed, DEMO_ACCOUNT, DEMO_MEMBER, DEMO_PERSON, DEMO_SOLUTION, DEMO_TOKEN, FieldSeed,
    Seed, SeedError, SolutionSeed, TableSeed,
};
pub use server::{SharedEmulator, router, serve, shared};
