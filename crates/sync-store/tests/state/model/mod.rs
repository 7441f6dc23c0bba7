//! Random lives of one sync against a simple model: a source that is a list of changes, a destination that is a map
//! of records. After every step the promises of the state are checked; at the end all faults stop, and everything
//! must come right.

mod check;
mod machine;
mod service;

use proptest::prelude::*;

use machine::{Fate, Machine, Op};

/// Keys of the source.
const KEYS: i64 = 5;
/// What a row may be; see [`crate::fixture::State`] for the words.
const WORDS: [&str; 7] = ["A", "B", "C", "gone", "absent", "fault x", "fault y"];

fn key() -> impl Strategy<Value = i64> {
    0..KEYS
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (key(), prop::sample::select(&WORDS[..])).prop_map(|(key, word)| Op::Change(key, word)),
        5 => (1..4_usize, any::<bool>(), prop::option::of(key())).prop_map(|(rows, to_its_end, marked)| {
            Op::Read { rows, to_its_end, marked }
        }),
        2 => Just(Op::ReadMarked),
        1 => key().prop_map(Op::Mark),
        7 => (1..4_usize, any::<bool>()).prop_map(|(entries, fresh)| Op::Dispatch { entries, fresh }),
        7 => prop::collection::vec(fate(), 4).prop_map(Op::Answer),
        4 => Just(Op::LookUp),
        2 => (1..5_000_i64).prop_map(Op::Wait),
        1 => any::<bool>().prop_map(Op::Release),
        1 => key().prop_map(Op::PersonDeletes),
        1 => Just(Op::Scan),
        1 => prop::collection::vec(any::<bool>(), 4).prop_map(Op::Crash),
        1 => prop::collection::vec(any::<bool>(), 4).prop_map(Op::PowerCut),
        1 => prop::collection::vec(any::<bool>(), 4).prop_map(Op::Successor),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Done),
        1 => Just(Fate::Refused),
        1 => (0..2_u32).prop_map(Fate::Split),
        1 => any::<bool>().prop_map(Fate::Unnamed),
        2 => any::<bool>().prop_map(Fate::Lost),
        1 => any::<bool>().prop_map(Fate::Blamed),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::LeftMissing),
    ]
}

/// Lives that one run of the tests tries; `PROPTEST_CASES` tries more.
const CASES: u32 = 60;

fn config() -> ProptestConfig {
    let given = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    // What proptest takes where nothing is said.
    let unsaid = given.cases == 256;
    ProptestConfig { cases: if unsaid { CASES } else { given.cases }, ..given }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_life_of_a_sync_breaks_a_promise(ops in prop::collection::vec(op(), 10..80)) {
        let mut machine = Machine::new();
        for op in &ops {
            machine.step(op);
            machine.check();
        }
        machine.come_right();
    }
}
