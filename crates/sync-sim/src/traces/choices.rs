//! Texts that are no choice: `on_unknown: create` adds them to the field, `error` ends the run.

use std::time::Duration;

use serde_json::Value as Json;
use smartsuite_emulator::{Fault, FaultKind, Profile, RouteKind};
use sync_core::{
    config::model::{Conversion, FieldMapping, OnUnknown, SyncDefinition, TypeOptions},
    state::{Books, RunStatus},
};
use sync_engine::{
    event::{Event, FullRead},
    run::{RunOptions, RunOutcome},
};

use super::{
    stage::{
        books_balance, calm, comes_right, pass, run, run_with, status, succeeds, usual, world,
    },
    steps::{at_every_step, killed_after},
};
use crate::world::{EXTERNAL_ID, STATUS, World};

/// Names also go into the field of choices.
fn choosing(definition: &SyncDefinition, on_unknown: OnUnknown) -> SyncDefinition {
    let mut definition = definition.clone();
    let options = TypeOptions { on_unknown, ..TypeOptions::default() };
    let field = FieldMapping::of_column("name", STATUS.into(), Conversion::Options(options));
    definition.destination.fields.push(field);
    definition
}

/// The label of each record's choice, by its key.
fn chosen(world: &World) -> Vec<(String, String)> {
    let labels = labels(world);
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let label =
        |id: String| labels.iter().find(|(known, _)| *known == id).map(|(_, label)| label.clone());
    let records = world.dump(&world.definition.destination.table_id);
    let mut chosen: Vec<_> = records
        .iter()
        .map(|record| {
            (text(&record[EXTERNAL_ID]), label(text(&record[STATUS])).unwrap_or_default())
        })
        .collect();
    chosen.sort();
    chosen
}

/// The field's choices: id and label.
fn labels(world: &World) -> Vec<(String, String)> {
    let table = world.table_now();
    let field = table["structure"]
        .as_array()
        .and_then(|fields| fields.iter().find(|field| field["slug"] == STATUS))
        .cloned()
        .unwrap_or_default();
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let choices = field["params"]["choices"].as_array().cloned().unwrap_or_default();
    choices.iter().map(|choice| (text(&choice["value"]), text(&choice["label"]))).collect()
}

fn only_labels(world: &World) -> Vec<String> {
    let mut labels: Vec<String> = labels(world).into_iter().map(|(_, label)| label).collect();
    labels.sort();
    labels
}

/// Catches: a row that stays in quarantine, a choice that is lost, a change that is not waited for, and a read of
/// everything for the sake of a choice that no other row has.
#[test]
fn choices_that_rows_ask_for_are_added_and_the_rows_written() {
    for profile in
        [Profile::default(), Profile::strict(), Profile::lenient(), Profile::adversarial()]
    {
        world(profile, async |mut world| {
            world.definition = choosing(&world.definition, OnUnknown::Create);
            for (id, label) in (1..=30).zip(["Active", "New", "old"].into_iter().cycle()) {
                world.database.put(id, label, id);
            }
            let report = run(&world).await;
            let why = world.quarantine_reason("2");
            assert_eq!(status(&report), RunStatus::Success, "{why} {:#?}", world.events.take());
            assert_eq!(only_labels(&world), ["Active", "New", "old"]);
            let expected = Books { read: 30, queued: 30, created: 30, ..Books::default() };
            assert_eq!(
                report.books, expected,
                "a row that was put aside for its choice counts once"
            );
            assert!(
                chosen(&world).iter().all(|(_, label)| !label.is_empty()),
                "{:?}",
                chosen(&world)
            );
            comes_right(&world).await;
            world.events.take();
            world.database.put(31, "Newer", 31);
            world.database.put(32, "OLD", 32);
            let report = run(&world).await;
            let said = world.events.take();
            assert_eq!(status(&report), RunStatus::Success, "{said:#?}");
            let full =
                |event: &Event| matches!(event, Event::ReadOpened { full: Some(FullRead::Due(_)) });
            assert!(!said.iter().any(full), "one more choice changes no other row");
            comes_right(&world).await;
            // The service shows a changed field late.
            pass(&world, Duration::from_mins(1)).await;
            assert_eq!(only_labels(&world), ["Active", "New", "Newer", "old"]);
        });
    }
}

/// Catches: a process that writes the list it has read before another added to it.
#[test]
fn two_syncs_that_add_choices_at_once_lose_none() {
    usual(async |world| {
        let of = |name: &str| {
            let mut definition = choosing(&world.definition, OnUnknown::Create);
            definition.name = name.into();
            definition.destination.key_prefix = format!("{name}:");
            definition
        };
        let databases = [world.another_database(), world.another_database()];
        for (database, label) in databases.iter().zip(["one", "two"]) {
            (1..=3).for_each(|id| database.put(id, &format!("{label} {id}"), id));
        }
        // Of one process, and of two.
        let (process, other) = (world.process(), world.process());
        let first = process.beside(&of("a"), &databases[0]);
        let second = other.beside(&of("b"), &databases[1]);
        let (one, two) =
            tokio::join!(first.run(RunOptions::default()), second.run(RunOptions::default()));
        for report in [one, two] {
            assert_eq!(status(&report.expect("the state works")), RunStatus::Success);
        }
        assert_eq!(
            only_labels(&world),
            ["Active", "one 1", "one 2", "one 3", "two 1", "two 2", "two 3"]
        );
        assert!(chosen(&world).iter().all(|(_, label)| !label.is_empty()));
    });
}

