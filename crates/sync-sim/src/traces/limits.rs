//! What the service allows: calls a month, calls a second, bytes a call.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use smartsuite_emulator::{
    BulkBadItem, BulkErrors, Fault, FaultKind, OverQuota, Plan, Profile, RecordLimit, RouteKind,
};
use sync_core::{pace::Rate, port::Clock as _, state::RunStatus};
use sync_engine::{
    governor::Governor,
    run::{RunOptions, RunOutcome, RunReport, Trouble},
};

use super::stage::{
    comes_right, fill, in_step, pass, run, run_with, status, succeeds, usual, world,
};
use crate::world::{AMOUNT_MAX, World};

/// All of a month's calls, with the grace beyond them.
const MONTH: u64 = 62_500;

/// What kept a run from success.
#[track_caller]
fn trouble_of(report: &RunReport) -> &Trouble {
    match &report.outcome {
        RunOutcome::Ran { trouble: Some(trouble), .. } => trouble,
        other => panic!("{other:?}"),
    }
}

/// A run that finds the sync stopped, at no cost.
async fn is_parked(world: &World, code: &str) {
    world.clear_log();
    let report = run(world).await;
    let (is_code, advice) = match &report.outcome {
        RunOutcome::Stopped(stop) => (&stop.code, stop.advice()),
        // Where only creates wait, it may be only they that are not allowed.
        RunOutcome::Ran { status: RunStatus::Partial, trouble: Some(trouble) } => {
            assert_eq!(report.books.waiting_after, report.books.waiting_before);
            (&trouble.code, trouble.remedy.clone())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(is_code, code);
    assert!(advice.contains("tries again by itself after"), "{advice}");
    assert_eq!(world.all_requests(), 0, "a parked sync makes no call");
}

fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

/// How a world learns that the month is spent: before its first call, or with records and a changed half of the rows.
async fn with_work(world: &World, is_first: bool) {
    fill(world, 60);
    if !is_first {
        succeeds(world).await;
        for id in 1..=30 {
            world.database.put(id, "B", id);
        }
        for id in 61..=90 {
            world.database.put(id, "A", id);
        }
    }
    world.use_up(MONTH);
    world.clear_log();
}

/// Catches: a 429 that is waited out for ever, or taken for a burst (`Calls::stop_for`, `Pauses::add`).
#[test]
fn a_429_that_survives_two_pauses_is_reported_as_the_months_quota_and_parked() {
    for name in [Profile::default(), Profile::adversarial()] {
        let profile = Profile { over_quota: OverQuota::TooManyRequests, ..name };
        for is_first in [true, false] {
            world(profile.clone(), |world| async move {
                const CODE: &str = "smartsuite_quota_spent_perhaps";
                with_work(&world, is_first).await;
                let began = world.clock.elapsed();
                let report = run(&world).await;
                assert_eq!(trouble_of(&report).code, CODE);
                assert_eq!(report.calls, 3, "one, and one after each of two pauses");
                assert_eq!(world.answered(429), 3);
                let took = world.clock.elapsed().saturating_sub(began).as_secs();
                assert!((60..100).contains(&took), "two pauses, not {took} s");
                is_parked(&world, CODE).await;

                // Minutes later it is tried again by itself, and parked again.
                pass(&world, Duration::from_mins(15)).await;
                world.clear_log();
                let report = run(&world).await;
                assert_eq!(trouble_of(&report).code, CODE);
                assert!(world.all_requests() <= 3, "{} calls", world.all_requests());

                // The month turns. Nobody says so, and nobody needs to.
                pass(&world, days(31)).await;
                comes_right(&world).await;
            });
        }
    }
}

/// Catches: pauses that are counted across an answer which shows that the month is not spent (`Calls::send`).
#[test]
fn a_refusal_between_429s_shows_that_the_month_is_not_spent() {
    // A refused call that does not name the item is halved, until each row stands by itself.
    let profile = Profile { bulk_errors: BulkErrors::FieldsOnly, ..Profile::default() };
    world(profile, |world| async move {
        fill(&world, 3);
        succeeds(&world).await;
        // A 429 comes before each of four refusals. Behind the first, the table's structure is read.
        for id in 1..=3 {
            world.database.put(id, "refused", AMOUNT_MAX + 1);
        }
        for skipped in 0..4 {
            let burst = Fault::new(FaultKind::RateLimit).on(&[RouteKind::BulkUpdate]).skip(skipped);
            world.network.emulator().add_fault(burst);
        }
        world.clear_log();
        let report = run(&world).await;
        assert_eq!(world.answered(429), 4);
        assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
        assert_eq!(report.books.quarantine, 3, "{report:#?}");
    });
}

/// Catches: a challenge page after which calls go on at the usual pace (`Calls::send`).
#[test]
fn a_challenge_page_closes_the_gate_for_half_a_minute() {
    usual(|world| async move {
        fill(&world, 60);
        let page = Fault::new(FaultKind::Challenge(403)).on(&[RouteKind::BulkCreate]);
        world.network.emulator().add_fault(page);
        run(&world).await;
        let log: Vec<(Timestamp, bool)> = world
            .network
            .emulator()
            .log()
            .map(|entry| (entry.at.parse().expect("a time"), entry.fault.is_some()))
            .collect();
        let (struck_at, _) = *log.iter().find(|(_, struck)| *struck).expect("the page");
        // Those that were under way are answered; the next leaves when the pause is over.
        let moment = SignedDuration::from_secs(3);
        let next = log.iter().find(|(at, _)| at.duration_since(struck_at) > moment);
        let (next_at, _) = next.expect("the run goes on");
        let pause = next_at.duration_since(struck_at).as_secs();
        assert!((30..=60).contains(&pause), "{pause} s");
        comes_right(&world).await;
    });
}

/// Catches: a 403 for a spent month that is told as missing access, or that outlives the month (`Stop::until`).
#[test]
fn a_spent_month_that_is_answered_403_is_told_rightly_and_passes() {
    for (over_quota, code, advice) in [
        (OverQuota::Forbidden, "smartsuite_quota_spent", "wait for the next month"),
        (OverQuota::Unsaid, "smartsuite_forbidden", "the workspace's API calls for this month"),
    ] {
        for is_first in [true, false] {
            world(Profile { over_quota, ..Profile::adversarial() }, |world| async move {
                with_work(&world, is_first).await;
                let report = run(&world).await;
                let trouble = trouble_of(&report);
                assert_eq!(trouble.code, code);
                assert!(trouble.remedy.contains(advice), "{}", trouble.remedy);
                assert_eq!(report.calls, 1, "{report:#?}");
                is_parked(&world, code).await;

                pass(&world, days(1)).await;
                world.clear_log();
                let report = run(&world).await;
                assert_eq!(trouble_of(&report).code, code);
                assert_eq!(world.all_requests(), 1, "a call a day shows whether it goes on");

                pass(&world, days(31)).await;
                comes_right(&world).await;
            });
        }
    }
}

/// Catches: a full plan that keeps updates from leaving, or that is asked again with each run (`Delivery::hold_creates`,
/// `Creates::Held`).
#[test]
fn a_full_plan_stops_creates_alone() {
    for record_limit in [RecordLimit::Unprocessable, RecordLimit::Forbidden] {
        let profile = Profile { record_limit, ..Profile::default() };
        world(profile.clone(), |mut world| async move {
            // A thousand records and a hundred calls.
            world.change_plan(Plan::Free, profile);
            let theirs = json!({"action": "create", "values": {"title": "a person's own"}});
            let theirs: Vec<Json> = (0..15).map(|_| world.person(&theirs)).collect();
            fill(&world, 980);
            succeeds(&world).await;

            (1..=30).for_each(|id| world.database.put(id, "B", id));
            (981..=1000).for_each(|id| world.database.put(id, "A", id));
            // A process looks at the table before its first create, and after a refusal whether some were made.
            holds_creates(&world, 1, 2, 2).await;
            world.database.put(5, "C", 5);
            holds_creates(&world, 0, 1, 0).await;
            holds_creates(&world, 0, 0, 0).await;
            pass(&world, Duration::from_hours(1)).await;
            // After an hour what was refused is looked at once more, too.
            holds_creates(&world, 1, 0, 3).await;

            for record in theirs {
                world.person(&json!({"action": "delete", "record": record["id"]}));
            }
            let report =
                run_with(&world, RunOptions { retry: true, ..RunOptions::default() }).await;
            assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
            assert_eq!(report.books.created, 20);
            in_step(&world);
        });
    }
}

/// Catches: records that a full plan made of a call it did not take whole, and that are created again or counted as
/// refused (`answer::of_created`, `Reading::failed`).
#[test]
fn what_a_full_plan_had_room_for_is_found_and_the_rest_waits() {
    let positions = [BulkBadItem::RefuseAll, BulkBadItem::Partial, BulkBadItem::PartialThenRefuse];
    for record_limit_bulk in positions {
        for name in [Profile::default(), Profile::adversarial()] {
            let profile = Profile { record_limit_bulk, ..name };
            world(profile.clone(), |mut world| async move {
                world.change_plan(Plan::Free, profile);
                let theirs = json!({"action": "create", "values": {"title": "a person's own"}});
                let theirs: Vec<Json> = (0..20).map(|_| world.person(&theirs)).collect();
                fill(&world, 960);
                succeeds(&world).await;
                // Room for twenty of forty.
                (961..=1000).for_each(|id| world.database.put(id, "A", id));
                let report = run(&world).await;
                assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
                assert_eq!(trouble_of(&report).code, "smartsuite_plan_full");
                assert_eq!(report.books.quarantine, 0, "{report:#?}");
                let made = if record_limit_bulk == BulkBadItem::RefuseAll { 0 } else { 20 };
                // People's records carry no key of ours.
                let ours = world.records().keys().filter(|key| !key.is_empty()).count();
                assert_eq!(ours, 960 + made, "{record_limit_bulk:?}");
                assert_eq!(report.books.waiting_after, 40 - made as u64, "{report:#?}");

                for record in theirs {
                    world.person(&json!({"action": "delete", "record": record["id"]}));
                }
                run_with(&world, RunOptions { retry: true, ..RunOptions::default() }).await;
                comes_right(&world).await;
            });
        }
    }
}

/// How many entries each delivery began with.
#[derive(Default)]
struct Ledger(Mutex<Vec<u64>>);

impl Governor for Ledger {
    fn begins(&self, _: &str, entries: u64, _: Timestamp) -> Result<(), Trouble> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entries);
        Ok(())
    }

    fn may_send(&self, _: &str, _: Timestamp) -> Result<(), Trouble> {
        Ok(())
    }

    fn count(&self, _: &str, _: Timestamp) {}

    fn rate(&self, usual: Rate, _: Timestamp) -> Rate {
        usual
    }
}

