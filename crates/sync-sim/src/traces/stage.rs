//! What every trace needs: a world to run in, the usual rows, and the judge.

use std::time::Duration;

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, FaultScript, LateEnd, Profile, RouteKind};
use sync_core::{port::Clock, state::RunStatus};
use sync_engine::{
    event::Event,
    run::{RunOptions, RunOutcome, RunReport},
};
use tokio_util::sync::CancellationToken;

use crate::world::{EXTERNAL_ID, NOTE, World};

/// Runs a script in a world of its own.
pub(super) fn world<F: Future<Output = ()>>(profile: Profile, script: impl FnOnce(World) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async { script(World::new(7, profile)).await });
}

/// Runs a script in the profile that public material makes most likely.
pub(super) fn usual<F: Future<Output = ()>>(script: impl FnOnce(World) -> F) {
    world(Profile::default(), script);
}

/// Rows 1 to `rows`, each with the name `A`.
pub(super) fn fill(world: &World, rows: i64) {
    for id in 1..=rows {
        world.database.put(id, "A", id);
    }
}

/// How a run ended.
pub(super) fn status(report: &RunReport) -> RunStatus {
    match &report.outcome {
        RunOutcome::Ran { status, .. } => *status,
        other => panic!("{other:?}"),
    }
}

/// Whatever became of a run, every row and every entry is accounted for.
pub(super) fn books_balance(report: &RunReport) {
    assert!(report.books.rows_balance(), "rows: {report:#?}");
    assert!(report.books.entries_balance(), "entries: {report:#?}");
}

/// Runs the sync in a process of its own.
pub(super) async fn run(world: &World) -> RunReport {
    run_with(world, RunOptions::default()).await
}

/// [`run`], as a person asked.
pub(super) async fn run_with(world: &World, options: RunOptions) -> RunReport {
    let report = world.process().run(options).await.expect("the state works");
    books_balance(&report);
    report
}

/// Runs the sync and expects success.
pub(super) async fn succeeds(world: &World) -> RunReport {
    let report = run(world).await;
    assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
    report
}

/// Runs the sync until an event of this kind is said.
pub(super) async fn run_until(world: &World, is_it: fn(&Event) -> bool) -> RunReport {
    let cancelled = CancellationToken::new();
    world.events.cancel_at(is_it, &cancelled);
    let report = world.process().run_until(&cancelled).await;
    world.events.cancel_at(|_| false, &CancellationToken::new());
    let report = report.expect("the state works");
    books_balance(&report);
    report
}

/// Rows become entries, and nothing is sent: somebody ends the run between its two halves.
pub(super) async fn capture_only(world: &World) {
    world.clear_log();
    let report = run_until(world, |event| matches!(event, Event::Captured { .. })).await;
    assert_eq!(status(&report), RunStatus::Interrupted, "{report:#?}");
    assert_eq!(world.all_requests(), 0);
}

/// The next call of this kind takes effect so many minutes after its connection broke.
pub(super) fn late(world: &World, route: RouteKind, minutes: u64) {
    let kind = FaultKind::Late { ms: minutes * 60_000, end: LateEnd::Reset };
    world.network.emulator().add_fault(Fault::new(kind).on(&[route]));
}

/// The next create takes effect, and nobody hears of it.
pub(super) fn lose_the_answer(world: &World) {
    let lost = Fault::new(FaultKind::Reset).on(&[RouteKind::BulkCreate]).after_the_effect();
    world.network.emulator().add_fault(lost);
}

/// No fault strikes from now on; what was struck already may still have its late effect.
pub(super) fn calm(world: &World) {
    world.network.emulator().set_faults(FaultScript::default());
}

/// Time passes.
pub(super) async fn pass(world: &World, length: Duration) {
    world.clock.sleep(length).await;
}

/// The judge: when all is calm, one run brings every record in step with its row, one record a row, and the next
/// finds nothing to do.
pub(super) async fn comes_right(world: &World) {
    calm(world);
    succeeds(world).await;
    in_step(world);
    world.clear_log();
    succeeds(world).await;
    assert_eq!(world.all_requests(), 0, "a run in which nothing changed makes no call");
}

/// One record a row, with the row's values.
pub(super) fn in_step(world: &World) {
    assert_eq!(world.records(), world.wished());
}

/// The title of a record.
pub(super) fn title_of(world: &World, id: &str) -> String {
    let records = world.dump(&world.definition.destination.table_id);
    let record = records.iter().find(|record| record["id"] == id).expect("it lives");
    record["title"].as_str().unwrap_or_default().to_owned()
}

/// The note of a row's only record.
pub(super) fn note_of(world: &World, id: i64) -> String {
    let records = world.dump(&world.definition.destination.table_id);
    let of = records.iter().find(|record| record[EXTERNAL_ID] == json!(id.to_string()));
    of.and_then(|record| record[NOTE].as_str()).unwrap_or_default().to_owned()
}

/// What people were told since somebody asked last.
pub(super) fn notes(world: &World) -> Vec<String> {
    let said = world.events.take().into_iter();
    said.filter_map(|event| if let Event::Note { text } = event { Some(text) } else { None })
        .collect()
}
