//! The rules for Prometheus that are shipped, held against pages of figures: each warns of what it says, and of nothing
//! else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter, vec,
};

use jiff::{Timestamp, ToSpan as _, civil::date};
use serde::Deserialize;
use sync_core::budget::{BudgetDefinition, WhenUsedUp};

use crate::{
    api::{Budget, Seen, overview_of},
    live::Counts,
    metrics::page,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/prometheus/alerts.yml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    r#for: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn rules() -> Vec<Rule> {
    let text = fs::read_to_string(FILE).unwrap();
    let file: File = serde_saphyr::from_str(&text).unwrap();
    assert!(file.groups.iter().all(|group| !group.name.is_empty()));
    file.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// What an expression comes to: a number, or a value for each set of labels.
#[derive(Clone, Debug)]
enum Value {
    Number(f64),
    Series(BTreeMap<String, f64>),
}

impl Value {
    fn with(self, other: Self, operate: impl Fn(f64, f64) -> Option<f64>) -> Self {
        let pick = |(labels, value): (String, Option<f64>)| Some((labels, value?));
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => {
                Self::Number(operate(one, two).unwrap_or(f64::NAN))
            }
            (Self::Series(one), Self::Number(two)) => {
                let each = one.into_iter().map(|(labels, one)| (labels, operate(one, two)));
                Self::Series(each.filter_map(pick).collect())
            }
            (Self::Number(one), Self::Series(two)) => {
                let each = two.into_iter().map(|(labels, two)| (labels, operate(one, two)));
                Self::Series(each.filter_map(pick).collect())
            }
            (Self::Series(one), Self::Series(two)) => {
                let both = one.into_iter().filter_map(|(labels, one)| {
                    let two = *two.get(&labels)?;
                    Some((labels, operate(one, two)))
                });
                Self::Series(both.filter_map(pick).collect())
            }
        }
    }
}

/// Reads expressions of names, numbers, arithmetic and one comparison. What needs more, as times past, is `None`.
struct Reader<'p> {
    words: iter::Peekable<vec::IntoIter<String>>,
    page: &'p str,
}

impl<'p> Reader<'p> {
    fn value(expression: &str, page: &'p str) -> Option<Value> {
        let mut words: Vec<String> = Vec::new();
        for sign in expression.chars() {
            let is_of_word = |sign: char| sign.is_ascii_alphanumeric() || "_.".contains(sign);
            let goes_on = words.last_mut().filter(|word| {
                word.chars().all(is_of_word) && is_of_word(sign)
                    || ["<", ">", "=", "!"].contains(&word.as_str()) && sign == '='
            });
            match goes_on {
                Some(word) => word.push(sign),
                // A blank ends a word.
                None => words.push(sign.to_string()),
            }
        }
        words.retain(|word| word != " ");
        let mut reader = Self { words: words.into_iter().peekable(), page };
        let value = reader.comparison()?;
        reader.words.next().is_none().then_some(value)
    }

    fn comparison(&mut self) -> Option<Value> {
        let left = self.sum()?;
        let holds: fn(f64, f64) -> bool = match self.words.peek().map(String::as_str) {
            Some(">") => |one, two| one > two,
            Some("<") => |one, two| one < two,
            Some(">=") => |one, two| one >= two,
            Some("==") => |one, two| (one - two).abs() < f64::EPSILON,
            _ => return Some(left),
        };
        self.words.next();
        let right = self.sum()?;
        Some(left.with(right, |one, two| holds(one, two).then_some(one)))
    }

    fn sum(&mut self) -> Option<Value> {
        let mut value = self.product()?;
        while let Some(sign) = self.words.next_if(|word| word == "+" || word == "-") {
            let other = self.product()?;
            value =
                value.with(other, |one, two| Some(if sign == "+" { one + two } else { one - two }));
        }
        Some(value)
    }

    fn product(&mut self) -> Option<Value> {
        let mut value = self.atom()?;
        while let Some(sign) = self.words.next_if(|word| word == "*" || word == "/") {
            let other = self.atom()?;
            value =
                value.with(other, |one, two| Some(if sign == "*" { one * two } else { one / two }));
        }
        Some(value)
    }

    fn atom(&mut self) -> Option<Value> {
        let word = self.words.next()?;
        if word == "(" {
            let value = self.sum()?;
            return self.words.next_if(|word| word == ")").map(|_| value);
        }
        if let Ok(number) = word.parse() {
            return Some(Value::Number(number));
        }
        word.starts_with("sync_").then(|| self.series(&word))
    }

    /// The samples of a name.
    fn series(&self, name: &str) -> Value {
        let samples = self.page.lines().filter_map(|line| {
            let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            (labels.is_empty() || labels.starts_with('{'))
                .then(|| (labels.to_owned(), value.parse().unwrap()))
        });
        Value::Series(samples.collect())
    }
}

