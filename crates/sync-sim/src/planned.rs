//! A plan says what a run does: so many calls, these writes and no others.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, Profile, RouteKind};
use sync_core::state::{CallKind, RunStatus, SyncId};
use sync_engine::{
    event::{Event, Observer},
    plan::{LeapingClock, PlanKeeper, PlanMaker, PlanPromise, PlannedSync, RehearsedTarget},
    run::{RunOptions, RunOutcome, RunReport, SyncTask},
};
use sync_store::{SqliteStore, ThrowAwayState};
use tokio_util::sync::CancellationToken;

use crate::world::{AMOUNT_MAX, EXTERNAL_ID, World, memory};

/// A rehearsal: what it was reported to come to, and what was written down.
struct Rehearsal {
    report: RunReport,
    planned: PlannedSync,
    /// Calls that the rehearsal itself made, all of which only read.
    reads: u64,
}

struct Silent;

impl Observer for Silent {
    fn observe(&self, _sync: &str, _event: &Event) {}
}

impl World {
    async fn rehearse(&self, options: RunOptions) -> Rehearsal {
        let before = std::fs::read(self.state_path()).ok();
        let copied = ThrowAwayState::copied_into(&memory(), &self.state_path())
            .expect("the state is copied");
        let maker = Arc::new(PlanMaker::new(usize::MAX));
        let clock = Arc::new(LeapingClock::new(Arc::new(self.clock)));
        let observer: Arc<dyn Observer> = Arc::<PlanMaker>::clone(&maker);
        let engine = self
            .engine(copied.open().expect("the copy opens"), clock, observer)
            .overseen_by(Arc::<PlanMaker>::clone(&maker));
        // Reads are paced in a copy of their own, so that the state is proved untouched.
        let gate = ThrowAwayState::copied_into(&memory(), &self.state_path())
            .expect("the state is copied");
        let store = gate.open().expect("the copy opens");
        let reader = self.engine(store, Arc::new(self.clock), Arc::new(Silent));
        let task = self.task();
        let target = Arc::new(RehearsedTarget::new(
            &task,
            Some((Arc::new(move || Ok(reader.clone())), SyncId(1))),
            &CancellationToken::new(),
        ));
        let task = SyncTask { target: Arc::<RehearsedTarget>::clone(&target), ..task };
        let report = engine
            .run(&task, options, &CancellationToken::new())
            .await
            .expect("the copy of the state works");
        assert_eq!(std::fs::read(self.state_path()).ok(), before, "the state is untouched");
        assert_eq!(target.failure(), None);
        let (planned, reads) = (maker.take("items"), target.calls_made());
        Rehearsal { report, planned, reads }
    }

    /// Rehearses, runs, and holds the two against each other: calls by kind, writes, books.
    async fn run_as_planned(&self, options: RunOptions) -> (PlannedSync, RunReport) {
        self.clear_log();
        let rehearsal = self.rehearse(options).await;
        for writing in [RouteKind::BulkCreate, RouteKind::BulkUpdate, RouteKind::BulkDelete] {
            assert_eq!(self.requests(writing), 0, "a plan only reads");
        }
        assert_eq!(self.all_requests() as u64, rehearsal.reads, "and every read is counted");
        self.clear_log();
        self.events.take();
        let report = self.process().run(options).await.expect("the state works");
        let mut made: BTreeMap<CallKind, u64> = BTreeMap::new();
        for event in self.events.take() {
            if let Event::CallLeft { kind, .. } = event {
                *made.entry(kind).or_default() += 1;
            }
        }
        assert_eq!(rehearsal.planned.calls, made, "{:#?}", rehearsal.report);
        assert_eq!(rehearsal.report.calls, report.calls);
        assert_eq!(report.calls, self.all_requests() as u64);
        assert_eq!(rehearsal.report.books, report.books);
        (rehearsal.planned, report)
    }
}

fn world<F: Future<Output = ()>>(profile: Profile, script: impl FnOnce(World) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async { script(World::new(11, profile)).await });
}

fn fill(world: &World, ids: std::ops::RangeInclusive<i64>) {
    for id in ids {
        world.database.put(id, &format!("row {id}"), id % 1_000);
    }
}

