//! The client from outside: over real sockets, over arbitrary bytes, and over the emulator.
#![cfg(test)]

mod bytes;
mod fixture;
mod secret;
mod server;
mod socket;
