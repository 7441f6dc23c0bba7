//! What `doctor` found, for people and for machines.

use serde_json::{Value, json};

use crate::{exit::Exit, report::Paint};

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// As it should be.
    Fine,
    /// It works, but could be better.
    Worse,
    /// A sync cannot work like this.
    Ill,
    /// Nobody can tell.
    Unknown,
}

impl Health {
    fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Worse => "warning",
            Self::Ill => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// What was looked at.
    pub(crate) subject: &'static str,
    /// How it is.
    pub(crate) health: Health,
    /// What was found.
    pub(crate) found: String,
    /// What to do; empty where nothing is to be done.
    pub(crate) remedy: String,
}

impl Check {
    fn new(
        subject: &'static str,
        health: Health,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { subject, health, found: found.into(), remedy: remedy.into() }
    }

    /// As it should be.
    pub(crate) fn fine(subject: &'static str, found: impl Into<String>) -> Self {
        Self::new(subject, Health::Fine, found, "")
    }

    /// It works, but could be better.
    pub(crate) fn worse(
        subject: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(subject, Health::Worse, found, remedy)
    }

    /// It stands in the way.
    pub(crate) fn ill(
        subject: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(subject, Health::Ill, found, remedy)
    }

    /// Nobody can tell.
    pub(crate) fn unknown(subject: &'static str, found: impl Into<String>) -> Self {
        Self::new(subject, Health::Unknown, found, "")
    }
}

/// A line for each check, and what to do about it.
pub(crate) fn text(checks: &[Check], paint: Paint) -> String {
    let width = checks.iter().map(|check| check.subject.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        let word = format!("{:7}", check.health.word());
        let word = match check.health {
            Health::Fine => paint.good(&word),
            Health::Worse => paint.caution(&word),
            Health::Ill => paint.bad(&word),
            Health::Unknown => paint.faint(&word),
        };
        lines.push(format!("{word}  {:width$}  {}", check.subject, check.found));
        if !check.remedy.is_empty() {
            lines.push(format!(
                "{:9}{:width$}  {} {}",
                "",
                "",
                paint.strong("hint:"),
                check.remedy
            ));
        }
    }
    let ill = checks.iter().filter(|check| check.health == Health::Ill).count();
    lines.push(String::new());
    lines.push(match ill {
        0 => "nothing stands in the way of a run; `validate --online` checks each sync".to_owned(),
        1 => paint.bad("1 thing is to be mended before a run can work"),
        many => paint.bad(&format!("{many} things are to be mended before a run can work")),
    });
    lines.join("\n")
}

/// The same for machines.
pub(crate) fn json(checks: &[Check], exit: Exit) -> String {
    let checks: Vec<Value> = checks
        .iter()
        .map(|check| {
            json!({
                "subject": check.subject,
                "health": check.health.word(),
                "found": check.found,
                "hint": (!check.remedy.is_empty()).then_some(&check.remedy),
            })
        })
        .collect();
    format!("{:#}", json!({ "exit_code": exit.code(), "checks": checks }))
}
