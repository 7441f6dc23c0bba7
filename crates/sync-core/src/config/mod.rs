//! What the user wants: `model` is what it means. Everything in it is checked; it cannot hold a wrong value.

pub mod model;
