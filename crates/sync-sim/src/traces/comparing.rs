//! Comparing both sides: what `verify` says, what `repair` mends, and that neither harms anything.

use std::time::Duration;

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, LateEnd, Profile, RouteKind};
use sync_core::{
    comparison::{Cause, Disagreement},
    config::model::{ArchiveField, CaptureMode, OnDelete, OnMissing, OnPositionLost},
};
use sync_engine::{
    run::RunOptions,
    verify::{Comparison, Question, VerifyOptions, VerifyOutcome, VerifyReport},
};

use super::{
    stage::{
        capture_only, comes_right, fill, in_step, pass, run, run_with, succeeds, usual, world,
    },
    state_files::{StateCopy, lose},
    steps::killed_when,
};
use crate::world::{AMOUNT, AMOUNT_MAX, ARCHIVED, EXTERNAL_ID, TABLE, World};

async fn ask(world: &World, sample: Option<u64>, repairs: bool) -> VerifyReport {
    let ask = |_: Question| true;
    let options = VerifyOptions { sample, listed_max: 100, repairs, ask: &ask };
    world.process().verify(&options).await.expect("the state works")
}

#[track_caller]
fn compared(report: VerifyReport) -> Comparison {
    match report.outcome {
        VerifyOutcome::Compared(comparison) => *comparison,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn verify(world: &World) -> Comparison {
    compared(ask(world, None, false).await)
}

async fn repair(world: &World) -> Comparison {
    compared(ask(world, None, true).await)
}

/// `KEY: DISAGREEMENT CAUSE [FIELDS]` of each difference, sorted.
fn lines(comparison: &Comparison) -> Vec<String> {
    let mut lines: Vec<String> = comparison
        .differences
        .iter()
        .map(|one| {
            let key = one.external_id.clone().unwrap_or_default();
            let fields: Vec<&str> = one.fields.iter().map(|slug| &**slug).collect();
            let words = (one.disagreement.word(), one.cause.word());
            format!("{key}: {} {} {}", words.0, words.1, fields.join(" ")).trim_end().to_owned()
        })
        .collect();
    lines.sort();
    lines
}

fn the_record(world: &World, external_id: &str) -> String {
    world.record_ids(external_id).remove(0)
}

fn edit(world: &World, external_id: &str, values: &serde_json::Value) {
    let record = the_record(world, external_id);
    world.person(&json!({"action": "update", "record": record, "values": values}));
}

fn delete(world: &World, external_id: &str) {
    let record = the_record(world, external_id);
    world.person(&json!({"action": "delete", "record": record}));
}

#[test]
fn two_sides_that_agree_cost_a_call_a_thousand_records() {
    usual(async |world| {
        fill(&world, 1_001);
        succeeds(&world).await;
        world.clear_log();
        let report = ask(&world, None, false).await;
        assert_eq!(
            (report.calls, world.requests(RouteKind::List), world.all_requests()),
            (2, 2, 2)
        );
        let comparison = compared(report);
        assert_eq!((comparison.rows, comparison.records), (1_001, 1_001));
        assert_eq!(comparison.compared.equal, 1_001);
        assert_eq!((comparison.drift_in_all(), comparison.explained()), (0, 0));
        comes_right(&world).await;
    });
}

/// What was written so far lies below the position.
async fn long_ago(world: &World) {
    run(world).await;
    pass(world, Duration::from_mins(10)).await;
    run(world).await;
}

/// A person, bad luck and a cursor that did not move, all at once.
fn wreck(world: &World) {
    edit(world, "1", &json!({"title": "edited"}));
    delete(world, "2");
    world.database.put_silently(3, "B");
    let copied = the_record(world, "4");
    world.person(&json!({"action": "copy", "record": copied}));
    world.person(&json!({"action": "create", "values": {"title": "a person's own"}}));
    world.person(&json!({"action": "create", "values": {"title": "ghost", EXTERNAL_ID: "77"}}));
    world.database.delete(5);
    edit(world, "6", &json!({EXTERNAL_ID: "666", AMOUNT: 7}));
    world.database.put(9, "new", 9);
    world.database.put(10, "A, changed", 10);
}

#[test]
fn every_difference_is_found_and_what_is_on_its_way_is_explained() {
    usual(async |world| {
        fill(&world, 8);
        world.database.put(10, "A", 10);
        world.database.put(11, "A", AMOUNT_MAX + 1);
        long_ago(&world).await;
        wreck(&world);
        let before = (world.records(), world.network.emulator().log().count());
        let comparison = verify(&world).await;
        assert_eq!(
            lines(&comparison),
            [
                "10: different read_next title",
                "11: missing quarantined",
                "1: different record_changed title",
                "2: missing record_changed",
                "3: different row_missed title",
                "4: duplicate twice",
                "5: extra kept",
                "6: different record_changed samountaaa sextidaaaa",
                "77: extra not_linked",
                "9: missing read_next",
            ]
        );
        assert_eq!((comparison.rest.people, comparison.rest.others), (1, 0));
        assert_eq!((comparison.drift_in_all(), comparison.explained()), (6, 4));
        assert_eq!(comparison.drift(Disagreement::Different), 3);
        // It only looked.
        let after = (world.records(), world.network.emulator().log().count() - 1);
        assert_eq!(after, before);
        assert_eq!(lines(&verify(&world).await), lines(&comparison));
    });
}

#[test]
fn a_repair_mends_what_the_next_run_can_and_deletes_nothing() {
    usual(async |world| {
        fill(&world, 8);
        world.database.put(10, "A", 10);
        long_ago(&world).await;
        wreck(&world);
        world.database.put(5, "A", 5);
        let repaired = repair(&world).await.repaired.expect("it was agreed to");
        // The extra record and the copy are left to people.
        assert_eq!((repaired.rows, repaired.left), (4, 2));
        assert_eq!(world.requests(RouteKind::BulkDelete), 0);
        succeeds(&world).await;
        let mut wished = world.wished();
        let mut twice = world.records();
        assert_eq!(twice.remove("77"), Some(vec![("ghost".into(), String::new())]));
        assert_eq!(twice.remove(""), Some(vec![("a person's own".into(), String::new())]));
        assert_eq!(twice.remove("4").map(|records| records.len()), Some(2));
        wished.remove("4");
        assert_eq!(twice, wished);
        // The audit before a create has linked the extra record; its row is gone, and it is kept.
        let comparison = verify(&world).await;
        assert_eq!(lines(&comparison), ["4: duplicate twice", "77: extra kept"]);
        world.clear_log();
        run(&world).await;
        assert_eq!(world.all_requests(), 0);
    });
}

/// C7. Catches: a key that is marked while its link goes on saying what the record was believed to hold
/// (`comparison::distrust`).
#[test]
fn c7_a_repair_makes_the_state_forget_what_it_believed() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        edit(&world, "2", &json!({"title": "edited"}));
        run_with(&world, RunOptions { full: true, ..RunOptions::default() }).await;
        assert_eq!(world.records()["2"][0].0, "edited", "the state believes its link");
        repair(&world).await;
        comes_right(&world).await;
    });
}

