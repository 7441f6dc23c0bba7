//! Every run comes to an end, in time, and its books balance.

use std::time::Duration;

use smartsuite_emulator::{Fault, FaultKind, RouteKind};
use sync_core::{
    port::Clock,
    state::{CallKind, RunStatus, StateError},
};
use sync_engine::{event::Event, run::RunOptions};

use super::{
    marks::take_lease,
    stage::{
        books_balance, calm, capture_only, code, comes_right, fill, pass, profiles, run, run_until,
        state_failed, status, succeeds, usual, world,
    },
    steps::{Run, at_every_step},
};

/// Catches: a failure that every look-up in between makes forgotten (`failures_in_a_row`).
#[test]
fn a_service_that_fails_every_create_ends_the_run() {
    for kind in [FaultKind::Status(502), FaultKind::Reset, FaultKind::Never, FaultKind::RateLimit] {
        usual(async |world| {
            fill(&world, 3);
            succeeds(&world).await;
            for id in 10..100 {
                world.database.put(id, "A", id);
            }
            let fault = Fault::new(kind).on(&[RouteKind::BulkCreate]).times(None);
            world.network.emulator().add_fault(fault);
            let began = world.clock.now();
            world.clear_log();
            let report = run(&world).await;
            assert_eq!(status(&report), RunStatus::Failed, "{kind:?} {report:#?}");
            let took = world.clock.now().duration_since(began);
            assert!(took.as_mins() < 20, "{kind:?} took {took:?}");
            assert!(world.all_requests() < 40, "{kind:?} cost {} calls", world.all_requests());
            comes_right(&world).await;
        });
    }
}

/// Catches: the same for updates, and for lists.
#[test]
fn a_service_that_fails_every_call_of_a_kind_ends_the_run() {
    for route in [RouteKind::BulkUpdate, RouteKind::List, RouteKind::Table] {
        for kind in [FaultKind::Status(502), FaultKind::Never, FaultKind::Status(404)] {
            usual(async |world| {
                fill(&world, 30);
                succeeds(&world).await;
                for id in 1..=60 {
                    world.database.put(id, "B", id);
                }
                world.network.emulator().add_fault(Fault::new(kind).on(&[route]).times(None));
                pass(&world, Duration::from_hours(25)).await;
                let began = world.clock.now();
                world.clear_log();
                let report = run(&world).await;
                assert_eq!(status(&report), RunStatus::Failed, "{kind:?} {report:#?}");
                let took = world.clock.now().duration_since(began);
                assert!(took.as_mins() < 30, "{kind:?} took {took:?}");
                assert!(world.all_requests() < 60, "{kind:?} cost {} calls", world.all_requests());
                calm(&world);
                let options = RunOptions { retry: true, ..RunOptions::default() };
                world.process().run(options).await.expect("the state works");
                comes_right(&world).await;
            });
        }
    }
}

/// Catches: a run that is asked to end and waits for the gate, or lets one more call leave.
#[test]
fn a_run_that_is_asked_to_end_during_a_pause_ends_at_once() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world
            .network
            .emulator()
            .add_fault(Fault::new(FaultKind::RateLimit).on(&[RouteKind::BulkUpdate]));
        world.database.put(1, "B", 1);
        let began = world.clock.now();
        world.clear_log();
        let report = run_until(&world, |event| matches!(event, Event::Paused { .. })).await;
        assert_eq!(status(&report), RunStatus::Interrupted);
        let took = world.clock.now().duration_since(began);
        assert!(took.as_secs() < 2, "it took {took:?}");
        assert_eq!(world.requests(RouteKind::BulkUpdate), 1);
        comes_right(&world).await;
    });
}

