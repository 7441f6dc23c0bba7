//! No request makes the emulator panic, whatever its method, path, headers and body.

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_PERSON, DEMO_SOLUTION, DEMO_TOKEN, ProfileName};

use crate::service::{NOBODY, OTHER, Service, TABLE, THERE, builder};

/// Slugs of the table, of its parts, and of nothing.
const SLUGS: &[&str] = &[
    "title",
    "stext",
    "sarea",
    "sdoc",
    "snumber",
    "scurrency",
    "spercent",
    "sduration",
    "sslider",
    "scomplete",
    "srating",
    "syesno",
    "ssingle",
    "sopen",
    "smultiple",
    "sstatus",
    "stags",
    "sdate",
    "srange",
    "sdue",
    "stime",
    "stracking",
    "semail",
    "soneemail",
    "surl",
    "sphone",
    "saddress",
    "sname",
    "sip",
    "ssocial",
    "scolor",
    "suser",
    "slink",
    "sdepends",
    "sfile",
    "ssignature",
    "schecklist",
    "ssubitems",
    "svote",
    "scount",
    "srollup",
    "slookup",
    "sformula",
    "srecordid",
    "sbutton",
    "savailable",
    "autonumber",
    "first_created",
    "last_updated",
    "followed_by",
    "id",
    "comments_count",
    "srange.from_date",
    "sdue.to_date",
    "snowhere",
    "",
];

const OPERATORS: &[&str] = &[
    "is",
    "is_not",
    "is_empty",
    "contains",
    "not_contains",
    "is_equal_to",
    "is_greater_than",
    "is_any_of",
    "has_any_of",
    "has_all_of",
    "is_exactly",
    "is_before",
    "is_on_or_after",
    "is_overdue",
    "file_name_contains",
    "file_type_is",
    "nonsense",
];

/// Words that mean something somewhere.
const WORDS: &[&str] = &[
    "",
    "aCt1V",
    "backlog",
    THERE,
    NOBODY,
    DEMO_PERSON,
    DEMO_SOLUTION,
    DEMO_ACCOUNT,
    TABLE,
    OTHER,
    "9999-12-31T23:59:59.999999Z",
    "-009999-01-01T00:00:00Z",
    "0000-00-00",
    "2026-02-30",
    "1e999999999",
    "1e200",
    "-1E-200",
    "99:99:99",
    "23:59:60",
    "+1",
    "a@b.c",
    "http://",
    "http://[::1]:99999/",
    "[[",
    "[[title]]",
    "\u{0}",
    "🚲",
    "18446744073709551616",
    "9007199254740993",
    "exact_date",
    "today",
    "next_number_of_days",
    "date_range",
    "asc",
    "desc",
    "and",
    "or",
    "textfield",
    "singleselectfield",
    "linkedrecordfield",
    "RECORD_CREATED",
    "https://example.com/%zz%",
];

/// Keys that mean something somewhere.
const KEYS: &[&str] = &[
    "items",
    "id",
    "ids",
    "filter",
    "operator",
    "fields",
    "field",
    "comparison",
    "value",
    "sort",
    "direction",
    "date",
    "include_time",
    "from_date",
    "to_date",
    "date_mode",
    "date_mode_value",
    "slug",
    "label",
    "field_type",
    "params",
    "choices",
    "field_position",
    "prev_sibling_slug",
    "name",
    "solution",
    "structure",
    "solution_id",
    "webhook",
    "webhook_id",
    "locator",
    "kinds",
    "account_id",
    "notification_status",
    "enabled",
    "disabled",
    "url",
    "page_token",
    "page_size",
    "cursor",
    "message",
    "data",
    "type",
    "content",
    "text",
    "html",
    "record",
    "application",
    "application_ids",
    "application_id",
    "field_ids",
    "phone_country",
    "phone_number",
    "address",
    "time_track_logs",
    "duration",
    "linked_application",
    "linked_field_slug",
    "precision",
    "max_length",
    "template",
    "is_auto_generated",
    "action",
    "table",
    "values",
    "member",
    "faults",
    "fault",
    "status",
    "set",
    "advance_ms",
    "advance_seconds",
    "account",
    "used",
    "handle",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => prop::sample::select(WORDS).prop_map(str::to_owned),
        2 => prop::sample::select(SLUGS).prop_map(str::to_owned),
        1 => ".{0,12}",
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(KEYS).prop_map(str::to_owned),
        4 => prop::sample::select(SLUGS).prop_map(str::to_owned),
        1 => ".{0,6}",
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-5_i64..30).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
        word().prop_map(Value::from),
    ]
}

