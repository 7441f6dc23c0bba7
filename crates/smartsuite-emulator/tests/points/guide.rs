//! `docs/emulator.md` says what is so: its tests exist, its switches and positions are all of them,
//! and every position is shown by a test.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use smartsuite_emulator::{Profile, ProfileName, RouteKind};

fn guide() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/emulator.md");
    fs::read_to_string(file).unwrap()
}

/// The rows below a heading whose first cell is what the filter wants, cut into cells.
fn rows(guide: &str, heading: &str, is_row: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let (_, section) = guide.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    cells
        .map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>())
        .filter(|cells| is_row(&cells[0]))
        .collect()
}

fn points(guide: &str) -> Vec<Vec<String>> {
    rows(guide, "The 52 points", |cell| cell.parse::<u32>().is_ok())
}

fn switches(guide: &str) -> Vec<Vec<String>> {
    rows(guide, "The switches", |cell| cell.starts_with('`'))
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The sources of these tests without white space, so that line breaks do not matter.
fn sources() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/points");
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        all.extend(text.chars().filter(|c| !c.is_whitespace()));
    }
    all
}

/// A position as people write it.
fn shown(position: &Value) -> String {
    match position {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) | Value::Null => "off".to_owned(),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    }
}

fn positions_of(profile: &Profile) -> BTreeMap<String, String> {
    let Value::Object(all) = serde_json::to_value(profile).unwrap() else { panic!("an object") };
    all.iter().map(|(name, position)| (name.clone(), shown(position))).collect()
}

/// The positions a switch can be in, asked of the switch itself; for a number, its default alone.
fn all_positions(switch: &str) -> Vec<String> {
    let error = Profile::default().set(switch, "\"no such position\"").unwrap_err().to_string();
    match error.split_once("expected ") {
        Some((_, words)) if words.contains('`') => {
            quoted(words).into_iter().map(str::to_owned).collect()
        }
        Some((_, "a boolean")) => vec!["on".to_owned(), "off".to_owned()],
        _ => vec![positions_of(&Profile::default())[switch].clone()],
    }
}

#[test]
fn the_guide_has_every_point_with_tests_that_exist() {
    let (guide, sources) = (guide(), sources());
    let rows = points(&guide);
    let numbers: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(numbers, (1..=52).map(|number| number.to_string()).collect::<Vec<_>>());
    let mut named = quoted(guide.split_once("Beyond the points:").unwrap().1);
    named.truncate(2);
    for row in &rows {
        let tests = quoted(&row[3]);
        assert!(!tests.is_empty(), "point {} names a test", row[0]);
        named.extend(tests);
    }
    for test in named {
        let is_there = sources.contains(&format!("#[test]fn{test}()"))
            || sources.contains(&format!("#[test]fn{test}(profile"));
        assert!(is_there, "{test}");
    }
}

#[test]
fn the_guide_has_every_switch_with_its_positions_in_every_profile() {
    let guide = guide();
    let rows = switches(&guide);
    let mut names: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    names.sort_unstable();
    assert_eq!(names, Profile::switch_names());
    let profiles = ProfileName::ALL.map(|name| positions_of(&name.profile()));
    let [default, others @ ..] = &profiles;
    for row in &rows {
        let switch = row[0].trim_matches('`');
        let listed: Vec<&str> = row[3].split(", ").collect();
        let bold = format!("**{}**", default[switch]);
        assert!(listed.contains(&&*bold), "{switch}: {bold} in {listed:?}");
        for position in all_positions(switch) {
            let is_listed = listed.iter().any(|word| word.trim_matches('*') == position);
            assert!(is_listed, "{switch}: {position} in {listed:?}");
        }
        for (cell, profile) in row[4..].iter().zip(others) {
            let wanted =
                if profile[switch] == default[switch] { "" } else { profile[switch].as_str() };
            assert_eq!(cell, wanted, "{switch}");
        }
    }
}

#[test]
fn the_guide_names_each_switch_at_its_point_with_its_default() {
    let guide = guide();
    let defaults = positions_of(&Profile::default());
    let points = points(&guide);
    for row in switches(&guide) {
        let switch = row[0].trim_matches('`');
        let point = points.iter().find(|point| point[0] == row[1]).unwrap();
        let wanted = format!("`{switch}` = {}", defaults[switch]);
        let named: Vec<&str> = point[2].split(", ").collect();
        assert!(named.contains(&&*wanted), "point {}: {wanted} in {named:?}", row[1]);
    }
    let named: usize = points.iter().map(|point| quoted(&point[2]).len()).sum();
    assert_eq!(named, defaults.len(), "each switch at one point");
}

#[test]
fn every_position_of_every_switch_is_shown_by_a_test() {
    let sources = sources();
    for switch in Profile::switch_names() {
        for position in all_positions(&switch) {
            let is_tested = sources.contains(&format!("\"{switch}\",\"{position}\""));
            assert!(is_tested, "no test puts {switch} at {position}");
        }
        let tested = sources.matches(&format!("\"{switch}\",\"")).count();
        assert!(tested >= 2, "{switch} is tested in {tested} position");
    }
}

#[test]
fn the_guide_lists_every_kind_of_call_that_a_fault_can_name() {
    let guide = guide();
    let error = serde_json::from_value::<RouteKind>("nonsense".into()).unwrap_err().to_string();
    let (_, kinds) = error.split_once("expected ").unwrap();
    let rows = rows(&guide, "Faults", |cell| cell == "`route`");
    let listed = quoted(&rows[0][1]);
    for kind in quoted(kinds) {
        assert!(listed.contains(&kind), "{kind} in {listed:?}");
    }
}

#[test]
fn the_guide_says_that_it_is_not_a_live_account() {
    assert!(guide().contains("**It reproduces public material, not a live account.**"));
}
