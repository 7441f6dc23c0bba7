//! A plan: a run that is rehearsed on a copy of the state, against a target that can only read.
//!
//! Nothing of capture or delivery is written a second time for it: the very same code runs, so what it would send, and
//! in how many calls, is what a run sends. [`LeapingClock`] lets it do without waiting; [`RehearsedTarget`] answers
//! writes as if they had succeeded; [`PlanMaker`] writes down what would leave. [`PlanKeeper`] holds a later run to it.

mod clock;
mod keeper;
mod maker;
mod target;
mod write;

pub use clock::LeapingClock;
pub use keeper::{PlanKeeper, PlanPromise};
pub use maker::{PlanMaker, PlannedSync};
pub use target::{Gate, RehearsedTarget};
pub use write::{PlannedWrite, WriteDigest};
