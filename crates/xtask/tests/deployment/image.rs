//! The image's build steps, run as plain commands: each stage is a throw-away root, `COPY` is `cp`,
//! `RUN` is the shell in that root. Two things differ from a real build: the base is this machine's
//! system instead of the named image, and the program is built without `--release`, for time.

use std::process::Command;

use crate::command_line;
use crate::dockerfile::{self, Step};
use crate::project;
use crate::throwaway_root::{self, expect_success, quoted, quoted_path};

/// Files that `COPY . .` sends: known to git or new, and not held back by `.dockerignore`.
fn sent_files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(project::root())
        .output()
        .unwrap();
    let rules = project::text(".dockerignore");
    String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .filter(|path| dockerfile::is_sent(&rules, path) && project::root().join(path).is_file())
        .map(str::to_owned)
        .collect()
}

/// The image under construction, as far as the shell needs to know it.
struct Image {
    folder: String,
    variables: Vec<String>,
    script: Vec<String>,
}

impl Image {
    fn run(&mut self, command: &str) {
        let command = format!("{}cd {} && {command}", self.variables.concat(), self.folder);
        self.script.push(format!("in_root sh -eu -c {} >&2", quoted(&command)));
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Run(command) => {
                self.run(&command.replace("cargo build --release", "cargo build"));
            }
            Step::Copy { from: None, source, destination } => {
                assert_eq!((source.as_str(), destination.as_str()), (".", "."));
                let files: Vec<String> = sent_files().iter().map(|file| quoted(file)).collect();
                self.script.push(format!(
                    "(cd {} && cp --parents -t \"$ROOT{}\" {})",
                    quoted_path(&project::root()),
                    self.folder,
                    files.join(" ")
                ));
            }
            // One machine's system is the base of both stages: what the first built lies there.
            Step::Copy { from: Some(_), source, destination } => {
                let built = source.replace("/target/release/", "/target/debug/");
                self.run(&format!("cp {built} {destination}"));
            }
            Step::Workdir(folder) => {
                self.script.push(format!("mkdir -p \"$ROOT{folder}\""));
                folder.clone_into(&mut self.folder);
            }
            Step::Env(name, value) => {
                self.variables.push(format!("export {name}={}; ", quoted(value)));
            }
            Step::User(_) | Step::Volume(_) | Step::Entrypoint(_) | Step::Cmd(_) => {}
        }
    }
}

#[test]
fn the_image_builds_and_its_program_runs_without_rights_and_keeps_state_in_its_folder() {
    let stages = dockerfile::stages();
    let mut image = Image { folder: "/".to_owned(), variables: Vec::new(), script: Vec::new() };
    // What cargo has built for this test run is the build stage's cache.
    image.script.push(format!(
        "mkdir -p \"$ROOT/src/target\"; mount --bind {} \"$ROOT/src/target\"",
        quoted_path(&project::target())
    ));
    for stage in &stages {
        "/".clone_into(&mut image.folder);
        for step in &stage.steps {
            image.apply(step);
        }
    }
    let user = stages
        .last()
        .unwrap()
        .steps
        .iter()
        .find_map(|step| if let Step::User(user) = step { Some(user) } else { None });
    let mut as_user = |title: &str, command: &str| {
        let command = format!(
            "cd {} && exec env -i PATH=/usr/local/bin:/usr/bin:/bin sh -c {}",
            image.folder,
            quoted(&format!("{}{command}", image.variables.concat()))
        );
        image.script.push(format!(
            "echo '== {title}'; code=0; chroot --userspec={} --groups= \"$ROOT\" sh -c {} 2>&1 || code=$?; echo \"exit $code\"",
            user.unwrap(),
            quoted(&command)
        ));
    };
    as_user("version", "mysql-smartsuite-sync --version");
    as_user("state", ": >\"$STATE_DB_PATH\"");
    as_user("program", ": >/usr/local/bin/mysql-smartsuite-sync");
    as_user("start", &command_line::in_the_image().shell);

    let Some(output) = throwaway_root::run(&image.script.join("\n")) else { return };
    let said = expect_success(&output);
    let mut parts = said.split("== ").skip(1).map(|part| part.split_once('\n').unwrap().1);
    let version = parts.next().unwrap();
    assert!(
        version.starts_with("mysql-smartsuite-sync ") && version.ends_with("exit 0\n"),
        "{version}"
    );
    assert_eq!(parts.next().unwrap(), "exit 0\n");
    assert!(!parts.next().unwrap().ends_with("exit 0\n"), "the program can be overwritten");
    // No variables are set and no mapping is mounted: it must say so, and not merely crash.
    let start = parts.next().unwrap();
    assert!(start.contains("sync_mappings.yml") && start.ends_with("exit 64\n"), "{start}");
}
