//! What can go wrong between the client and the service, as the service tells it.

use std::time::Duration;

use smartsuite_emulator::{
    DEMO_ACCOUNT, Fault, FaultKind, LateEnd, OverQuota, Plan, ProfileName, RouteKind, Seed,
};
use sync_core::{
    error::CallErrorKind,
    port::{RecordFilter, RecordTarget},
    secret::Secret,
};
use sync_smartsuite::ClientOptions;

use super::world::{TABLE, World, builder, demo_options, object_id, table};

const STEP: Duration = Duration::from_secs(2);

async fn structure_error(profile: ProfileName, options: &ClientOptions) -> CallErrorKind {
    let world = World::from(profile, builder(profile), options, STEP).await;
    world.client.structure(TABLE).await.unwrap_err().kind
}

#[tokio::test]
async fn a_wrong_credential_is_told_from_a_wrong_account() {
    for profile in ProfileName::ALL {
        let mut token = demo_options();
        token.token = Secret::new("somebody-elses");
        assert_eq!(
            structure_error(profile, &token).await,
            CallErrorKind::TokenRejected,
            "{profile}"
        );
        let mut account = demo_options();
        account.account_id = "s7654321".to_owned();
        let kind = structure_error(profile, &account).await;
        assert_eq!(kind, CallErrorKind::AccountRejected, "{profile}");
    }
}

#[tokio::test]
async fn a_wrong_address_or_table_is_not_found_and_never_empty() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let nowhere = "6500000000000000000000dd";
        let error = world.client.structure(nowhere).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::NotFound, "{profile}");
        let mut shape = world.shape.clone();
        nowhere.clone_into(&mut shape.table);
        let error = world.client.list(&shape, &RecordFilter::All, 0, 25).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::NotFound, "{profile}");
        let error = world.client.create(&shape, &[World::row("k1", &[])]).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::NotFound, "{profile}");
        let mut options = demo_options();
        "http://localhost/elsewhere".clone_into(&mut options.base_url);
        let kind = structure_error(profile, &options).await;
        let expected = [CallErrorKind::WrongAddress, CallErrorKind::NotFound];
        assert!(expected.contains(&kind), "{profile}: {kind}");
    }
}

#[tokio::test]
async fn a_table_that_the_member_may_not_see_is_forbidden() {
    for profile in ProfileName::ALL {
        let mut seed = Seed::account().unwrap();
        seed.accounts[0].keys[0].denied_tables = vec![object_id(TABLE)];
        let mut free = seed.accounts[0].keys[0].clone();
        free.denied_tables.clear();
        "free-token".clone_into(&mut seed.accounts[0].keys[0].token);
        seed.accounts[0].keys.push(free);
        let mut options = demo_options();
        options.token = Secret::new("free-token");
        let builder = builder(profile).seed(seed);
        let world = World::from(profile, builder, &options, STEP).await;
        let error = world.client.structure(TABLE).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Forbidden, "{profile}");
    }
}

#[tokio::test]
async fn too_many_calls_in_a_second_are_throttled() {
    for profile in ProfileName::ALL {
        let builder = builder(profile).with(|profile| profile.rate_limit = Some(5));
        let world = World::from(profile, builder, &demo_options(), Duration::from_millis(50)).await;
        let mut kinds = Vec::new();
        for _ in 0..20 {
            kinds.extend(world.client.structure(TABLE).await.err().map(|error| error.kind));
        }
        assert!(!kinds.is_empty(), "{profile}");
        for kind in kinds {
            assert!(matches!(kind, CallErrorKind::Throttled { .. }), "{profile} {kind}");
        }
    }
}

