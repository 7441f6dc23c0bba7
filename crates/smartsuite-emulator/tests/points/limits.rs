//! Points 9 to 12: the rate, the month's quota, the plan's records.

use serde_json::{Value, json};
use smartsuite_emulator::{
    DEMO_ACCOUNT, DEMO_MEMBER, DEMO_SOLUTION, Emulator, Key, OverQuota, Plan, Seed, TableSeed,
};

use crate::service::{START, Service, TABLE, other_table, positioned, table};

/// The emulator with its limits on, and switches in their positions.
fn limited(positions: &[(&str, &str)]) -> Service {
    on(Plan::Professional, positions)
}

fn on(plan: Plan, positions: &[(&str, &str)]) -> Service {
    let mut seed = Seed::account().unwrap();
    let second = Key {
        token: "second".to_owned(),
        member: DEMO_MEMBER.parse().unwrap(),
        solutions: None,
        denied_tables: Vec::new(),
        read_only: false,
    };
    seed.accounts[0].keys.push(second);
    let builder = Emulator::builder().seed(seed).plan(plan).now(START.parse().unwrap());
    Service::of(positioned(builder.table(other_table()).table(table()), positions))
}

/// The statuses of so many calls at once.
fn burst(service: &mut Service, calls: usize) -> Vec<u16> {
    (0..calls).map(|_| service.get("solutions/").status).collect()
}

#[test]
fn the_sixth_request_of_a_clock_second_is_429() {
    let mut service = limited(&[("rate_limit", "5")]);
    assert_eq!(burst(&mut service, 6), [200, 200, 200, 200, 200, 429]);
    let mut service = limited(&[("rate_limit", "off")]);
    assert!(burst(&mut service, 50).iter().all(|status| *status == 200));
}

#[test]
fn five_at_the_end_of_a_second_and_five_at_the_start_of_the_next_are_fine() {
    let mut service = limited(&[]);
    service.pass(0.9);
    assert_eq!(burst(&mut service, 5), [200; 5]);
    service.pass(0.1);
    assert_eq!(burst(&mut service, 5), [200; 5]);
}

#[test]
fn a_429_locks_the_key_out_for_its_time() {
    for (mut service, seconds) in [
        (limited(&[("lockout_seconds", "30")]), 30.0),
        (limited(&[("lockout_seconds", "10")]), 10.0),
    ] {
        burst(&mut service, 6);
        service.pass(seconds - 0.1);
        assert_eq!(service.get("solutions/").status, 429);
        // That call started the time again.
        service.pass(seconds);
        assert_eq!(service.get("solutions/").status, 200);
    }
}

#[test]
fn a_request_during_the_lock_out_starts_it_again_or_does_not() {
    for (mut service, status) in [
        (limited(&[("penalty_restarts", "on")]), 429),
        (limited(&[("penalty_restarts", "off")]), 200),
    ] {
        burst(&mut service, 6);
        service.pass(29.0);
        assert_eq!(service.get("solutions/").status, 429);
        service.pass(1.0);
        assert_eq!(service.get("solutions/").status, status);
    }
}

#[test]
fn a_429_tells_when_to_come_back_only_where_its_switch_says_so() {
    for (mut service, header) in
        [(limited(&[("retry_after", "off")]), ""), (limited(&[("retry_after", "on")]), "30")]
    {
        burst(&mut service, 5);
        let answer = service.get("solutions/");
        assert_eq!((answer.status, answer.header("retry-after")), (429, header));
        let told = answer.headers.keys().any(|name| name.as_str().starts_with("x-ratelimit"));
        assert!(!told, "{:?}", answer.headers);
    }
}

#[test]
fn the_body_of_a_429_is_what_its_switch_says() {
    for (mut service, content_type, is_empty) in [
        (limited(&[("rate_body", "json")]), "application/json", false),
        (limited(&[("rate_body", "html")]), "text/html; charset=utf-8", false),
        (limited(&[("rate_body", "empty")]), "", true),
    ] {
        burst(&mut service, 5);
        let answer = service.get("solutions/");
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.text.is_empty(), is_empty);
    }
}

#[test]
fn rest_and_webhooks_share_one_bucket_or_have_their_own() {
    for (mut service, status) in
        [(limited(&[("shared_bucket", "on")]), 429), (limited(&[("shared_bucket", "off")]), 200)]
    {
        burst(&mut service, 5);
        let answer = service.rpc("ListWebhooks", &json!({"solution_id": DEMO_SOLUTION}));
        assert_eq!(answer.status, status);
        if status == 429 {
            assert_eq!(answer["code"], "resource_exhausted");
        }
    }
}

#[test]
fn a_bucket_belongs_to_the_key_or_to_its_member() {
    for (mut service, status) in
        [(limited(&[("bucket_of", "key")]), 200), (limited(&[("bucket_of", "member")]), 429)]
    {
        burst(&mut service, 5);
        "second".clone_into(&mut service.token);
        assert_eq!(service.get("solutions/").status, status);
    }
}

#[test]
fn the_second_that_counts_may_be_shifted_against_ours() {
    for (mut service, last) in
        [(limited(&[("second_shift_ms", "0")]), 200), (limited(&[("second_shift_ms", "500")]), 429)]
    {
        service.pass(0.6);
        burst(&mut service, 3);
        service.pass(0.5);
        assert_eq!(burst(&mut service, 3).last(), Some(&last));
    }
}

#[test]
fn the_second_that_counts_may_be_shifted_at_random_for_each_request() {
    let refused = |service: &mut Service| {
        let mut refused = 0;
        for _ in 0..20 {
            service.pass(60.0);
            refused += u32::from(burst(service, 4).contains(&429));
            service.pass(1.0);
            refused += u32::from(burst(service, 4).contains(&429));
        }
        refused
    };
    assert_eq!(refused(&mut limited(&[("second_jitter_ms", "0")])), 0);
    assert!(refused(&mut limited(&[("second_jitter_ms", "1500")])) > 0);
}