/// Catches: choices that somebody else added between our look and our write, and that ours replaced.
#[test]
fn what_a_person_adds_meanwhile_is_put_back() {
    usual(async |mut world| {
        world.definition = choosing(&world.definition, OnUnknown::Create);
        world.database.put(1, "New", 1);
        let process = world.process();
        let theirs = async {
            // Ours is under way, and takes effect a second and a half after it was sent.
            while world.requests(RouteKind::Fields) == 0 {
                pass(&world, Duration::from_millis(20)).await;
            }
            world.set_choices(STATUS, &["Active", "Theirs"]);
        };
        let (report, ()) = tokio::join!(process.run(RunOptions::default()), theirs);
        assert_eq!(status(&report.expect("the state works")), RunStatus::Success);
        assert_eq!(only_labels(&world), ["Active", "New", "Theirs"]);
        comes_right(&world).await;
    });
}

/// Catches: a process that dies between any two steps of adding a choice and leaves its successor waiting for ever, or a
/// choice twice.
#[test]
fn a_process_may_die_at_any_step_of_adding_a_choice() {
    at_every_step(async |mut world, steps| {
        world.definition = choosing(&world.definition, OnUnknown::Create);
        world.database.put(1, "New", 1);
        world.database.put(2, "Active", 2);
        let killed = killed_after(&world, steps).await;
        pass(&world, Duration::from_mins(5)).await;
        run_with(&world, RunOptions { retry: true, ..RunOptions::default() }).await;
        comes_right(&world).await;
        assert_eq!(only_labels(&world), ["Active", "New"]);
        killed
    });
}

/// Catches: a refusal that stops the sync or harms other rows, and a row that is forgotten for it.
#[test]
fn where_choices_may_not_be_added_their_rows_wait_in_quarantine() {
    usual(async |mut world| {
        world.definition = choosing(&world.definition, OnUnknown::Create);
        world.database.put(1, "New", 1);
        world.database.put(2, "Active", 2);
        let refused = Fault::new(FaultKind::Status(403)).on(&[RouteKind::Fields]).times(None);
        world.network.emulator().add_fault(refused);
        let report = run(&world).await;
        assert_eq!(status(&report), RunStatus::Partial);
        assert_eq!((report.books.created, report.books.quarantine), (1, 1));
        // A page instead of an answer tells nothing, so it is sent twice more, and then left.
        assert_eq!(world.requests(RouteKind::Fields), 3);
        world.clear_log();
        assert_eq!(status(&run(&world).await), RunStatus::Partial);
        assert_eq!(world.all_requests(), 0, "it is not tried again before its time");
        calm(&world);
        run_with(&world, RunOptions { retry: true, ..RunOptions::default() }).await;
        comes_right(&world).await;
        assert_eq!(only_labels(&world), ["Active", "New"]);
    });
}

/// Catches: a column of free text that becomes a thousand choices.
#[test]
fn so_many_labels_at_once_are_no_choices() {
    usual(async |mut world| {
        world.definition = choosing(&world.definition, OnUnknown::Create);
        (1..=150).for_each(|id| world.database.put(id, &format!("free text {id}"), id));
        let report = run(&world).await;
        assert_eq!((report.books.parked, world.requests(RouteKind::Fields)), (150, 0));
        assert_eq!(only_labels(&world), ["Active"]);
    });
}

/// Catches: a run that goes on, sends something of the row, or moves its position past it.
#[test]
fn a_text_that_is_no_choice_ends_the_run_where_that_was_said() {
    usual(async |mut world| {
        world.definition = choosing(&world.definition, OnUnknown::Error);
        world.database.put(1, "Active", 1);
        world.database.put(2, "New", 2);
        let report = run(&world).await;
        let RunOutcome::Ran { status: RunStatus::Failed, trouble: Some(trouble) } = report.outcome
        else {
            panic!("{report:#?}")
        };
        assert_eq!(trouble.code, "choice_unknown");
        assert!(!trouble.message.contains("New"), "{}", trouble.message);
        assert_eq!(world.requests(RouteKind::BulkCreate), 0);
        assert_eq!(status(&run(&world).await), RunStatus::Failed, "its position stays");
        world.database.put(2, "active", 3);
        comes_right(&world).await;
        books_balance(&succeeds(&world).await);
    });
}
