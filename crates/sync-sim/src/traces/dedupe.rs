//! Records that share an external id: listed, and resolved only where a person asks for it.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, LateEnd, RouteKind};
use sync_engine::verify::{Applied, DedupeOptions, DedupeOutcome, Question};

use super::stage::{comes_right, fill, in_step, pass, succeeds, usual};
use crate::world::World;

/// What it came to: ids shared, deletable, undecided, and what was done.
async fn dedupe(world: &World, apply: bool, clear_ids: bool) -> (u64, u64, u64, Option<Applied>) {
    let ask = |_: Question| true;
    let options = DedupeOptions { apply, clear_ids, listed_max: 100, ask: &ask };
    let report = world.process().dedupe(&options).await.expect("the state works");
    match report.outcome {
        DedupeOutcome::Listed { shared, deletable, undecided, applied, .. } => {
            (shared, deletable, undecided, applied)
        }
        other => panic!("{other:?}"),
    }
}

/// Key 9 has a twin that our own call made, key 1 one that a person copied.
async fn twins(world: &World) {
    fill(world, 3);
    succeeds(world).await;
    let late = FaultKind::Late { ms: 600_000, end: LateEnd::Reset };
    world.network.emulator().add_fault(Fault::new(late).on(&[RouteKind::BulkCreate]));
    world.database.put(9, "A", 9);
    succeeds(world).await;
    let copied = world.record_ids("1").remove(0);
    world.person(&json!({"action": "copy", "record": copied}));
    pass(world, Duration::from_mins(11)).await;
    assert_eq!((world.record_ids("1").len(), world.record_ids("9").len()), (2, 2));
}

#[test]
fn without_being_told_to_it_only_lists() {
    usual(async |world| {
        twins(&world).await;
        world.clear_log();
        assert_eq!(dedupe(&world, false, false).await, (2, 1, 1, None));
        assert_eq!((world.requests(RouteKind::List), world.all_requests()), (1, 1));
    });
}

#[test]
fn it_deletes_only_what_we_made_and_nobody_touched() {
    usual(async |mut world| {
        world.dedicated_member = false;
        twins(&world).await;
        let linked = world.record_ids("1").remove(0);
        let (shared, _, _, applied) = dedupe(&world, true, false).await;
        let applied = applied.expect("it was agreed to");
        assert_eq!((shared, applied.deleted.len(), applied.left), (2, 1, 1));
        assert_eq!((world.record_ids("1").len(), world.record_ids("9").len()), (2, 1));
        assert!(world.record_ids("1").contains(&linked));
        // What stays is what was linked.
        world.database.put(9, "B", 9);
        world.database.put(1, "B", 1);
        succeeds(&world).await;
        assert_eq!(world.records()["9"], [("B".to_owned(), "9".to_owned())]);
        let names: Vec<String> = world.records()["1"].iter().map(|one| one.0.clone()).collect();
        assert_eq!(names, ["B", "A"]);
    });
}

#[test]
fn a_twin_that_a_person_touched_meanwhile_stays() {
    usual(async |mut world| {
        world.dedicated_member = false;
        twins(&world).await;
        let touch = |question: Question| {
            // The person is quicker than the one who agrees.
            if matches!(question, Question::Dedupe { .. }) {
                for record in world.record_ids("9") {
                    let seen = json!({"snoteaaaaa": "seen"});
                    world.person(&json!({"action": "update", "record": record, "values": seen}));
                }
            }
            true
        };
        let options = DedupeOptions { apply: true, clear_ids: false, listed_max: 9, ask: &touch };
        world.process().dedupe(&options).await.expect("the state works");
        assert_eq!(world.record_ids("9").len(), 2);
        assert_eq!(world.requests(RouteKind::BulkDelete), 0);
    });
}

