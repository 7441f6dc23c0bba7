//! Points 35 to 37: what each type takes, shows and refuses.

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_MEMBER, DEMO_PERSON};

use crate::service::{ELSEWHERE, NOBODY, Service, THERE, at, service, table};

fn date(date: &str, include_time: bool) -> Value {
    json!({"date": date, "include_time": include_time})
}

#[test]
fn every_type_reads_what_was_written_in_its_own_form() {
    let uuid = "1b9e5a3c-4f0d-4e8e-9a52-0c8ab5a8a001";
    let range = json!({
        "from_date": date("2026-01-01T00:00:00Z", false), "to_date": date("2026-01-02T10:30:00Z", true),
    });
    let phone = json!({
        "phone_country": "US", "phone_number": "913 555 1212", "phone_extension": "", "phone_type": 2,
    });
    let mut shown_phone = phone.clone();
    shown_phone["sys_root"] = "19135551212".into();
    shown_phone["sys_title"] = "+1 913 555 1212".into();
    let name = json!({"title": "1", "first_name": "Ada", "middle_name": "", "last_name": "Byron"});
    let mut shown_name = name.clone();
    shown_name["sys_root"] = "Ada Byron".into();
    let social = json!({
        "facebook_username": "a", "twitter_username": "", "instagram_username": "",
        "linkedin_username": "",
    });
    let predecessor = json!({"type": "fs", "lag": 0, "application": NOBODY, "record": NOBODY});
    let log = json!({"duration": 60, "note": "x"});
    for (slug, written, read) in [
        ("stext", json!("  Grüße 🚲 "), json!("  Grüße 🚲 ")),
        ("sarea", json!("a\nb"), json!("a\nb")),
        ("snumber", json!(120), json!("120")),
        ("snumber", json!("120.50"), json!("120.5")),
        ("snumber", json!(-0.25), json!("-0.25")),
        ("snumber", json!("1e3"), json!("1000")),
        ("scurrency", json!("19.95"), json!("19.95")),
        (
            "scurrency",
            json!("123456789012345678901234567890.12"),
            json!("123456789012345678901234567890.12"),
        ),
        ("spercent", json!(12), json!("12.0")),
        ("sduration", json!("94530"), json!("94530.0")),
        ("sslider", json!("59"), json!(59)),
        ("scomplete", json!(72), json!(72)),
        ("srating", json!(4), json!(4)),
        ("syesno", json!(true), json!(true)),
        ("ssingle", json!("aCt1V"), json!("aCt1V")),
        ("ssingle", json!(uuid), json!(uuid)),
        ("smultiple", json!(["iNa0T", "aCt1V"]), json!(["iNa0T", "aCt1V"])),
        ("stags", json!(["aCt1V"]), json!(["aCt1V"])),
        ("sdate", date("2025-05-30T00:00:00Z", false), date("2025-05-30T00:00:00Z", false)),
        ("sdate", date("2025-05-30T10:20:30Z", true), date("2025-05-30T10:20:30Z", true)),
        ("sdate", json!("2025-05-30T10:20:30+02:00"), date("2025-05-30T08:20:30Z", true)),
        ("sdate", json!("2025-05-30T00:00:00Z"), date("2025-05-30T00:00:00Z", false)),
        ("srange", range.clone(), range.clone()),
        ("stime", json!("21:15:00"), json!("21:15:00")),
        (
            "stracking",
            json!({"time_track_logs": [log]}),
            json!({"time_track_logs": [log], "total_duration": 60}),
        ),
        (
            "semail",
            json!(["a@example.com", "b@example.com"]),
            json!(["a@example.com", "b@example.com"]),
        ),
        (
            "surl",
            json!(["www.example.com", "https://a.example.com/x?y#z"]),
            json!(["www.example.com", "https://a.example.com/x?y#z"]),
        ),
        ("sphone", json!([phone]), json!([shown_phone])),
        ("sname", name, shown_name),
        (
            "sip",
            json!([{"country_code": "us", "address": "2001:db8::1"}]),
            json!([{"country_code": "us", "address": "2001:db8::1"}]),
        ),
        ("ssocial", social.clone(), social.clone()),
        (
            "scolor",
            json!([{"name": "reddish", "value": "#814C4C"}]),
            json!([{"name": "reddish", "value": "#814C4C"}]),
        ),
        ("suser", json!([DEMO_PERSON, DEMO_MEMBER]), json!([DEMO_PERSON, DEMO_MEMBER])),
        ("slink", json!([THERE, ELSEWHERE]), json!([THERE, ELSEWHERE])),
        ("sdepends", json!({"predecessor": [predecessor]}), json!({"predecessor": [predecessor]})),
        (
            "ssignature",
            json!({"text": "Ada", "image_base64": ""}),
            json!({"text": "Ada", "image_base64": ""}),
        ),
        (
            "ssubitems",
            json!({"items": [{"title": "x"}]}),
            json!({"count": 1, "items": [{"title": "x"}]}),
        ),
    ] {
        let mut service = service();
        let id = service.id(&json!({slug: written}));
        let shown = service.read(&id).ok();
        assert_eq!(shown[slug], read, "{slug} {written}");
        let same = service.update(&id, &json!({slug: shown[slug]})).ok();
        assert_eq!(same[slug], read, "{slug}: what was read can be written");
    }
}

