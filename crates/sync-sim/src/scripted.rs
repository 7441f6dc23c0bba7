//! Worlds with a script: each begins with what could go wrong.

use smartsuite_emulator::{Fault, FaultKind, LateEnd, OutOfRange, Profile, RouteKind};
use sync_core::state::RunStatus;
use sync_engine::event::Event;
use sync_engine::run::{RunOptions, RunOutcome, RunReport};

use crate::world::{AMOUNT_MAX, World};

/// Runs a script in a world of its own.
fn world<F: Future<Output = ()>>(profile: Profile, script: impl FnOnce(World) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async { script(World::new(7, profile)).await });
}

fn status(report: &RunReport) -> RunStatus {
    match &report.outcome {
        RunOutcome::Ran { status, .. } => *status,
        other => panic!("{other:?}"),
    }
}

fn succeeded(report: &RunReport) {
    assert_eq!(status(report), RunStatus::Success, "{report:#?}");
}

fn fill(world: &World, rows: i64) {
    for id in 1..=rows {
        world.database.put(id, &format!("row {id}"), id);
    }
}

fn profiles() -> [Profile; 4] {
    [Profile::default(), Profile::strict(), Profile::lenient(), Profile::adversarial()]
}

/// The profiles in which a number above the field's range is refused.
fn refusing_profiles() -> [Profile; 3] {
    let adversarial = Profile { out_of_range: OutOfRange::Refuse, ..Profile::adversarial() };
    [Profile::default(), Profile::strict(), adversarial]
}

#[test]
fn rows_are_created_once_then_skipped_then_updated() {
    for profile in profiles() {
        world(profile, |world| async move {
            fill(&world, 60);
            succeeded(&world.run().await);
            assert_eq!(world.records(), world.wished());
            assert_eq!(world.requests(RouteKind::BulkCreate), 3);

            world.clear_log();
            succeeded(&world.run().await);
            assert_eq!(world.all_requests(), 0, "a run in which nothing changed makes no call");

            for id in 1..=30 {
                world.database.put(id, "changed", id);
            }
            succeeded(&world.run().await);
            assert_eq!(world.records(), world.wished());
            assert_eq!(world.requests(RouteKind::BulkUpdate), 2);
            assert_eq!(world.all_requests(), 2);
        });
    }
}

#[test]
fn a_create_whose_answer_is_lost_is_found_not_repeated() {
    for kind in
        [FaultKind::Reset, FaultKind::Status(502), FaultKind::Never, FaultKind::Challenge(200)]
    {
        world(Profile::default(), |world| async move {
            fill(&world, 30);
            succeeded(&world.run().await);
            world
                .network
                .emulator()
                .add_fault(Fault::new(kind).on(&[RouteKind::BulkCreate]).after_the_effect());
            for id in 100..130 {
                world.database.put(id, "late", id);
            }
            succeeded(&world.run().await);
            assert_eq!(world.records(), world.wished(), "{kind:?}");
        });
    }
}

#[test]
fn a_create_that_never_took_effect_is_created_after_two_look_ups() {
    for kind in [FaultKind::Reset, FaultKind::Status(503), FaultKind::RateLimit] {
        world(Profile::default(), |world| async move {
            fill(&world, 30);
            world.network.emulator().add_fault(Fault::new(kind).on(&[RouteKind::BulkCreate]));
            succeeded(&world.run().await);
            assert_eq!(world.records(), world.wished(), "{kind:?}");
        });
    }
}

#[test]
fn a_create_that_takes_effect_a_minute_later_is_not_doubled() {
    world(Profile::default(), |world| async move {
        fill(&world, 30);
        world.network.emulator().add_fault(
            Fault::new(FaultKind::Late { ms: 60_000, end: LateEnd::GatewayTimeout })
                .on(&[RouteKind::BulkCreate]),
        );
        succeeded(&world.run().await);
        assert_eq!(world.records(), world.wished());
    });
}

#[test]
fn the_state_lost_costs_calls_but_no_duplicate() {
    world(Profile::default(), |world| async move {
        fill(&world, 1_200);
        succeeded(&world.run().await);
        for entry in
            std::fs::read_dir(world.state_path().parent().expect("a folder")).expect("a folder")
        {
            std::fs::remove_file(entry.expect("an entry").path()).expect("removed");
        }
        world.clear_log();
        let report = world.run().await;
        succeeded(&report);
        assert_eq!(world.records(), world.wished());
        assert_eq!(
            world.requests(RouteKind::BulkCreate) + world.requests(RouteKind::BulkUpdate),
            0
        );
        assert_eq!(report.books.equal, 1_200);
        // The structure, and two pages of a thousand records.
        assert_eq!(report.calls, 3);
    });
}

#[test]
fn a_refused_row_harms_itself_alone() {
    for profile in refusing_profiles() {
        world(profile, |world| async move {
            fill(&world, 60);
            succeeded(&world.run().await);
            // The client cannot know that the service refuses this text.
            let changed = smartsuite_refuses(&world, 17);
            let report = world.run().await;
            assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
            assert_eq!(report.books.quarantine, 1);
            let mut wished = world.wished();
            wished.insert("17".into(), vec![changed]);
            assert_eq!(world.records(), wished);

            world.clear_log();
            let report = world.run().await;
            assert_eq!(status(&report), RunStatus::Partial);
            assert_eq!(world.all_requests(), 0, "a refused row is not sent again before its time");
        });
    }
}

/// Every row changes, and one of them to an amount that the service refuses; answers what that record still holds.
fn smartsuite_refuses(world: &World, id: i64) -> (String, String) {
    for other in 1..=60 {
        world.database.put(other, &format!("row {other} changed"), other);
    }
    world.database.put(id, "refused", AMOUNT_MAX + 1);
    (format!("row {id}"), id.to_string())
}