/// D9. Catches: a restored state whose every record is written again, although one reading of the table would do.
#[test]
fn d9_what_an_older_state_does_not_know_is_settled_by_reading() {
    usual(async |world| {
        fill(&world, 1_100);
        succeeds(&world).await;
        let copy = StateCopy::of(&world);
        for id in 1..=30 {
            world.database.put(id, "B", id);
        }
        succeeds(&world).await;
        // The last call has had its time.
        pass(&world, Duration::from_mins(2)).await;
        copy.restore(&world);
        world.clear_log();
        let comparison = verify(&world).await;
        assert_eq!(comparison.compared.settled, 1_100, "{:?}", comparison.counts);
        assert_eq!(world.all_requests(), 2);
        comes_right(&world).await;
        assert_eq!(world.requests(RouteKind::BulkUpdate), 0);
    });
}

/// D9. Catches: a comparison that teaches links what their records hold while an update that the state does not know of is on
/// its way (`comparison::teaches`).
#[test]
fn d9_a_comparison_teaches_nothing_while_an_unknown_update_is_on_its_way() {
    for (is_lost, repairs) in [(false, false), (true, true)] {
        usual(async |world| {
            fill(&world, 3);
            succeeds(&world).await;
            pass(&world, Duration::from_mins(5)).await;
            let old = StateCopy::of(&world);
            let late = FaultKind::Late { ms: 60_000, end: LateEnd::Never };
            world.network.emulator().add_fault(Fault::new(late).on(&[RouteKind::BulkUpdate]));
            world.database.put(1, "B", 1);
            world.clear_log();
            killed_when(&world, || world.requests(RouteKind::BulkUpdate) > 0).await;
            world.database.put(1, "A", 1);
            if is_lost {
                lose(&world);
            } else {
                old.restore(&world);
            }
            let comparison = compared(ask(&world, None, repairs).await);
            assert_eq!((comparison.compared.equal, comparison.compared.settled), (3, 0));
            pass(&world, Duration::from_mins(2)).await;
            assert_eq!(world.records()["1"][0].0, "B", "it landed");
            comes_right(&world).await;
        });
    }
}

