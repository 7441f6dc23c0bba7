//! Which tables are watched, for whom and why.

use super::{key_column::KeyColumn, table_map::TableMap};

/// One of the syncs that share a log; a number of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Follower(pub(crate) u64);

/// A table whose rows concern a follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    /// Who.
    pub(crate) follower: Follower,
    /// Database of the table.
    pub(crate) schema: String,
    /// The table.
    pub(crate) table: String,
    /// How many columns it has; invisible and virtual ones are counted.
    pub(crate) column_count: usize,
    /// How many more the log shows behind them: those that MariaDB adds for itself.
    pub(crate) hidden_count: usize,
    /// The columns whose cells are wanted.
    pub(crate) columns: Vec<KeyColumn>,
    /// What the cells are.
    pub(crate) purpose: Purpose,
}

/// What a watched table's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Keys of the follower's rows.
    Rows,
    /// Values by which rows of the follower are found: the relation's number.
    Related(usize),
    /// A key that a foreign key refers to whose effects the log does not show.
    Parent {
        /// Whether deleting it changes rows of the follower.
        on_delete: bool,
        /// Whether changing it does.
        on_update: bool,
    },
}

impl Watched {
    /// Names are compared loosely: a look too many costs nothing.
    pub(crate) fn is_of(&self, table: &TableMap) -> bool {
        self.table.eq_ignore_ascii_case(&table.name)
            && self.schema.eq_ignore_ascii_case(&table.schema)
    }

    /// Places of the columns; `None` if the table is not the one that is known.
    pub(crate) fn places(&self, table: &TableMap) -> Option<Vec<usize>> {
        let place = |column: &KeyColumn| match &table.names {
            Some(names) => names.iter().position(|name| name.eq_ignore_ascii_case(&column.name)),
            None => (self.column_count + self.hidden_count == table.columns.len())
                .then_some(column.place),
        };
        self.columns.iter().map(place).collect()
    }
}
