//! D3, D4, D5 and D7: what a look-up decides.

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, LateEnd, RouteKind};
use sync_core::state::CallKind;
use sync_engine::{
    event::{Event, Observer},
    run::RunOptions,
};

use super::{
    stage::{
        calm, comes_right, fill, in_step, late, lose_the_answer, pass, succeeds, title_of, usual,
    },
    state_files::{StateCopy, witness},
    steps::{Run, at_every_step, killed_when},
};
use crate::{
    breath::Breath,
    clock::looks_take,
    world::{EXTERNAL_ID, Events, ProcessParts},
};

/// D3. Catches: a create of a dead process that is counted from its mark (`doubt::inherit`).
#[test]
fn d3_a_process_that_stops_before_it_sends_does_not_shorten_the_wait() {
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(9, "A", 9);
        let late = FaultKind::Late { ms: 60_000, end: LateEnd::Never };
        world.network.emulator().add_fault(Fault::new(late).on(&[RouteKind::BulkCreate]));
        world.clear_log();
        let process = world.process();
        let mut run = Run::of(&process);
        let ended = run.go(steps).await.is_some();
        if !ended {
            pass(&world, Duration::from_mins(1)).await;
            run.go_until(|| world.requests(RouteKind::BulkCreate) > 0).await;
        }
        drop(run);
        drop(process);
        succeeds(&world).await;
        pass(&world, Duration::from_mins(2)).await;
        comes_right(&world).await;
        !ended
    });
}

/// D3. Catches: as above, where the machine stands still between the mark and the call: the effect comes when the time
/// from the mark is over.
#[test]
fn d3_a_create_whose_process_stood_still_counts_from_its_successor() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let late = FaultKind::Late { ms: 60_000, end: LateEnd::Never };
        world.network.emulator().add_fault(Fault::new(late).on(&[RouteKind::BulkCreate]));
        world.database.put(9, "A", 9);
        world.clear_log();
        let breath = Breath::default();
        let observer = Arc::<Events>::clone(&world.events);
        let parts = ProcessParts { observer, breath: breath.clone(), pages_more: None };
        let process = world.process_of(parts).expect("the state opens");
        let mut run = Run::of(&process);
        let before = witness(&world);
        assert!(run.go_until(|| witness(&world) != before).await.is_none());
        breath.hold();
        pass(&world, Duration::from_mins(1)).await;
        assert_eq!(world.requests(RouteKind::BulkCreate), 0, "it has not left");
        breath.let_go();
        run.go_for(Duration::from_secs(1)).await;
        assert_eq!(world.requests(RouteKind::BulkCreate), 1, "it has left");
        drop(run);
        drop(process);
        succeeds(&world).await;
        pass(&world, Duration::from_mins(2)).await;
        comes_right(&world).await;
    });
}

/// Stops its process where the first create leaves.
struct StopsAtCreate(Arc<Events>, Breath, Once);

impl Observer for StopsAtCreate {
    fn observe(&self, sync: &str, event: &Event) {
        if matches!(event, Event::CallLeft { kind: CallKind::Create, .. }) {
            self.2.call_once(|| self.1.hold());
        }
        self.0.observe(sync, event);
    }
}

/// D3. Catches: a create that counts from when its process set out to send it, and then stood still (`Reading::in_doubt`).
#[test]
fn d3_a_create_whose_process_stood_still_counts_from_the_end_of_its_call() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        late(&world, RouteKind::BulkCreate, 1);
        world.database.put(9, "A", 9);
        world.clear_log();
        let breath = Breath::default();
        let events = Arc::clone(&world.events);
        let observer = Arc::new(StopsAtCreate(events, breath.clone(), Once::new()));
        let parts = ProcessParts { observer, breath: breath.clone(), pages_more: None };
        let process = world.process_of(parts).expect("the state opens");
        let mut run = Run::of(&process);
        run.go_for(Duration::from_secs(100)).await;
        assert!(breath.is_held());
        assert_eq!(world.requests(RouteKind::BulkCreate), 0, "it has not left");
        breath.let_go();
        run.finish().await.expect("the state works");
        in_step(&world);
        pass(&world, Duration::from_mins(2)).await;
        comes_right(&world).await;
    });
}

/// D3, C7. Catches: controls that are taken for hidden though somebody emptied their ids: no look-up would ever be believed again
/// (`Delivery::is_hidden`).
#[test]
fn d3_a_record_whose_id_somebody_emptied_is_no_control() {
    usual(async |world| {
        fill(&world, 6);
        succeeds(&world).await;
        for key in ["1", "2", "5", "6"] {
            for record in world.record_ids(key) {
                let values = json!({EXTERNAL_ID: ""});
                world.person(&json!({"action": "update", "record": record, "values": values}));
            }
        }
        lose_the_answer(&world);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        in_step(&world);
    });
}

/// D3. Catches: an answer that is believed although the control is not in it (`Delivery::look`).
#[test]
fn d3_a_look_up_that_silently_finds_nothing_proves_nothing() {
    // An answer that leaves out what it counts is no answer, with a control or without.
    for rows in [3, 0] {
        usual(async |world| {
            fill(&world, rows);
            succeeds(&world).await;
            lose_the_answer(&world);
            let short = Fault::new(FaultKind::ShortAnswer(1_000)).on(&[RouteKind::List]);
            world.network.emulator().add_fault(short.times(Some(3)));
            world.database.put(9, "A", 9);
            succeeds(&world).await;
            in_step(&world);
            comes_right(&world).await;
        });
    }
    // One that finds nothing at all is found out by the control alone.
    usual(async |world| {
        fill(&world, 3);
        let process = world.process();
        process.run(RunOptions::default()).await.expect("the state works");
        lose_the_answer(&world);
        world.database.put(9, "A", 9);
        world.network.blind_lists(2);
        process.run(RunOptions::default()).await.expect("the state works");
        in_step(&world);
        comes_right(&world).await;
    });
}

