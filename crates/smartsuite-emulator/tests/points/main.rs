//! The 52 points of the emulator's guide, each with the positions of its switches.
//!
//! `docs/emulator.md` names the test of every point, and `guide` checks that the names, the switches
//! and their positions are all there.
#![cfg(test)]

mod bulk;
mod command;
mod consistency;
mod data_file;
mod deletes;
mod faults;
mod fields;
mod files;
mod filters;
mod guide;
mod limits;
mod lists;
mod members;
mod never_panics;
mod page;
mod program;
mod service;
mod side_door;
mod tables;
mod transport;
mod values;
mod webhooks;
mod wire;
mod work;
mod writes;
