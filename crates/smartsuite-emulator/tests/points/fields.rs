//! Points 17 to 22: fields added, changed, deleted, restored; links; choices.

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_SOLUTION, Plan, TableSeed};

use crate::service::{NOBODY, OTHER, Service, TABLE, THERE, at, builder, service};

fn field(slug: &str, kind: &str, params: impl Into<Value>) -> Value {
    let params: Value = params.into();
    json!({"slug": slug, "label": slug, "field_type": kind, "params": params})
}

fn added(service: &mut Service, field: &Value) -> crate::service::Answer {
    let body = json!({"field": field, "field_position": {"prev_sibling_slug": ""}});
    service.post(&Service::in_table("add_field/"), &body)
}

/// The field of a slug as a table's structure shows it now; null where it is not there.
fn seen(service: &mut Service, table: &str, slug: &str) -> Value {
    let table = service.get(&format!("applications/{table}/")).ok();
    let fields = table["structure"].as_array().unwrap();
    fields.iter().find(|field| field["slug"] == slug).cloned().unwrap_or_default()
}

#[test]
fn add_field_names_what_is_missing_or_wrong_where_it_is() {
    let text = || field("snew000001", "textfield", json!({}));
    let at_end = || json!({"prev_sibling_slug": ""});
    let without = |key: &str| {
        let mut field = text();
        field.as_object_mut().unwrap().remove(key);
        field
    };
    let required = "This field is required.";
    for (body, pointer, said) in [
        (json!({}), "/field/0", required),
        (json!({"field": without("slug"), "field_position": at_end()}), "/field/slug/0", required),
        (
            json!({"field": without("label"), "field_position": at_end()}),
            "/field/label/0",
            required,
        ),
        (
            json!({"field": without("field_type"), "field_position": at_end()}),
            "/field/field_type/0",
            required,
        ),
        (
            json!({"field": without("params"), "field_position": at_end()}),
            "/field/params/0",
            required,
        ),
        (
            json!({"field": text(), "field_position": {"prev_sibling_slug": null}}),
            "/field_position/prev_sibling_slug/0",
            "This field may not be null.",
        ),
        (
            json!({"field": text(), "field_position": {"prev_sibling_slug": "nothere"}}),
            "/field_position/prev_sibling_slug/0",
            "The field does not exist.",
        ),
        (
            json!({"field": field("stext", "textfield", json!({})), "field_position": at_end()}),
            "/field/slug/0",
            "A field with this slug already exists.",
        ),
        (
            json!({"field": field("snew000001", "nosuchfield", json!({})), "field_position": at_end()}),
            "/field/field_type/0",
            "\"nosuchfield\" is not a valid choice.",
        ),
    ] {
        let answer = service().post(&Service::in_table("add_field/"), &body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json.pointer(pointer), Some(&json!(said)), "{body}: {}", answer.text);
    }
}

#[test]
fn the_position_of_a_new_field_is_required_or_not() {
    let body = |position: Value| {
        let mut body = json!({"field": field("snew000001", "textfield", json!({}))});
        if !position.is_null() {
            body["field_position"] = position;
        }
        body
    };
    for (mut service, status) in
        [(at("field_position", "required"), 400), (at("field_position", "optional"), 200)]
    {
        for position in [Value::Null, json!({})] {
            let answer = service.post(&Service::in_table("add_field/"), &body(position));
            assert_eq!(answer.status, status);
            service.post(&Service::in_table("delete_field/"), &json!({"slug": "snew000001"}));
            service.side_door("POST", "reset", &json!({})).ok();
        }
    }
}