/// Catches: creates that are held, and count as calls to come (`deliver`): of a month that is nearly spent they would take the
/// updates' share.
#[test]
fn creates_that_are_held_are_not_asked_for() {
    world(Profile::default(), |mut world| async move {
        world.change_plan(Plan::Free, Profile::default());
        fill(&world, 1_000);
        succeeds(&world).await;
        (1_001..=1_020).for_each(|id| world.database.put(id, "A", id));
        holds_creates(&world, 1, 0, 2).await;
        let ledger = Arc::new(Ledger::default());
        for (changed, begun) in [(0, vec![]), (3, vec![3])] {
            (1..=changed).for_each(|id| world.database.put(id, "B", id));
            let governor: Arc<dyn Governor> = Arc::<Ledger>::clone(&ledger);
            let process = world.process().governed_by(governor);
            process.run(RunOptions::default()).await.expect("the state works");
            assert_eq!(*ledger.0.lock().unwrap_or_else(PoisonError::into_inner), begun);
        }
    });
}

/// A run that sends all but creates, having tried as many of those.
async fn holds_creates(world: &World, creates: usize, updates: usize, reads: usize) {
    world.clear_log();
    let report = run(world).await;
    assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
    let trouble = trouble_of(&report);
    assert_eq!(trouble.code, "smartsuite_plan_full");
    assert!(trouble.remedy.contains("larger plan"), "{}", trouble.remedy);
    assert_eq!((report.books.created, report.books.waiting_after), (0, 20), "{report:#?}");
    assert_eq!(world.requests(RouteKind::BulkCreate), creates);
    assert_eq!(world.requests(RouteKind::BulkUpdate), updates);
    assert_eq!(world.all_requests(), creates + updates + reads);
}

