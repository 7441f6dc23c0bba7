//! D9: a state that is older than the world knows that it is.

use std::time::Duration;

use smartsuite_emulator::{Fault, FaultKind, LateEnd, Profile, RouteKind};
use sync_core::state::FullReadReason;
use sync_engine::event::{Event, FullRead};

use super::{
    stage::{comes_right, fill, pass, succeeds, usual, world},
    state_files::{StateCopy, lose},
    steps::{at_every_step, killed_after, killed_when},
};

/// D9. Catches: a restored link whose fingerprint is believed (`older::distrust_if_older`).
#[test]
fn d9_a_restored_link_does_not_vouch_for_its_record() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        world.database.put(1, "B", 1);
        succeeds(&world).await;
        world.database.put(1, "A", 1);
        old.restore(&world);
        world.events.take();
        succeeds(&world).await;
        let said = world.events.take();
        let reason = FullRead::Due(FullReadReason::OlderState);
        assert!(said.contains(&Event::ReadOpened { full: Some(reason) }));
        comes_right(&world).await;
    });
}

/// D9. Catches: as above, where the row went back without its cursor noticing: only a full read finds it.
#[test]
fn d9_an_older_state_reads_everything() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        pass(&world, Duration::from_hours(1)).await;
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        world.database.put(1, "B", 1);
        succeeds(&world).await;
        pass(&world, Duration::from_hours(1)).await;
        world.database.put(1, "A", 1);
        world.database.age(1, Duration::from_hours(3));
        old.restore(&world);
        comes_right(&world).await;
    });
}

/// D9. Catches: an audit that is made while the dead process's create is still on its way
/// (`Delivery::wait_for_older_calls`).
#[test]
fn d9_the_state_is_lost_while_a_create_is_on_its_way() {
    for late in [2_000, 60_000, 85_000] {
        usual(async |world| {
            fill(&world, 3);
            succeeds(&world).await;
            let late = FaultKind::Late { ms: late, end: LateEnd::Never };
            world.network.emulator().add_fault(Fault::new(late).on(&[RouteKind::BulkCreate]));
            world.database.put(9, "A", 9);
            world.clear_log();
            killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
            lose(&world);
            succeeds(&world).await;
            pass(&world, Duration::from_mins(2)).await;
            comes_right(&world).await;
        });
    }
}

/// D9. Catches: values that are believed though the last update is not in the lists yet, or still on its way: an older
/// state that waits for the last create alone (`SqliteStore::dispatch`), or only before it creates.
#[test]
fn d9_what_is_read_before_the_last_update_shows_is_not_believed() {
    for (is_lost, is_late) in [(true, false), (false, false), (true, true), (false, true)] {
        let profile = Profile { list_lag_ms: 1_500, ..Profile::default() };
        world(profile, async |world| {
            fill(&world, 3);
            succeeds(&world).await;
            world.database.put(1, "B", 1);
            succeeds(&world).await;
            pass(&world, Duration::from_mins(5)).await;
            let old = StateCopy::of(&world);
            world.database.put(1, "A", 1);
            if is_late {
                let late = FaultKind::Late { ms: 60_000, end: LateEnd::Never };
                let late = Fault::new(late).on(&[RouteKind::BulkUpdate]);
                world.network.emulator().add_fault(late);
                world.clear_log();
                killed_when(&world, || world.requests(RouteKind::BulkUpdate) > 0).await;
            } else {
                succeeds(&world).await;
            }
            world.database.put(1, "B", 1);
            if is_lost {
                lose(&world);
            } else {
                old.restore(&world);
            }
            succeeds(&world).await;
            pass(&world, Duration::from_mins(2)).await;
            comes_right(&world).await;
        });
    }
}

/// D9. Catches: as above, where an old copy takes the state's place, at every step of the process that dies.
#[test]
fn d9_an_old_copy_is_restored_while_a_create_is_on_its_way() {
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        let late = FaultKind::Late { ms: 60_000, end: LateEnd::Never };
        world.network.emulator().add_fault(Fault::new(late).on(&[RouteKind::BulkCreate]));
        world.database.put(1, "B", 1);
        world.database.put(9, "A", 9);
        let died = killed_after(&world, steps).await;
        pass(&world, Duration::from_secs(1)).await;
        old.restore(&world);
        world.database.put(1, "A", 1);
        succeeds(&world).await;
        pass(&world, Duration::from_mins(2)).await;
        comes_right(&world).await;
        died
    });
}

/// D9. Catches: an audit that a scan for values has replaced, although creates were not waited for yet.
#[test]
fn d9_a_scan_before_the_wait_is_over_is_no_audit() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        let late = FaultKind::Late { ms: 60_000, end: LateEnd::Never };
        world.network.emulator().add_fault(Fault::new(late).on(&[RouteKind::BulkCreate]));
        world.database.put(9, "A", 9);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
        old.restore(&world);
        // Row 9 is out of sight for the first run of the new process, which only compares values.
        world.database.delete(9);
        world.database.put(1, "B", 1);
        let process = world.process();
        let options = sync_engine::run::RunOptions::default();
        process.run(options).await.expect("the state works");
        world.database.put(9, "B", 9);
        process.run(options).await.expect("the state works");
        pass(&world, Duration::from_mins(2)).await;
        comes_right(&world).await;
    });
}

/// D9. Catches: a witness that is raised by what sends nothing, or before its commit: a false alarm costs a scan.
#[test]
fn d9_a_copy_as_new_as_the_world_is_believed() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let copy = StateCopy::of(&world);
        succeeds(&world).await;
        copy.restore(&world);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
    });
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        let died = killed_after(&world, steps).await;
        world.events.take();
        succeeds(&world).await;
        let reason = FullRead::Due(FullReadReason::OlderState);
        assert!(!world.events.take().contains(&Event::ReadOpened { full: Some(reason) }));
        died
    });
}
