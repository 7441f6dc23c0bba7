//! A table that people have filled before the first run: rows take over the records that are theirs (`match_on`).

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, RouteKind};
use sync_core::state::RunStatus;
use sync_engine::{event::Event, run::RunOptions};

use super::{
    stage::{books_balance, comes_right, in_step, pass, run, run_with, status, succeeds, usual},
    state_files::lose_everything,
    steps::{at_every_step, killed_after, power_cut_after},
};
use crate::world::{AMOUNT, EXTERNAL_ID, World};

/// A world whose rows are matched by their names.
fn matched(script: impl AsyncFnOnce(World)) {
    usual(async |mut world| {
        world.definition.destination.match_on = vec!["title".into()];
        script(world).await;
    });
}

/// A record that a person made, or a file brought, without a key.
fn made(world: &World, title: &str) -> String {
    let known = ids(world);
    let values = json!({"title": title, AMOUNT: 7});
    world.person(&json!({"action": "create", "values": values}));
    ids(world).difference(&known).next().cloned().unwrap_or_default()
}

fn ids(world: &World) -> BTreeSet<String> {
    let records = world.dump(&world.definition.destination.table_id);
    records.iter().filter_map(|record| record["id"].as_str().map(str::to_owned)).collect()
}

/// Records of the table.
fn count(world: &World) -> usize {
    ids(world).len()
}

/// Catches: a record that is made beside the one that is there, a key that is not written into it, and a table that is
/// read again for rows that match nothing.
#[test]
fn rows_take_over_the_records_that_hold_their_values() {
    matched(async |world| {
        let names: Vec<String> = (1..=30).map(|id| format!("name {id}")).collect();
        for name in &names {
            made(&world, name);
        }
        made(&world, "");
        for (id, name) in (1..).zip(&names) {
            world.database.put(id, name, id);
        }
        world.database.put(31, "nobody's", 31);
        let report = succeeds(&world).await;
        assert_eq!((report.books.updated, report.books.created), (30, 1));
        assert!(world.events.take().contains(&Event::Matched { adopted: 30, ambiguous: 0 }));
        assert_eq!(
            world.requests(RouteKind::List),
            1,
            "the table is read once, a thousand records a call"
        );
        assert_eq!(world.requests(RouteKind::BulkUpdate), 2);
        assert_eq!(count(&world), 32);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
        world.database.put(32, "new", 32);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.requests(RouteKind::List), 1, "the audit alone");
        // The keys are in the records now: a state that is lost is made again from them.
        lose_everything(&world);
        assert_eq!(succeeds(&world).await.books.created, 0);
        assert_eq!(count(&world), 33);
    });
}

/// Catches: a guess. Several records or several rows are for people to tell apart; nothing is made meanwhile, and the rows
/// go on by themselves.
#[test]
fn what_is_ambiguous_waits_for_a_person() {
    matched(async |world| {
        let twins = [made(&world, "twin"), made(&world, "twin")];
        made(&world, "shared");
        made(&world, "alone");
        for (id, name) in [(1, "twin"), (2, "shared"), (3, "shared"), (4, "alone"), (5, "other")] {
            world.database.put(id, name, id);
        }
        let report = run(&world).await;
        assert_eq!(status(&report), RunStatus::Partial);
        assert_eq!(
            (report.books.quarantined, report.books.updated, report.books.created),
            (3, 1, 1)
        );
        assert_eq!(count(&world), 5);
        let reason = world.quarantine_reason("1");
        assert!(twins.iter().all(|id| reason.contains(id)), "{reason}");
        world.clear_log();
        run(&world).await;
        assert_eq!(world.all_requests(), 0, "it is not tried again before its time");
        // A person decides: one twin goes, and one of the rows is another's.
        world.person(&json!({"action": "delete", "record": twins[0]}));
        world.database.put(3, "shared no more", 3);
        run_with(&world, RunOptions { retry: true, ..RunOptions::default() }).await;
        in_step(&world);
        assert_eq!(count(&world), 5, "row 3 got a record of its own");
        comes_right(&world).await;
    });
}

/// Catches: a row that comes when the table was read already and is made beside the record that was left over.
#[test]
fn a_row_that_comes_later_is_matched_too() {
    matched(async |world| {
        made(&world, "late");
        made(&world, "never");
        world.database.put(1, "other", 1);
        succeeds(&world).await;
        pass(&world, Duration::from_hours(1)).await;
        world.database.put(2, "late", 2);
        let report = succeeds(&world).await;
        assert_eq!((report.books.created, report.books.updated), (0, 1));
        assert_eq!(count(&world), 3);
        // People gave the record away meanwhile: it is looked at anew, not taken by what was known of it.
        let never = world.dump(&world.definition.destination.table_id);
        let never = never.iter().find(|record| record["title"] == "never").expect("it is there");
        world.person(
            &json!({"action": "update", "record": never["id"], "values": {EXTERNAL_ID: "77"}}),
        );
        world.database.put(3, "never", 3);
        let report = succeeds(&world).await;
        assert_eq!(report.books.created, 1);
        assert_eq!(world.record_ids("77").len(), 1);
    });
}

/// Catches: a record that is made beside its own by a process whose predecessor died, or lost power, between any two
/// steps.
#[test]
fn a_process_may_die_at_any_step_of_matching() {
    for power in [false, true] {
        at_every_step(async |mut world, steps| {
            world.definition.destination.match_on = vec!["title".into()];
            made(&world, "A");
            made(&world, "B");
            world.database.put(1, "A", 1);
            world.database.put(2, "B", 2);
            world.database.put(3, "C", 3);
            let died = if power {
                power_cut_after(&world, steps).await
            } else {
                killed_after(&world, steps).await
            };
            comes_right(&world).await;
            assert_eq!(count(&world), 3);
            died
        });
    }
}

/// Catches: the same where the answer to the update that writes the keys is lost.
#[test]
fn a_lost_answer_makes_no_second_record() {
    for after in [false, true] {
        matched(async |world| {
            made(&world, "A");
            world.database.put(1, "A", 1);
            let lost = Fault::new(FaultKind::Reset).on(&[RouteKind::BulkUpdate]).times(Some(1));
            let lost = if after { lost.after_the_effect() } else { lost };
            world.network.emulator().add_fault(lost);
            books_balance(&run(&world).await);
            comes_right(&world).await;
            assert_eq!(count(&world), 1);
        });
    }
}
