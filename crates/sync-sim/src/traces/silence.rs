//! P7: calls that go unanswered time after time, because of a row, because of their size, or because of an outage.

use std::time::Duration;

use smartsuite_emulator::{Fault, FaultKind, Profile, RouteKind};
use sync_core::{port::Clock as _, state::RunStatus};
use sync_engine::{event::Event, run::RunReport};

use super::stage::{calm, comes_right, fill, in_step, pass, run, status, succeeds, usual, world};
use crate::world::World;

const BULK: [RouteKind; 2] = [RouteKind::BulkCreate, RouteKind::BulkUpdate];

/// The service never answers such a call.
fn never_answers(world: &World, fault: Fault) {
    world.network.emulator().add_fault(fault.times(None));
}

fn server_error(routes: &[RouteKind]) -> Fault {
    Fault::new(FaultKind::Status(500)).on(routes)
}

/// Sixty rows wait, to be created or changed, one of them with a text that the service stumbles over.
async fn with_poison(world: &World, creates: bool) {
    if !creates {
        fill(world, 60);
        succeeds(world).await;
    }
    for id in 1..=60 {
        world.database.put(id, if id == 17 { "poison" } else { "B" }, id);
    }
    world.clear_log();
}

/// Runs until one succeeds, at most `runs`; the calls of all.
async fn within(world: &World, runs: usize) -> u64 {
    let mut calls = 0;
    for _ in 0..runs {
        let report = run(world).await;
        calls += report.calls;
        if status(&report) == RunStatus::Success {
            return calls;
        }
        pass(world, Duration::from_mins(1)).await;
    }
    panic!("no success in {runs} runs, {calls} calls");
}

/// Catches: a call that is sent for ever as it is (`Reading::unanswered`), and a row that never takes the way for one
/// record, as it never stands alone.
#[test]
fn a_row_that_makes_its_call_fail_is_sent_by_itself() {
    for profile in [Profile::default(), Profile::adversarial()] {
        for (creates, most) in [(true, 40), (false, 20)] {
            world(profile.clone(), |world| async move {
                with_poison(&world, creates).await;
                let poison = server_error(&BULK).where_body_contains("poison");
                never_answers(&world, poison);
                let began = world.clock.elapsed();
                let calls = within(&world, 1).await;
                assert!(calls <= most, "{calls} calls");
                let took = world.clock.elapsed().saturating_sub(began).as_secs();
                // Each of five failures of a create is looked into for a minute and a half.
                assert!(took < if creates { 600 } else { 20 }, "{took} s");
                in_step(&world);
                comes_right(&world).await;
            });
        }
    }
}

/// Catches: a run that takes one bad row for an outage, as it is the first of everything that is tried
/// (`Silence::is_outage`).
#[test]
fn a_bad_row_that_is_always_tried_first_is_no_outage() {
    usual(|world| async move {
        fill(&world, 25);
        succeeds(&world).await;
        (1..=24).for_each(|id| world.database.put(id, "B", id));
        // The last part leaves first.
        world.database.put(25, "poison", 25);
        never_answers(&world, server_error(&BULK).where_body_contains("poison"));
        let calls = within(&world, 1).await;
        assert!(calls <= 14, "{calls} calls");
        comes_right(&world).await;
    });
}

/// Catches: neighbours that wait until the row is found (`Outcome::Unanswered`), and a row that costs calls with every
/// run (`silence::is_to_blame`).
#[test]
fn a_row_that_no_call_carries_is_parked_and_keeps_nobody_waiting() {
    for (creates, runs) in [(true, 6), (false, 6)] {
        usual(|world| async move {
            with_poison(&world, creates).await;
            let routes = [&BULK[..], &[RouteKind::Create, RouteKind::Update]].concat();
            never_answers(&world, server_error(&routes).where_body_contains("poison"));
            run(&world).await;
            let new = |world: &World| {
                let records = world.records();
                records.values().flatten().filter(|(name, _)| name == "B").count()
            };
            assert_eq!(new(&world), 59, "the neighbours arrive with the first run");
            let mut last = None;
            for _ in 0..runs {
                pass(&world, Duration::from_mins(1)).await;
                last = Some(run(&world).await);
            }
            let report = last.expect("there were runs");
            assert_eq!(report.books.quarantine, 1, "{report:#?}");
            world.clear_log();
            let report = run(&world).await;
            assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
            assert_eq!(world.all_requests(), 0, "it waits for its time");

            calm(&world);
            pass(&world, Duration::from_hours(1)).await;
            succeeds(&world).await;
            comes_right(&world).await;
        });
    }
}

/// Catches: rows that never arrive where only calls of one row are answered, and rows of which each call is first tried
/// with others (`Silence::goes_one_by_one`).
#[test]
fn where_no_call_of_several_is_answered_rows_go_one_by_one() {
    for (creates, most) in [(true, 190), (false, 140)] {
        // By the route for several, or, where that answers nothing at all, by the one for one.
        for items in [1, 0] {
            usual(|world| async move {
                if !creates {
                    fill(&world, 100);
                    succeeds(&world).await;
                }
                (1..=100).for_each(|id| world.database.put(id, "B", id));
                never_answers(&world, server_error(&BULK).where_items_above(items));
                let calls = within(&world, 6).await;
                assert!(calls <= most, "{calls} calls");
                in_step(&world);
                comes_right(&world).await;
            });
        }
    }
}

/// Catches: an outage that leaves rows to be sent one by one (`Delivery::may_split`), or that costs more than a few calls
/// a run (`Silence::is_outage`).
#[test]
fn an_outage_costs_few_calls_and_splits_little() {
    for creates in [true, false] {
        // Of everything, or of writes alone.
        for routes in [&[][..], &BULK[..]] {
            usual(|world| async move {
                fill(&world, 200);
                succeeds(&world).await;
                let ids = if creates { 1_001..=1_200 } else { 1..=200 };
                ids.for_each(|id| world.database.put(id, "B", id));
                let mut down = Fault::new(FaultKind::Status(503));
                if !routes.is_empty() {
                    down = down.on(routes);
                }
                never_answers(&world, down);
                for _ in 0..10 {
                    world.clear_log();
                    run(&world).await;
                    let writes = world.requests(RouteKind::BulkCreate)
                        + world.requests(RouteKind::BulkUpdate);
                    assert!(writes <= 5, "{writes} writes in one run");
                    pass(&world, Duration::from_mins(1)).await;
                }
                calm(&world);
                pass(&world, Duration::from_mins(2)).await;
                world.clear_log();
                let report: RunReport = succeeds(&world).await;
                let writes =
                    world.requests(RouteKind::BulkCreate) + world.requests(RouteKind::BulkUpdate);
                // Eight calls, one of them in up to 25 parts.
                assert!((8..=32).contains(&writes), "{writes} writes: {report:#?}");
                in_step(&world);
                comes_right(&world).await;
            });
        }
    }
}

/// Catches: people who are not told why a run takes so many calls.
#[test]
fn that_rows_go_one_by_one_is_said() {
    usual(|world| async move {
        fill(&world, 100);
        succeeds(&world).await;
        (1..=100).for_each(|id| world.database.put(id, "B", id));
        never_answers(&world, server_error(&BULK).where_items_above(1));
        within(&world, 6).await;
        let is_it = |event: &Event| matches!(event, Event::Note { text } if text.contains("rows are sent one by one"));
        assert!(world.events.take().iter().any(is_it), "nobody was told");
    });
}