const PLAIN: RunOptions = RunOptions {
    full: false,
    retry: false,
    accept_key_change: false,
    reconcile: false,
    allow_deletes: None,
    serves: false,
    follow: None,
};
const FULL: RunOptions = RunOptions { full: true, ..PLAIN };

/// Creates, updates, nothing: the life of a table, each step predicted to the call.
#[test]
fn every_run_of_a_life_makes_the_calls_that_were_planned() {
    for profile in [Profile::default(), Profile::strict(), Profile::lenient()] {
        world(profile, |world| async move {
            fill(&world, 1..=130);
            let (planned, _) = world.run_as_planned(PLAIN).await;
            assert_eq!(planned.calls[&CallKind::Create], 6);
            assert_eq!(planned.writes.len(), 130);

            let (planned, _) = world.run_as_planned(PLAIN).await;
            assert_eq!(planned.calls, BTreeMap::new());
            world.run_as_planned(FULL).await;

            for id in 1..=51 {
                world.database.put(id, "changed", id);
            }
            fill(&world, 131..=140);
            let (planned, _) = world.run_as_planned(PLAIN).await;
            assert_eq!(planned.calls[&CallKind::Update], 3);
            assert_eq!(planned.calls[&CallKind::Create], 1);
            assert_eq!(planned.calls[&CallKind::Audit], 1);
            assert_eq!(world.records(), world.wished());
        });
    }
}

/// The state is lost: what the table holds is read, and most rows need no call.
#[test]
fn adopting_a_table_is_planned_to_the_call() {
    world(Profile::default(), |world| async move {
        fill(&world, 1..=1_100);
        world.run().await;
        for id in 1..=30 {
            world.database.put(id, "changed since", id);
        }
        fill(&world, 1_101..=1_130);
        for file in ["state.db", "state.db-wal", "state.db-shm", "state.db.lock"] {
            drop(std::fs::remove_file(world.state_path().with_file_name(file)));
        }
        let (planned, _) = world.run_as_planned(PLAIN).await;
        assert_eq!(planned.calls[&CallKind::Scan], 2);
        assert_eq!(planned.calls[&CallKind::Update], 2);
        assert_eq!(planned.calls[&CallKind::Create], 2);
        assert_eq!(world.records(), world.wished());
    });
}

/// A record that another hand made with a key of ours is found by the audit, which a plan makes too.
#[test]
fn what_an_audit_will_find_is_part_of_the_plan() {
    world(Profile::default(), |world| async move {
        fill(&world, 1..=20);
        world.run().await;
        world.person(
            &json!({ "action": "create", "values": { EXTERNAL_ID: "21", "title": "by hand" } }),
        );
        fill(&world, 21..=22);
        let (planned, report) = world.run_as_planned(PLAIN).await;
        assert_eq!((report.books.created, report.books.updated), (1, 1));
        assert_eq!(planned.calls[&CallKind::Create], 1);
        assert_eq!(planned.calls[&CallKind::Update], 1);
    });
}

/// What waits since the service was down is part of the next run, and of its plan.
#[test]
fn what_waits_is_planned_too() {
    world(Profile::default(), |world| async move {
        fill(&world, 1..=30);
        world.run().await;
        world.network.emulator().add_fault(
            Fault::new(FaultKind::Status(503)).on(&[RouteKind::BulkUpdate]).times(Some(10)),
        );
        for id in 1..=30 {
            world.database.put(id, "changed", id);
        }
        world.run().await;
        world.network.emulator().set_faults(smartsuite_emulator::FaultScript::default());
        let (planned, report) = world.run_as_planned(PLAIN).await;
        assert!(planned.writes.len() >= 30, "{report:#?}");
        assert_eq!(world.records(), world.wished());
    });
}

