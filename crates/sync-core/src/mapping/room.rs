//! Whether a table, its solution and the workspace's plan have room for what a sync would add.

use super::finding::{Finding, FindingCode};
use crate::{
    budget::Plan,
    config::model::{OnDrift, SyncDefinition},
    table::TableStructure,
};

/// The most fields of a table, on any plan (`smartsuite-api.md` 2.3).
pub const FIELDS_MAX: usize = 700;

/// What is wrong where the sync adds a field for each new column and the table takes none any more.
pub fn finding(definition: &SyncDefinition, structure: &TableStructure) -> Option<Finding> {
    let is_full = structure.fields.len() >= FIELDS_MAX;
    (definition.on_drift == OnDrift::Extend && is_full).then(|| {
        let message = format!(
            "table \"{}\" has {} fields, and SmartSuite allows {FIELDS_MAX}: none can be added for a new column",
            structure.name,
            structure.fields.len()
        );
        Finding::new(FindingCode::TableFull, message)
            .hint("remove fields that nobody needs, or set `on_drift: ignore`")
    })
}

/// Syncs that share an external-id field of a table, and so the records that carry one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharers {
    /// Rows of all of them together.
    pub rows: u64,
    /// Records that carry an id there, each of which may be one of these rows' own; where a sync takes over records that
    /// carry none (`match_on`), all of the table's.
    pub candidates: u64,
}

/// A table, what it holds, and what its syncs would add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filling {
    /// The name people see.
    pub table: String,
    /// Id of its solution, where the service says so.
    pub solution: Option<String>,
    /// The syncs that make records in it, in the file's order.
    pub syncs: Vec<String>,
    /// Records that it holds.
    pub records: u64,
    /// Its syncs by external-id field.
    pub sharers: Vec<Sharers>,
}

impl Filling {
    /// Records that its syncs will add at the least: each record that may be a row's own counts as one that is.
    pub fn more(&self) -> u64 {
        self.sharers.iter().map(|one| one.rows.saturating_sub(one.candidates)).sum()
    }

    /// What is wrong where the plan allows a table fewer.
    pub fn finding(&self, plan: Plan) -> Option<Finding> {
        let (more, most) = (self.more(), plan.records_a_table());
        let what = format!("table \"{}\"", self.table);
        too_many(&what, self.records, more, &self.syncs, (most, "table"), plan)
    }
}

/// What is wrong where the plan allows a solution fewer records than it holds and its tables would get.
pub fn solution_finding(
    name: &str,
    records: u64,
    fillings: &[&Filling],
    plan: Plan,
) -> Option<Finding> {
    let more = fillings.iter().map(|one| one.more()).sum();
    let syncs: Vec<String> = fillings.iter().flat_map(|one| one.syncs.iter().cloned()).collect();
    let what = format!("solution \"{name}\"");
    too_many(&what, records, more, &syncs, (plan.records_a_solution(), "solution"), plan)
}

fn too_many(
    what: &str,
    records: u64,
    more: u64,
    syncs: &[String],
    (most, whole): (u64, &str),
    plan: Plan,
) -> Option<Finding> {
    if more == 0 || records.saturating_add(more) <= most {
        return None;
    }
    let message = format!(
        "{what} would hold {} records, {records} now and {more} more by `{}`; plan `{}` allows {most} in a {whole}",
        records + more,
        syncs.join("`, `"),
        plan.word(),
    );
    let hint = "read less, remove records that nobody needs, or change to a larger plan: what does not fit waits and is not \
                lost";
    Some(Finding::new(FindingCode::PlanTooSmall, message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filling(records: u64, sharers: &[(u64, u64)]) -> Filling {
        Filling {
            table: "Customers".to_owned(),
            solution: Some("s".to_owned()),
            syncs: vec!["a".to_owned(), "b".to_owned()],
            records,
            sharers: sharers
                .iter()
                .map(|(rows, candidates)| Sharers { rows: *rows, candidates: *candidates })
                .collect(),
        }
    }

    #[test]
    fn what_a_table_holds_and_all_its_syncs_bring_are_held_against_the_plan() {
        for (records, sharers, more, is_too_much) in [
            (0, &[(1_000, 0)][..], 1_000, false),
            (0, &[(1_001, 0)][..], 1_001, true),
            // People's own records take room, too.
            (1, &[(1_000, 0)][..], 1_000, true),
            // The rows' own records are there already.
            (1_000, &[(1_000, 1_000)][..], 0, false),
            (1_000, &[(1_001, 999)][..], 2, true),
            // Two syncs, each of which has room alone.
            (0, &[(600, 0), (600, 0)][..], 1_200, true),
            (600, &[(600, 600), (400, 0)][..], 400, false),
            // More than allowed is held, and nothing is added.
            (2_000, &[(500, 700)][..], 0, false),
        ] {
            let one = filling(records, sharers);
            assert_eq!(one.more(), more, "{records} {sharers:?}");
            assert_eq!(one.finding(Plan::Free).is_some(), is_too_much, "{records} {sharers:?}");
        }
    }

    #[test]
    fn tables_of_a_solution_count_together() {
        let (a, b) = (filling(3_000, &[(4_000, 3_000)]), filling(0, &[(1_000, 0)]));
        assert_eq!(a.finding(Plan::Team), None);
        assert_eq!(b.finding(Plan::Team), None);
        assert_eq!(solution_finding("CRM", 3_000, &[&a, &b], Plan::Team), None);
        // Other tables of the solution hold one more.
        let found = solution_finding("CRM", 3_001, &[&a, &b], Plan::Team).unwrap();
        assert_eq!(
            found.message,
            "solution \"CRM\" would hold 5001 records, 3001 now and 2000 more by `a`, `b`, `a`, `b`; plan `team` \
             allows 5000 in a solution"
        );
        assert_eq!(found.code, FindingCode::PlanTooSmall);
    }
}