#[test]
fn a_lost_state_finds_every_record_and_a_repair_links_them() {
    usual(async |world| {
        fill(&world, 30);
        succeeds(&world).await;
        lose(&world);
        edit(&world, "3", &json!({"title": "edited"}));
        let comparison = verify(&world).await;
        assert_eq!((comparison.compared.unlinked, comparison.compared.equal), (30, 29));
        assert_eq!(lines(&comparison), ["3: different read_next title"]);
        let repaired = repair(&world).await.repaired.expect("it was agreed to");
        assert_eq!(repaired.linked, 30);
        world.clear_log();
        comes_right(&world).await;
        assert_eq!(world.requests(RouteKind::BulkCreate), 0);
    });
}

#[test]
fn a_link_to_a_record_that_was_replaced_moves() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let first = the_record(&world, "2");
        world.person(&json!({"action": "copy", "record": first}));
        world.person(&json!({"action": "delete", "record": first}));
        let comparison = verify(&world).await;
        assert_eq!((comparison.compared.unlinked, comparison.drift_in_all()), (1, 0));
        assert_eq!(repair(&world).await.repaired.expect("it was agreed to").linked, 1);
        world.database.put(2, "B", 2);
        comes_right(&world).await;
        assert_eq!(world.record_ids("2").len(), 1);
    });
}

#[test]
fn what_waits_or_is_in_doubt_is_explained() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(2, "B", 2);
        world.database.put(4, "A", 4);
        capture_only(&world).await;
        let comparison = verify(&world).await;
        assert_eq!(lines(&comparison), ["2: different waits title", "4: missing waits"]);
        assert_eq!(comparison.drift_in_all(), 0);
        comes_right(&world).await;
    });
}

#[test]
fn a_repair_keeps_to_the_policy_for_missing_records() {
    for (policy, cause) in
        [(OnMissing::Skip, Cause::LeftMissing), (OnMissing::Quarantine, Cause::Quarantined)]
    {
        usual(async |mut world| {
            world.definition.destination.on_missing = policy;
            fill(&world, 3);
            succeeds(&world).await;
            delete(&world, "2");
            assert_eq!(verify(&world).await.drift_in_all(), 1);
            for _ in 0..3 {
                repair(&world).await;
                run(&world).await;
                assert_eq!(world.record_ids("2").len(), 0, "{policy:?}");
                let comparison = verify(&world).await;
                assert_eq!(comparison.counts, [(Disagreement::Missing, cause, 1)], "{policy:?}");
            }
            world.clear_log();
            run(&world).await;
            assert_eq!(world.all_requests(), 0, "{policy:?}: nothing is tried again and again");
        });
    }
}

#[test]
fn a_sample_costs_a_call_for_25_rows_and_finds_what_it_looks_at() {
    usual(async |world| {
        fill(&world, 1_200);
        long_ago(&world).await;
        for id in 1..=1_200 {
            world.database.put_silently(id, "B");
        }
        world.clear_log();
        let report = ask(&world, Some(25), false).await;
        assert_eq!((report.calls, world.all_requests()), (1, 1));
        let comparison = compared(report);
        assert_eq!((comparison.sample, comparison.rows, comparison.records), (Some(25), 25, 25));
        assert_eq!(comparison.drift(Disagreement::Different), 25);
        let keys: Vec<i64> = comparison
            .differences
            .iter()
            .filter_map(|one| one.external_id.as_ref()?.parse().ok())
            .collect();
        assert!(keys.iter().any(|key| *key > 600) && keys.iter().any(|key| *key <= 600));

        // Where everything costs no more, everything is compared.
        let report = ask(&world, Some(26), false).await;
        assert_eq!((report.calls, compared(report).sample), (2, None));
    });
}

#[test]
fn a_sample_asks_for_linked_records_that_a_look_up_does_not_show() {
    usual(async |world| {
        fill(&world, 1_010);
        succeeds(&world).await;
        for (place, held) in world.dump(TABLE).iter().enumerate() {
            let record = held["id"].clone();
            let values = json!({EXTERNAL_ID: format!("x{place}")});
            world.person(&match place % 3 {
                0 => json!({"action": "delete", "record": record}),
                1 => json!({"action": "update", "record": record, "values": values}),
                _ => continue,
            });
        }
        let comparison = compared(ask(&world, Some(25), false).await);
        let words = |one: Disagreement| comparison.drift(one);
        let (missing, different) = (words(Disagreement::Missing), words(Disagreement::Different));
        assert!(missing > 0 && different > 0, "{:?}", comparison.counts);
        assert_eq!(missing + different + comparison.compared.equal, 25);
    });
}

#[test]
fn who_says_no_to_the_cost_pays_nothing() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.clear_log();
        let refuse = |_: Question| false;
        let options = VerifyOptions { sample: None, listed_max: 9, repairs: true, ask: &refuse };
        let report = world.process().verify(&options).await.expect("the state works");
        assert_eq!(report.outcome, VerifyOutcome::Declined { calls: 1 });
        assert_eq!(world.all_requests(), 0);
        in_step(&world);
    });
}