/// Catches: a body that is too large and refused as the fault of its rows, or a size that is never learnt
/// (`Landing::too_large`).
#[test]
fn a_body_that_is_too_large_is_halved_until_all_of_it_arrives() {
    for name in [Profile::default(), Profile::adversarial()] {
        let profile = Profile { max_body_bytes: Some(8_000), ..name };
        world(profile, |world| async move {
            for text in ["a", "b"] {
                for id in 1..=100 {
                    world.database.put(id, &text.repeat(1_000), id);
                }
                world.clear_log();
                let report = succeeds(&world).await;
                assert_eq!(report.books.created + report.books.updated, 100);
                in_step(&world);
                // 25 drafts of 1 kB, then 12, then it is known what fits.
                assert!((1..=3).contains(&world.answered(413)), "{} times", world.answered(413));
            }
            world.clear_log();
            succeeds(&world).await;
            assert_eq!(world.all_requests(), 0);
        });
    }
}

/// Catches: a row that no call can carry, and that holds up those that can be carried.
#[test]
fn a_row_that_is_too_large_for_any_call_harms_itself_alone() {
    world(Profile { max_body_bytes: Some(16_000), ..Profile::default() }, |world| async move {
        fill(&world, 60);
        world.database.put(30, &"x".repeat(20_000), 30);
        let report = run(&world).await;
        assert_eq!((report.books.created, report.books.quarantine), (59, 1), "{report:#?}");
        world.database.put(30, "short", 30);
        comes_right(&world).await;
    });
}