/// The rules that such a page sets off, without the time that they must hold.
fn warned(page: &str) -> BTreeSet<String> {
    let holds = |rule: &Rule| match Reader::value(&rule.expr, page) {
        Some(Value::Series(series)) => !series.is_empty(),
        Some(Value::Number(_)) => panic!("`{}` is always on", rule.alert),
        None => false,
    };
    rules().into_iter().filter(holds).map(|rule| rule.alert).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What is warned of at noon of the 12th of a month with so many calls on each day before, of 5,000 with this reserve.
fn warned_after(calls_a_day: u64, reserve: u32, when_used_up: WhenUsedUp) -> BTreeSet<String> {
    let now = at("2026-11-12T12:00:00Z");
    let definition = BudgetDefinition {
        monthly_calls: 5_000,
        billing_day: 1,
        reserve,
        when_used_up,
        has_overage: true,
    };
    let days = (0..11).map(|day| date(2026, 11, 1).saturating_add(day.days()));
    let counts = days.map(|day| (day, "customers".to_owned(), calls_a_day));
    let budget = Budget::new(Some(definition), counts, now);
    // The sync itself is disabled, so that nothing is said of it.
    let overview = overview_of(Seen { is_disabled: true, ..Seen::default() }, now);
    warned(&page(&overview, &budget, &Counts::default(), ("0", now)))
}

#[test]
fn a_month_that_will_not_last_is_warned_of_whatever_happens_then() {
    for when_used_up in [WhenUsedUp::Wait, WhenUsedUp::GoOn] {
        let check = |calls_a_day, reserve, expected: &[&str]| {
            let warned = warned_after(calls_a_day, reserve, when_used_up);
            let expected: BTreeSet<String> = expected.iter().map(|one| (*one).to_owned()).collect();
            assert_eq!(warned, expected, "{calls_a_day}, {reserve}, {when_used_up:?}");
        };
        check(100, 500, &[]);
        // All but the reserve is used on the last day: that is what it is for.
        check(155, 500, &[]);
        check(200, 500, &["SyncBudgetAtRisk"]);
        check(300, 500, &["SyncBudgetAtRisk"]);
        check(330, 500, &["SyncBudgetAtRisk", "SyncBudgetUsed"]);
        // With a large reserve there is less to be used.
        check(260, 1_500, &["SyncBudgetAtRisk", "SyncBudgetUsed"]);
        check(410, 500, &["SyncBudgetAtRisk", "SyncBudgetUsed", "SyncBudgetUsedUp"]);
    }
}

#[test]
fn without_a_budget_nothing_is_said_of_it() {
    let now = at("2026-11-12T12:00:00Z");
    let budget = Budget::new(None, iter::empty(), now);
    let overview = overview_of(Seen { is_disabled: true, ..Seen::default() }, now);
    assert_eq!(warned(&page(&overview, &budget, &Counts::default(), ("0", now))), BTreeSet::new());
}

#[test]
fn a_sync_is_warned_of_unless_nobody_wants_it_to_run() {
    let now = at("2026-11-12T12:00:00Z");
    let check = |seen: Seen, expected: &[&str], lines: &[&str]| {
        let budget = Budget::new(None, iter::empty(), now);
        let page = page(&overview_of(seen, now), &budget, &Counts::default(), ("0", now));
        let expected: BTreeSet<String> = expected.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(warned(&page), expected, "{seen:?}");
        for line in lines {
            assert!(page.lines().any(|found| found == *line), "{line} in\n{page}");
        }
    };
    let (runs, is_following) = (Seen::default(), true);
    let (late, stopped, log) = ("SyncLate", "SyncStopped", "SyncBinlogAtRisk");
    check(runs, &[late], &["sync_late{sync=\"customers\"} 1"]);
    check(Seen { is_following, ..runs }, &[log, late], &[]);
    check(Seen { is_unread: true, ..runs }, &[late], &["sync_late{sync=\"customers\"} 1"]);
    check(
        Seen { is_stopped: true, ..runs },
        &[late, stopped],
        &["sync_paused{sync=\"customers\"} 0"],
    );
    check(Seen { is_paused: true, ..runs }, &[], &["sync_paused{sync=\"customers\"} 1"]);
    let both = Seen { is_paused: true, is_stopped: true, ..runs };
    check(
        both,
        &[stopped],
        &["sync_paused{sync=\"customers\"} 1", "sync_stopped{sync=\"customers\"} 1"],
    );
    let disabled = Seen { is_disabled: true, is_stopped: true, is_following, ..runs };
    check(disabled, &[], &["sync_late{sync=\"customers\"} 0"]);
}

#[test]
fn a_state_that_was_not_copied_for_two_days_is_warned_of() {
    let now = at("2026-11-12T12:00:00Z");
    for (hours, expected) in [(None, &[][..]), (Some(48), &[]), (Some(49), &["SyncCopyOld"])] {
        let seen = Seen { is_disabled: true, ..Seen::default() };
        let mut overview = overview_of(seen, now);
        overview.copy_age_seconds = hours.map(|hours: i64| hours * 3_600);
        let budget = Budget::new(None, iter::empty(), now);
        let warned = warned(&page(&overview, &budget, &Counts::default(), ("0", now)));
        assert_eq!(warned.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{hours:?}");
    }
}

#[test]
fn every_rule_says_what_it_is_about() {
    let rules = rules();
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule.alert.as_str()).collect();
    assert_eq!(names.len(), rules.len(), "each has a name of its own");
    for Rule { alert, expr, r#for, labels, annotations } in &rules {
        let is_length = |text: &str| {
            text.strip_suffix(['m', 'h']).is_some_and(|number| number.parse::<u32>().is_ok())
        };
        assert!(r#for.as_deref().is_none_or(is_length), "{alert}");
        assert!(["warning", "critical"].contains(&labels["severity"].as_str()), "{alert}");
        let summary = annotations["summary"].as_str();
        assert!(!summary.is_empty(), "{alert}");
        // The value of `A and B` is that of A, of a comparison its left side.
        if summary.contains("$value") {
            assert!(!expr.contains(" and ") && expr.starts_with("delta("), "{alert}: {expr}");
            assert!(summary.contains("than an hour ago") && expr.contains("[1h]"), "{alert}");
        }
        // Prometheus would show an empty name.
        let has_syncs =
            !["sync_budget_", "sync_gate_", "sync_copy_", "up{"].iter().any(|of| expr.contains(of));
        assert_eq!(summary.contains("$labels.sync"), has_syncs, "{alert}");
    }
}