/// What a refused row will cost nobody knows; that it is tried, and where the rest goes, is planned.
#[test]
fn a_plan_says_what_is_sent_not_what_is_refused() {
    world(Profile::default(), |world| async move {
        fill(&world, 1..=10);
        world.database.put(11, "too much", AMOUNT_MAX + 1);
        let rehearsal = world.rehearse(PLAIN).await;
        assert_eq!(rehearsal.planned.writes.len(), 11);
        let report = world.run().await;
        assert_eq!(report.books.created, 10);
        assert!(report.calls > rehearsal.report.calls);
    });
}

fn keeper(planned: &PlannedSync) -> Arc<PlanKeeper> {
    let promise = PlanPromise {
        outboxes: planned.outboxes.clone().into(),
        writes: planned.writes.iter().copied().collect(),
    };
    Arc::new(PlanKeeper::new(BTreeMap::from([("items".to_owned(), promise)])))
}

async fn run_by(world: &World, planned: &PlannedSync) -> RunReport {
    let store = SqliteStore::open(&world.state_path()).expect("the state opens");
    let observer: Arc<dyn Observer> = Arc::<crate::world::Events>::clone(&world.events);
    let engine = world.engine(store, Arc::new(world.clock), observer).overseen_by(keeper(planned));
    engine.run(&world.task(), PLAIN, &CancellationToken::new()).await.expect("the state works")
}

fn code(report: &RunReport) -> Option<&str> {
    match &report.outcome {
        RunOutcome::Ran { trouble: Some(trouble), .. } => Some(&trouble.code),
        _ => None,
    }
}

#[test]
fn a_run_by_a_plan_does_what_it_says_once() {
    world(Profile::default(), |world| async move {
        fill(&world, 1..=60);
        let planned = world.rehearse(PLAIN).await.planned;
        let report = run_by(&world, &planned).await;
        assert!(matches!(report.outcome, RunOutcome::Ran { status: RunStatus::Success, .. }));
        assert_eq!(report.calls, planned.calls.values().sum::<u64>());
        assert_eq!(world.records(), world.wished());
        // It is used up: the outbox is empty now.
        assert_eq!(code(&run_by(&world, &planned).await), Some("plan_outdated"));
    });
}

#[test]
fn a_run_by_a_plan_sends_nothing_when_a_row_has_changed_since() {
    world(Profile::default(), |world| async move {
        fill(&world, 1..=30);
        world.run().await;
        world.database.put(1, "planned", 1);
        let planned = world.rehearse(PLAIN).await.planned;
        world.database.put(2, "later", 2);
        world.clear_log();
        assert_eq!(code(&run_by(&world, &planned).await), Some("plan_outdated"));
        assert_eq!(world.all_requests(), 0);
        // Nothing is lost: the next run sends both.
        let report = world.run().await;
        assert_eq!(report.books.updated, 2);
        assert_eq!(world.records(), world.wished());
    });
}

/// The rows are as planned, but a record was deleted: creating it again was not planned.
#[test]
fn a_run_by_a_plan_does_not_create_what_it_was_to_update() {
    world(Profile::default(), |world| async move {
        fill(&world, 1..=3);
        world.run().await;
        world.database.put(2, "planned", 2);
        let planned = world.rehearse(PLAIN).await.planned;
        let id = world.record_ids("2").remove(0);
        world.person(&json!({ "action": "delete", "record": id }));
        world.clear_log();
        assert_eq!(code(&run_by(&world, &planned).await), Some("plan_outdated"));
        assert_eq!(world.requests(RouteKind::BulkCreate), 0);
        world.run().await;
        assert_eq!(world.records(), world.wished());
    });
}

/// Two syncs that begin at once on one table read its structure once.
#[test]
fn the_syncs_of_one_table_read_its_structure_once() {
    world(Profile::default(), |mut world| async move {
        fill(&world, 1..=3);
        let process = world.process();
        world.definition.name = "others".into();
        world.definition.destination.key_prefix = "o-".into();
        let beside = process.beside(&world.definition, &world.database);
        let (one, other) = tokio::join!(process.run(PLAIN), beside.run(PLAIN));
        let calls = one.expect("the state works").calls + other.expect("the state works").calls;
        assert_eq!(world.requests(RouteKind::Table), 1);
        assert_eq!(calls, 1 + 2 + 2, "a structure, two scans, two creates");
    });
}
