//! Which resources a key reaches (section 1.3 point 3; point 7).

use http::StatusCode;

use crate::model::account::Solution;
use crate::model::table::Table;
use crate::model::world::World;
use crate::object_id::ObjectId;
use crate::reply::{Reply, detail, not_found};
use crate::rules::call::Call;

/// 403 as a key without the right gets it.
pub(crate) fn forbidden() -> Reply {
    detail(StatusCode::FORBIDDEN, "You do not have permission to perform this action.")
}

impl Call<'_> {
    /// Whether the key sees a solution.
    pub(crate) fn sees(&self, solution: ObjectId) -> bool {
        self.actor.solutions.as_ref().is_none_or(|seen| seen.contains(&solution))
    }

    /// Whether the key sees a table in lists of tables.
    pub(crate) fn sees_table(&self, table: &Table) -> bool {
        table.account == self.actor.account
            && table.deleted.is_none()
            && self.sees(table.solution)
            && !self.actor.denied_tables.contains(&table.id)
    }

    /// The id of a table that the call may read.
    pub(crate) fn table(&self, world: &World, id: &str) -> Result<ObjectId, Reply> {
        let id: ObjectId = id.parse().map_err(|_| not_found())?;
        let table = world.tables.get(&id).ok_or_else(not_found)?;
        if table.account != self.actor.account || table.deleted.is_some() {
            return Err(not_found());
        }
        if self.sees_table(table) { Ok(id) } else { Err(forbidden()) }
    }

    /// The id of a table that the call may change.
    pub(crate) fn table_to_change(&self, world: &World, id: &str) -> Result<ObjectId, Reply> {
        let id = self.table(world, id)?;
        self.may_write()?;
        Ok(id)
    }

    /// Refuses a key that may only read.
    pub(crate) fn may_write(&self) -> Result<(), Reply> {
        if self.actor.read_only { Err(forbidden()) } else { Ok(()) }
    }

    /// A solution that the call may read.
    pub(crate) fn solution<'w>(&self, world: &'w World, id: &str) -> Result<&'w Solution, Reply> {
        let id: ObjectId = id.parse().map_err(|_| not_found())?;
        let account = world.accounts.get(&self.actor.account).ok_or_else(not_found)?;
        let solution = account.solutions.get(&id).ok_or_else(not_found)?;
        if self.sees(id) { Ok(solution) } else { Err(forbidden()) }
    }
}
