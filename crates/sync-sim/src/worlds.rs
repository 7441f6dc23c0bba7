//! Worlds of fixed seeds hold, and with each mistake built in, the one recorded for it does not.

use sync_core::mutation::{self, Mutation};

use crate::{
    draw::draw,
    life::{Failure, live},
    recorded::RECORDED,
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

/// Lives through a world with a mistake built in, or none.
fn goes_wrong(seed: u64, mistake: Option<Mutation>) -> bool {
    mutation::turn_on(mistake);
    let lived = std::panic::catch_unwind(|| live(&draw(seed)).is_err());
    mutation::turn_on(None);
    lived.unwrap_or(true)
}

/// With each of these mistakes built in, one of the worlds recorded for it goes wrong, which holds without.
fn are_caught(part: usize) {
    let mut missed = Vec::new();
    for mistake in Mutation::ALL.iter().copied().skip(part).step_by(PARTS) {
        let recorded = RECORDED.iter().find(|(recorded, _)| *recorded == mistake);
        let seeds = recorded.map_or([].as_slice(), |(_, seeds)| seeds);
        match seeds.iter().find(|seed| goes_wrong(**seed, Some(mistake))) {
            None => missed.push(format!("{mistake:?} is not caught by {seeds:?}")),
            Some(seed) if goes_wrong(*seed, None) => {
                missed.push(format!(
                    "world {seed}, which catches {mistake:?}, goes wrong without it"
                ));
            }
            Some(_) => {}
        }
    }
    assert!(missed.is_empty(), "{missed:#?}\nfind others: cargo x sim --record");
}

/// Tests that share the mistakes.
const PARTS: usize = 4;

#[test]
fn every_mistake_is_caught_first_part() {
    are_caught(0);
}

#[test]
fn every_mistake_is_caught_second_part() {
    are_caught(1);
}

#[test]
fn every_mistake_is_caught_third_part() {
    are_caught(2);
}

#[test]
fn every_mistake_is_caught_fourth_part() {
    are_caught(3);
}