#[test]
fn documents_checklists_addresses_and_statuses_read_with_what_the_service_adds() {
    let mut service = service();
    let doc = json!({"type": "doc", "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": "Hello <b>"}]},
    ]});
    let id = service.id(&json!({
        "sdoc": {"data": doc}, "sstatus": "complete",
        "saddress": {"location_address": "1 Main St", "location_city": "Bern"},
        "schecklist": {"items": [{"content": {"data": doc}, "completed": true}]},
        "sdue": {"from_date": null, "to_date": date("2026-03-01T00:00:00Z", false)},
        "slink": [THERE, ELSEWHERE],
    }));
    let record = service.read(&id).ok();
    for (pointer, value) in [
        ("/sdoc/data", doc),
        ("/sdoc/preview", json!("Hello <b>")),
        ("/sdoc/html", json!("<div class=\"rendered\">\n    <p>Hello &lt;b&gt;</p>\n</div>")),
        ("/sstatus/value", json!("complete")),
        ("/saddress/sys_root", json!("1 Main St, Bern")),
        ("/saddress/location_zip", json!("")),
        ("/schecklist/total_items", json!(1)),
        ("/schecklist/completed_items", json!(1)),
        ("/sdue/to_date/date", json!("2026-03-01T00:00:00Z")),
        ("/sdue/status_is_completed", json!(true)),
        ("/sdue/is_overdue", json!(false)),
        ("/scount", json!("2")),
        ("/srollup", json!("10.0")),
        ("/slookup", json!([["4"], ["6"]])),
        ("/srecordid", json!(id)),
    ] {
        assert_eq!(record.pointer(pointer), Some(&value), "{pointer}");
    }
}

#[test]
fn a_value_that_its_type_does_not_understand_is_refused_on_its_slug() {
    for (slug, wrong, said) in [
        ("stext", json!(5), "Not a valid string."),
        ("sarea", json!("longer than ten"), "no more than 10 characters"),
        ("snumber", json!("many"), "A valid number is required."),
        ("snumber", json!([1]), "A valid number is required."),
        ("srating", json!(2.5), "A valid integer is required."),
        ("srating", json!(6), "within the allowed range"),
        ("scomplete", json!(101), "within the allowed range"),
        ("syesno", json!("yes"), "Must be a valid boolean."),
        ("ssingle", json!("Active"), "value not in choices"),
        ("ssingle", json!(["aCt1V"]), "Not a valid string."),
        ("smultiple", json!("aCt1V"), "must be arrays"),
        ("smultiple", json!(["nope"]), "value not in choices"),
        ("stags", json!("aCt1V"), "must be arrays"),
        ("sstatus", json!({"value": "nope"}), "value not in choices"),
        ("sdate", json!("yesterday"), "can't be converted to date"),
        ("sdate", json!({"date": "2025-05-30T00:00:00Z"}), "can't be converted to date"),
        ("stime", json!("25:00:00"), "Time has wrong format"),
        ("stime", json!("10:00"), "Time has wrong format"),
        ("semail", json!("a@example.com"), "must be arrays"),
        ("semail", json!(["nobody"]), "Enter a valid email address."),
        ("surl", json!("www.example.com"), "must be arrays"),
        ("surl", json!(["not a url"]), "URL is not valid"),
        ("sphone", json!({"phone_number": "1"}), "must be arrays"),
        ("sip", json!([{"address": "1.2.3"}]), "Enter a valid IPv4 or IPv6 address."),
        ("scolor", json!([{"value": "red"}]), "Not a valid color."),
        ("suser", json!(DEMO_PERSON), "must be arrays"),
        ("suser", json!([NOBODY]), "Not a member of this workspace."),
        ("slink", json!(THERE), "must be arrays"),
        ("slink", json!([NOBODY]), "does not exist"),
        ("sfile", json!(["no address"]), "URL is not valid"),
        ("schecklist", json!(["a", "b"]), "Expected an object"),
        ("sdoc", json!({"html": "<p>x</p>"}), "Not a valid document"),
    ] {
        let answer = service().create(&json!({slug: wrong}));
        assert_eq!(answer.status, 400, "{slug} {wrong}");
        let message = answer[slug][0].as_str().unwrap_or_default();
        assert!(message.contains(said), "{slug} {wrong}: {}", answer.text);
    }
}

