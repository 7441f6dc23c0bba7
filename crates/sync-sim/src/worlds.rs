//! Worlds of fixed seeds: they hold, and with each mistake built in, the one recorded for it does not.

use sync_core::mutation::{self, Mutation};

use crate::{
    draw::draw,
    life::{Failure, live},
    recorded::{Catch, RECORDED},
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

/// With each mistake on its own, something goes wrong; without it, the same holds.
fn are_caught(mutations: &[Mutation]) {
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for mutation in mutations {
        let recorded = RECORDED.iter().find(|(recorded, _)| recorded == mutation);
        let Some((_, catch)) = recorded else {
            missed.push(format!("{mutation:?} has no world"));
            continue;
        };
        let goes_wrong = |on: Option<Mutation>| {
            mutation::turn_on(on);
            let wrong = match catch {
                Catch::Seed(seed) => live(&draw(*seed)).is_err(),
                Catch::Trace(trace) => std::panic::catch_unwind(trace).is_err(),
            };
            mutation::turn_on(None);
            wrong
        };
        if !goes_wrong(Some(*mutation)) {
            missed.push(format!("{mutation:?} is not caught"));
        }
        if goes_wrong(None) {
            missed.push(format!("what catches {mutation:?} goes wrong without it"));
        }
    }
    drop(std::panic::take_hook());
    assert!(missed.is_empty(), "{missed:#?}");
}

/// The mutations, in as many parts as there are tests to share them.
fn part(number: usize) -> Vec<Mutation> {
    Mutation::ALL.iter().copied().skip(number).step_by(3).collect()
}

#[test]
fn every_mistake_is_caught_first_part() {
    are_caught(&part(0));
}

#[test]
fn every_mistake_is_caught_second_part() {
    are_caught(&part(1));
}

#[test]
fn every_mistake_is_caught_third_part() {
    are_caught(&part(2));
}

#[test]
fn no_mistake_is_made_unless_it_is_asked_for() {
    for mutation in Mutation::ALL {
        assert!(!mutation::is_on(*mutation));
    }
}