#[test]
fn a_new_field_stands_behind_its_sibling_with_the_params_of_its_type() {
    let mut service = at("add_field_delay_ms", "0");
    let body = json!({
        "field": field("snew000001", "numberfield", json!({"precision": 3})),
        "field_position": {"prev_sibling_slug": "stext"},
    });
    service.post(&Service::in_table("add_field/"), &body).ok();
    let table = service.get(&Service::in_table("")).ok();
    let fields = table["structure"].as_array().unwrap();
    let place = fields.iter().position(|field| field["slug"] == "stext").unwrap();
    let new = &fields[place + 1];
    assert_eq!((&new["slug"], &new["params"]["precision"]), (&json!("snew000001"), &json!(3)));
    assert_eq!(
        (&new["params"]["required"], &new["params"]["separator"]),
        (&json!(false), &json!(true))
    );
}

#[test]
fn a_new_field_shows_after_its_delay() {
    for (mut service, at_once) in
        [(at("add_field_delay_ms", "500"), false), (at("add_field_delay_ms", "0"), true)]
    {
        added(&mut service, &field("snew000001", "textfield", json!({}))).ok();
        assert_eq!(seen(&mut service, TABLE, "snew000001").is_object(), at_once);
        service.pass(0.5);
        assert!(seen(&mut service, TABLE, "snew000001").is_object());
    }
}

#[test]
fn types_that_cannot_be_added_are_refused_singly_and_in_bulk() {
    let never = [
        "recordtitlefield",
        "firstcreatedfield",
        "lastupdatedfield",
        "commentscountfield",
        "autonumberfield",
    ];
    let not_in_bulk = [
        "timetrackingfield",
        "checklistfield",
        "socialnetworkfield",
        "votefield",
        "countfield",
        "filefield",
        "signaturefield",
        "formulafield",
        "rollupfield",
        "recordidfield",
        "subitemsfield",
        "buttonfield",
    ];
    let bulk = |service: &mut Service, kind: &str| {
        let body = json!({"fields": [field("snew000001", kind, json!({}))]});
        service.post(&Service::in_table("bulk-add-fields/"), &body).status
    };
    for kind in never {
        let mut service = service();
        assert_eq!(
            added(&mut service, &field("snew000001", kind, json!({}))).status,
            400,
            "{kind}"
        );
        assert_eq!(bulk(&mut service, kind), 400, "{kind}");
    }
    for kind in not_in_bulk {
        let mut service = service();
        assert_eq!(bulk(&mut service, kind), 400, "{kind}");
        assert_eq!(
            added(&mut service, &field("snew000001", kind, json!({}))).status,
            200,
            "{kind}"
        );
    }
    for kind in ["textfield", "numberfield", "singleselectfield", "datefield", "userfield"] {
        assert_eq!(bulk(&mut service(), kind), 200, "{kind}");
    }
}

#[test]
fn one_refused_field_of_a_bulk_adds_none() {
    let mut service = at("add_field_delay_ms", "0");
    let fields = json!([
        field("snew000001", "textfield", json!({})),
        field("stext", "textfield", json!({})),
    ]);
    let answer = service.post(&Service::in_table("bulk-add-fields/"), &json!({"fields": fields}));
    assert_eq!(answer.status, 400);
    assert_eq!(answer["fields"][0], json!({}));
    assert!(answer["fields"][1]["slug"].is_array());
    assert!(seen(&mut service, TABLE, "snew000001").is_null());
}

#[test]
fn bulk_add_fields_has_a_second_spelling_where_its_switch_says_so() {
    for (mut service, status) in
        [(at("underscore_bulk_fields", "off"), 404), (at("underscore_bulk_fields", "on"), 200)]
    {
        let body = json!({"fields": [field("snew000001", "textfield", json!({}))]});
        assert_eq!(service.post(&Service::in_table("bulk_add_fields/"), &body).status, status);
    }
}

#[test]
fn two_fields_may_have_one_label_or_not() {
    for (mut service, status) in
        [(at("duplicate_labels", "on"), 200), (at("duplicate_labels", "off"), 400)]
    {
        let mut twin = field("snew000001", "textfield", json!({}));
        twin["label"] = "Text".into();
        assert_eq!(added(&mut service, &twin).status, status);
    }
}