/// Any JSON, made of keys and words that the emulator looks for.
fn json() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A body that gets past the first check.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let record = || {
        prop::collection::btree_map(prop::sample::select(SLUGS), json(), 0..4)
            .prop_map(|map| json!(map))
    };
    let clause = (prop::sample::select(SLUGS), prop::sample::select(OPERATORS), json())
        .prop_map(|(field, comparison, value)| json!({"field": field, "comparison": comparison, "value": value}));
    let sort = (prop::sample::select(SLUGS), prop::sample::select(&["asc", "desc"][..]))
        .prop_map(|(field, direction)| json!([{"field": field, "direction": direction}]));
    let list = (prop::collection::vec(clause, 0..4), sort, any::<bool>()).prop_map(
        |(fields, sort, hydrated)| {
            json!({"filter": {"operator": "or", "fields": fields}, "sort": sort, "hydrated": hydrated})
        },
    );
    let field = (word(), word(), word(), json()).prop_map(|(slug, label, kind, params)| {
        json!({"slug": slug, "label": label, "field_type": kind, "params": params})
    });
    prop_oneof![
        3 => record().prop_map(|record| record.to_string().into_bytes()),
        3 => list.prop_map(|list| list.to_string().into_bytes()),
        2 => prop::collection::vec(record(), 0..4)
            .prop_map(|items| json!({"items": items}).to_string().into_bytes()),
        2 => field.prop_map(|field| {
            json!({"field": field, "fields": [field], "field_position": {"prev_sibling_slug": ""}})
                .to_string()
                .into_bytes()
        }),
        4 => json().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
        1 => Just(format!("{}1{}", "[".repeat(3000), "]".repeat(3000)).into_bytes()),
    ]
}

/// A path that mostly leads somewhere; `$record` is replaced by a record's id.
fn path() -> impl Strategy<Value = String> {
    const PLACES: &[&str] = &[
        "accounts/",
        "solutions/",
        "solutions/validate_name_uniqueness/",
        "applications/",
        "applications/$table/",
        "applications/$table/records/",
        "applications/$table/records/list/",
        "applications/$table/records/bulk/",
        "applications/$table/records/bulk_delete/",
        "applications/$table/records/$record/",
        "applications/$table/records/$record/restore/",
        "applications/$table/add_field/",
        "applications/$table/bulk-add-fields/",
        "applications/$table/change_field/",
        "applications/$table/delete_field/",
        "applications/$table/restore_field/",
        "applications/$table/duplicate/",
        "applications/$table/records-for-report/",
        "applications/deleted_fields/",
        "applications/deleted_applications/",
        "deleted-records/",
        "deleted-records/paginated/",
        "recordfiles/$table/$record/sfile/",
        "shared-files/x/url/",
        "comments/",
        "members/list/",
        "teams/list/",
    ];
    const ELSEWHERE: &[&str] = &[
        "/_emulator/",
        "/_emulator/tables/$table",
        "/_emulator/tables/$table/dump",
        "/_emulator/seed",
        "/_emulator/reset",
        "/_emulator/clock",
        "/_emulator/profile",
        "/_emulator/log",
        "/_emulator/faults",
        "/_emulator/quota",
        "/_emulator/people",
        "/",
        "/smartsuite.webhooks.engine.Webhooks/CreateWebhook",
        "/smartsuite.webhooks.engine.Webhooks/UpdateWebhook",
        "/smartsuite.webhooks.engine.Webhooks/ListWebhooks",
        "/smartsuite.webhooks.engine.Webhooks/ListEvents",
        "/api/v1//",
        "/api/v1/%ff/",
    ];
    let query = prop_oneof![
        Just(String::new()),
        (0_u64..5, any::<u64>())
            .prop_map(|(limit, offset)| format!("?limit={limit}&offset={offset}")),
        "[?][a-z%+&=0-9]{0,20}",
        Just("?hydrated=true&all=true&fields=id&preview=true&report=x&record=$record".to_owned()),
    ];
    let place = prop_oneof![
        6 => prop::sample::select(PLACES).prop_map(|path| format!("/api/v1/{path}")),
        2 => prop::sample::select(ELSEWHERE).prop_map(str::to_owned),
        1 => "/[a-zA-Z0-9/%._-]{0,30}",
    ];
    (place, query).prop_map(|(place, query)| format!("{place}{query}"))
}

fn call() -> impl Strategy<Value = (String, String, Vec<u8>, u32)> {
    let method =
        prop::sample::select(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"][..]);
    (method.prop_map(str::to_owned), path(), body(), 0_u32..200_000)
}

/// Sends calls to one emulator, in which they leave their traces.
fn survive(profile: ProfileName, calls: Vec<(String, String, Vec<u8>, u32)>) {
    let mut service = Service::of(builder().named_profile(profile).unlimited());
    let first = service.create(&json!({"title": "x", "slink": [THERE]}));
    let record = first["id"].as_str().unwrap_or(NOBODY).to_owned();
    for (method, path, body, seconds) in calls {
        service.pass(f64::from(seconds));
        let path = path.replace("$table", TABLE).replace("$record", &record);
        let request = Request::builder()
            .method(&*method)
            .uri(&path)
            .header("account-id", DEMO_ACCOUNT)
            .header("authorization", format!("Token {DEMO_TOKEN}"))
            .header("content-type", "multipart/form-data; boundary=1")
            .body(Bytes::from(body));
        // What no client can send is no request.
        let Ok(request) = request else { continue };
        service.emulator.handle(service.now, &request);
        for ping in service.emulator.take_pings(service.now) {
            service.emulator.ping_settled(service.now, &ping, seconds % 2 == 0);
        }
    }
    service.emulator.advance(service.now);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_requests_makes_it_panic(
        profile in prop::sample::select(&ProfileName::ALL[..]),
        calls in prop::collection::vec(call(), 1..24),
    ) {
        survive(profile, calls);
    }
}