/// Catches: a sync that follows the log and takes every row for one that the next run reads (`Held::reads_all_next`).
#[test]
fn a_row_that_the_log_did_not_name_is_drift() {
    for on_position_lost in [OnPositionLost::Stop, OnPositionLost::Repair] {
        usual(async |mut world| {
            world.definition.capture = CaptureMode::Binlog;
            world.definition.on_position_lost = on_position_lost;
            world.log_batch = Some(2);
            fill(&world, 6);
            long_ago(&world).await;
            world.database.put_unlogged(2, "B");
            for id in 3..=5 {
                world.database.put(id, "B", id);
            }
            let found = |of_two: &str| {
                let named = (3..=5).map(|id| format!("{id}: different read_next title"));
                let mut lines = vec![format!("2: different {of_two} title")];
                lines.extend(named);
                lines
            };
            assert_eq!(lines(&verify(&world).await), found("row_missed"));
            // What the log does not say makes the next run read everything.
            world.database.log_unnamed();
            assert_eq!(lines(&verify(&world).await), found("read_next"));
            succeeds(&world).await;
            in_step(&world);

            world.database.put_unlogged(2, "C");
            repair(&world).await;
            succeeds(&world).await;
            in_step(&world);

            world.database.put_unlogged(2, "D");
            world.database.put(3, "D", 3);
            world.database.purge_log();
            let cause = match on_position_lost {
                OnPositionLost::Stop => "row_missed",
                OnPositionLost::Repair => "read_next",
            };
            let lost = [2, 3].map(|id| format!("{id}: different {cause} title"));
            assert_eq!(lines(&verify(&world).await), lost);
        });
    }
}

/// C7. Catches: a comparison that does not look at the field that archives a record (`verify::table`), and a repair that
/// writes such a record without bringing it back.
#[test]
fn an_archived_record_whose_row_is_there_differs_and_is_brought_back() {
    usual(async |mut world| {
        world.definition.destination.on_delete = OnDelete::Archive(ArchiveField {
            slug: ARCHIVED.into(),
            value: "gone".into(),
            restored: None,
        });
        fill(&world, 4);
        long_ago(&world).await;
        world.database.delete(4);
        run(&world).await;
        assert_eq!(archived(&world, "4"), "gone");
        // What else people keep in that field is theirs.
        edit(&world, "1", &json!({ARCHIVED: "look at me"}));
        edit(&world, "2", &json!({ARCHIVED: "gone"}));
        edit(&world, "3", &json!({ARCHIVED: "gone", "title": "edited"}));
        let found = [
            format!("2: different record_changed {ARCHIVED}"),
            format!("3: different record_changed {ARCHIVED} title"),
            "4: extra kept".to_owned(),
        ];
        assert_eq!(lines(&verify(&world).await), found);
        assert_eq!(lines(&repair(&world).await), found);
        succeeds(&world).await;
        assert_eq!(
            ["1", "2", "3", "4"].map(|id| archived(&world, id)),
            ["look at me", "", "", "gone"]
        );
        assert_eq!(verify(&world).await.drift_in_all(), 0);
    });
}

/// What a record holds in the field that archives it.
fn archived(world: &World, external_id: &str) -> String {
    let record = the_record(world, external_id);
    let records = world.dump(TABLE);
    let record = records.iter().find(|one| one["id"] == record.as_str()).expect("it lives");
    record[ARCHIVED].as_str().unwrap_or_default().to_owned()
}

/// P10. Catches: lists that lag behind the last run, and are believed (`Held::let_lists_settle`).
#[test]
fn what_lists_do_not_show_yet_is_no_difference() {
    let profile = Profile { list_lag_ms: 1_500, ..Profile::default() };
    world(profile, async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(4, "A", 4);
        world.database.put(1, "B", 1);
        succeeds(&world).await;
        let comparison = repair(&world).await;
        assert_eq!((comparison.records, comparison.drift_in_all()), (4, 0));
        comes_right(&world).await;
    });
}

/// D7. Catches: a row that a repair makes anew without looking for its record, which a person has brought back meanwhile
/// (`Comparing::mend`).
#[test]
fn d7_a_repair_looks_for_what_was_missing_before_it_makes_it_anew() {
    usual(async |world| {
        fill(&world, 3);
        long_ago(&world).await;
        let record = the_record(&world, "2");
        delete(&world, "2");
        let repaired = repair(&world).await.repaired.expect("it was agreed to");
        assert_eq!(repaired.rows, 1);
        world.person(&json!({"action": "restore", "record": record}));
        pass(&world, Duration::from_mins(1)).await;
        comes_right(&world).await;
        assert_eq!(world.record_ids("2"), [record]);
    });
}
