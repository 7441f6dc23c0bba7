//! A sync that only changes records that are there: it makes none, and finds those that others make.

use serde_json::json;
use smartsuite_emulator::RouteKind;
use sync_core::{
    comparison::{Cause, Disagreement},
    config::model::{Conversion, FieldMapping, SyncDefinition, WriteMode},
    state::RunStatus,
};
use sync_engine::run::{RunOptions, RunReport};

use super::{
    comparing::verify,
    stage::{books_balance, fill, run_with, status, succeeds, usual},
};
use crate::world::{EXTERNAL_ID, NOTE, Process, World};

/// The names of rows go into the note of records.
fn only_updating(definition: &SyncDefinition) -> SyncDefinition {
    let mut definition = definition.clone();
    definition.destination.mode = WriteMode::UpdateOnly;
    definition.destination.fields =
        vec![FieldMapping::of_column("name", NOTE.into(), Conversion::Automatic)];
    definition
}

/// The notes of the records that carry a key, in its order.
fn notes(world: &World) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let records = world.dump(&world.definition.destination.table_id);
    let mut notes: Vec<_> =
        records.iter().map(|record| (text(&record[EXTERNAL_ID]), text(&record[NOTE]))).collect();
    notes.sort();
    notes
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, note)| ((*key).to_owned(), (*note).to_owned())).collect()
}

fn somebody_makes(world: &World, key: &str) {
    world.person(&json!({"action": "create", "values": {"title": "theirs", EXTERNAL_ID: key}}));
}

async fn one(process: &Process) -> RunReport {
    let report = process.run(RunOptions::default()).await.expect("the state works");
    books_balance(&report);
    assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
    report
}

/// Catches: a record that is made all the same, a row that is asked for again and again, and one that stays unwritten
/// though its record is there.
#[test]
fn a_row_without_a_record_is_left_until_one_carries_its_key() {
    usual(async |mut world| {
        world.definition = only_updating(&world.definition);
        fill(&world, 3);
        somebody_makes(&world, "1");
        let report = succeeds(&world).await;
        assert_eq!(
            (report.books.recordless, report.books.adopted, report.books.updated),
            (2, 0, 1)
        );
        assert_eq!(notes(&world), of(&[("1", "A")]));
        let known = verify(&world).await;
        assert_eq!(known.counts, [(Disagreement::Missing, Cause::MakesNone, 2)]);
        assert_eq!(known.drift_in_all(), 0);
        world.clear_log();
        succeeds(&world).await;
        run_with(&world, RunOptions { full: true, ..RunOptions::default() }).await;
        somebody_makes(&world, "2");
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 1, "only the look that belongs to a full read");
        // A row that changes is looked for, and with it every other.
        world.database.put(3, "B", 3);
        world.clear_log();
        let report = succeeds(&world).await;
        assert_eq!((report.books.recordless, report.books.updated), (1, 1));
        assert_eq!(notes(&world), of(&[("1", "A"), ("2", "A")]));
        let what = "an audit, a look at what the found record holds, and the update";
        assert_eq!(world.all_requests(), 3, "{what}");
        // So it is by a reconcile.
        somebody_makes(&world, "3");
        world.clear_log();
        run_with(&world, RunOptions { reconcile: true, ..RunOptions::default() }).await;
        assert_eq!(notes(&world), of(&[("1", "A"), ("2", "A"), ("3", "B")]));
        world.clear_log();
        run_with(&world, RunOptions { reconcile: true, ..RunOptions::default() }).await;
        assert_eq!(world.all_requests(), 0);
        assert_eq!(world.requests(RouteKind::BulkCreate), 0);
    });
}

/// Catches: a record that is made again in place of one that people deleted.
#[test]
fn a_record_that_people_deleted_is_not_made_again() {
    usual(async |mut world| {
        world.definition = only_updating(&world.definition);
        fill(&world, 1);
        somebody_makes(&world, "1");
        succeeds(&world).await;
        let record = world.record_ids("1").remove(0);
        world.person(&json!({"action": "delete", "record": record}));
        world.database.put(1, "B", 1);
        world.clear_log();
        let report = succeeds(&world).await;
        assert_eq!(report.books.recordless, 1);
        assert_eq!(world.requests(RouteKind::BulkCreate), 0);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
        somebody_makes(&world, "1");
        world.database.put(1, "C", 1);
        succeeds(&world).await;
        assert_eq!(notes(&world), of(&[("1", "C")]));
    });
}

/// Catches: a record that its maker loses, or makes a second time, because another sync changes it too; and a row that is
/// not written though the state itself knows that its record was made.
#[test]
fn a_sync_that_makes_records_and_one_that_changes_them_share_them() {
    for updater_first in [true, false] {
        usual(async |world| {
            fill(&world, 30);
            let maker = world.process();
            let updater = maker.beside(&named(&only_updating(&world.definition)), &world.database);
            if updater_first {
                // It finds records that the maker has not heard of yet.
                (1..=30).for_each(|id| somebody_makes(&world, &id.to_string()));
                assert_eq!(one(&updater).await.books.updated, 30);
                assert_eq!(one(&maker).await.books.updated, 30);
            } else {
                assert_eq!(one(&updater).await.books.recordless, 30);
                assert_eq!(one(&maker).await.books.created, 30);
                world.clear_log();
                assert_eq!(one(&updater).await.books.updated, 30);
                assert_eq!(world.all_requests(), 3, "an audit and two updates");
            }
            let all: Vec<_> = (1..=30).map(|id: i32| id.to_string()).collect();
            let mut expected: Vec<_> = all.iter().map(|id| (id.clone(), "A".to_owned())).collect();
            expected.sort();
            assert_eq!(notes(&world), expected);
            assert_eq!(world.records(), world.wished());
            world.clear_log();
            for process in [&maker, &updater] {
                one(process).await;
            }
            assert_eq!(world.all_requests(), 0);
            for process in [&maker, &updater] {
                let report = process.run(RunOptions { full: true, ..RunOptions::default() }).await;
                assert_eq!(status(&report.expect("the state works")), RunStatus::Success);
            }
            assert_eq!(world.all_requests(), 0);
        });
    }
}

fn named(definition: &SyncDefinition) -> SyncDefinition {
    SyncDefinition { name: "notes".into(), ..definition.clone() }
}
