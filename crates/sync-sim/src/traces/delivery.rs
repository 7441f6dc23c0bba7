//! D1 and D2: what is marked before a call leaves, and what counts as its answer.

use std::time::Duration;

use smartsuite_emulator::{BulkBadItem, Fault, FaultKind, LateEnd, OutOfRange, Profile, RouteKind};
use sync_core::state::RunStatus;
use sync_engine::run::RunOptions;

use super::{
    stage::{books_balance, comes_right, fill, in_step, pass, status, succeeds, usual},
    steps::{at_every_step, killed_after, killed_when, power_cut_after, power_cut_when},
};
use crate::world::{Process, World};

/// D1. Catches: a link that keeps its fingerprint while an update is on its way (`dispatch::mark_sending`).
#[test]
fn d1_an_update_that_died_with_its_process_is_not_taken_for_undone() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkUpdate) > 0).await;
        world.database.put(1, "A", 1);
        comes_right(&world).await;
    });
}

/// D1. Catches: an update that a dead process was sending, and that its successor takes for done (`doubt::inherit`).
#[test]
fn d1_an_update_that_a_dead_process_was_sending_is_sent_again() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let lost = Fault::new(FaultKind::Never).on(&[RouteKind::BulkUpdate]);
        world.network.emulator().add_fault(lost);
        world.database.put(1, "B", 1);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkUpdate) > 0).await;
        assert_eq!(world.records()["1"][0].0, "A", "it had no effect");
        comes_right(&world).await;
    });
}

/// D1. Catches: marks that a power cut undoes, though their call has left (`Durability::Process` in
/// `SqliteStore::dispatch`).
#[test]
fn d1_an_update_that_left_before_a_power_cut_is_not_taken_for_undone() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        world.clear_log();
        power_cut_when(&world, || world.requests(RouteKind::BulkUpdate) > 0).await;
        assert_eq!(world.records()["1"][0].0, "B", "it had its effect");
        world.database.put(1, "A", 1);
        comes_right(&world).await;
    });
}

/// D1. Catches: an update that got no answer and is taken for done.
#[test]
fn d1_an_update_without_an_answer_is_sent_again() {
    for kind in [FaultKind::Reset, FaultKind::Status(502), FaultKind::Never] {
        usual(async |world| {
            fill(&world, 3);
            succeeds(&world).await;
            world.network.emulator().add_fault(Fault::new(kind).on(&[RouteKind::BulkUpdate]));
            world.database.put(1, "B", 1);
            succeeds(&world).await;
            in_step(&world);
        });
    }
}

/// Every rule at once: a process that creates and updates dies at any of its steps, and the rows are changed, or
/// changed back, before the next one.
#[test]
fn d1_a_process_may_die_at_any_step() {
    for back in [false, true] {
        at_every_step(async |world, steps| {
            fill(&world, 2);
            succeeds(&world).await;
            world.database.put(1, "B", 1);
            world.database.put(3, "A", 3);
            let died = killed_after(&world, steps).await;
            if back {
                world.database.put(1, "A", 1);
                world.database.put(3, "B", 3);
            }
            comes_right(&world).await;
            died
        });
    }
}

/// D1. Catches: marks that a power cut undoes (`Durability::Process` in `SqliteStore::dispatch`), and a witness that
/// is raised too late.
#[test]
fn d1_the_power_may_fail_at_any_step() {
    for back in [false, true] {
        at_every_step(async |world, steps| {
            fill(&world, 2);
            succeeds(&world).await;
            world.database.put(1, "B", 1);
            world.database.put(3, "A", 3);
            let died = power_cut_after(&world, steps).await;
            if back {
                world.database.put(1, "A", 1);
                world.database.put(3, "B", 3);
            }
            comes_right(&world).await;
            died
        });
    }
}

/// D2. Catches: any of these that counts as an answer (`CallErrorKind::is_answered`), and a look-up that decides
/// after two seconds.
#[test]
fn d2_a_create_that_a_gateway_answered_may_still_take_effect() {
    for late in [1_000, 10_000, 60_000, 85_000] {
        for end in [LateEnd::Reset, LateEnd::Never, LateEnd::GatewayTimeout] {
            usual(async |world| {
                fill(&world, 3);
                succeeds(&world).await;
                let fault = Fault::new(FaultKind::Late { ms: late, end });
                world.network.emulator().add_fault(fault.on(&[RouteKind::BulkCreate]));
                world.database.put(9, "A", 9);
                succeeds(&world).await;
                pass(&world, Duration::from_mins(2)).await;
                comes_right(&world).await;
            });
        }
    }
}

/// D2. Catches: as above, for an effect that comes with the answer.
#[test]
fn d2_a_create_whose_answer_is_no_answer_is_looked_up() {
    for kind in [
        FaultKind::Status(500),
        FaultKind::Status(502),
        FaultKind::Status(404),
        FaultKind::Status(403),
        FaultKind::Challenge(403),
        FaultKind::Challenge(200),
        FaultKind::Truncate(10),
        FaultKind::RateLimit,
        FaultKind::ShortAnswer(1),
        FaultKind::ShortAnswer(2),
    ] {
        usual(async |world| {
            fill(&world, 3);
            let process = world.process();
            runs_until_success(&world, &process).await;
            let fault = Fault::new(kind).on(&[RouteKind::BulkCreate]).after_the_effect();
            world.network.emulator().add_fault(fault);
            world.database.put(8, "A", 8);
            world.database.put(9, "A", 9);
            // In one process, as a new one would look before it creates.
            runs_until_success(&world, &process).await;
            comes_right(&world).await;
        });
    }
}

/// D2. Catches: as above, for words that are nobody's.
#[test]
fn d2_a_create_that_is_answered_in_strange_words_is_looked_up() {
    for body in ["OK", "{}", "null", r#"{"ok": true}"#, "<html>fine</html>", r#"[{"id": 1}]"#] {
        usual(async |world| {
            fill(&world, 3);
            let process = world.process();
            runs_until_success(&world, &process).await;
            let is_create = |request: &http::Request<bytes::Bytes>| {
                request.method() == http::Method::POST
                    && request.uri().path().ends_with("/records/bulk/")
            };
            world.network.answer_instead(is_create, body, 1);
            world.database.put(9, "A", 9);
            runs_until_success(&world, &process).await;
            comes_right(&world).await;
        });
    }
}

/// P7. Catches: a create that is answered, is not named, is not found, and is sent again for ever.
#[test]
fn a_row_that_the_service_leaves_out_without_a_word_costs_few_calls() {
    let profile = Profile {
        out_of_range: OutOfRange::Refuse,
        bulk_bad_item: BulkBadItem::Partial,
        ..Profile::lenient()
    };
    super::stage::world(profile, async |world| {
        fill(&world, 3);
        world.database.put(4, "A", crate::world::AMOUNT_MAX + 1);
        let report = super::stage::run(&world).await;
        assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
        assert_eq!(report.books.quarantine, 1);
        assert!(report.calls <= 14, "{} calls", report.calls);
        world.database.put(4, "A", 4);
        comes_right(&world).await;
    });
}

/// Runs one process again and again, as a person who says that a stopped sync may go on.
async fn runs_until_success(world: &World, process: &Process) {
    for _ in 0..3 {
        let options = RunOptions { retry: true, ..RunOptions::default() };
        let report = process.run(options).await.expect("the state works");
        books_balance(&report);
        if status(&report) == RunStatus::Success {
            return in_step(world);
        }
    }
    panic!("no success");
}
