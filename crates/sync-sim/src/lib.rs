//! The judge: the real engine, client, store and emulator in worlds of virtual time, and what must hold in them.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a simulator that meets what cannot be must stop there"
)]

pub mod clock;
pub mod crash;
pub mod network;
pub mod pacing;
pub mod random;
pub mod source;
pub mod world;

#[cfg(test)]
mod planned;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod traces;
