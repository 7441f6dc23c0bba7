//! The document is current.

use std::{fs, path::Path};

use super::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference");

#[expect(clippy::disallowed_methods, reason = "as the other generated files are written anew")]
fn check(name: &str, text: &str) {
    let file = Path::new(FOLDER).join(name);
    if std::env::var("UPDATE_GENERATED").is_ok() {
        fs::write(&file, text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == text, "`UPDATE_GENERATED=1 cargo nextest run generated` writes {name} anew");
}

#[test]
fn the_generated_document_is_current() {
    check("openapi.json", &format!("{:#}\n", document()));
}

#[test]
fn the_generated_reference_is_current() {
    check("http.md", &reference::page());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let schemas = &document["components"]["schemas"];
    let mut references = 0;
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.get(name).is_some(), "{name}");
        references += 1;
    }
    assert!(references > OPERATIONS.len());
}