/// Catches: books that forget what is in flight, in doubt, or half captured when somebody ends the run.
#[test]
fn a_run_may_be_ended_at_any_step() {
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        world.database.put(9, "A", 9);
        world
            .network
            .emulator()
            .add_fault(Fault::new(FaultKind::Reset).on(&[RouteKind::BulkUpdate]));
        let process = world.process();
        let mut run = Run::of(&process);
        let ended = match run.go(steps).await {
            Some(report) => {
                books_balance(&report.expect("the state works"));
                true
            }
            None => {
                run.cancel();
                let began = world.clock.now();
                let report = run.finish().await.expect("the state works");
                books_balance(&report);
                assert_ne!(status(&report), RunStatus::Failed, "{report:#?}");
                let took = world.clock.now().duration_since(began);
                assert!(took.as_secs() < 3, "after {steps} steps it took {took:?}");
                false
            }
        };
        comes_right(&world).await;
        !ended
    });
}

/// D10. Catches: a write that does not check the token, and a process that goes on after it lost its lease.
#[test]
fn a_process_that_lost_its_lease_changes_nothing() {
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        world.database.put(9, "A", 9);
        let process = world.process();
        let mut run = Run::of(&process);
        let ended = run.go(steps).await.is_some();
        if !ended {
            take_lease(&world);
            let error = state_failed(run.finish().await);
            assert_eq!(error, StateError::Fenced, "after {steps} steps");
        }
        drop(process);
        comes_right(&world).await;
        !ended
    });
}

/// Catches: a run that never came to its end, told as running for ever.
#[test]
fn a_run_that_died_is_told_as_interrupted() {
    usual(async |world| {
        fill(&world, 3);
        capture_only(&world).await;
        assert!(super::steps::killed_after(&world, 10).await);
        succeeds(&world).await;
        let reader = sync_store::StateReader::open(&world.state_path()).expect("the state opens");
        let runs = reader.runs("items", 9).expect("the state works");
        let words: Vec<&str> = runs.iter().map(|run| run.status.as_str()).collect();
        assert_eq!(words, ["success", "interrupted", "interrupted"]);
    });
}

/// Catches: an entry that is ready but blocked by its key's doubt, and hides when the others may go.
#[test]
fn a_row_does_not_wait_for_another_rows_doubt() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        // Row 9 is in doubt for a minute and a half, and a newer wish waits behind it.
        let lost = Fault::new(FaultKind::Reset).on(&[RouteKind::BulkCreate]);
        world.network.emulator().add_fault(lost);
        world.database.put(9, "A", 9);
        super::steps::killed_when(&world, || {
            world.events.take().iter().any(|event| matches!(event, Event::InDoubt { .. }))
        })
        .await;
        calm(&world);
        world.database.put(9, "B", 9);
        world.database.put(1, "B", 1);
        world
            .network
            .emulator()
            .add_fault(Fault::new(FaultKind::Reset).on(&[RouteKind::BulkUpdate]));
        let process = world.process();
        let mut run = Run::of(&process);
        let began = world.clock.now();
        assert!(run.go_until(|| world.records()["1"][0].0 == "B").await.is_none());
        let took = world.clock.now().duration_since(began);
        assert!(took.as_secs() < 10, "it took {took:?}");
        run.finish().await.expect("the state works");
        comes_right(&world).await;
    });
}

/// Catches: an entry that a store which gave others a turn left waiting.
#[test]
fn every_profile_ends_in_step() {
    for profile in profiles() {
        world(profile, async |world| {
            fill(&world, 130);
            comes_right(&world).await;
            for id in 1..=130 {
                world.database.put(id, "B", id);
            }
            comes_right(&world).await;
        });
    }
}

/// What a stopped sync says.
#[test]
fn a_table_that_is_gone_stops_the_sync_after_one_call() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let gone = Fault::new(FaultKind::Status(404)).times(None);
        world.network.emulator().add_fault(gone);
        world.database.put(1, "B", 1);
        world.clear_log();
        let report = run(&world).await;
        assert_eq!(code(&report), "smartsuite_wrong_address");
        assert_eq!(world.all_requests(), 1);
        let made = world.events.take();
        let kinds = made
            .iter()
            .filter(|event| matches!(event, Event::CallLeft { kind: CallKind::Update, .. }));
        assert_eq!(kinds.count(), 1);
    });
}