#[test]
fn a_slug_is_what_the_client_says_in_ten_characters_or_any_number() {
    for (mut service, long) in
        [(at("ten_character_slugs", "off"), 200), (at("ten_character_slugs", "on"), 400)]
    {
        assert_eq!(added(&mut service, &field("s012345678", "textfield", json!({}))).status, 200);
        let other = field("a_longer_slug_of_words", "textfield", json!({}));
        assert_eq!(added(&mut service, &other).status, long);
        assert_eq!(added(&mut service, &field("not plain!", "textfield", json!({}))).status, 400);
    }
}

#[test]
fn change_field_wants_params_and_takes_effect_after_its_delay() {
    for (mut service, at_once) in
        [(at("change_field_delay_ms", "1500"), false), (at("change_field_delay_ms", "0"), true)]
    {
        let path = Service::in_table("change_field/");
        let bare = json!({"slug": "stext", "label": "Renamed", "field_type": "textfield"});
        let answer = service.send("PUT", &path, &bare);
        assert_eq!((answer.status, &answer["params"]), (400, &json!(["This field is required."])));
        let mut whole = bare;
        whole["params"] = json!({"help_text": "changed"});
        service.send("PUT", &path, &whole).ok();
        let now = seen(&mut service, TABLE, "stext");
        assert_eq!(now["label"] == "Renamed", at_once);
        service.pass(1.5);
        let then = seen(&mut service, TABLE, "stext");
        assert_eq!(
            (&then["label"], &then["params"]["help_text"]),
            (&json!("Renamed"), &json!("changed"))
        );
    }
}

#[test]
fn a_choice_that_change_field_leaves_out_blanks_the_records_that_hold_it() {
    let mut service = at("change_field_delay_ms", "0");
    let kept = service.id(&json!({"ssingle": "aCt1V"}));
    let dropped = service.id(&json!({"ssingle": "iNa0T"}));
    let choices = json!({"choices": [{"value": "aCt1V", "label": "Active"}]});
    let change = field("ssingle", "singleselectfield", choices);
    service.send("PUT", &Service::in_table("change_field/"), &change).ok();
    assert_eq!(service.read(&kept).ok()["ssingle"], "aCt1V");
    assert_eq!(service.read(&dropped).ok()["ssingle"], "");
    let several = service.id(&json!({"smultiple": ["aCt1V", "iNa0T"]}));
    let change = field(
        "smultiple",
        "multipleselectfield",
        json!({"choices": [{"value": "iNa0T", "label": "x"}]}),
    );
    service.send("PUT", &Service::in_table("change_field/"), &change).ok();
    assert_eq!(service.read(&several).ok()["smultiple"], json!(["iNa0T"]));
}

#[test]
fn a_deleted_field_hides_its_values_and_a_restored_one_brings_them_back() {
    let mut service = service();
    let id = service.id(&json!({"stext": "kept"}));
    let slug = json!({"slug": "stext"});
    service.post(&Service::in_table("delete_field/"), &slug).ok();
    assert!(seen(&mut service, TABLE, "stext").is_null());
    assert!(service.read(&id).ok().get("stext").is_none());
    assert_eq!(service.filtered("stext", "is", &json!("kept")).status, 400);
    let gone =
        service.post("applications/deleted_fields/", &json!({"solution_id": DEMO_SOLUTION})).ok();
    assert_eq!(gone[0]["slug"], "stext");
    assert_eq!(service.post(&Service::in_table("delete_field/"), &slug).status, 404);
    service.post(&Service::in_table("restore_field/"), &slug).ok();
    assert_eq!(service.read(&id).ok()["stext"], "kept");
    for system in ["title", "autonumber"] {
        let answer = service.post(&Service::in_table("delete_field/"), &json!({"slug": system}));
        assert_eq!(answer.status, 400, "{system}");
    }
}

