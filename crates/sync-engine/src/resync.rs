//! Rows that a person wants read again: their keys are marked, and whoever runs the sync next reads them.

use sync_core::{
    error::SourceError,
    key::Key,
    port::ReadScope,
    state::{FullReadReason, StateError},
};

use crate::{engine::Engine, run::SyncTask};

/// Keys marked in one write.
const MARKS: usize = 5_000;

/// Which rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Resync {
    /// Those with these keys.
    Keys(Vec<Key>),
    /// Those for which an SQL condition over the source's columns holds; it must be whole by itself
    /// ([`sync_core::sql::whole_condition`]).
    Where(String),
    /// Every row.
    Everything,
}

/// What was marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// So many keys.
    Keys(u64),
    /// Everything: the next run is a full read.
    Everything,
}

impl Engine {
    /// Marks rows as to be read again by the sync's next run. Needs no hold on the sync, so that it may be asked for
    /// while a service runs it.
    ///
    /// # Errors
    /// The state fails; inside, the source cannot say which rows are meant. What was marked by then stays marked.
    pub async fn resync(
        &self,
        task: &SyncTask,
        rows: Resync,
    ) -> Result<Result<Marked, SourceError>, StateError> {
        let identity = task.identity(false);
        let (sync, _) = self.state.run(move |state| state.place(&identity)).await?;
        let mut marked = 0;
        match rows {
            Resync::Everything => {
                let reason = FullReadReason::Resync;
                self.state.run(move |state| state.request_full_read(sync, reason)).await?;
                return Ok(Ok(Marked::Everything));
            }
            Resync::Keys(keys) => {
                marked = keys.len() as u64;
                self.state.run(move |state| state.request_reads(sync, &keys)).await?;
            }
            Resync::Where(condition) => {
                let mut read = match task.source.open(ReadScope::KeysWhere(condition)).await {
                    Ok(read) => read,
                    Err(error) => return Ok(Err(error)),
                };
                let names: Vec<String> =
                    read.columns().iter().map(|column| column.name.clone()).collect();
                loop {
                    let rows = match read.next_rows(MARKS).await {
                        Ok(rows) => rows,
                        Err(error) => return Ok(Err(error)),
                    };
                    if rows.is_empty() {
                        break;
                    }
                    let key = |row: &sync_core::source::Row| {
                        Key::from_cells(names.iter().map(String::as_str).zip(&row.0)).ok()
                    };
                    let keys: Vec<Key> = rows.iter().filter_map(key).collect();
                    marked += keys.len() as u64;
                    self.state.run(move |state| state.request_reads(sync, &keys)).await?;
                }
            }
        }
        Ok(Ok(Marked::Keys(marked)))
    }
}
