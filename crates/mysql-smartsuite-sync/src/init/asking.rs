//! Questions to the person at the terminal; without one, every question has its answer from the command line or is
//! refused with the option that answers it.

use std::io::IsTerminal as _;

use dialoguer::{Confirm, Input, MultiSelect, Password, Select, theme::ColorfulTheme};

use crate::failure::Failure;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// A person.
    Person,
    /// Nobody: defaults and the command line.
    Nobody,
}

impl Answers {
    /// A person, if one is there and did not say yes to everything.
    pub(crate) fn of(yes: bool, json: bool) -> Self {
        let is_there = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if is_there && !yes && !json { Self::Person } else { Self::Nobody }
    }

    /// One line; `default` is what an empty answer means.
    pub(crate) fn line(self, question: &str, default: Option<&str>) -> Result<String, Failure> {
        let theme = ColorfulTheme::default();
        let mut input = Input::<String>::with_theme(&theme).with_prompt(question);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        input.interact_text().map_err(|error| unheard(&error))
    }

    /// A secret, which is not shown.
    pub(crate) fn secret(self, question: &str) -> Result<String, Failure> {
        Password::with_theme(&ColorfulTheme::default())
            .with_prompt(question)
            .allow_empty_password(true)
            .interact()
            .map_err(|error| unheard(&error))
    }

    /// Yes or no; nobody agrees to what is said to be the default.
    pub(crate) fn agree(self, question: &str, default: bool) -> Result<bool, Failure> {
        if self == Self::Nobody {
            return Ok(default);
        }
        Confirm::with_theme(&ColorfulTheme::default())
            .with_prompt(question)
            .default(default)
            .interact()
            .map_err(|error| unheard(&error))
    }

    /// One of several.
    pub(crate) fn one(
        self,
        question: &str,
        choices: &[String],
        default: usize,
    ) -> Result<usize, Failure> {
        Select::with_theme(&ColorfulTheme::default())
            .with_prompt(question)
            .items(choices)
            .default(default)
            .interact()
            .map_err(|error| unheard(&error))
    }

    /// Some of several; `chosen` are ticked from the start.
    pub(crate) fn some(
        self,
        question: &str,
        choices: &[String],
        chosen: &[bool],
    ) -> Result<Vec<usize>, Failure> {
        if self == Self::Nobody {
            return Ok(chosen
                .iter()
                .enumerate()
                .filter(|(_, is)| **is)
                .map(|(at, _)| at)
                .collect());
        }
        MultiSelect::with_theme(&ColorfulTheme::default())
            .with_prompt(question)
            .items(choices)
            .defaults(chosen)
            // All that is ticked, said once more in one line, would break over many.
            .report(false)
            .interact()
            .map_err(|error| unheard(&error))
    }
}

fn unheard(error: &dialoguer::Error) -> Failure {
    Failure {
        exit: crate::exit::Exit::Interrupted,
        message: format!("no answer: {error}"),
        hint: "nothing was written; `--yes` takes every answer from the command line".to_owned(),
    }
}
