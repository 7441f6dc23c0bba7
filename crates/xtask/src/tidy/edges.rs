//! Which crate may use which: the direction of the whole design, in one table.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Finding;
use crate::project;

/// What a crate may use.
struct Allowed {
    name: &'static str,
    /// Crates of this workspace.
    ours: &'static [&'static str],
    /// Crates of this workspace for its tests alone.
    in_tests: &'static [&'static str],
    /// Crates of others that must not even be reached through a third.
    never: &'static [&'static str],
}

/// The pure core does no input or output, and nothing at all of the outside world.
const OUTSIDE_WORLD: &[&str] =
    &["tokio", "reqwest", "hyper", "mysql_async", "rusqlite", "axum", "tracing"];

/// The engine waits and measures time, but only the adapters know protocols.
const PROTOCOLS: &[&str] = &["reqwest", "hyper", "mysql_async", "rusqlite", "axum"];

const ALLOWED: &[Allowed] = &[
    Allowed { name: "sync-core", ours: &[], in_tests: &[], never: OUTSIDE_WORLD },
    Allowed {
        name: "sync-mysql",
        ours: &["sync-core"],
        in_tests: &["throwaway-server"],
        never: &["reqwest", "rusqlite"],
    },
    Allowed {
        name: "sync-smartsuite",
        ours: &["sync-core"],
        in_tests: &["smartsuite-emulator"],
        never: &["mysql_async", "rusqlite"],
    },
    Allowed {
        name: "sync-store",
        ours: &["sync-core"],
        in_tests: &[],
        never: &["mysql_async", "reqwest"],
    },
    Allowed { name: "sync-engine", ours: &["sync-core"], in_tests: &[], never: PROTOCOLS },
    // Shows what the state and the engine's events say; whatever is to be done goes through its port.
    Allowed {
        name: "sync-server",
        ours: &["sync-core", "sync-engine", "sync-store"],
        in_tests: &[],
        never: &["mysql_async", "reqwest"],
    },
    // The only one that puts them together; `emulator` is one of its commands.
    Allowed {
        name: "mysql-smartsuite-sync",
        ours: &[
            "smartsuite-emulator",
            "sync-core",
            "sync-engine",
            "sync-mysql",
            "sync-server",
            "sync-smartsuite",
            "sync-store",
        ],
        in_tests: &["throwaway-server"],
        never: &[],
    },
    // Replaces the world around the real engine.
    Allowed {
        name: "sync-sim",
        ours: &["smartsuite-emulator", "sync-core", "sync-engine", "sync-smartsuite", "sync-store"],
        in_tests: &[],
        never: &["mysql_async"],
    },
    // Shares nothing with the client, so that it cannot share its misreadings.
    Allowed {
        name: "smartsuite-emulator",
        ours: &[],
        in_tests: &[],
        never: &["mysql_async", "rusqlite"],
    },
    Allowed {
        name: "fuzz-targets",
        ours: &["smartsuite-emulator", "sync-core", "sync-mysql", "sync-smartsuite"],
        in_tests: &[],
        never: &["rusqlite"],
    },
    // Measures the product as a process; reads and maps rows itself to know what a state would hold.
    Allowed {
        name: "bench",
        ours: &["sync-core", "sync-mysql", "sync-smartsuite", "throwaway-server"],
        in_tests: &[],
        never: &["rusqlite"],
    },
    Allowed { name: "throwaway-server", ours: &[], in_tests: &[], never: OUTSIDE_WORLD },
    Allowed { name: "xtask", ours: &["throwaway-server"], in_tests: &[], never: OUTSIDE_WORLD },
];

pub(super) fn check() -> Result<Vec<Finding>> {
    let metadata = project::read(project::cargo().args([
        "metadata",
        "--no-deps",
        "--locked",
        "--format-version",
        "1",
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut findings = own_edges(&metadata)?;
    for allowed in ALLOWED.iter().filter(|allowed| !allowed.never.is_empty()) {
        let reached = project::read(project::cargo().args([
            "tree",
            "--locked",
            "--package",
            allowed.name,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]))?;
        findings.extend(forbidden(allowed, &reached));
    }
    Ok(findings)
}

/// Edges between our own crates, as the manifests have them.
fn own_edges(metadata: &Value) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    for package in packages {
        let name = package["name"].as_str().context("a package has a name")?;
        let mut report = |message: String| {
            findings.push(Finding { place: format!("crates/{name}/Cargo.toml"), message });
        };
        let Some(allowed) = ALLOWED.iter().find(|allowed| allowed.name == name) else {
            report("a new crate: say in the table of `cargo x tidy` what it may use".to_owned());
            continue;
        };
        let dependencies = package["dependencies"].as_array().context("a list")?;
        for dependency in dependencies.iter().filter(|dependency| dependency["path"].is_string()) {
            let used = dependency["name"].as_str().context("a dependency has a name")?;
            let is_for_tests = dependency["kind"] == "dev";
            let is_allowed =
                allowed.ours.contains(&used) || (is_for_tests && allowed.in_tests.contains(&used));
            if !is_allowed {
                report(format!("`{name}` may not use `{used}`"));
            }
        }
    }
    Ok(findings)
}

/// Forbidden crates among the lines of `cargo tree`, each `name vVERSION ...`.
fn forbidden(allowed: &Allowed, reached: &str) -> Vec<Finding> {
    allowed
        .never
        .iter()
        .filter(|never| reached.lines().any(|line| line.split(' ').next() == Some(never)))
        .map(|never| Finding {
            place: format!("crates/{}/Cargo.toml", allowed.name),
            message: format!(
                "`{}` must not reach `{never}`: see `cargo tree -p {} -i {never}`",
                allowed.name, allowed.name
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, used: &str, kind: Option<&str>) -> usize {
        let metadata = serde_json::json!({"packages": [{
            "name": name,
            "dependencies": [
                {"name": used, "path": "crates/used", "kind": kind},
                {"name": "serde", "kind": null},
            ],
        }]});
        own_edges(&metadata).unwrap().len()
    }

    #[test]
    fn adapters_use_the_core_and_not_each_other() {
        assert_eq!(findings("sync-mysql", "sync-core", None), 0);
        assert_eq!(findings("sync-mysql", "sync-store", None), 1);
        assert_eq!(findings("sync-core", "sync-mysql", Some("dev")), 1);
    }

    #[test]
    fn a_crate_for_tests_may_only_be_used_in_tests() {
        assert_eq!(findings("sync-mysql", "throwaway-server", Some("dev")), 0);
        assert_eq!(findings("sync-mysql", "throwaway-server", None), 1);
    }

    #[test]
    fn a_crate_that_nobody_thought_about_is_reported() {
        assert_eq!(findings("sync-utils", "sync-core", None), 1);
    }

    #[test]
    fn a_forbidden_crate_is_found_by_its_whole_name() {
        let core = &ALLOWED[0];
        assert_eq!(
            forbidden(core, "sync-core v0.1.0 (/x)\ntokio-util v0.7.0\nserde v1.0.0").len(),
            0
        );
        assert_eq!(forbidden(core, "sync-core v0.1.0 (/x)\ntokio v1.54.1").len(), 1);
    }
}
