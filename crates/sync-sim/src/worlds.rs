//! Worlds of fixed seeds hold, and with each mistake built in, the one recorded for it does not.

use sync_core::mutation::{self, Mutation};

use crate::{
    draw::draw,
    life::{Failure, live},
    oracle::What,
    plan::{Change, Launch, Plan, Step},
    recorded::{BY_TRACE, RECORDED},
    shrink::shrink,
    traces::audit,
};

/// Lives through the worlds of these seeds.
fn hold(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        match live(&draw(seed)) {
            Ok(tally) => {
                let met = tally.met_against_belief();
                assert!(met.is_empty(), "seed {seed}: held to be impossible: {met:?}");
            }
            Err(failure) => panic!("{}", told(seed, &failure)),
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

/// Also of the kinds that later seeds draw.
#[test]
fn the_third_fifty_worlds_hold() {
    hold(50_000..50_050);
}

#[test]
fn the_fourth_fifty_worlds_hold() {
    hold(100_000..100_050);
}

#[test]
fn worlds_that_once_went_wrong_hold() {
    for seed in [
        285, 293, 1218, 1411, 1541, 4121, 10_706, 11_320, 12_823, 12_974, 20_955, 22_099, 22_885,
        30_241, 35_216, 35_319, 50_463, 61_813, 64_265, 64_269, 70_126, 74_320, 76_792, 83_959,
        90_286, 96_432, 100_286, 110_657, 120_446, 144_319,
    ] {
        hold(seed..seed + 1);
    }
}

/// A seed is a world to the moment: else nobody could replay what went wrong.
#[test]
fn a_seed_is_lived_through_the_same_way_again() {
    for seed in [7, 22, 150] {
        let lives = [0, 1].map(|_| live(&draw(seed)).expect("it holds"));
        assert_eq!(lives[0], lives[1], "seed {seed}");
    }
}

#[test]
fn what_goes_wrong_goes_wrong_again_and_is_shown_in_the_steps_that_suffice() {
    mutation::turn_on(Some(Mutation::RefusedForgotten));
    let put = |id, refused| Change::Put { id, value: 'A', refused };
    let launch = Launch { full: true, runs: 2, ..Launch::ORDINARY };
    let steps = vec![
        Step::BackUpState,
        Step::Write(vec![put(1, false), put(2, true), put(3, false)]),
        Step::Start(launch),
        Step::Finish,
        Step::Wait(1_000),
    ];
    let plan = Plan { steps, ..draw(0) };
    let [first, again] = [0, 1].map(|_| *live(&plan).expect_err("a refused row is forgotten"));
    assert_eq!(first.wrong, again.wrong);
    assert_eq!(first.story, again.story);
    let shrunk = shrink(plan, first);
    assert_eq!(shrunk.plan.steps, [Step::Write(vec![put(2, true)])]);
    assert_eq!(shrunk.failure.wrong.what, again.wrong.what);
    mutation::turn_on(None);
}

#[test]
fn no_mistake_is_made_unless_it_is_asked_for() {
    for mutation in Mutation::ALL {
        assert!(!mutation::is_on(*mutation));
    }
}

/// What shows a mistake where no world does, see [`BY_TRACE`].
const TRACES: &[(Mutation, fn())] =
    &[(Mutation::AdoptedNotRead, audit::d8_the_row_of_a_record_that_an_audit_links_is_read)];

/// What goes wrong in a world with a mistake built in, or none. A panic is no finding of the oracle's: it fails the test.
fn what_goes_wrong(seed: u64, mistake: Option<Mutation>) -> Option<What> {
    mutation::turn_on(mistake);
    let lived = live(&draw(seed));
    mutation::turn_on(None);
    lived.err().map(|failure| failure.wrong.what)
}

/// Whether a scripted world goes wrong.
fn trace_goes_wrong(trace: fn(), mistake: Option<Mutation>) -> bool {
    mutation::turn_on(mistake);
    let told = std::panic::catch_unwind(trace);
    mutation::turn_on(None);
    told.is_err()
}

/// With each of these mistakes built in, one of the worlds recorded for it goes wrong, which holds without.
fn are_caught(part: usize) {
    let mut missed = Vec::new();
    for mistake in Mutation::ALL.iter().copied().skip(part).step_by(PARTS) {
        if let Some((_, trace)) = TRACES.iter().find(|(traced, _)| *traced == mistake) {
            if !trace_goes_wrong(*trace, Some(mistake)) || trace_goes_wrong(*trace, None) {
                missed.push(format!("{mistake:?} is not caught by its trace"));
            }
            continue;
        }
        let Some((_, seeds)) = RECORDED.iter().find(|(recorded, _)| *recorded == mistake) else {
            missed.push(format!("nothing is known that catches {mistake:?}"));
            continue;
        };
        let is_caught =
            |(seed, what): &&(u64, What)| what_goes_wrong(*seed, Some(mistake)) == Some(*what);
        match seeds.iter().find(is_caught) {
            None => missed.push(format!("{mistake:?} is not caught by {seeds:?}")),
            Some((seed, _)) if what_goes_wrong(*seed, None).is_some() => {
                missed.push(format!(
                    "world {seed}, which catches {mistake:?}, goes wrong without it"
                ));
            }
            Some(_) => {}
        }
    }
    assert!(TRACES.iter().map(|(mistake, _)| mistake).eq(BY_TRACE));
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
