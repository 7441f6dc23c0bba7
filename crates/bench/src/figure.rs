//! What was measured, as a table for people and JSON for the gate.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// How far a figure may drift from the baseline before the gate fails.
const DRIFT_MAX: f64 = 0.15;

/// One measured figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// The case it belongs to, such as `unchanged, table mode`.
    pub(crate) case: String,
    /// What was measured, with its unit, such as `time beside mariadb --quick`.
    pub(crate) what: String,
    /// The measured value.
    pub(crate) value: f64,
    /// What it should be, in words; empty without a goal.
    pub(crate) goal: String,
    /// Whether the goal is met; none without a goal.
    pub(crate) is_met: Option<bool>,
    /// Whether the gate compares it: ratios and counts are the same on every machine, seconds are not.
    pub(crate) is_gated: bool,
}

/// The figures of one run of the harness.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// What it ran on.
    pub(crate) machine: BTreeMap<String, String>,
    /// In the order they were measured.
    pub(crate) figures: Vec<Figure>,
}

impl Figures {
    /// Adds a figure and says it.
    pub(crate) fn add(&mut self, figure: Figure) {
        println!("  {}", figure.line());
        self.figures.push(figure);
    }

    /// The table for the README and the closing words.
    pub(crate) fn markdown(&self) -> String {
        let mut lines =
            vec!["| case | what | measured | goal |".to_owned(), "|---|---|---:|---|".to_owned()];
        for figure in &self.figures {
            let goal = match figure.is_met {
                None => String::new(),
                Some(true) => figure.goal.clone(),
                Some(false) => format!("{}, **missed**", figure.goal),
            };
            lines.push(format!(
                "| {} | {} | {} | {goal} |",
                figure.case,
                figure.what,
                shown(figure.value)
            ));
        }
        lines.join("\n")
    }

    /// What it ran on, in one line.
    pub(crate) fn machine_line(&self) -> String {
        let of = |key: &str| self.machine.get(key).map_or("unknown", String::as_str);
        format!(
            "Measured on {} by `make bench`: {}, {} cores, {} memory, {}.",
            of("day"),
            of("processor"),
            of("cores"),
            of("memory"),
            of("database")
        )
    }

    /// The figures that have a goal, but for counts of calls that must be none.
    pub(crate) fn short(&self) -> String {
        let is_short = |figure: &&Figure| figure.is_met.is_some() && !figure.goal.ends_with(" 0");
        let figures = self.figures.iter().filter(is_short).cloned().collect();
        Self { machine: BTreeMap::new(), figures }.markdown()
    }

    /// Whether anything was measured of a case.
    pub(crate) fn has_case(&self, case: &str) -> bool {
        self.figures.iter().any(|figure| figure.case == case)
    }

    /// A measured value.
    pub(crate) fn value(&self, case: &str, what: &str) -> Result<f64> {
        let figure =
            self.figures.iter().find(|figure| (&*figure.case, &*figure.what) == (case, what));
        figure.map(|figure| figure.value).with_context(|| format!("no figure `{what}` of `{case}`"))
    }

    /// What drifted past the bound since the baseline, each in a sentence. Only what became worse: every gated figure is
    /// one that should be small.
    pub(crate) fn drifted_since(&self, baseline: &Self) -> Vec<String> {
        let gated = baseline.figures.iter().filter(|figure| figure.is_gated);
        gated
            .filter_map(|before| {
                let now = self
                    .figures
                    .iter()
                    .find(|now| (&now.case, &now.what) == (&before.case, &before.what))?;
                (now.value > before.value * (1.0 + DRIFT_MAX)).then(|| {
                    format!(
                        "{}, {}: {} was {}",
                        now.case,
                        now.what,
                        shown(now.value),
                        shown(before.value)
                    )
                })
            })
            .collect()
    }
}

impl Figure {
    /// A figure that is only told.
    pub(crate) fn told(case: &str, what: &str, value: f64) -> Self {
        Self {
            case: case.to_owned(),
            what: what.to_owned(),
            value,
            goal: String::new(),
            is_met: None,
            is_gated: false,
        }
    }

    /// A figure that should be at most so much, and that the gate compares.
    pub(crate) fn at_most(case: &str, what: &str, value: f64, most: f64) -> Self {
        Self {
            goal: format!("at most {}", shown(most)),
            is_met: Some(value <= most),
            is_gated: true,
            ..Self::told(case, what, value)
        }
    }

    /// A figure that should be at least so much.
    pub(crate) fn at_least(case: &str, what: &str, value: f64, least: f64) -> Self {
        Self {
            goal: format!("at least {}", shown(least)),
            is_met: Some(value >= least),
            ..Self::told(case, what, value)
        }
    }

    /// A figure without a goal that the gate compares.
    pub(crate) fn gated(case: &str, what: &str, value: f64) -> Self {
        Self { is_gated: true, ..Self::told(case, what, value) }
    }

    fn line(&self) -> String {
        let verdict = match self.is_met {
            None => String::new(),
            Some(true) => format!(" ({})", self.goal),
            Some(false) => format!(" ({}: MISSED)", self.goal),
        };
        format!("{}: {} {}{verdict}", self.case, self.what, shown(self.value))
    }
}

/// A number with as many digits as it deserves.
pub(crate) fn shown(value: f64) -> String {
    if value.fract().abs() < f64::EPSILON || value.abs() >= 1000.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(ratio: f64, rate: f64) -> Figures {
        Figures {
            machine: BTreeMap::new(),
            figures: vec![
                Figure::at_most("a", "ratio", ratio, 1.5),
                Figure::at_least("a", "rate", rate, 10.0),
            ],
        }
    }

    #[test]
    fn the_gate_notices_what_became_worse_by_more_than_the_bound() {
        let baseline = figures(1.0, 20.0);
        assert!(figures(1.14, 1.0).drifted_since(&baseline).is_empty());
        assert!(figures(0.5, 20.0).drifted_since(&baseline).is_empty());
        assert_eq!(figures(1.2, 20.0).drifted_since(&baseline), ["a, ratio: 1.20 was 1"]);
    }

    #[test]
    fn a_missed_goal_is_said() {
        let table = figures(2.0, 5.0).markdown();
        assert!(table.contains("| a | ratio | 2 | at most 1.50, **missed** |"), "{table}");
        assert!(table.contains("| a | rate | 5 | at least 10, **missed** |"), "{table}");
    }
}
