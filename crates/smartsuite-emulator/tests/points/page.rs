//! The page that shows a person "their SmartSuite" (point 51), read as text and in a browser.

use std::{
    io::ErrorKind,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};
use smartsuite_emulator::DEMO_PERSON;
use tempfile::TempDir;

use crate::{
    program::Program,
    service::{OTHER, Service, TABLE, THERE, service},
};

/// A title that would take over a page that does not escape it.
const HOSTILE: &str = "</td></table><img src=x onerror=\"document.title='taken over'\"><script>document.title='taken over'</script> & 'more'";

fn page(service: &mut Service, path: &str) -> String {
    let answer = service.side_door("GET", path, &json!({}));
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
    answer.text
}

#[test]
fn the_overview_lists_workspaces_and_their_tables_with_their_records() {
    let mut service = service();
    service.id(&json!({}));
    let html = page(&mut service, "");
    for shown in [
        "Demo workspace",
        "<strong>Everything</strong>",
        "<span>1 record</span>",
        "<span>2 records</span>",
        "Nothing here is in the real service",
        "1 request so far, 1 of them changed something",
        &format!("href=\"/_emulator/tables/{TABLE}\""),
    ] {
        assert!(html.contains(shown), "{shown} in {html}");
    }
    assert_eq!(service.side_door("GET", "tables/nowhere", &json!({})).status, 404);
}

#[test]
fn a_table_shows_values_as_a_person_reads_them() {
    let mut service = service();
    service.id(&json!({
        "title": "Readable", "ssingle": "aCt1V", "smultiple": ["iNa0T"], "sstatus": "complete",
        "suser": [DEMO_PERSON], "slink": [THERE], "snumber": "12.50", "syesno": true,
        "sdate": {"date": "2026-03-10T00:00:00Z", "include_time": false},
        "srange": {"from_date": "2026-03-01T00:00:00Z", "to_date": "2026-03-02T10:30:00Z"},
        "sphone": ["+41446681800"], "saddress": {"location_city": "Bern"},
        "sdoc": {"data": {"type": "doc", "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "Some words"}]},
        ]}},
    }));
    let html = page(&mut service, &format!("tables/{TABLE}"));
    for shown in [
        "<span class=\"pill\">Active</span>",
        "<span class=\"pill\">Inactive</span>",
        "<span class=\"pill\">Complete</span>",
        "<span class=\"pill\">Pat Person</span>",
        &format!("<a class=\"pill\" href=\"/_emulator/tables/{OTHER}#{THERE}\">There</a>"),
        "<td class=\"number\">12.5</td>",
        "<td>yes</td>",
        "<td>2026-03-10</td>",
        "2026-03-01 \u{2013} 2026-03-02 10:30:00",
        "+41 446681800",
        "<td>Bern</td>",
        "<td>Some words</td>",
    ] {
        assert!(html.contains(shown), "{shown} in {html}");
    }
}

#[test]
fn a_long_table_is_shown_in_pages() {
    let mut service = service();
    for first in (0..250).step_by(25) {
        let items: Vec<Value> =
            (first..first + 25).map(|number| json!({"title": format!("row {number} ")})).collect();
        service.post(&Service::in_table("records/bulk/"), &json!({"items": items})).ok();
    }
    for (query, has, has_not) in [
        ("", &["row 0 ", "row 99 ", "Page 1 of 3", "?page=2"][..], "row 100 "),
        ("?page=3", &["row 200 ", "row 249 ", "?page=2"], "row 199 "),
        ("?page=99", &["No records here yet.", "?page=98"], "row 249 "),
        ("?page=nonsense", &["row 0 "], "row 100 "),
    ] {
        let html = page(&mut service, &format!("tables/{TABLE}{query}"));
        for shown in has {
            assert!(html.contains(shown), "{shown} on {query}");
        }
        assert!(!html.contains(has_not), "{has_not} on {query}");
    }
}

#[test]
fn nothing_in_a_workspace_becomes_markup() {
    let mut service = service();
    service.id(&json!({"title": HOSTILE, "stext": "\u{1b}[31m\u{0}"}));
    service.patch(&Service::in_table(""), &json!({"name": HOSTILE})).ok();
    for path in [String::new(), format!("tables/{TABLE}")] {
        let html = page(&mut service, &path);
        assert!(!html.contains("<img") && !html.contains("<script"), "{html}");
        assert!(html.contains("&lt;img src=x onerror=&quot;"), "{html}");
        assert!(!html.contains('\u{1b}') && !html.contains('\u{0}'));
    }
}

/// What a browser makes of an address.
fn browse(address: &str, args: &[&str]) -> Output {
    let profile = TempDir::new().unwrap();
    let folder = format!("--user-data-dir={}", profile.path().display());
    for name in ["chromium", "chromium-browser", "google-chrome"] {
        if let Err(error) = Command::new(name).arg("--version").output() {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{name}: {error}");
            continue;
        }
        let output = Command::new("timeout")
            .args(["60", name, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--window-size=1280,900", &folder])
            .args(args)
            .arg(address)
            .output();
        return output.unwrap();
    }
    panic!("no Chromium here: install it, or let `cargo x test` do so");
}

/// A picture of an address.
fn picture(address: &str, file: &Path, scheme: &str) -> Vec<u8> {
    let file_option = format!("--screenshot={}", file.display());
    let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
    let output = browse(address, &[&file_option, &scheme]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(file).unwrap()
}

#[test]
fn a_browser_shows_the_pages_in_light_and_dark_and_runs_nothing_of_their_content() {
    let program = Program::start(&["--rate-limit", "off"]);
    let table = "6500000000000000000000c1";
    let records = format!("/api/v1/applications/{table}/records/");
    program
        .call("POST", &records, &json!({"title": HOSTILE, "scompany01": "Analytical Engines"}))
        .ok();
    let base = format!("http://{}/_emulator/", program.address);
    let address = format!("{base}tables/{table}");
    let output = browse(&address, &["--dump-dom"]);
    let document = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        document.contains("<title>Customers \u{2013} SmartSuite emulator</title>"),
        "{document}"
    );
    assert!(document.contains("Analytical Engines") && !document.contains("<img"), "{document}");
    let folder = TempDir::new().unwrap();
    for address in [base, address] {
        let light = picture(&address, &folder.path().join("light.png"), "1");
        let dark = picture(&address, &folder.path().join("dark.png"), "0");
        for picture in [&light, &dark] {
            assert!(picture.starts_with(b"\x89PNG") && picture.len() > 5000, "{address}");
        }
        assert_ne!(light, dark, "{address}");
    }
    let log = program.call("GET", "/_emulator/log", &Value::Null).ok();
    assert_eq!(log["count"], 1, "looking at the pages makes no API call");
}
