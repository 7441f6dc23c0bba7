//! Whether the workspace's plan has room for the rows of all syncs together, beside what is there already.

use std::collections::BTreeMap;

use sync_core::{
    budget::Plan,
    config::model::{SyncDefinition, WriteMode},
    error::CallError,
    mapping::room::{Filling, Sharers, solution_finding},
    slug::Slug,
    state::StateError,
    table::TableStructure,
};
use sync_mysql::Severity;
use sync_smartsuite::Solution;

use crate::{report::validation::SyncCheck, wire::Wire};

/// A sync whose rows become records of a table that is there.
struct Maker<'a> {
    /// Its place among the checks.
    at: usize,
    definition: &'a SyncDefinition,
    table: &'a TableStructure,
    /// Its rows, as far as they were counted.
    rows: u64,
}

/// Adds to each table's first sync what does not fit into the plan. Of rows that take too long to count nothing is said,
/// nor of what SmartSuite does not tell.
///
/// # Errors
/// The state fails.
pub(super) async fn add_findings(
    wire: &Wire,
    plan: Plan,
    checks: &mut [SyncCheck],
) -> Result<(), StateError> {
    let makers = makers(wire, plan, checks).await;
    let Some(first) = makers.first() else { return Ok(()) };
    let asking = wire.bare_task(first.definition);
    let solutions = wire.solutions(&asking).await?.unwrap_or_default();
    let of = |table: &TableStructure| {
        solutions.iter().find(|solution| Some(&solution.id) == table.solution.as_ref())
    };
    let mut tables: BTreeMap<&str, Vec<&Maker<'_>>> = BTreeMap::new();
    for maker in &makers {
        tables.entry(&maker.definition.destination.table_id).or_default().push(maker);
    }
    let mut fillings: Vec<(usize, Filling)> = Vec::new();
    for makers_here in tables.values() {
        let Some(maker) = makers_here.first() else { continue };
        if of(maker.table).is_some_and(|solution| has_room(solution, &makers, plan)) {
            continue;
        }
        if let Ok(Some(filling)) = filling(wire, makers_here).await? {
            fillings.push((maker.at, filling));
        }
    }
    let mut found = Vec::new();
    for (at, filling) in &fillings {
        found.extend(filling.finding(plan).map(|finding| (*at, finding)));
    }
    for solution in &solutions {
        let here = fillings.iter().filter(|(_, one)| one.solution.as_ref() == Some(&solution.id));
        let (places, here): (Vec<usize>, Vec<&Filling>) = here.map(|(at, one)| (*at, one)).unzip();
        if let (Some(at), Some(records)) = (places.first(), solution.records) {
            let finding = solution_finding(&solution.name, records, &here, plan);
            found.extend(finding.map(|finding| (*at, finding)));
        }
    }
    for (at, finding) in found {
        if let Some(check) = checks.get_mut(at) {
            check.findings.push(finding);
        }
    }
    Ok(())
}

/// The syncs whose every row is to be a record. Those with a column that says which rows are deleted are left out: how many
/// are is not known.
async fn makers<'a>(wire: &Wire, plan: Plan, checks: &'a [SyncCheck]) -> Vec<Maker<'a>> {
    let most = plan.records_a_solution() + 1;
    let mut makers = Vec::new();
    for (at, check) in checks.iter().enumerate() {
        let definition = &check.definition;
        let (Ok(report), Ok(table)) = (&check.source, &check.table) else { continue };
        let is_sound = report.findings.iter().all(|finding| finding.severity != Severity::Error);
        let makes = definition.destination.mode != WriteMode::UpdateOnly;
        if !definition.enabled || !is_sound || !makes || definition.source.deleted_field.is_some() {
            continue;
        }
        let Ok(source) = wire.source(definition) else { continue };
        if let Ok(rows) = source.row_count(most).await {
            makers.push(Maker { at, definition, table, rows });
        }
    }
    makers
}

/// Whether a solution has room for every row as a record of its own, in any one table: then nothing more is asked.
fn has_room(solution: &Solution, makers: &[Maker<'_>], plan: Plan) -> bool {
    let here = makers.iter().filter(|maker| maker.table.solution.as_ref() == Some(&solution.id));
    let rows: u64 = here.map(|maker| maker.rows).sum();
    solution.records.is_some_and(|records| records.saturating_add(rows) <= plan.records_a_table())
}

/// What a table holds and would get: a call for the table, and one for each external-id field.
async fn filling(
    wire: &Wire,
    makers: &[&Maker<'_>],
) -> Result<Result<Option<Filling>, CallError>, StateError> {
    let Some(first) = makers.first() else { return Ok(Ok(None)) };
    let (asking, table) =
        (wire.bare_task(first.definition), &first.definition.destination.table_id);
    let records = match wire.record_count(&asking, table, None).await? {
        Ok(Some(records)) => records,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    let mut by_field: BTreeMap<&Slug, Vec<&Maker<'_>>> = BTreeMap::new();
    for maker in makers {
        by_field.entry(&maker.definition.destination.external_id_field).or_default().push(maker);
    }
    let mut sharers = Vec::new();
    for (field, makers) in by_field {
        let takes_over =
            makers.iter().any(|maker| !maker.definition.destination.match_on.is_empty());
        let candidates = if takes_over {
            records
        } else {
            match wire.record_count(&asking, table, Some(field)).await? {
                Ok(Some(candidates)) => candidates,
                Ok(None) => return Ok(Ok(None)),
                Err(error) => return Ok(Err(error)),
            }
        };
        sharers.push(Sharers { rows: makers.iter().map(|maker| maker.rows).sum(), candidates });
    }
    Ok(Ok(Some(Filling {
        table: first.table.name.clone(),
        solution: first.table.solution.clone(),
        syncs: makers.iter().map(|maker| maker.definition.name.clone()).collect(),
        records,
        sharers,
    })))
}
