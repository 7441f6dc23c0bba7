//! The compose files, read as the YAML they are.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::dockerfile::{self, Step};
use crate::project;

const SAMPLE: &str = "docker-compose.yml";
const PRODUCTION: &str = "deploy/docker-compose.yml";

fn read(path: &str) -> Value {
    serde_saphyr::from_str(&project::text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// Volumes as (what, where in the container).
fn mounts(service: &Value) -> Vec<(&str, &str)> {
    strings(&service["volumes"])
        .into_iter()
        .map(|volume| {
            let mut parts = volume.split(':');
            (parts.next().unwrap(), parts.next().unwrap())
        })
        .collect()
}

/// The names that `.env.example` explains, also those it leaves commented out.
fn documented_variables() -> BTreeSet<String> {
    project::text(".env.example")
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'))
        .collect()
}

#[test]
fn the_sample_file_starts_mysql_8_on_this_machine_alone_with_the_sample_in_it() {
    let file = read(SAMPLE);
    let mysql = &file["services"]["mysql"];
    assert!(mysql["image"].as_str().unwrap().starts_with("mysql:8."), "{}", mysql["image"]);
    for port in strings(&mysql["ports"]) {
        assert!(port.starts_with("127.0.0.1:") && port.ends_with(":3306"), "{port}");
    }
    let mounts = mounts(mysql);
    let (sample, place) = mounts[0];
    assert!(project::root().join(sample).is_file(), "{sample}");
    assert_eq!(place, "/docker-entrypoint-initdb.d/sample.sql");
    assert!(file["volumes"].as_object().unwrap().contains_key(mounts[1].0));
}

#[test]
fn every_variable_is_explained_in_the_example() {
    let documented = documented_variables();
    assert!(documented.contains("MYSQL_HOST") && documented.contains("MYSQL_SSL_CA"));
    for path in [SAMPLE, PRODUCTION] {
        for used in project::text(path).split("${").skip(1) {
            let name: String = used
                .chars()
                .take_while(|letter| letter.is_ascii_uppercase() || *letter == '_')
                .collect();
            assert!(documented.contains(&name), "{path}: `{name}` is not in .env.example");
        }
    }
    let production = read(PRODUCTION);
    for name in production["services"]["sync"]["environment"].as_object().unwrap().keys() {
        assert!(documented.contains(name), "`{name}` is not in .env.example");
    }
}

#[test]
fn production_keeps_state_in_a_volume_folder_and_nothing_else_can_be_written() {
    let file = read(PRODUCTION);
    let sync = &file["services"]["sync"];
    let state = sync["environment"]["STATE_DB_PATH"].as_str().unwrap();
    let (folder, _) = state.rsplit_once('/').unwrap();
    let (volume, _) = mounts(sync).into_iter().find(|(_, place)| *place == folder).unwrap();
    assert!(file["volumes"].as_object().unwrap().contains_key(volume), "a volume, not a path");
    assert!(mounts(sync).iter().all(|(_, place)| *place != state));
    assert_eq!(sync["read_only"], true);
    assert_eq!(strings(&sync["cap_drop"]), ["ALL"]);
    assert_eq!(strings(&sync["security_opt"]), ["no-new-privileges:true"]);
    assert!(sync.get("ports").is_none());
}

#[test]
fn production_fits_the_image() {
    let file = read(PRODUCTION);
    let sync = &file["services"]["sync"];
    let folder = project::root().join("deploy");
    assert!(folder.join(sync["build"]["context"].as_str().unwrap()).join("Dockerfile").is_file());
    let stages = dockerfile::stages();
    let steps = &stages.last().unwrap().steps;
    let places: Vec<&str> = mounts(sync).into_iter().map(|(_, place)| place).collect();
    for step in steps {
        match step {
            Step::Volume(volume) => assert!(places.contains(&volume.as_str()), "{volume}"),
            Step::Entrypoint(words) => {
                let config = words.iter().skip_while(|word| *word != "--config").nth(1).unwrap();
                let (folder, _) = config.rsplit_once('/').unwrap();
                assert!(places.contains(&folder), "{config} is replaced as a whole by editors");
            }
            Step::Cmd(words) => assert_eq!(&strings(&sync["command"]), words),
            Step::Run(_) | Step::Copy { .. } | Step::Workdir(_) | Step::Env(..) | Step::User(_) => {
            }
        }
    }
}
