//! Every command line that the deployment files would start.

use crate::dockerfile::{self, Step};
use crate::project;
use crate::throwaway_root::quoted;

/// What is run, and where that is written.
#[derive(Debug)]
pub(crate) struct CommandLine {
    pub(crate) file: &'static str,
    /// For `sh -c`, started in the state folder under the account of its own.
    pub(crate) shell: String,
}

/// The command lines of an installation on the machine itself, variables included.
pub(crate) fn on_the_host() -> Vec<CommandLine> {
    let mut lines = Vec::new();
    for file in [
        "deploy/systemd/mysql-smartsuite-sync.service",
        "deploy/systemd/mysql-smartsuite-sync-run.service",
    ] {
        let text = project::text(file);
        let setting = |name: &str| value_of(&text, name).to_owned();
        // systemd reads the variables itself, in the syntax that the example keeps to.
        let shell = format!(
            "set -a; . {}; {}; exec {}",
            setting("EnvironmentFile="),
            setting("Environment="),
            setting("ExecStart=")
        );
        lines.push(CommandLine { file, shell });
    }
    let file = "deploy/supervisord.conf";
    lines.push(CommandLine { file, shell: value_of(&project::text(file), "command=").to_owned() });
    let file = "deploy/cron";
    let text = project::text(file);
    let entry = text.lines().find(|line| line.starts_with("*/")).unwrap();
    // Five fields of time and the account, then what the shell gets.
    let shell = entry.splitn(7, ' ').nth(6).unwrap().to_owned();
    lines.push(CommandLine { file, shell });
    lines
}

/// The command line of the image as it comes.
pub(crate) fn in_the_image() -> CommandLine {
    let stages = dockerfile::stages();
    let mut words = Vec::new();
    for step in &stages.last().unwrap().steps {
        if let Step::Entrypoint(part) | Step::Cmd(part) = step {
            words.extend(part.iter().map(|word| quoted(word)));
        }
    }
    CommandLine { file: "Dockerfile", shell: format!("exec {}", words.join(" ")) }
}

fn value_of<'text>(text: &'text str, name: &str) -> &'text str {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap()
}

#[test]
fn all_ways_start_the_same_program_with_the_same_configuration() {
    let program = "mysql-smartsuite-sync --config /etc/mysql-smartsuite-sync/sync_mappings.yml ";
    for line in on_the_host() {
        assert!(line.shell.contains(&format!("/usr/local/bin/{program}")), "{line:?}");
        assert!(line.shell.contains("STATE_DB_PATH=/var/lib/mysql-smartsuite-sync/"), "{line:?}");
    }
    assert!(in_the_image().shell.replace('\'', "").contains(program));
}
