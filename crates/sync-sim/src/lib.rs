//! The judge: the real engine, client, store and emulator in worlds of virtual time, and what must hold in them.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a simulator that meets what cannot be must stop there"
)]

pub mod breath;
mod cast;
pub mod clock;
pub mod coverage;
pub mod disk;
pub mod draw;
pub mod hunt;
pub mod life;
pub mod network;
pub mod oracle;
pub mod pacing;
pub mod plan;
pub mod recorded;
pub mod shrink;
pub mod source;
pub mod stream;
pub mod world;

#[cfg(test)]
mod planned;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod worlds;
