//! Several syncs of one process, or of several, on one table.

use std::collections::BTreeMap;

use sync_core::{config::model::SyncDefinition, state::RunStatus};
use sync_engine::run::RunOptions;

use super::{
    stage::{books_balance, fill, status, usual},
    state_files::{StateCopy, lose_everything},
};
use crate::{
    source::SimDatabase,
    world::{OTHER_TABLE, Process, World},
};

/// A second sync, with rows and a prefix of its own.
struct Second {
    definition: SyncDefinition,
    database: SimDatabase,
}

impl Second {
    fn of(world: &mut World) -> Self {
        let mut definition = world.definition.clone();
        definition.name = "others".into();
        definition.destination.key_prefix = "b:".into();
        world.definition.destination.key_prefix = "a:".into();
        Self { definition, database: SimDatabase::new(world.clock) }
    }

    fn process(&self, first: &Process) -> Process {
        first.beside(&self.definition, &self.database)
    }
}

async fn succeeds(process: &Process) {
    let report = process.run(RunOptions::default()).await.expect("the state works");
    books_balance(&report);
    assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
}

/// Every record of the table belongs to a row of one of the two.
fn in_step(world: &World, second: &Second) {
    let mut wished: BTreeMap<_, _> = world.wished();
    wished.extend(world.wished_of(&second.definition, &second.database));
    assert_eq!(world.records(), wished);
}

/// D8. Catches: an audit that is taken to be made for every sync of a table once one of them has made it.
#[test]
fn each_sync_of_a_table_looks_before_its_first_create() {
    usual(async |mut world| {
        let second = Second::of(&mut world);
        fill(&world, 3);
        second.database.put(1, "A", 1);
        let process = world.process();
        succeeds(&process).await;
        succeeds(&second.process(&process)).await;
        drop(process);
        let old = StateCopy::of(&world);
        for id in 4..=6 {
            world.database.put(id, "A", id);
            second.database.put(id, "A", id);
        }
        let process = world.process();
        succeeds(&process).await;
        succeeds(&second.process(&process)).await;
        in_step(&world, &second);
        drop(process);
        old.restore(&world);
        let process = world.process();
        succeeds(&process).await;
        succeeds(&second.process(&process)).await;
        in_step(&world, &second);
    });
}

/// Catches: an empty state in which one sync adopts what carries another's keys.
#[test]
fn a_lost_state_gives_each_sync_its_own_records() {
    usual(async |mut world| {
        let second = Second::of(&mut world);
        fill(&world, 30);
        for id in 1..=30 {
            second.database.put(id, "A", id);
        }
        let process = world.process();
        let other = second.process(&process);
        let (one, two) = tokio::join!(succeeds(&process), succeeds(&other));
        ((), ()) = (one, two);
        in_step(&world, &second);
        drop((process, other));
        lose_everything(&world);
        let process = world.process();
        let other = second.process(&process);
        tokio::join!(succeeds(&process), succeeds(&other));
        in_step(&world, &second);
        assert_eq!(world.requests(smartsuite_emulator::RouteKind::BulkCreate), 4);
    });
}

/// Catches: an index of linked records that one sync's scan makes and another's, on another table, replaces.
#[test]
fn two_scans_at_once_do_not_take_each_others_index() {
    usual(async |mut world| {
        let mut second = Second::of(&mut world);
        OTHER_TABLE.clone_into(&mut second.definition.destination.table_id);
        fill(&world, 60);
        for id in 1..=60 {
            second.database.put(id, "A", id);
        }
        let process = world.process();
        succeeds(&process).await;
        succeeds(&second.process(&process)).await;
        drop(process);
        // Values become unknown for both, so that both are compared by a scan, at the same time.
        let old = StateCopy::of(&world);
        world.database.put(61, "A", 61);
        succeeds(&world.process()).await;
        old.restore(&world);
        world.clear_log();
        let process = world.process();
        let other = second.process(&process);
        tokio::join!(succeeds(&process), succeeds(&other));
        let updates = world.requests(smartsuite_emulator::RouteKind::BulkUpdate);
        assert_eq!(updates, 0, "every record holds what its row holds");
        assert_eq!(world.records(), world.wished());
        let wished = world.wished_of(&second.definition, &second.database);
        assert_eq!(world.records_in(OTHER_TABLE), wished);
    });
}
