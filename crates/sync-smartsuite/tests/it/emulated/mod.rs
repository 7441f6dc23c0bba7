//! The client against the emulator: each suite in all four profiles, in virtual time.

mod failure;
mod lookup;
mod matrix;
mod network;
mod probe;
mod values;
mod world;
mod writes;
