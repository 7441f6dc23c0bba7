//! Point 38: the recycle bin.

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_MEMBER, DEMO_SOLUTION, Plan};

use crate::service::{NOBODY, Service, TABLE, at, builder, service};

fn in_bin(service: &mut Service) -> Value {
    service.post("deleted-records/?preview=true", &json!({"solution_id": DEMO_SOLUTION})).ok()
}

#[test]
fn a_delete_answers_with_the_record_or_with_nothing() {
    for (mut service, status) in
        [(at("delete_answer", "body"), 200), (at("delete_answer", "no_content"), 204)]
    {
        let id = service.id(&json!({"title": "Gone"}));
        let answer = service.delete(&id);
        assert_eq!((answer.status, answer.text.is_empty()), (status, status == 204));
        if status == 200 {
            assert_eq!(
                (&answer["title"], &answer["deleted_by"]),
                (&json!("Gone"), &json!(DEMO_MEMBER))
            );
            assert!(answer["deleted_date"]["date"].is_string());
        }
        assert_eq!(service.count(), 0);
    }
}

#[test]
fn a_deleted_record_is_404_to_everything_and_shows_in_the_bin() {
    let mut service = service();
    let id = service.id(&json!({"title": "Gone"}));
    assert_eq!(in_bin(&mut service), json!([]));
    service.delete(&id).ok();
    assert_eq!(service.read(&id).status, 404);
    assert_eq!(service.update(&id, &json!({"stext": "x"})).status, 404);
    assert_eq!(service.delete(&id).status, 404);
    let bin = in_bin(&mut service);
    for (key, value) in [
        ("id", json!(id)),
        ("title", json!("Gone")),
        ("deleted_by", json!(DEMO_MEMBER)),
        ("application_id", json!(TABLE)),
        ("application_name", json!("Everything")),
        ("solution_id", json!(DEMO_SOLUTION)),
    ] {
        assert_eq!(bin[0][key], value, "{key}");
    }
    let full = service.post("deleted-records/", &json!({"solution_id": DEMO_SOLUTION})).ok();
    assert!(full[0].get("ranking").is_some());
}

#[test]
fn the_bin_is_paged_with_a_cursor() {
    let mut service = service();
    for _ in 0..3 {
        let id = service.id(&json!({}));
        service.delete(&id).ok();
    }
    let mut page = json!({"solution_id": DEMO_SOLUTION, "page_size": 2});
    let first = service.post("deleted-records/paginated/", &page).ok();
    assert_eq!((&first["count"], first["records"].as_array().unwrap().len()), (&json!(3), 2));
    page["cursor"] = first["next_cursor"].clone();
    let second = service.post("deleted-records/paginated/", &page).ok();
    assert_eq!(second["records"].as_array().unwrap().len(), 1);
    assert!(second["next_cursor"].is_null());
    page["cursor"] = "nonsense".into();
    assert_eq!(service.post("deleted-records/paginated/", &page).status, 400);
}

#[test]
fn the_bin_is_emptied_when_the_plan_says_so() {
    for (plan, days) in [(Plan::Free, 14.0), (Plan::Team, 30.0), (Plan::Professional, 45.0)] {
        let mut service = Service::of(builder().plan(plan));
        let id = service.id(&json!({}));
        service.delete(&id).ok();
        service.pass(days * 86_400.0 - 60.0);
        assert_eq!(in_bin(&mut service).as_array().unwrap().len(), 1, "{plan:?}");
        service.pass(120.0);
        assert_eq!(in_bin(&mut service), json!([]), "{plan:?}");
        let restore = Service::in_table(&format!("records/{id}/restore/"));
        assert_eq!(service.post(&restore, &json!({})).status, 404);
    }
}

#[test]
fn a_restored_record_keeps_its_id_and_values_and_says_so_in_its_title() {
    let mut service = service();
    let id = service.id(&json!({"title": "Back", "stext": "kept"}));
    let restore = Service::in_table(&format!("records/{id}/restore/"));
    assert_eq!(service.post(&restore, &json!({})).status, 404, "it is not deleted");
    service.delete(&id).ok();
    let restored = service.post(&restore, &json!({})).ok();
    assert_eq!((&restored["id"], &restored["title"]), (&json!(id), &json!("Back (Restored)")));
    let record = service.read(&id).ok();
    assert_eq!((&record["stext"], &record["deleted_date"]["date"]), (&json!("kept"), &Value::Null));
    let unknown = Service::in_table(&format!("records/{NOBODY}/restore/"));
    assert_eq!(service.post(&unknown, &json!({})).status, 404);
}

#[test]
fn the_short_path_of_restore_is_served_where_its_switch_says_so() {
    for (mut service, status) in
        [(at("short_restore_path", "off"), 404), (at("short_restore_path", "on"), 200)]
    {
        let id = service.id(&json!({}));
        service.delete(&id).ok();
        assert_eq!(
            service.post(&format!("deleted-records/{id}/restore/"), &json!({})).status,
            status
        );
    }
}
