//! Point 32: filters, operator by operator.

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_MEMBER, DEMO_PERSON, Seed};

use crate::service::{ELSEWHERE, Service, THERE, at, builder, service, titles};

const TEXT: &str = "is is_not is_empty is_not_empty contains not_contains";
const PRESENCE: &str = "is_empty is_not_empty";
const COMPARISON: &str = "is_equal_to is_not_equal_to is_greater_than is_less_than \
    is_equal_or_greater_than is_equal_or_less_than";
const NUMBER: &str = "is_equal_to is_not_equal_to is_greater_than is_less_than \
    is_equal_or_greater_than is_equal_or_less_than is_empty is_not_empty";
const SELECT: &str = "is is_not is_any_of is_none_of is_empty is_not_empty";
const SETS: &str = "has_any_of has_all_of is_exactly has_none_of is_empty is_not_empty";
const LINKED: &str =
    "contains not_contains has_any_of has_all_of is_exactly has_none_of is_empty is_not_empty";
const DATE: &str = "is is_not is_before is_on_or_before is_on_or_after is_empty is_not_empty";
const DUE: &str = "is is_not is_before is_on_or_before is_on_or_after is_empty is_not_empty is_overdue is_not_overdue";
const FILE: &str = "file_name_contains file_type_is is_empty is_not_empty";

/// The operators that section 3.5 gives each type, by the slug of the field that has it.
const MATRIX: &[(&str, &str)] = &[
    ("title", TEXT),
    ("stext", TEXT),
    ("sarea", TEXT),
    ("semail", TEXT),
    ("sphone", TEXT),
    ("surl", TEXT),
    ("saddress", TEXT),
    ("sname", TEXT),
    ("sip", TEXT),
    ("ssocial", TEXT),
    ("scolor", TEXT),
    ("sformula", TEXT),
    ("sdoc", PRESENCE),
    ("schecklist", PRESENCE),
    ("ssignature", PRESENCE),
    ("snumber", NUMBER),
    ("scurrency", NUMBER),
    ("spercent", NUMBER),
    ("srating", NUMBER),
    ("sduration", NUMBER),
    ("sslider", NUMBER),
    ("scomplete", NUMBER),
    ("svote", NUMBER),
    ("stime", NUMBER),
    ("stracking", NUMBER),
    ("srollup", NUMBER),
    ("scount", NUMBER),
    ("slookup", NUMBER),
    ("comments_count", NUMBER),
    ("autonumber", COMPARISON),
    ("ssubitems", COMPARISON),
    ("ssingle", SELECT),
    ("sstatus", SELECT),
    ("smultiple", SETS),
    ("stags", SETS),
    ("suser", SETS),
    ("slink", LINKED),
    ("syesno", "is"),
    ("sdate", DATE),
    ("srange", DATE),
    ("first_created", DATE),
    ("last_updated", DATE),
    ("sdue", DUE),
    ("sfile", FILE),
    ("srecordid", "is is_not contains not_contains"),
    ("sdepends", ""),
    ("sbutton", ""),
    ("savailable", ""),
];

const OPERATORS: &[&str] = &[
    "is",
    "is_not",
    "is_empty",
    "is_not_empty",
    "contains",
    "not_contains",
    "is_equal_to",
    "is_not_equal_to",
    "is_greater_than",
    "is_less_than",
    "is_equal_or_greater_than",
    "is_equal_or_less_than",
    "is_any_of",
    "is_none_of",
    "has_any_of",
    "has_all_of",
    "is_exactly",
    "has_none_of",
    "is_before",
    "is_on_or_before",
    "is_on_or_after",
    "is_after",
    "is_overdue",
    "is_not_overdue",
    "file_name_contains",
    "file_type_is",
    "nonsense",
];

/// A value that the operator takes on that type.
fn value(operators: &str, operator: &str, slug: &str) -> Value {
    match operator {
        "is_empty" | "is_not_empty" | "is_overdue" | "is_not_overdue" => Value::Null,
        "is_any_of" | "is_none_of" | "has_any_of" | "has_all_of" | "is_exactly" | "has_none_of" => {
            json!(["aCt1V"])
        }
        _ if operators == DATE || operators == DUE => {
            json!({"date_mode": "exact_date", "date_mode_value": "2026-03-10"})
        }
        _ if operators == "is" => json!(true),
        _ if slug == "stime" => json!("10:00:00"),
        "contains" | "not_contains" | "is" | "is_not" | "file_name_contains" | "file_type_is" => {
            json!("pdf")
        }
        _ => json!("1"),
    }
}

