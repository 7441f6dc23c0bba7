//! The installation of `deploy/README.md`, carried out to the letter in a throw-away root.

use std::process::Command;

use crate::command_line::{self, CommandLine};
use crate::project;
use crate::throwaway_root::{self, expect_success, quoted, quoted_path};

/// Where cron's entry writes, which would hide what the program says.
const CRON_LOG: &str = " >>/var/log/mysql-smartsuite-sync/cron.log";

/// The commands in a fenced block of shell, one a line.
fn shell_block(text: &str, number: usize) -> Vec<String> {
    let block = text.split("```sh\n").nth(number + 1).unwrap();
    block.split("```").next().unwrap().lines().map(str::to_owned).collect()
}

/// The product as this test run was built with it; built now where it was not.
fn built_product() -> String {
    let program = project::target().join("debug/mysql-smartsuite-sync");
    if !program.exists() {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--locked", "--package", "mysql-smartsuite-sync"]);
        assert!(cargo.current_dir(project::root()).status().unwrap().success());
    }
    program.to_str().unwrap().to_owned()
}

#[test]
fn the_readme_installs_a_program_that_every_way_of_starting_it_finds_complete() {
    let readme = project::text("deploy/README.md");
    let in_project = |command: &str| {
        let command = format!("cd {} && {command}", quoted_path(&project::root()));
        format!("in_root sh -c {}", quoted(&command))
    };
    let release = "target/release/mysql-smartsuite-sync";
    let steps = shell_block(&readme, 0);
    assert!(steps[0].starts_with("cargo build --release") && steps[1].contains(release));
    let built = built_product();
    let mut script: Vec<String> =
        steps[1..].iter().map(|step| in_project(&step.replace(release, &built))).collect();
    script.push(in_project("cp deploy/systemd/* /etc/systemd/system/"));
    script.push(
        "for unit in deploy/systemd/*; do \
             ! command -v systemd-analyze || in_root systemd-analyze verify \
                 /etc/systemd/system/$(basename $unit); done >&2"
            .to_owned(),
    );
    // The example leaves the token empty: each start must get exactly that far, and say so.
    let check = shell_block(&readme, 1).join("\n");
    let mut starts = vec![CommandLine {
        file: "deploy/README.md",
        shell: check.split_once("sh -c ").unwrap().1.trim_matches('\'').to_owned(),
    }];
    starts.extend(command_line::on_the_host());
    for start in &starts {
        let command = format!(
            "cd /var/lib/mysql-smartsuite-sync && \
             exec env -i PATH=/usr/local/bin:/usr/bin:/bin sh -c {}",
            quoted(&start.shell.replace(CRON_LOG, ""))
        );
        script.push(format!(
            "echo '== start'; code=0; \
             in_root runuser -u smartsuite-sync -- sh -c {} 2>&1 || code=$?; echo \"exit $code\"",
            quoted(&command)
        ));
    }
    script.push(format!("in_root runuser -u smartsuite-sync -- sh -c ': {CRON_LOG}'"));

    // The new root's `/tmp` is empty, and the project may lie there.
    let script = format!(
        "cd {}\nmkdir -p \"$ROOT$PWD\"; mount --bind . \"$ROOT$PWD\"\n{}",
        quoted_path(&project::root()),
        script.join("\n")
    );
    let Some(output) = throwaway_root::run(&script) else { return };
    let said = expect_success(&output);
    let seen: Vec<&str> = said.split("== start\n").skip(1).collect();
    assert_eq!(seen.len(), starts.len());
    for (seen, start) in seen.iter().zip(&starts) {
        assert!(seen.contains("SMARTSUITE_TOKEN"), "{} said:\n{seen}", start.file);
        assert!(!seen.contains("MYSQL_HOST"), "{} did not read the variables:\n{seen}", start.file);
        assert!(seen.ends_with("exit 64\n"), "{} said:\n{seen}", start.file);
    }
}
