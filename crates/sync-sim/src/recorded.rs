//! What catches each mutation: the seed of a world, or a scripted trace where the way there is too narrow for chance.

use sync_core::mutation::Mutation;

/// Where a mutation shows.
#[derive(Clone, Copy)]
pub(crate) enum Catch {
    /// The world of this seed.
    Seed(u64),
    /// This trace.
    Trace(fn()),
}

/// For each mutation, where it shows.
pub(crate) const RECORDED: &[(Mutation, Catch)] = &[];