#[test]
fn every_type_allows_its_operators_and_refuses_all_others() {
    let mut service = at("linked_is", "refuse");
    service.id(&json!({}));
    let structure = service.get(&Service::in_table("")).ok()["structure"].clone();
    let kinds: std::collections::BTreeSet<&str> = structure
        .as_array()
        .unwrap()
        .iter()
        .filter(|field| MATRIX.iter().any(|(slug, _)| field["slug"] == *slug))
        .map(|field| field["field_type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.len(), 48, "every type of section 5.1 is here: {kinds:?}");
    for (slug, operators) in MATRIX {
        for operator in OPERATORS {
            let allowed = operators.split(' ').any(|name| name == *operator);
            let answer = service.filtered(slug, operator, &value(operators, operator, slug));
            if allowed {
                assert_eq!(answer.status, 200, "{slug} {operator}: {}", answer.text);
            } else {
                let said = json!({*slug: "Not allowed comparison."});
                assert_eq!((answer.status, answer.json), (400, said), "{slug} {operator}");
            }
        }
    }
}

/// An emulator with records whose values differ in everything a filter looks at.
fn filled(mut service: Service) -> Service {
    service.id(&json!({
        "title": "one", "stext": "Apple pie", "snumber": "1.50", "ssingle": "aCt1V",
        "smultiple": ["aCt1V", "iNa0T"], "suser": [DEMO_PERSON], "slink": [THERE],
        "syesno": true, "sdate": "2026-03-09T00:00:00Z", "semail": ["one@example.com"],
        "srange": {"from_date": "2026-03-01T00:00:00Z", "to_date": "2026-03-12T00:00:00Z"},
        "sdue": {"from_date": null, "to_date": "2026-03-01T00:00:00Z"}, "stime": "08:00:00",
        "sphone": ["+1 913 555 1212"], "sstatus": {"value": "complete"},
    }));
    service.id(&json!({
        "title": "two", "stext": "apple", "snumber": 20, "ssingle": "iNa0T", "smultiple": ["iNa0T"],
        "slink": [THERE, ELSEWHERE], "sdate": "2026-03-10T00:00:00Z", "stime": "20:00:00",
        "sdue": {"from_date": null, "to_date": "2026-04-01T00:00:00Z"},
    }));
    service.id(&json!({"title": "three"}));
    service
}

#[test]
fn every_operator_finds_what_it_says() {
    let mut service = filled(service());
    let day = |mode: &str, value: Value| json!({"date_mode": mode, "date_mode_value": value});
    let exact = |date: &str| day("exact_date", json!(date));
    let all = &["one", "two", "three"][..];
    for (field, operator, value, found) in [
        ("stext", "is", json!("Apple pie"), &["one"][..]),
        ("stext", "is", json!("apple pie"), &[]),
        ("stext", "is_not", json!("apple"), &["one", "three"]),
        ("stext", "contains", json!("APPLE"), &["one", "two"]),
        ("stext", "not_contains", json!("pie"), &["two", "three"]),
        ("stext", "is_empty", Value::Null, &["three"]),
        ("stext", "is_not_empty", Value::Null, &["one", "two"]),
        ("semail", "is", json!("one@example.com"), &["one"]),
        ("sphone", "contains", json!("555"), &["one"]),
        ("snumber", "is_equal_to", json!("1.5"), &["one"]),
        ("snumber", "is_equal_to", json!(20.0), &["two"]),
        ("snumber", "is_not_equal_to", json!(20), &["one", "three"]),
        ("snumber", "is_greater_than", json!(9), &["two"]),
        ("snumber", "is_less_than", json!(9), &["one"]),
        ("snumber", "is_equal_or_greater_than", json!(20), &["two"]),
        ("snumber", "is_equal_or_less_than", json!(1.5), &["one"]),
        ("autonumber", "is_greater_than", json!(1), &["two", "three"]),
        ("stime", "is_greater_than", json!("12:00:00"), &["two"]),
        ("ssingle", "is", json!("aCt1V"), &["one"]),
        ("ssingle", "is_not", json!("aCt1V"), &["two", "three"]),
        ("ssingle", "is_any_of", json!(["aCt1V", "iNa0T"]), &["one", "two"]),
        ("ssingle", "is_none_of", json!(["aCt1V"]), &["two", "three"]),
        ("sstatus", "is", json!("complete"), &["one"]),
        ("smultiple", "has_any_of", json!(["aCt1V"]), &["one"]),
        ("smultiple", "has_all_of", json!(["iNa0T", "aCt1V"]), &["one"]),
        ("smultiple", "is_exactly", json!(["iNa0T"]), &["two"]),
        ("smultiple", "has_none_of", json!(["aCt1V"]), &["two", "three"]),
        ("smultiple", "is_empty", Value::Null, &["three"]),
        ("suser", "has_any_of", json!([DEMO_PERSON]), &["one"]),
        ("slink", "has_any_of", json!([ELSEWHERE]), &["two"]),
        ("slink", "has_all_of", json!([THERE, ELSEWHERE]), &["two"]),
        ("slink", "is_exactly", json!([THERE]), &["one"]),
        ("slink", "contains", json!("elsewhere"), &["two"]),
        ("slink", "not_contains", json!("there"), &["three"]),
        ("srollup", "is_equal_to", json!(10), &["two"]),
        ("scount", "is_equal_to", json!(1), &["one"]),
        ("syesno", "is", json!(true), &["one"]),
        ("syesno", "is", json!(false), &["two", "three"]),
        ("sdate", "is", exact("2026-03-09"), &["one"]),
        ("sdate", "is", day("today", Value::Null), &["two"]),
        ("sdate", "is", day("yesterday", Value::Null), &["one"]),
        ("sdate", "is_not", exact("2026-03-09"), &["two", "three"]),
        ("sdate", "is_before", exact("2026-03-10"), &["one"]),
        ("sdate", "is_on_or_before", exact("2026-03-10"), &["one", "two"]),
        ("sdate", "is_on_or_after", day("one_week_ago", Value::Null), &["one", "two"]),
        ("sdate", "is_on_or_after", day("one_month_from_now", Value::Null), &[]),
        ("sdate", "is", day("past_number_of_days", json!(1)), &["one", "two"]),
        ("sdate", "is", day("next_number_of_days", json!(1)), &["two"]),
        (
            "sdate",
            "is",
            day("date_range", json!({"from_date": "2026-03-01", "to_date": "2026-03-09"})),
            &["one"],
        ),
        ("srange", "is", exact("2026-03-12"), &["one"]),
        ("srange.to_date", "is", exact("2026-03-12"), &["one"]),
        ("srange.from_date", "is", exact("2026-03-01"), &["one"]),
        ("sdue", "is_overdue", Value::Null, &[]),
        ("sdue", "is_not_overdue", Value::Null, all),
        ("first_created", "is", day("today", Value::Null), all),
        ("last_updated", "is_before", day("today", Value::Null), &[]),
    ] {
        assert_eq!(service.titles(field, operator, &value), found, "{field} {operator} {value}");
    }
    let second = service.list("?offset=1&limit=1", &json!({})).ok()["items"][0]["id"].clone();
    service
        .update(
            second.as_str().unwrap(),
            &json!({"sdue": {"from_date": null, "to_date": "2026-03-09T00:00:00Z"}}),
        )
        .ok();
    assert_eq!(service.titles("sdue", "is_overdue", &Value::Null), ["two"]);
}

#[test]
fn clauses_are_joined_by_and_or_by_or() {
    let mut service = filled(service());
    let clause = |value: &str| json!({"field": "title", "comparison": "is", "value": value});
    for (operator, found) in [("or", &["one", "two"][..]), ("and", &[])] {
        let filter = json!({"operator": operator, "fields": [clause("one"), clause("two")]});
        assert_eq!(titles(&service.list("", &json!({"filter": filter})).ok()["items"]), found);
    }
    for everything in [json!({}), Value::Null, json!({"operator": "and", "fields": []})] {
        assert_eq!(service.list("", &json!({"filter": everything})).ok()["total"], 3);
    }
}

#[test]
fn a_filter_that_is_none_is_refused() {
    let clause = || json!({"field": "title", "comparison": "is", "value": "x"});
    for filter in [
        json!({"fields": [clause()]}),
        json!({"operator": "xor", "fields": [clause()]}),
        json!({"operator": "and"}),
        json!({"operator": "and", "fields": {}}),
        json!({"operator": "and", "fields": [{"comparison": "is", "value": "x"}]}),
        json!({"operator": "and", "fields": [{"field": "title", "value": "x"}]}),
        json!({"operator": "and", "fields": [{"field": "snowhere", "comparison": "is", "value": "x"}]}),
        json!({"operator": "and", "fields": [{"field": "stext.from_date", "comparison": "is", "value": "x"}]}),
        json!({"operator": "and", "fields": [{"field": "sdate", "comparison": "is", "value": "2026-03-10"}]}),
        json!({"operator": "and", "fields": [{"field": "snumber", "comparison": "is_equal_to", "value": "x"}]}),
        json!({"operator": "and", "fields": [{"field": "smultiple", "comparison": "has_any_of", "value": "x"}]}),
        json!("title"),
        json!([clause()]),
    ] {
        assert_eq!(service().list("", &json!({"filter": filter})).status, 400, "{filter}");
    }
}

#[test]
fn is_on_a_linked_record_finds_nothing_or_is_refused() {
    for (service, status) in [(at("linked_is", "no_rows"), 200), (at("linked_is", "refuse"), 400)] {
        let answer = filled(service).filtered("slink", "is", &json!([THERE]));
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer["total"], 0);
        }
    }
}

