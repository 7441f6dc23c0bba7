//! What a service said that it will do, as the next process finds it.

use sync_core::state::StateError;
use sync_store::{Promise, QuarantineFilter, StateReader};

use crate::fixture::State;

fn promised(state: &State, sync: &str) -> Result<Vec<Promise>, StateError> {
    let all = StateReader::open(&state.path())?.promises(sync)?;
    Ok(all.into_iter().map(|(_, promise)| promise).collect())
}

#[test]
fn what_was_promised_is_there_until_it_is_done() {
    let mut state = State::new();
    let filter = QuarantineFilter { code: Some("too_long".into()), key: Some("7".into()) };
    let all = [
        Promise::Run { retry: false },
        Promise::Retry(filter.clone()),
        Promise::Run { retry: true },
        Promise::Drop(QuarantineFilter::default()),
    ];
    let numbers: Vec<i64> =
        all.iter().map(|promise| state.store.promise("a", promise).unwrap()).collect();
    state.store.promise("b", &all[0]).unwrap();
    assert_eq!(promised(&state, "a").unwrap(), all);
    state.restart();
    assert_eq!(promised(&state, "a").unwrap(), all);
    // A turn that began after the second wish for one keeps both.
    state.store.forget_promised_turns("a", numbers[2]).unwrap();
    let changes = [Promise::Retry(filter), Promise::Drop(QuarantineFilter::default())];
    assert_eq!(promised(&state, "a").unwrap(), changes);
    state.store.forget_promise(numbers[3]).unwrap();
    assert_eq!(promised(&state, "a").unwrap(), changes[..1]);
    let newest = state.store.promise("a", &all[0]).unwrap();
    assert!(newest > numbers[3], "no number is given twice");
    state.store.set_paused("a", Some(state.now)).unwrap();
    assert_eq!(promised(&state, "a").unwrap(), changes[..1], "a pause takes turns back");
    assert_eq!(promised(&state, "b").unwrap(), all[..1]);
}