/// D3. Catches: a look-up that falls due between two looks at the clock, and is neither made nor waited for: the run ended
/// and left its rows to the next one (`Delivery::run`).
#[test]
fn d3_a_look_up_that_falls_due_while_time_is_taken_is_made() {
    for milliseconds in (80..180).step_by(4) {
        usual(async |world| {
            fill(&world, 3);
            succeeds(&world).await;
            lose_the_answer(&world);
            world.database.put(9, "A", 9);
            world.clear_log();
            killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
            looks_take(Duration::from_millis(milliseconds));
            succeeds(&world).await;
            looks_take(Duration::ZERO);
        });
    }
}

/// D4. Catches: the copy that is taken because it was found (`doubt::judge`).
#[test]
fn d4_of_our_record_and_a_persons_copy_ours_is_linked() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        lose_the_answer(&world);
        world.database.put(9, "A", 9);
        let process = world.process();
        let mut run = Run::of(&process);
        world.clear_log();
        assert!(run.go_until(|| world.requests(RouteKind::BulkCreate) > 0).await.is_none());
        let ours = world.record_ids("9").remove(0);
        world.person(&json!({"action": "copy", "record": ours}));
        run.finish().await.expect("the state works");
        world.database.put(9, "B", 9);
        succeeds(&world).await;
        assert_eq!(title_of(&world, &ours), "B");
        // The copy is the person's.
        assert_eq!(world.records()["9"].len(), 2);
    });
}

/// D4. Catches: a stranger's record that settles the doubt before ours has had its time. And the older one that is linked
/// where no create was answered yet, as nobody knows whose it is (`doubt::judge`): world 11320.
#[test]
fn d4_a_persons_record_is_no_answer_while_ours_may_come() {
    for is_known in [true, false] {
        usual(async |world| {
            if is_known {
                fill(&world, 3);
                succeeds(&world).await;
            }
            late(&world, RouteKind::BulkCreate, 1);
            world.database.put(9, "A", 9);
            let process = world.process();
            let mut run = Run::of(&process);
            world.clear_log();
            assert!(run.go_until(|| world.requests(RouteKind::BulkCreate) > 0).await.is_none());
            let typed = json!({"action": "create", "values": {EXTERNAL_ID: "9", "title": "typed"}});
            let typed = world.person(&typed)["id"].as_str().expect("an id").to_owned();
            run.finish().await.expect("the state works");
            let of_nine = world.record_ids("9");
            let ours = of_nine.iter().find(|id| **id != typed).expect("it landed");
            world.database.put(9, "B", 9);
            succeeds(&world).await;
            let titles = [ours, &typed].map(|id| title_of(&world, id));
            assert_eq!(titles, ["B", "typed"]);
        });
    }
}

/// D4. Catches: a stranger's record that is passed over when ours did not come.
#[test]
fn d4_a_persons_record_is_linked_when_ours_does_not_come() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world
            .network
            .emulator()
            .add_fault(Fault::new(FaultKind::Reset).on(&[RouteKind::BulkCreate]));
        world.database.put(9, "A", 9);
        let process = world.process();
        let mut run = Run::of(&process);
        world.clear_log();
        assert!(run.go_until(|| world.requests(RouteKind::BulkCreate) > 0).await.is_none());
        world.person(&json!({"action": "create", "values": {EXTERNAL_ID: "9", "title": "typed"}}));
        run.finish().await.expect("the state works");
        comes_right(&world).await;
    });
}

/// D5. Catches: a link that takes the fingerprint of the draft instead of the values read (`Delivery::adopt`). The record
/// was written to since its create: by a person, or by a process that the restored state does not know of.
#[test]
fn d5_a_found_record_is_linked_with_the_values_it_holds() {
    for is_restored in [false, true] {
        usual(async |world| {
            fill(&world, 3);
            succeeds(&world).await;
            lose_the_answer(&world);
            world.database.put(9, "A", 9);
            world.clear_log();
            killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
            if is_restored {
                let old = StateCopy::of(&world);
                world.database.put(9, "B", 9);
                succeeds(&world).await;
                in_step(&world);
                world.database.put(9, "A", 9);
                old.restore(&world);
            } else {
                let record = world.record_ids("9").remove(0);
                let values = json!({"title": "B"});
                world.person(&json!({"action": "update", "record": record, "values": values}));
            }
            comes_right(&world).await;
        });
    }
}

/// D7. Catches: a create that follows a 404 at once (`dispatch::candidate`).
#[test]
fn d7_a_create_after_a_missing_record_looks_its_id_up_first() {
    usual(async |world| {
        fill(&world, 3);
        let process = world.process();
        process.run(RunOptions::default()).await.expect("the state works");
        let old = world.record_ids("1").remove(0);
        world.person(&json!({"action": "delete", "record": old}));
        world.person(&json!({"action": "create", "values": {EXTERNAL_ID: "1", "title": "typed"}}));
        world.database.put(1, "B", 1);
        process.run(RunOptions::default()).await.expect("the state works");
        in_step(&world);
        calm(&world);
        comes_right(&world).await;
    });
}