#[test]
fn delete_field_answers_with_the_field_or_the_table() {
    for (mut service, key, value) in [
        (at("delete_field_answer", "field"), "slug", "stext"),
        (at("delete_field_answer", "table"), "name", "Everything"),
    ] {
        let answer = service.post(&Service::in_table("delete_field/"), &json!({"slug": "stext"}));
        assert_eq!(answer.ok()[key], value);
    }
}

#[test]
fn a_new_link_makes_its_back_link_on_the_other_table() {
    let mut service = at("add_field_delay_ms", "0");
    let link = field("snewlink01", "linkedrecordfield", json!({"linked_application": OTHER}));
    added(&mut service, &link).ok();
    let own = seen(&mut service, TABLE, "snewlink01");
    let back = own["params"]["linked_field_slug"].as_str().unwrap();
    assert_eq!(back.len(), 8);
    let other = seen(&mut service, OTHER, back);
    assert_eq!(other["field_type"], "linkedrecordfield");
    assert_eq!(other["params"]["linked_application"], TABLE);
    assert_eq!(other["params"]["linked_field_slug"], "snewlink01");
    let nowhere = field("snewlink02", "linkedrecordfield", json!({"linked_application": NOBODY}));
    assert_eq!(added(&mut service, &nowhere).status, 400);
}

#[test]
fn both_sides_of_a_link_always_say_the_same() {
    let mut service = service();
    let back = seen(&mut service, TABLE, "slink")["params"]["linked_field_slug"].clone();
    let back = back.as_str().unwrap().to_owned();
    let there = format!("applications/{OTHER}/records/{THERE}/");
    let mirrored = |service: &mut Service| service.get(&there).ok()[&back].clone();
    let id = service.id(&json!({"slink": [THERE]}));
    assert_eq!(mirrored(&mut service), json!([id]));
    service.update(&id, &json!({"slink": []})).ok();
    assert_eq!(mirrored(&mut service), json!([]));
    service.patch(&there, &json!({&back: [id]})).ok();
    assert_eq!(service.read(&id).ok()["slink"], json!([THERE]));
    service.delete(&id).ok();
    assert_eq!(mirrored(&mut service), json!([]));
    service.post(&Service::in_table(&format!("records/{id}/restore/")), &json!({})).ok();
    assert_eq!(mirrored(&mut service), json!([id]));
}

#[test]
fn choices_get_ids_of_five_characters_and_keep_those_they_have() {
    let mut service = at("add_field_delay_ms", "0");
    let uuid = "7c1f8f0e-3f7e-4c5b-8d2a-2f6a5f1b9e11";
    let choices = json!({"choices": [
        {"label": "Made"}, {"label": "Word", "value": "in_progress"}, {"label": "Old", "value": uuid},
    ]});
    added(&mut service, &field("snew000001", "singleselectfield", choices)).ok();
    let field = seen(&mut service, TABLE, "snew000001");
    let ids: Vec<&str> = field["params"]["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|choice| choice["value"].as_str().unwrap())
        .collect();
    assert_eq!((ids[0].len(), ids[1], ids[2]), (5, "in_progress", uuid));
    for id in ids {
        let record = service.create(&json!({"snew000001": id})).ok();
        assert_eq!(record["snew000001"], id);
    }
}

#[test]
fn fields_beyond_the_plan_are_refused() {
    let mut full = TableSeed::new(NOBODY.parse().unwrap(), "Full");
    for number in 0..30 {
        full = full.field(&format!("scount{number:04}"), "Count", "countfield", json!({}));
    }
    let mut service = Service::of(builder().plan(Plan::Team).table(full));
    let body = json!({
        "field": field("scount9999", "countfield", json!({})),
        "field_position": {"prev_sibling_slug": ""},
    });
    assert_eq!(service.post(&format!("applications/{NOBODY}/add_field/"), &body).status, 400);
    assert_eq!(service.post(&Service::in_table("add_field/"), &body).status, 200);
}
