//! The client from outside: over real sockets, over arbitrary bytes, and over the emulator.
#![cfg(test)]

mod bytes;
mod calls;
mod emulated;
mod fixture;
mod memory;
mod proxied;
mod scripted;
mod secret;
mod server;
mod socket;
