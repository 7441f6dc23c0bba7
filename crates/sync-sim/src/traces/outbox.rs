//! C6: an answer settles exactly what was sent, and nothing newer.

use smartsuite_emulator::{Fault, FaultKind, RouteKind};
use sync_core::state::RunStatus;

use super::{
    stage::{comes_right, fill, run, run_with, status, succeeds, usual},
    steps::{at_every_step, killed_after, killed_when},
};
use crate::world::AMOUNT_MAX;
use sync_engine::run::RunOptions;

/// C6. Catches: an answer that takes the key's waiting entry with it (`settle::settle_one`).
#[test]
fn c6_a_late_found_create_does_not_settle_the_newer_wish() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let lost = Fault::new(FaultKind::Reset).on(&[RouteKind::BulkCreate]).after_the_effect();
        world.network.emulator().add_fault(lost);
        world.database.put(9, "A", 9);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
        world.database.put(9, "B", 9);
        comes_right(&world).await;
    });
}

/// C6. Catches: a refusal of a draft that a newer one has replaced, kept in quarantine.
#[test]
fn c6_a_superseded_refusal_is_not_the_newest_intention() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "too much", AMOUNT_MAX + 1);
        assert_eq!(status(&run(&world).await), RunStatus::Partial);
        world.database.put(1, "B", 1);
        succeeds(&world).await;
        // The service takes larger amounts from now on.
        let profile = smartsuite_emulator::Profile {
            out_of_range: smartsuite_emulator::OutOfRange::Clamp,
            ..smartsuite_emulator::Profile::default()
        };
        world.network.emulator().set_profile(profile);
        world.database.put(1, "too much", AMOUNT_MAX + 1);
        world.clear_log();
        let report = run_with(&world, RunOptions::default()).await;
        assert_eq!(report.books.updated, 1, "{report:#?}");
        assert_eq!(world.requests(RouteKind::BulkUpdate), 1);
    });
}

/// C6. Catches: a refusal that comes late, for a draft that a newer one has replaced meanwhile.
#[test]
fn c6_a_refusal_after_the_next_wish_is_void() {
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        // The service refuses the create; the process dies at some time before its look-up, or after.
        world.database.put(9, "too much", AMOUNT_MAX + 1);
        let died = killed_after(&world, steps).await;
        world.database.put(9, "B", 9);
        comes_right(&world).await;
        died
    });
}

/// P2. Catches: an entry that a newer one replaced while it was being sent, and that no book has (`settle::back`).
#[test]
fn p2_a_wish_that_was_replaced_while_it_was_in_doubt_is_in_the_books() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let lost = Fault::new(FaultKind::Reset).on(&[RouteKind::BulkCreate]);
        world.network.emulator().add_fault(lost);
        world.database.put(9, "A", 9);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
        world.database.put(9, "B", 9);
        assert_eq!(succeeds(&world).await.books.superseded, 1);
        comes_right(&world).await;
    });
}
