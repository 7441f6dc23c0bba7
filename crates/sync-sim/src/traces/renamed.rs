//! D8 where a sync has another name: what it made belongs to the one that the state knows.

use smartsuite_emulator::RouteKind;
use sync_core::state::RunStatus;
use sync_engine::run::{RunOptions, RunOutcome};

use super::stage::{comes_right, fill, in_step, run, run_with, status, succeeds, usual};
use crate::world::World;

/// A sync with three records, under a name that the state does not know, for which there is a fourth row.
async fn renamed(world: &mut World) {
    fill(world, 3);
    succeeds(world).await;
    "customers".clone_into(&mut world.definition.name);
    world.database.put(4, "A", 4);
    world.clear_log();
}

/// Catches: a second record for each row where nobody said which sync this was before (`scan::link_seen`). Found as world 64265.
#[test]
fn d8_a_sync_that_was_renamed_without_a_word_doubles_nothing() {
    usual(async |mut world| {
        let before = world.definition.name.clone();
        renamed(&mut world).await;
        let report = run(&world).await;
        assert_eq!(status(&report), RunStatus::Failed, "{report:#?}");
        let RunOutcome::Ran { trouble: Some(trouble), .. } = &report.outcome else { panic!() };
        assert_eq!(trouble.code, "records_of_another_sync");
        assert!(trouble.remedy.contains(&format!("previously: {before}")), "{}", trouble.remedy);
        let retry = RunOptions { retry: true, ..RunOptions::default() };
        assert_eq!(status(&run_with(&world, retry).await), RunStatus::Failed);
        assert_eq!(world.requests(RouteKind::BulkCreate), 0);
        // As it was told.
        world.definition.previously = Some(before);
        succeeds(&world).await;
        in_step(&world);
        assert_eq!(world.requests(RouteKind::BulkCreate), 1);
        comes_right(&world).await;
    });
}
