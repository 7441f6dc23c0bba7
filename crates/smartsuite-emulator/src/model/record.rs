//! One record.

use serde::{Deserialize, Serialize};

use crate::model::cell::Cell;
use crate::moment::Moment;
use crate::object_id::ObjectId;

/// When something happened and who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) at: Moment,
    pub(crate) by: ObjectId,
}

/// A record: its stamps and its cells, by the number of the field's column.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: ObjectId,
    pub(crate) created: Stamp,
    pub(crate) updated: Stamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<Box<Stamp>>,
    pub(crate) cells: Vec<Cell>,
}

impl Record {
    /// The cell of a column; a column younger than the record has never been written.
    pub(crate) fn cell(&self, column: usize) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Absent)
    }

    /// Puts a cell in its place and returns the one that was there.
    pub(crate) fn put(&mut self, column: usize, cell: Cell) -> Cell {
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Cell::Absent);
        }
        match self.cells.get_mut(column) {
            Some(place) => std::mem::replace(place, cell),
            None => Cell::Absent,
        }
    }
}