#[test]
fn a_choice_is_named_by_its_id_and_by_its_label_only_where_the_switch_says_so() {
    for (service, by_label) in [
        (at("select_labels_in_filters", "off"), &[][..]),
        (at("select_labels_in_filters", "on"), &["one"]),
    ] {
        let mut service = filled(service);
        assert_eq!(service.titles("ssingle", "is", &json!("Active")), by_label);
        assert_eq!(service.titles("ssingle", "is", &json!("aCt1V")), ["one"]);
        assert_eq!(service.titles("smultiple", "has_any_of", &json!(["Active"])), by_label);
    }
}

#[test]
fn is_empty_takes_null_and_on_text_an_empty_text_where_its_switch_says_so() {
    for (mut service, text) in [
        (at("empty_check_value", "text_may_pass_text"), 200),
        (at("empty_check_value", "null_only"), 400),
    ] {
        for operator in ["is_empty", "is_not_empty"] {
            assert_eq!(service.filtered("stext", operator, &json!("")).status, text);
            assert_eq!(service.filtered("stext", operator, &Value::Null).status, 200);
            let answer = service.filtered("snumber", operator, &json!(""));
            let said = format!("'' is not allowed for the '{operator}' comparison");
            assert_eq!((answer.status, &answer["snumber"][0]), (400, &json!(said)));
        }
    }
}

