//! D8 where a sync has another name: what it made belongs to the one that the state knows.

use serde_json::json;
use smartsuite_emulator::RouteKind;
use sync_core::state::{RECORDS_OF_ANOTHER_SYNC, RunStatus};
use sync_engine::run::{RunOptions, RunOutcome};

use super::stage::{comes_right, fill, run, run_with, status, succeeds, usual};
use crate::world::EXTERNAL_ID;

/// A key that is too long to be an external id as it is.
fn long(id: i64) -> String {
    format!("{id}-{}", "x".repeat(300))
}

/// Catches: a second record for each row where nobody said which sync this was before (`scan::link_seen`), also where keys are
/// hashed, and a former name that is of no use once something was adopted (`syncs::in_the_way`). Found as world 64265.
#[test]
fn d8_a_sync_that_was_renamed_without_a_word_doubles_nothing() {
    for (is_long, is_made) in [(false, false), (false, true), (true, false)] {
        usual(async |mut world| {
            if is_long {
                world.database.key_by(long);
            }
            fill(&world, 3);
            succeeds(&world).await;
            let before = std::mem::replace(&mut world.definition.name, "customers".to_owned());
            world.database.put(4, "A", 4);
            if is_made {
                // A person's record for the new row, which nobody holds.
                let values = json!({"title": "theirs", EXTERNAL_ID: "4"});
                world.person(&json!({"action": "create", "values": values}));
            }
            world.clear_log();
            let report = run(&world).await;
            assert_eq!(status(&report), RunStatus::Failed, "{report:#?}");
            let RunOutcome::Ran { trouble: Some(trouble), .. } = &report.outcome else { panic!() };
            assert_eq!(trouble.code, RECORDS_OF_ANOTHER_SYNC);
            assert!(
                trouble.remedy.contains(&format!("previously: {before}")),
                "{}",
                trouble.remedy
            );
            let retry = RunOptions { retry: true, ..RunOptions::default() };
            assert_eq!(status(&run_with(&world, retry).await), RunStatus::Failed);
            assert_eq!(world.requests(RouteKind::BulkCreate), 0);
            // As it was told.
            world.definition.previously = Some(before);
            succeeds(&world).await;
            assert_eq!(world.requests(RouteKind::BulkCreate), usize::from(!is_made));
            assert_eq!(world.records().len(), 4);
            comes_right(&world).await;
        });
    }
}
