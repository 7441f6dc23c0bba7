//! What shells, readers of manuals and programs get: every command is completed, described, and answers in JSON.

use std::{collections::BTreeSet, fs, process::Command as Process};

use clap::Command;

use crate::stage::{Stage, on_mariadb};

on_mariadb! {
    every_command_answers_in_json
    every_command_is_completed_and_described
}

/// Every command that does something, as it is typed.
fn commands() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for command in mysql_smartsuite_sync::declaration().get_subcommands() {
        let leaves: Vec<&Command> =
            command.get_subcommands().filter(|leaf| leaf.get_name() != "help").collect();
        if leaves.is_empty() {
            found.insert(command.get_name().to_owned());
        }
        for leaf in leaves {
            found.insert(format!("{} {}", command.get_name(), leaf.get_name()));
        }
    }
    found
}

/// Those that answer shells and people, and those that run until they are ended: `schedule --log-format json` makes each
/// line of the log an object, as `every_line_of_a_run_names_it` shows.
const WITHOUT: [&str; 4] = ["completions", "man", "schedule", "emulator"];
/// This one talks to a scratch table for long; `tests/probe.rs` reads its JSON.
const ELSEWHERE: [&str; 1] = ["probe"];

/// Every other command with its arguments, where one row is refused and nobody takes an alert.
const CALLS: [(&str, &str); 23] = [
    ("run", ""),
    ("plan", ""),
    ("validate", ""),
    ("validate", "--online"),
    ("status", ""),
    ("explain", "customers 2"),
    ("doctor", ""),
    ("verify", ""),
    ("repair", "--yes"),
    ("dedupe", ""),
    ("resync", "customers --id 1"),
    ("quarantine list", ""),
    ("quarantine show", "customers 2"),
    ("quarantine retry", "--all"),
    ("quarantine drop", "--all"),
    ("state show", ""),
    ("state backup", ""),
    ("state export", "moved.jsonl"),
    ("state reset", "sync --sync-name customers --sync-name orders --yes"),
    ("state import", "moved.jsonl"),
    ("state prune", ""),
    ("alerts test", ""),
    ("init", "--force"),
];

fn every_command_answers_in_json(stage: &mut Stage) {
    let tried: BTreeSet<String> = CALLS.iter().map(|(command, _)| (*command).to_owned()).collect();
    let others = WITHOUT.iter().chain(&ELSEWHERE).map(|command| (*command).to_owned());
    let all: BTreeSet<String> = tried.into_iter().chain(others).collect();
    assert_eq!(all, commands(), "a command that this test does not know");
    // Nobody listens there.
    let mapping = stage.mapping();
    stage.map(&format!(
        "alerts: {{webhook: {{url: \"http://127.0.0.1:9/\"}}, allow_internal: true}}\n{mapping}"
    ));
    stage.sql(
        "ALTER TABLE customers MODIFY status VARCHAR(40) NOT NULL;
         UPDATE customers SET status = 'vip' WHERE id = 2",
    );
    for (command, arguments) in CALLS {
        let words = command.split(' ').chain(arguments.split(' ')).filter(|word| !word.is_empty());
        let words: Vec<&str> = words.chain(["--json"]).collect();
        let act = stage.run(&words);
        let answer = act.json();
        assert!(answer.is_object(), "{words:?}: {}", act.out);
        assert!(matches!(act.code, Some(0..=2)), "{words:?}: {}", act.err);
        if let Some(exit) = answer["exit_code"].as_i64() {
            assert_eq!(Some(exit), act.code.map(i64::from), "{words:?}");
        }
    }
}

fn every_command_is_completed_and_described(stage: &mut Stage) {
    let pages = stage.path("pages");
    fs::create_dir(&pages).unwrap();
    stage.run(&["man", "--folder", "pages"]).ended(0).cost_nothing();
    let main = stage.run(&["man"]).ended(0).out;
    for command in commands() {
        let page = pages.join(format!("mysql-smartsuite-sync-{}.1", command.replace(' ', "-")));
        let page = fs::read_to_string(&page).unwrap_or_default();
        assert!(page.contains(".SH SYNOPSIS") && page.contains(".SH OPTIONS"), "{command}: {page}");
        let first = command.split(' ').next().unwrap();
        assert!(main.contains(&first.replace('-', "\\-")), "{command} is not in the manual");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stage.run(&["completions", shell]).ended(0).cost_nothing().out;
        for word in commands().iter().flat_map(|command| command.split(' ')) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    // As bash itself completes it.
    let script = stage.run(&["completions", "bash"]).out;
    fs::write(stage.path("script"), script).unwrap();
    let completed = |words: &[&str]| {
        let name = "mysql-smartsuite-sync";
        let (last, before) = words.split_last().unwrap();
        let asked = format!(
            "source ./script; COMP_WORDS=({name} {}); COMP_CWORD={}; _mysql__smartsuite__sync {name} '{last}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len(),
            before.last().unwrap_or(&name),
        );
        let output = Process::new("bash")
            .args(["-c", &asked])
            .current_dir(stage.folder.path())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(completed(&["vali"]), "validate");
    assert_eq!(completed(&["quarantine", "re"]), "retry");
    assert_eq!(completed(&["run", "--acc"]), "--accept-key-change");
}