#[test]
fn an_unknown_choice_is_refused_or_saved_blank() {
    for (mut service, status) in
        [(at("unknown_choice", "refuse"), 400), (at("unknown_choice", "blank"), 200)]
    {
        let answer = service.create(&json!({"ssingle": "nope"}));
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer["ssingle"], "");
        }
    }
}

#[test]
fn a_new_label_is_saved_blank_or_refused_and_never_becomes_a_choice() {
    for (mut service, status) in [(at("new_label", "blank"), 200), (at("new_label", "refuse"), 400)]
    {
        let answer = service.create(&json!({"sopen": "Brand new"}));
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer["sopen"], "");
        }
        let table = service.get(&Service::in_table("")).text;
        assert!(!table.contains("Brand new"));
    }
}

#[test]
fn a_single_select_object_is_saved_blank_accepted_or_refused() {
    for (mut service, status, value) in [
        (at("select_object", "blank"), 200, json!("")),
        (at("select_object", "accepted"), 200, json!("aCt1V")),
        (at("select_object", "refuse"), 400, json!(["Not a valid string."])),
    ] {
        let answer = service.create(&json!({"ssingle": {"value": "aCt1V"}}));
        assert_eq!((answer.status, &answer["ssingle"]), (status, &value));
    }
}

#[test]
fn a_string_for_a_document_is_saved_blank_converted_or_refused() {
    for (mut service, status, preview) in [
        (at("doc_string", "blank"), 200, json!("")),
        (at("doc_string", "converted"), 200, json!("Hello")),
        (at("doc_string", "refuse"), 400, Value::Null),
    ] {
        let answer = service.create(&json!({"sdoc": "Hello"}));
        assert_eq!((answer.status, &answer["sdoc"]["preview"]), (status, &preview));
    }
}

#[test]
fn dates_are_written_as_objects_as_strings_or_as_both() {
    let object = date("2026-01-01T00:00:00Z", false);
    let string = json!("2026-01-01T00:00:00Z");
    for (mut service, object_status, string_status) in [
        (at("date_forms", "both"), 200, 200),
        (at("date_forms", "object"), 200, 400),
        (at("date_forms", "text"), 400, 200),
    ] {
        assert_eq!(service.create(&json!({"sdate": object})).status, object_status);
        assert_eq!(service.create(&json!({"sdate": string})).status, string_status);
        assert_eq!(
            service.create(&json!({"sdate": {"date": null, "include_time": false}})).status,
            200
        );
    }
    for (mut service, object_status, string_status) in [
        (at("range_date_forms", "both"), 200, 200),
        (at("range_date_forms", "object"), 200, 400),
        (at("range_date_forms", "text"), 400, 200),
    ] {
        for slug in ["srange", "sdue"] {
            let range = |end: &Value| json!({slug: {"from_date": end, "to_date": end}});
            assert_eq!(service.create(&range(&object)).status, object_status);
            assert_eq!(service.create(&range(&string)).status, string_status);
        }
    }
}

#[test]
fn a_date_may_lack_its_include_time_its_time_or_its_fraction_as_switches_say() {
    for (mut service, status) in
        [(at("incomplete_dates", "off"), 400), (at("incomplete_dates", "on"), 200)]
    {
        assert_eq!(
            service.create(&json!({"sdate": {"date": "2026-01-01T00:00:00Z"}})).status,
            status
        );
    }
    for (mut service, status) in [(at("bare_days", "off"), 400), (at("bare_days", "on"), 200)] {
        assert_eq!(service.create(&json!({"sdate": "2026-01-01"})).status, status);
    }
    for (mut service, shown) in [
        (at("dates_to_the_second", "off"), "2026-01-01T10:00:00.250000Z"),
        (at("dates_to_the_second", "on"), "2026-01-01T10:00:00Z"),
    ] {
        let record = service.create(&json!({"sdate": date("2026-01-01T10:00:00.25Z", true)})).ok();
        assert_eq!(record["sdate"]["date"], shown);
    }
}

#[test]
fn decimals_beyond_the_precision_are_kept_rounded_or_refused() {
    for (mut service, status, shown) in [
        (at("decimal_excess", "keep"), 200, json!("1.2345")),
        (at("decimal_excess", "round"), 200, json!("1.23")),
        (
            at("decimal_excess", "refuse"),
            400,
            json!(["Ensure that there are no more than 2 decimal places."]),
        ),
    ] {
        let answer = service.create(&json!({"snumber": "1.2345"}));
        assert_eq!((answer.status, &answer["snumber"]), (status, &shown));
        assert_eq!(service.create(&json!({"snumber": "1.200"})).status, 200, "only zeros too many");
    }
}

