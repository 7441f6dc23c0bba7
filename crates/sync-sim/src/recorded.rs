//! For each mutation, seeds of worlds that catch it. Written by `cargo x sim --record`.

use sync_core::mutation::Mutation;

/// Each mutation with the first seeds that catch it.
#[rustfmt::skip]
pub const RECORDED: &[(Mutation, &[u64])] = &[
];
