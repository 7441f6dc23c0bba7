//! Points 15 and 16: solutions, tables, and what every table holds.

use serde_json::{Value, json};
use smartsuite_emulator::DEMO_SOLUTION;

use crate::service::{NOBODY, OTHER, Service, TABLE, at, service};

fn slugs(table: &Value) -> Vec<&str> {
    let fields = table["structure"].as_array().unwrap().iter();
    fields.map(|field| field["slug"].as_str().unwrap()).collect()
}

#[test]
fn solutions_and_accounts_are_listed_and_read() {
    let mut service = service();
    let all = service.get("solutions/").ok();
    assert_eq!(all.as_array().unwrap().len(), 1);
    let one = service.get(&format!("solutions/{DEMO_SOLUTION}/")).ok();
    assert_eq!(one, all[0]);
    let counts = (&one["applications_count"], &one["records_count"]);
    assert_eq!(counts, (&json!(2), &json!(2)));
    assert_eq!(service.get("accounts/").ok()[0]["slug"], "s1234567");
    assert_eq!(service.get(&format!("solutions/{NOBODY}/")).status, 404);
    let made = service.post("solutions/", &json!({"name": "New", "logo_icon": "star"})).ok();
    assert_eq!(service.get("solutions/").ok().as_array().unwrap().len(), 2);
    assert_eq!(made["name"], "New");
    for (name, unique) in [("New", false), ("Newer", true)] {
        let path = "solutions/validate_name_uniqueness/";
        assert_eq!(service.post(path, &json!({"name": name})).ok()["is_unique"], unique);
    }
}

#[test]
fn tables_are_listed_by_solution_and_trimmed_to_the_fields_asked_for() {
    let mut service = service();
    let all = service.get("applications/").ok();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(all[0]["structure"].is_array());
    let none = service.get(&format!("applications/?solution={NOBODY}")).ok();
    assert_eq!(none, json!([]));
    let some =
        service.get(&format!("applications/?solution={DEMO_SOLUTION}&fields=id&fields=name"));
    let wanted = json!([{"id": OTHER, "name": "Other"}, {"id": TABLE, "name": "Everything"}]);
    assert_eq!(some.ok(), wanted);
}

#[test]
fn the_list_of_tables_has_the_shape_its_switch_says() {
    for (mut service, list) in [
        (at("tables_answer", "array"), ""),
        (at("tables_answer", "results"), "/results"),
        (at("tables_answer", "items"), "/items"),
    ] {
        let answer = service.get("applications/").ok();
        assert_eq!(answer.pointer(list).unwrap().as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_table_shows_its_structure_with_params_and_choices() {
    let mut service = service();
    let table = service.get(&format!("applications/{TABLE}/")).ok();
    assert_eq!((&table["name"], &table["status"]), (&json!("Everything"), &json!("active")));
    let fields = table["structure"].as_array().unwrap();
    let field = |slug: &str| fields.iter().find(|field| field["slug"] == slug).unwrap();
    assert_eq!(field("ssingle")["params"]["choices"][1]["label"], "Inactive");
    assert_eq!(field("sunique")["params"]["unique"], true);
    assert_eq!(field("stext")["params"]["required"], false);
    assert_eq!(field("sdue")["nested"][1]["slug"], "to_date");
    let trimmed = service.get(&format!("applications/{TABLE}/?fields=name")).ok();
    assert_eq!(trimmed, json!({"name": "Everything"}));
    assert_eq!(service.get(&format!("applications/{NOBODY}/")).status, 404);
}

#[test]
fn a_table_is_made_renamed_and_copied() {
    let mut service = service();
    let field = json!({"slug": "sown000001", "label": "Own", "field_type": "textfield"});
    let body = json!({"name": "Made", "solution": DEMO_SOLUTION, "structure": [field]});
    let made = service.post("applications/", &body).ok();
    let id = made["id"].as_str().unwrap();
    let path = format!("applications/{id}/");
    let renamed = service.patch(&path, &json!({"name": "Renamed", "record_term": "Row"})).ok();
    assert_eq!((&renamed["name"], &renamed["record_term"]), (&json!("Renamed"), &json!("Row")));
    service.post(&format!("{path}records/"), &json!({"title": "One"})).ok();
    let copy = json!({"name": "Copy", "duplicate_records": true});
    let copy = service.post(&format!("{path}duplicate/"), &copy).ok();
    assert_eq!(copy["status"], "in_process_of_duplication");
    service.pass(5.0);
    let copy = format!("applications/{}/", copy["id"].as_str().unwrap());
    assert_eq!(service.get(&copy).ok()["status"], "active");
    assert_eq!(service.post(&format!("{copy}records/list/"), &json!({})).ok()["total"], 1);
    for wrong in [json!({}), json!({"name": "x"}), json!({"name": "x", "solution": DEMO_SOLUTION})]
    {
        assert_eq!(service.post("applications/", &wrong).status, 400, "{wrong}");
    }
}

#[test]
fn every_table_holds_the_system_fields_and_names_its_primary_one() {
    let mut service = service();
    let title = json!({"slug": "sheading01", "label": "Heading", "field_type": "recordtitlefield"});
    for (structure, primary) in [(json!([]), "title"), (json!([title]), "sheading01")] {
        let body = json!({"name": "New", "solution": DEMO_SOLUTION, "structure": structure});
        let table = service.post("applications/", &body).ok();
        assert_eq!(table["primary_field"], primary);
        let slugs = slugs(&table);
        for system in [
            primary,
            "first_created",
            "last_updated",
            "followed_by",
            "comments_count",
            "autonumber",
        ] {
            assert!(slugs.contains(&system), "{system} in {slugs:?}");
        }
    }
    let fresh = Service::in_table("");
    assert_eq!(service.get(&fresh).ok()["primary_field"], "title");
}