#[test]
fn a_number_out_of_range_is_refused_or_set_to_the_bound() {
    for (mut service, status) in
        [(at("out_of_range", "refuse"), 400), (at("out_of_range", "clamp"), 200)]
    {
        let answer = service.create(&json!({"sslider": 400}));
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer["sslider"], 100);
        }
    }
}

#[test]
fn a_text_that_is_too_long_is_refused_cut_or_stored_whole() {
    let long = "0123456789ABC";
    for (mut service, status, shown) in [
        (
            at("long_text", "refuse"),
            400,
            json!(["Ensure this field has no more than 10 characters."]),
        ),
        (at("long_text", "cut"), 200, json!("0123456789")),
        (at("long_text", "ignore"), 200, json!(long)),
    ] {
        let answer = service.create(&json!({"sarea": long}));
        assert_eq!((answer.status, &answer["sarea"]), (status, &shown));
    }
    let longer = "x".repeat(65_537);
    for (mut service, status) in
        [(at("max_text_chars", "65536"), 400), (at("max_text_chars", "off"), 200)]
    {
        assert_eq!(service.create(&json!({"stext": longer})).status, status);
    }
}

#[test]
fn outer_white_space_is_kept_or_cut() {
    for (mut service, shown) in [(at("trim_text", "off"), " x "), (at("trim_text", "on"), "x")] {
        assert_eq!(service.create(&json!({"stext": " x "})).ok()["stext"], shown);
    }
}

#[test]
fn the_syntax_of_an_email_address_is_checked_or_not() {
    for (mut service, status) in [(at("email_syntax", "on"), 400), (at("email_syntax", "off"), 200)]
    {
        for wrong in ["nobody", "a b@example.com", "a@nowhere", "@example.com"] {
            assert_eq!(service.create(&json!({"semail": [wrong]})).status, status, "{wrong}");
        }
    }
}

#[test]
fn a_phone_number_may_be_a_text_where_its_switch_says_so() {
    for (mut service, status) in [(at("phone_text", "on"), 200), (at("phone_text", "off"), 400)] {
        let answer = service.create(&json!({"sphone": ["+41 44 668 18 00"]}));
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer["sphone"][0]["phone_country"], "CH");
        }
    }
}

#[test]
fn several_entries_where_one_is_allowed_are_refused_cut_or_kept() {
    let two = json!(["a@example.com", "b@example.com"]);
    for (mut service, status, shown) in [
        (at("single_overflow", "refuse"), 400, json!(["Only one entry is allowed."])),
        (at("single_overflow", "keep_first"), 200, json!(["a@example.com"])),
        (at("single_overflow", "accept"), 200, two.clone()),
    ] {
        let answer = service.create(&json!({"soneemail": two}));
        assert_eq!((answer.status, &answer["soneemail"]), (status, &shown));
    }
}

#[test]
fn an_unknown_linked_id_is_refused_or_dropped() {
    for (mut service, status) in
        [(at("unknown_link", "refuse"), 400), (at("unknown_link", "drop"), 200)]
    {
        let answer = service.create(&json!({"slink": [THERE, NOBODY]}));
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer["slink"], json!([THERE]));
        }
    }
}

#[test]
fn writing_a_link_moves_last_updated_of_the_other_record_or_does_not() {
    let there = format!("applications/{}/records/{THERE}/", crate::service::OTHER);
    for (mut service, moves) in [(at("link_bumps", "on"), true), (at("link_bumps", "off"), false)] {
        let stamp = |service: &mut Service| service.get(&there).ok()["last_updated"].clone();
        let before = stamp(&mut service);
        service.pass(60.0);
        service.id(&json!({"slink": [THERE]}));
        assert_eq!(stamp(&mut service) != before, moves);
    }
}

#[test]
fn member_ids_are_stored_or_saved_blank() {
    for (mut service, shown) in [
        (at("user_writes", "accepted"), json!([DEMO_PERSON])),
        (at("user_writes", "blank"), json!([])),
    ] {
        assert_eq!(service.create(&json!({"suser": [DEMO_PERSON]})).ok()["suser"], shown);
    }
}

#[test]
fn an_autonumber_with_a_prefix_reads_as_a_number_or_as_text() {
    let prefixed = json!({"prefix": "EAV", "leading_zeros": 2});
    for (positions, shown) in [
        (&[("autonumber_prefix", "off")], json!(1)),
        (&[("autonumber_prefix", "on")], json!("EAV001")),
    ] {
        let table = table().field("autonumber", "Number", "autonumberfield", prefixed.clone());
        let builder = smartsuite_emulator::Emulator::builder()
            .unlimited()
            .table(crate::service::other_table())
            .table(table);
        let mut service = Service::of(crate::service::positioned(builder, positions));
        assert_eq!(service.create(&json!({})).ok()["autonumber"], shown);
    }
}