#[test]
fn a_record_that_people_deleted_is_created_again_once() {
    for profile in profiles() {
        world(profile, |world| async move {
            fill(&world, 30);
            succeeded(&world.run().await);
            for id in world.record_ids("5") {
                world.person(&serde_json::json!({"action": "delete", "record": id}));
            }
            for id in 1..=30 {
                world.database.put(id, "changed", id);
            }
            succeeded(&world.run().await);
            assert_eq!(world.records(), world.wished());
        });
    }
}

#[test]
fn back_to_the_old_value_while_the_new_one_waits_sends_nothing() {
    world(Profile::default(), |world| async move {
        fill(&world, 3);
        succeeded(&world.run().await);
        world.database.put(1, "B", 1);
        let down = Fault::new(FaultKind::Status(503)).times(None);
        world.network.emulator().add_fault(down);
        let report = world.run().await;
        assert_eq!(status(&report), RunStatus::Failed);
        world.network.emulator().set_faults(smartsuite_emulator::FaultScript::default());
        world.database.put(1, "row 1", 1);
        succeeded(&world.run().await);
        assert_eq!(world.records(), world.wished());
    });
}

#[test]
fn two_whole_batches_refused_stop_the_sync_until_somebody_says_so() {
    for profile in refusing_profiles() {
        world(profile, |world| async move {
            for id in 1..=200 {
                world.database.put(id, "bad", AMOUNT_MAX + id);
            }
            let report = world.run().await;
            assert_eq!(status(&report), RunStatus::Failed, "{report:#?}");
            assert!(report.calls <= 40, "the mistake cost {} calls", report.calls);
            assert!(report.books.waiting_after > 100, "{report:#?}");
            assert_eq!(world.records(), std::collections::BTreeMap::new());

            world.clear_log();
            assert!(matches!(world.run().await.outcome, RunOutcome::Stopped(_)));
            assert_eq!(world.all_requests(), 0, "a stopped sync makes no call");

            for id in 1..=200 {
                world.database.put(id, "good", id);
            }
            let retry = RunOptions { retry: true, ..RunOptions::default() };
            let report = world.process().run(retry).await.expect("the state works");
            succeeded(&report);
            assert_eq!(world.records(), world.wished());
        });
    }
}

#[test]
fn a_value_that_the_service_keeps_otherwise_is_said_and_not_sent_again() {
    world(Profile { out_of_range: OutOfRange::Clamp, ..Profile::default() }, |world| async move {
        world.database.put(1, "clamped", AMOUNT_MAX + 1);
        succeeded(&world.run().await);
        let notes = world.events.take().into_iter().filter_map(|event| match event {
            Event::Note { text } => Some(text),
            _ => None,
        });
        assert!(notes.into_iter().any(|note| note.contains("Amount")));
        world.clear_log();
        succeeded(&world.run().await);
        assert_eq!(world.all_requests(), 0);
    });
}

#[test]
fn one_bad_row_in_a_first_load_costs_few_calls() {
    for profile in refusing_profiles() {
        world(profile, |world| async move {
            fill(&world, 100);
            world.database.put(40, "bad", AMOUNT_MAX + 1);
            let report = world.run().await;
            assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
            let mut wished = world.wished();
            wished.remove("40");
            assert_eq!(world.records(), wished);
            assert!(report.calls <= 30, "{} calls", report.calls);
        });
    }
}

/// So many rows, two of each batch of 25 with an amount that the service refuses; answers how many are refused.
async fn some_in_every_batch_refused(world: &World, rows: i64) -> u64 {
    for id in 1..=rows {
        let amount = if id % 25 < 2 { AMOUNT_MAX + id } else { id };
        world.database.put(id, "row", amount);
    }
    let report = world.run().await;
    assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
    report.books.quarantine
}

async fn retry(world: &World) -> RunReport {
    let retry = RunOptions { retry: true, ..RunOptions::default() };
    world.process().run(retry).await.expect("the state works")
}

#[test]
fn rows_that_are_healed_cost_a_call_for_each_twenty_five() {
    for profile in refusing_profiles().into_iter().skip(1) {
        world(profile.clone(), |world| async move {
            let refused = some_in_every_batch_refused(&world, 400).await;
            assert_eq!(refused, 32);
            // Somebody allows larger amounts.
            let clamping = Profile { out_of_range: OutOfRange::Clamp, ..profile };
            world.network.emulator().set_profile(clamping);
            world.clear_log();
            let report = retry(&world).await;
            succeeded(&report);
            assert_eq!(world.records().len(), 400);
            assert_eq!(world.requests(RouteKind::BulkCreate), 2, "{report:#?}");
            assert!(report.calls <= 4, "{} calls", report.calls);
        });
    }
}

#[test]
fn rows_that_are_still_refused_harm_no_healthy_row_and_cost_few_calls() {
    for profile in refusing_profiles().into_iter().skip(1) {
        world(profile, |world| async move {
            let refused = some_in_every_batch_refused(&world, 400).await;
            for id in [10, 20, 1_000] {
                world.database.put(id, "healthy", 1);
            }
            world.clear_log();
            let report = retry(&world).await;
            assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
            assert_eq!((report.books.updated, report.books.created), (2, 1));
            // The breaker of retries may leave the last ones for a later run.
            let (parked, waiting) = (report.books.quarantine, report.books.waiting_after);
            assert_eq!(parked + waiting, refused, "nothing is dropped: {report:#?}");
            assert!(report.calls <= 60, "{} calls for {refused} rows", report.calls);
            // The sync goes on.
            world.database.put(30, "healthy", 1);
            let report = world.run().await;
            assert_eq!((status(&report), report.books.updated), (RunStatus::Partial, 1));
        });
    }
}
