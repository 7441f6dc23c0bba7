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
    /// Which way it may not drift, where the gate compares it: ratios and counts are the same on every machine, seconds
    /// are not.
    pub(crate) gate: Option<Better>,
}

/// Which value of a figure is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    Smaller,
    Larger,
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
            "Measured on {} by `{}`: {}, {} cores, {} memory, {}.",
            of("day"),
            of("command"),
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

    /// What became worse since the baseline, each in a sentence: a gated figure past the bound, a goal that was met and is
    /// missed, and whatever of both was not measured.
    pub(crate) fn worse_than(&self, baseline: &Self) -> Vec<String> {
        let watched = baseline
            .figures
            .iter()
            .filter(|before| before.gate.is_some() || before.is_met == Some(true));
        watched.filter_map(|before| self.worse_than_figure(before)).collect()
    }

    fn worse_than_figure(&self, before: &Figure) -> Option<String> {
        let name = format!("{}, {}", before.case, before.what);
        let is_it = |now: &&Figure| (&now.case, &now.what) == (&before.case, &before.what);
        let Some(now) = self.figures.iter().find(is_it).filter(|now| now.value.is_finite()) else {
            return Some(format!("{name}: not measured"));
        };
        let has_drifted = match before.gate {
            None => false,
            Some(Better::Smaller) => now.value > before.value * (1.0 + DRIFT_MAX),
            Some(Better::Larger) => now.value < before.value * (1.0 - DRIFT_MAX),
        };
        let change = format!("{name}: {} was {}", shown(now.value), shown(before.value));
        if before.is_met == Some(true) && now.is_met == Some(false) {
            return Some(format!("{change}; it should be {}", now.goal));
        }
        has_drifted.then_some(change)
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
            gate: None,
        }
    }

    /// A figure that should be at most so much, and that the gate compares.
    pub(crate) fn at_most(case: &str, what: &str, value: f64, most: f64) -> Self {
        Self {
            goal: format!("at most {}", shown(most)),
            is_met: Some(value <= most),
            gate: Some(Better::Smaller),
            ..Self::told(case, what, value)
        }
    }

    /// A figure that should be at least so much, and that the gate compares.
    pub(crate) fn at_least(case: &str, what: &str, value: f64, least: f64) -> Self {
        Self {
            goal: format!("at least {}", shown(least)),
            is_met: Some(value >= least),
            gate: Some(Better::Larger),
            ..Self::told(case, what, value)
        }
    }

    /// A figure without a goal that should be small, and that the gate compares.
    pub(crate) fn gated(case: &str, what: &str, value: f64) -> Self {
        Self { gate: Some(Better::Smaller), ..Self::told(case, what, value) }
    }

    /// The same figure where it depends on the machine, or varies from run to run: its goal is all that is watched.
    #[must_use]
    pub(crate) fn by_its_goal(self) -> Self {
        Self { gate: None, ..self }
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

    fn figures(ratio: f64, share: f64, memory: f64) -> Figures {
        Figures {
            machine: BTreeMap::new(),
            figures: vec![
                Figure::at_most("a", "ratio", ratio, 2.0),
                Figure::at_least("a", "share", share, 0.5),
                Figure::at_most("a", "memory", memory, 64.0).by_its_goal(),
                Figure::told("a", "seconds", 1.0),
            ],
        }
    }

    #[test]
    fn the_gate_notices_what_became_worse_by_more_than_the_bound() {
        let baseline = figures(1.0, 1.0, 30.0);
        for fine in [figures(1.14, 0.86, 60.0), figures(0.5, 2.0, 1.0)] {
            assert_eq!(fine.worse_than(&baseline), [""; 0]);
        }
        let worse = |now: Figures| now.worse_than(&baseline);
        assert_eq!(worse(figures(1.2, 1.0, 30.0)), ["a, ratio: 1.20 was 1"]);
        assert_eq!(worse(figures(1.0, 0.8, 30.0)), ["a, share: 0.80 was 1"]);
    }

    #[test]
    fn the_gate_notices_a_goal_that_is_no_longer_met_and_a_figure_that_is_not_there() {
        let baseline = figures(1.9, 0.55, 63.0);
        let worse = |now: Figures| now.worse_than(&baseline);
        assert_eq!(
            worse(figures(2.1, 0.49, 65.0)),
            [
                "a, ratio: 2.10 was 1.90; it should be at most 2",
                "a, share: 0.49 was 0.55; it should be at least 0.50",
                "a, memory: 65 was 63; it should be at most 64",
            ]
        );
        let missing = ["ratio", "share", "memory"].map(|what| format!("a, {what}: not measured"));
        assert_eq!(worse(Figures::default()), missing);
        assert_eq!(worse(figures(f64::NAN, 0.55, 63.0)), missing[..1]);
        // A goal that was missed before is watched by its gate alone.
        assert_eq!(figures(2.2, 1.0, 1.0).worse_than(&figures(2.1, 1.0, 1.0)), [""; 0]);
    }

    #[test]
    fn a_missed_goal_is_said() {
        let table = figures(2.5, 0.25, 1.0).markdown();
        assert!(table.contains("| a | ratio | 2.50 | at most 2, **missed** |"), "{table}");
        assert!(table.contains("| a | share | 0.25 | at least 0.50, **missed** |"), "{table}");
    }
}
