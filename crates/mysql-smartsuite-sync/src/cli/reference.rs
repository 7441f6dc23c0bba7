//! The reference page of the commands, made from the declaration; a test keeps the committed one current.

use clap::{Arg, ArgAction, Command};

use crate::exit::Exit;

/// The page.
pub(crate) fn page(declaration: &Command) -> String {
    let mut declaration = declaration.clone();
    // So that options of every command stand in each.
    declaration.build();
    let mut out = String::from(
        "<!-- Generated from the source's documentation; `UPDATE_GENERATED=1 cargo nextest run -p mysql-smartsuite-sync \
         commands_reference` writes it. -->\n\n# Commands\n\n`mysql-smartsuite-sync --help` and `man` say the same. \
         [The mapping file](configuration.md) has a page of its own.\n\n| command | does |\n|---|---|\n",
    );
    let commands: Vec<&Command> = declaration
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
        .collect();
    for command in &commands {
        let name = command.get_name();
        out += &format!("| [`{name}`](#{name}) | {} |\n", about(command));
    }
    out += "\nEvery command takes:\n\n";
    out += &options(declaration.get_arguments().filter(|argument| argument.is_global_set()));
    out += "\n## Exit codes\n\n| code | meaning |\n|---|---|\n";
    for exit in Exit::ALL {
        out += &format!("| {} | {} |\n", exit.code(), exit.meaning());
    }
    for command in commands {
        out += &section(command, "##");
    }
    out
}

fn section(command: &Command, level: &str) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let mut out = format!(
        "\n{level} {}\n\n{}.\n\n```text\n{usage}\n```\n",
        command.get_name(),
        about(command)
    );
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| {
            !argument.is_global_set() && !argument.is_hide_set() && argument.get_id() != "help"
        })
        .collect();
    if !own.is_empty() {
        out.push('\n');
        out += &options(own.into_iter());
    }
    let below = command.get_subcommands().filter(|one| one.get_name() != "help");
    for one in below {
        out += &section(one, &format!("{level}#"));
    }
    out
}

fn options<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut out = String::from("| option | meaning |\n|---|---|\n");
    for argument in arguments {
        let value = argument
            .get_value_names()
            .filter(|_| !matches!(argument.get_action(), ArgAction::SetTrue))
            .and_then(|names| names.first());
        let name = match (argument.get_long(), value) {
            (Some(long), Some(value)) => format!("--{long} {value}"),
            (Some(long), None) => format!("--{long}"),
            (None, Some(value)) => value.to_string(),
            (None, None) => argument.get_id().to_string(),
        };
        let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let default: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        let takes_value = !matches!(argument.get_action(), ArgAction::SetTrue);
        if takes_value && !default.is_empty() {
            help += &format!(" (default: {})", default.join(", "));
        }
        let words: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|_| takes_value)
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}`: {help}", value.get_name()),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        if !words.is_empty() {
            help += &format!(". {}", words.join("; "));
        }
        out += &format!("| `{}` | {} |\n", cell(&name), cell(&help));
    }
    out
}

fn about(command: &Command) -> String {
    cell(&command.get_about().map(ToString::to_string).unwrap_or_default())
}

/// Text that does not end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the developer asks for the file to be written")]
    fn commands_reference_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/commands.md");
        let page = page(&crate::declaration());
        if std::env::var("UPDATE_GENERATED").is_ok() {
            std::fs::write(path, &page).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap_or_default() == page,
            "docs/reference/commands.md is stale: run `UPDATE_GENERATED=1 cargo nextest run -p mysql-smartsuite-sync \
             commands_reference`"
        );
    }

    /// What a machine may read is read by the same option everywhere. The exceptions are made for shells and people, or
    /// run until they are ended.
    #[test]
    fn every_command_speaks_json() {
        let without = ["completions", "man", "emulator", "schedule", "help"];
        for command in crate::declaration().get_subcommands() {
            let mut leaves: Vec<&Command> = command.get_subcommands().collect();
            leaves.retain(|leaf| leaf.get_name() != "help");
            if leaves.is_empty() {
                leaves.push(command);
            }
            for leaf in leaves {
                let speaks =
                    leaf.get_arguments().any(|argument| argument.get_long() == Some("json"));
                let expected = !without.contains(&command.get_name());
                assert_eq!(speaks, expected, "{} {}", command.get_name(), leaf.get_name());
            }
        }
    }
}