#[test]
fn is_after_exists_where_its_switch_says_so() {
    let day = json!({"date_mode": "exact_date", "date_mode_value": "2026-03-09"});
    let mut service = filled(at("is_after", "off"));
    assert_eq!(service.filtered("sdate", "is_after", &day).status, 400);
    let mut service = filled(at("is_after", "on"));
    assert_eq!(service.titles("sdate", "is_after", &day), ["two"]);
}

#[test]
fn groups_may_be_nested_where_their_switch_says_so() {
    let clause = |value: &str| json!({"field": "title", "comparison": "is", "value": value});
    let inner = json!({"operator": "or", "fields": [clause("one"), clause("two")]});
    let filter = json!({"filter": {"operator": "and", "fields": [inner, clause("two")]}});
    assert_eq!(filled(at("nested_filters", "off")).list("", &filter).status, 400);
    let found = filled(at("nested_filters", "on")).list("", &filter).ok();
    assert_eq!(titles(&found["items"]), ["two"]);
}

#[test]
fn an_empty_any_of_finds_nothing_everything_or_is_refused() {
    for (service, status, total) in [
        (at("empty_any_of", "no_rows"), 200, json!(0)),
        (at("empty_any_of", "all_rows"), 200, json!(3)),
        (at("empty_any_of", "refuse"), 400, Value::Null),
    ] {
        let mut service = filled(service);
        for (field, operator) in [("smultiple", "has_any_of"), ("ssingle", "is_any_of")] {
            let answer = service.filtered(field, operator, &json!([]));
            assert_eq!((answer.status, &answer["total"]), (status, &total), "{field}");
        }
    }
}

#[test]
fn a_filter_has_as_many_clauses_as_its_switch_allows() {
    let clauses = vec![json!({"field": "title", "comparison": "is", "value": "x"}); 26];
    let filter = json!({"filter": {"operator": "or", "fields": clauses}});
    for (mut service, status) in
        [(at("max_filter_clauses", "off"), 200), (at("max_filter_clauses", "25"), 400)]
    {
        assert_eq!(service.list("", &filter).status, status);
    }
}

#[test]
fn is_compares_text_to_the_letter_or_loosely() {
    for (service, loose) in [(at("text_is", "exact"), &[][..]), (at("text_is", "loose"), &["one"])]
    {
        let mut service = filled(service);
        assert_eq!(service.titles("stext", "is", &json!(" APPLE PIE ")), loose);
        assert_eq!(service.titles("stext", "is", &json!("Apple pie")), ["one"]);
    }
}

#[test]
fn the_day_of_a_date_filter_is_the_members_or_utc() {
    for (switch, first, second) in [
        (("day_boundary", "member"), &[][..], &["late"][..]),
        (("day_boundary", "utc"), &["late"], &[]),
    ] {
        let mut seed = Seed::account().unwrap();
        let member = seed.accounts[0].members.iter_mut().find(|m| m.id.to_string() == DEMO_MEMBER);
        "Asia/Tokyo".clone_into(&mut member.unwrap().timezone);
        let builder = crate::service::positioned(builder().seed(seed), &[switch]);
        let mut service = Service::of(builder);
        // Eight in the evening in UTC is five in the morning of the next day in Tokyo.
        let date = json!({"date": "2026-03-09T20:00:00Z", "include_time": true});
        service.id(&json!({"title": "late", "sdate": date}));
        let on = |day: &str| json!({"date_mode": "exact_date", "date_mode_value": day});
        assert_eq!(service.titles("sdate", "is", &on("2026-03-09")), first);
        assert_eq!(service.titles("sdate", "is", &on("2026-03-10")), second);
    }
}
