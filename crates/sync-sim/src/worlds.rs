//! Worlds of fixed seeds hold.

use sync_core::mutation::{self, Mutation};

use crate::{
    draw::draw,
    life::{Failure, live},
};

/// Lives through the worlds of these seeds.
fn hold(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if let Err(failure) = live(&draw(seed)) {
            panic!("{}", told(seed, &failure));
        }
    }
}

fn told(seed: u64, failure: &Failure) -> String {
    let Failure { wrong, story } = failure;
    format!("{story:#?}\n{:?}: {}\nreplay: cargo x sim --seed {seed}", wrong.what, wrong.text)
}

#[test]
fn the_first_fifty_worlds_hold() {
    hold(0..50);
}

#[test]
fn the_second_fifty_worlds_hold() {
    hold(50..100);
}

#[test]
fn the_third_fifty_worlds_hold() {
    hold(100..150);
}

#[test]
fn the_fourth_fifty_worlds_hold() {
    hold(150..200);
}

#[test]
fn no_mistake_is_made_unless_it_is_asked_for() {
    for mutation in Mutation::ALL {
        assert!(!mutation::is_on(*mutation));
    }
}