fn set_used(service: &mut Service, used: u64) {
    let body = json!({"account": DEMO_ACCOUNT, "used": used});
    service.side_door("POST", "quota", &body).ok();
}

#[test]
fn a_month_beyond_its_quota_is_throttled_and_then_stopped_until_the_next() {
    for (mut service, stop, throttled) in [
        (limited(&[("quota_stop_percent", "125"), ("quota_throttle_per_second", "2")]), 62_500, 2),
        (limited(&[("quota_stop_percent", "200"), ("quota_throttle_per_second", "1")]), 100_000, 1),
    ] {
        set_used(&mut service, 49_999);
        assert_eq!(service.get("solutions/").status, 200);
        service.pass(1.0);
        let mut wanted = vec![200; throttled];
        wanted.push(429);
        assert_eq!(burst(&mut service, throttled + 1), wanted);
        service.pass(31.0);
        set_used(&mut service, stop - 1);
        assert_eq!(service.get("solutions/").status, 200);
        service.pass(1.0);
        assert_eq!(service.get("solutions/").status, 429, "all of the quota is used");
        service.pass(40.0 * 86_400.0);
        assert_eq!(burst(&mut service, 5), [200; 5], "a new month");
    }
}

#[test]
fn a_stopped_month_is_answered_as_its_switch_says() {
    for (mut service, status) in [
        (limited(&[("over_quota", "too_many_requests")]), 429),
        (limited(&[("over_quota", "forbidden")]), 403),
        (limited(&[("over_quota", "unsaid")]), 403),
    ] {
        let is_said = service.emulator.profile().over_quota == OverQuota::Forbidden;
        set_used(&mut service, 62_500);
        let answer = service.get("solutions/");
        assert_eq!(answer.status, status);
        assert_eq!(answer.text.contains("API calls"), is_said);
    }
}

#[test]
fn the_free_plan_stops_at_its_quota_without_grace() {
    let mut service = on(Plan::Free, &[]);
    set_used(&mut service, 99);
    assert_eq!(service.get("solutions/").status, 200);
    service.pass(1.0);
    assert_eq!(service.get("solutions/").status, 429);
}

/// A table on the free plan that holds one record less than it may.
fn nearly_full(positions: &[(&str, &str)]) -> Service {
    let mut seed = TableSeed::new(TABLE.parse().unwrap(), "Nearly full");
    for _ in 0..999 {
        seed = seed.record(json!({}));
    }
    let builder = Emulator::builder().plan(Plan::Free).now(START.parse().unwrap()).table(seed);
    Service::of(positioned(builder, positions))
}

/// Two records are created where one fits: the status, how many records the answer names, and how many there are more.
fn two_where_one_fits(positions: &[(&str, &str)]) -> (u16, usize, u64) {
    let mut service = nearly_full(positions);
    let items = json!({"items": [{"title": "fits"}, {"title": "does not"}]});
    let answer = service.post(&Service::in_table("records/bulk/"), &items);
    let named = match answer.json.get("successful_items").unwrap_or(&answer.json) {
        Value::Array(named) => named.len(),
        _ => 0,
    };
    (answer.status, named, service.count() - 999)
}

#[test]
fn a_bulk_create_that_the_plan_has_room_for_in_part_is_made_in_part_or_not_at_all() {
    for (switch, outcome) in [
        (("record_limit_bulk", "refuse_all"), (422, 0, 0)),
        (("record_limit_bulk", "partial"), (200, 1, 1)),
        (("record_limit_bulk", "partial_then_refuse"), (422, 0, 1)),
    ] {
        assert_eq!(two_where_one_fits(&[switch, ("rate_limit", "off")]), outcome, "{switch:?}");
    }
    // The shape that names failures says why.
    let positions =
        [("record_limit_bulk", "partial"), ("bulk_answer", "outcomes"), ("rate_limit", "off")];
    let mut service = nearly_full(&positions);
    let items = json!({"items": [{"title": "fits"}, {"title": "does not"}]});
    let answer = service.post(&Service::in_table("records/bulk/"), &items);
    let why = json!("The plan's limit of records has been reached.");
    assert_eq!(answer["failed_items"], json!([{"index": 1, "reason": why}]));
    // Where nothing fits, nothing is made.
    let answer = service.post(&Service::in_table("records/bulk/"), &items);
    assert_eq!((answer.status, service.count()), (422, 1000));
}

#[test]
fn records_beyond_the_plan_are_refused_singly_and_in_bulk() {
    for (mut service, status) in [
        (nearly_full(&[("record_limit", "unprocessable"), ("rate_limit", "off")]), 422),
        (nearly_full(&[("record_limit", "forbidden"), ("rate_limit", "off")]), 403),
    ] {
        let bulk = |items: usize| json!({"items": vec![json!({"title": "x"}); items]});
        let refused = |answer: crate::service::Answer| -> (u16, Value) {
            (answer.status, answer["detail"].clone())
        };
        let said = json!("The plan's limit of records has been reached.");
        let answer = service.post(&Service::in_table("records/bulk/"), &bulk(2));
        assert_eq!(refused(answer), (status, said.clone()));
        assert_eq!(service.create(&json!({})).status, 200, "the last that fits");
        assert_eq!(refused(service.create(&json!({}))), (status, said.clone()));
        let answer = service.post(&Service::in_table("records/bulk/"), &bulk(1));
        assert_eq!(refused(answer), (status, said.clone()));
        assert_eq!(service.count(), 1000);
    }
}
