//! What a plan allows a table and a solution to hold (section 2.3; point 12).

use http::StatusCode;

use crate::model::field_type::FieldType;
use crate::model::table::Table;
use crate::model::world::World;
use crate::profile::{Profile, RecordLimit};
use crate::reply::{Reply, bad, detail};

/// The most fields of a table on any plan.
const FIELDS_A_TABLE: usize = 700;
/// The most tables of a solution on any plan.
pub(crate) const TABLES_A_SOLUTION: usize = 25;

/// What is said of a record beyond the plan.
pub(crate) const FULL: &str = "The plan's limit of records has been reached.";

/// How many records more the plan allows the table; nothing where it sets no limit.
pub(crate) fn room(world: &World, table: &Table) -> Option<u64> {
    let limits = world.accounts.get(&table.account)?.plan.limits();
    let in_table = limits.records_a_table.map(|most| most.saturating_sub(table.live_count()));
    let in_solution = limits.records_a_solution.map(|most| {
        let held: u64 = world.tables_of(table.solution).map(Table::live_count).sum();
        most.saturating_sub(held)
    });
    in_table.into_iter().chain(in_solution).min()
}

/// The refusal of records beyond the plan.
pub(crate) fn full(profile: &Profile) -> Reply {
    let status = match profile.record_limit {
        RecordLimit::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        RecordLimit::Forbidden => StatusCode::FORBIDDEN,
    };
    detail(status, FULL)
}

/// Refuses records beyond the plan.
pub(crate) fn check_records(
    world: &World,
    profile: &Profile,
    table: &Table,
    more: u64,
) -> Result<(), Reply> {
    match room(world, table) {
        Some(room) if more > room => Err(full(profile)),
        Some(_) | None => Ok(()),
    }
}

/// Refuses fields beyond the plan.
pub(crate) fn check_fields(world: &World, table: &Table, new: &[FieldType]) -> Result<(), Reply> {
    let Some(account) = world.accounts.get(&table.account) else { return Ok(()) };
    let limits = account.plan.limits();
    let linking = |kind| matches!(kind, FieldType::LinkedRecord);
    let looking = |kind| matches!(kind, FieldType::Lookup);
    let computing =
        |kind| matches!(kind, FieldType::Count | FieldType::Rollup | FieldType::Formula);
    let exceeds = |of: &dyn Fn(FieldType) -> bool, most: usize| {
        let more = new.iter().filter(|kind| of(**kind)).count();
        more > 0 && table.count_fields(of) + more > most
    };
    if exceeds(&|_| true, FIELDS_A_TABLE)
        || exceeds(&linking, limits.links_a_table)
        || exceeds(&looking, limits.links_a_table)
        || exceeds(&computing, limits.computed_a_table)
    {
        return Err(bad("field", "The plan's limit of fields has been reached."));
    }
    Ok(())
}