#[test]
fn emptied_ids_make_records_of_people() {
    usual(async |mut world| {
        world.dedicated_member = false;
        twins(&world).await;
        let applied = dedupe(&world, false, true).await.3.expect("it was agreed to");
        assert_eq!((applied.deleted.len(), applied.cleared.len(), applied.left), (0, 2, 0));
        let mut records = world.records();
        assert_eq!(records.remove("").map(|records| records.len()), Some(2));
        assert_eq!(records, world.wished());
        assert_eq!(dedupe(&world, true, true).await, (0, 0, 0, None));
    });
}

#[test]
fn both_together_delete_ours_and_empty_the_others() {
    usual(async |mut world| {
        world.dedicated_member = false;
        twins(&world).await;
        let applied = dedupe(&world, true, true).await.3.expect("it was agreed to");
        assert_eq!((applied.deleted.len(), applied.cleared.len(), applied.left), (1, 1, 0));
        assert_eq!(world.records().remove("").map(|records| records.len()), Some(1));
    });
}

/// Catches: what an answer leaves out is taken for done, or forgotten (`resolve`).
#[test]
fn what_an_answer_leaves_out_is_looked_after() {
    for (clears, has_effect) in [(false, true), (false, false), (true, true), (true, false)] {
        usual(async |mut world| {
            world.dedicated_member = false;
            twins(&world).await;
            if !has_effect {
                let writes = [RouteKind::BulkDelete, RouteKind::BulkUpdate];
                world.network.emulator().add_fault(Fault::new(FaultKind::Status(503)).on(&writes));
            }
            world.network.answer_instead(is_write, "[]", 1);
            let applied = dedupe(&world, !clears, clears).await.3.expect("it was agreed to");
            // The person's copy is left where nothing is cleared.
            let (meant, left) = if clears { (2, 0) } else { (1, 1) };
            let (done, left) = if has_effect { (meant, left) } else { (0, 2) };
            assert_eq!(applied.deleted.len() + applied.cleared.len(), done);
            assert_eq!(applied.left, left);
            let code = applied.refused.map(|trouble| trouble.code);
            assert_eq!(code.as_deref(), (!has_effect).then_some("smartsuite_unconfirmed"));
            assert_eq!(dedupe(&world, false, false).await.0, left);
        });
    }
}

fn is_write(request: &Request<Bytes>) -> bool {
    let path = request.uri().path();
    path.ends_with("/bulk_delete/") || path.ends_with("/bulk/")
}

/// Catches: a look that finds nothing, taken for proof that nothing is there (`Doomed::is_done_with`).
#[test]
fn a_look_that_shows_nothing_counts_nothing_as_done() {
    static LOOK_UPS: AtomicU32 = AtomicU32::new(0);
    fn is_later_look_up(request: &Request<Bytes>) -> bool {
        request.uri().path().ends_with("/records/list/")
            && String::from_utf8_lossy(request.body()).contains("\"is\"")
            && LOOK_UPS.fetch_add(1, Ordering::SeqCst) > 0
    }
    usual(async |mut world| {
        world.dedicated_member = false;
        twins(&world).await;
        let none = Fault::new(FaultKind::Status(503)).on(&[RouteKind::BulkDelete]);
        world.network.emulator().add_fault(none);
        world.network.answer_instead(is_write, "[]", 1);
        let empty = r#"{"items": [], "total": 0, "offset": 0, "limit": 1000}"#;
        world.network.answer_instead(is_later_look_up, empty, 1);
        let applied = dedupe(&world, true, false).await.3.expect("it was agreed to");
        assert_eq!(LOOK_UPS.load(Ordering::SeqCst), 2);
        assert_eq!((applied.deleted.len(), applied.left), (0, 2));
        assert_eq!(world.record_ids("9").len(), 2);
    });
}

#[test]
fn a_table_without_doubles_is_left_alone() {
    usual(async |world| {
        fill(&world, 30);
        succeeds(&world).await;
        assert_eq!(dedupe(&world, true, true).await, (0, 0, 0, None));
        in_step(&world);
        comes_right(&world).await;
    });
}