#[tokio::test]
async fn a_spent_month_is_known_where_the_answer_says_so() {
    for profile in ProfileName::ALL {
        for (over_quota, expected) in [
            (OverQuota::TooManyRequests, "smartsuite_rate_limited"),
            (OverQuota::Forbidden, "smartsuite_quota_spent"),
            (OverQuota::Unsaid, "smartsuite_forbidden"),
        ] {
            // A hundred calls a month, and no grace beyond them.
            let builder =
                builder(profile).plan(Plan::Free).with(|profile| profile.over_quota = over_quota);
            let world = World::from(profile, builder, &demo_options(), STEP).await;
            let error = loop {
                if let Err(error) = world.client.structure(TABLE).await {
                    break error;
                }
            };
            assert_eq!(error.kind.code(), expected, "{profile}");
            assert!(
                error.kind.stops_for().is_some(),
                "it passes, so no stop for it may be for good"
            );
        }
    }
}

#[tokio::test]
async fn a_page_with_whatever_status_is_a_challenge() {
    for profile in ProfileName::ALL {
        for status in [200, 403, 503] {
            let world = World::new(profile).await;
            let fault = Fault::new(FaultKind::Challenge(status)).times(None);
            world.service.emulator().add_fault(fault);
            let rows = [World::row("k1", &[])];
            let created = world.client.create(&world.shape, &rows).await.unwrap_err();
            assert_eq!(created.kind, CallErrorKind::Challenge, "{profile} {status}");
            let list = world.client.list(&world.shape, &RecordFilter::All, 0, 25).await;
            assert_eq!(list.unwrap_err().kind, CallErrorKind::Challenge, "{profile} {status}");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_never_taken_for_a_refusal_or_a_success() {
    let late = FaultKind::Late { ms: 5000, end: LateEnd::GatewayTimeout };
    for profile in ProfileName::ALL {
        for (fault, expected) in [
            (FaultKind::Status(500), CallErrorKind::Server { status: 500 }),
            (FaultKind::Status(502), CallErrorKind::Server { status: 502 }),
            (FaultKind::Reset, CallErrorKind::Broken),
            (FaultKind::Never, CallErrorKind::TimedOut),
            (FaultKind::Truncate(20), CallErrorKind::Broken),
            (late, CallErrorKind::Server { status: 504 }),
        ] {
            let world = World::new(profile).await;
            let after = Fault::new(fault).on(&[RouteKind::BulkCreate]).after_the_effect();
            world.service.emulator().add_fault(after);
            let rows = [World::row("k1", &[]), World::row("k2", &[])];
            let error = world.client.create(&world.shape, &rows).await.unwrap_err();
            assert_eq!(error.kind, expected, "{profile} {fault:?}");
            assert!(!error.kind.is_answered(), "{profile} {fault:?}");
            // The effect came all the same, sooner or later.
            let mut found = 0;
            for _ in 0..6 {
                found = world.found(&["k1", "k2"]).await.len();
            }
            assert_eq!(found, 2, "{profile} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_body_beyond_the_servers_limit_is_refused() {
    for profile in ProfileName::ALL {
        let builder = builder(profile).with(|profile| profile.max_body_bytes = Some(2000));
        let world = World::from(profile, builder, &demo_options(), STEP).await;
        let long = sync_core::field_value::FieldValue::text("x".repeat(3000));
        let error =
            world.client.create(&world.shape, &[World::row("k1", &[("title", long)])]).await;
        assert_eq!(error.unwrap_err().kind, CallErrorKind::Refused { status: 413 }, "{profile}");
    }
}

#[tokio::test]
async fn a_refused_filter_names_its_field() {
    let world = World::new(ProfileName::Default).await;
    let mut shape = world.shape.clone();
    shape.external_id = shape.field("syesno0001").unwrap().clone();
    let filter = RecordFilter::ExternalIds(vec!["k1".to_owned()]);
    let error = world.client.list(&shape, &filter, 0, 25).await.unwrap_err();
    assert!(matches!(error.kind, CallErrorKind::Refused { .. }));
    assert_eq!(error.complaints[0].slug.as_deref(), Some("syesno0001"));
}

#[test]
fn the_emulator_and_the_suite_mean_the_same_account() {
    assert_eq!(demo_options().account_id, DEMO_ACCOUNT);
    assert_eq!(table().id, object_id(TABLE));
}
