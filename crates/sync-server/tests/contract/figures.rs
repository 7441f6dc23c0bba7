//! Figures: each that is exposed is documented, and each that is documented, drawn or warned of is exposed.

use std::{collections::BTreeMap, collections::BTreeSet, fs};

use axum::{body::Body, body::to_bytes, http::Request};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{VIEWER, WORLD};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What each name is, as `/metrics` says: each is there even before it has a value.
fn exposed() -> BTreeMap<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let text = runtime.block_on(async {
        let request = Request::builder().uri("/metrics").header("host", "localhost");
        let request = request.header("authorization", format!("Bearer {VIEWER}"));
        let response =
            WORLD.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        to_bytes(response.into_body(), 1 << 20).await.unwrap()
    });
    let text = String::from_utf8(text.to_vec()).unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| (name.into(), kind.into()))
        .collect()
}

fn file(path: &str) -> String {
    fs::read_to_string(format!("{PROJECT}/{path}")).unwrap()
}

/// Every word of a text that has the form of a figure's name.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
    words.filter(|word| word.starts_with("sync_")).map(str::to_owned).collect()
}

#[test]
fn every_figure_is_documented_and_every_documented_one_is_exposed() {
    let page = file("docs/reference/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<&str> = rows.collect();
    let exposed = exposed();
    let exposed: BTreeSet<&str> = exposed.keys().map(String::as_str).collect();
    assert!(exposed.len() > 20, "{exposed:?}");
    assert_eq!(documented, exposed);
}

/// What asks for a figure that is not there shows nothing for ever, and nobody notices.
#[track_caller]
fn check(place: &str, query: &str, exposed: &BTreeMap<String, String>) {
    let found = names(query);
    for name in &found {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let is_part = family
            .is_some_and(|family| exposed.get(family).is_some_and(|kind| kind == "histogram"));
        let is_whole = exposed.get(name).is_some_and(|kind| kind != "histogram");
        assert!(is_part || is_whole, "{place}: `{name}` is not exposed: {query}");
    }
}

#[test]
fn the_dashboard_draws_only_figures_that_are_exposed() {
    fn queries(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value.as_str() {
                        Some(text) if key == "expr" || key == "query" || key == "definition" => {
                            found.push(text.to_owned());
                        }
                        _ => queries(value, found),
                    }
                }
            }
            Value::Array(all) => all.iter().for_each(|value| queries(value, found)),
            _ => {}
        }
    }
    let board: Value = serde_json::from_str(&file("deploy/grafana/dashboard.json")).unwrap();
    let (mut found, exposed) = (Vec::new(), exposed());
    queries(&board, &mut found);
    let drawn: BTreeSet<String> = found.iter().flat_map(|query| names(query)).collect();
    assert!(drawn.len() > 10, "{drawn:?}");
    for query in &found {
        check("dashboard.json", query, &exposed);
    }
}

#[test]
fn the_rules_watch_only_figures_that_are_exposed() {
    let (rules, exposed) = (file("deploy/prometheus/alerts.yml"), exposed());
    let queries: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert_eq!(queries.len(), rules.matches("- alert: ").count());
    for query in queries {
        check("alerts.yml", query, &exposed);
    }
}
