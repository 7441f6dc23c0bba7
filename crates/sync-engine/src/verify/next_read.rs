//! What the next run will read: a difference that it mends by itself is no drift.

use sync_core::{
    change::{ChangeLog, Changes},
    comparison::{Cause, Disagreement},
    config::model::OnPositionLost,
    error::{SourceError, SourceErrorKind},
    key::Key,
    mapping::CompiledMapping,
    port::{ReadScope, Watermark},
};

use super::{
    comparing::{BATCH, Comparing},
    holding::{Broken, Held},
};

impl Held<'_> {
    /// Whether the next run reads every row, whatever changed.
    pub(super) fn reads_all_next(&self) -> bool {
        let knows_no_better = match &self.task.changes {
            Some(_) => self.opened.stream_position.is_none(),
            None => self.opened.watermark.is_none(),
        };
        self.opened.full_read.is_some() || knows_no_better
    }
}

impl Comparing<'_> {
    /// Differences that the next run will mend, because it reads their rows, are no drift. What it reads is asked after
    /// the rows were read, so that a row which changed in between is in it.
    pub(super) async fn explain_by_next_read(
        &mut self,
        mapping: &CompiledMapping,
    ) -> Result<(), Broken> {
        let (held, writer) = (self.held, self.held.writer);
        if held.reads_all_next() {
            return Ok(());
        }
        let counts = held.state(move |state| state.count_differences(&writer)).await?;
        let is_open = |(disagreement, cause, _): &(Disagreement, Cause, u64)| {
            matches!(disagreement, Disagreement::Missing | Disagreement::Different)
                && matches!(cause, Cause::RowMissed | Cause::Unclear)
        };
        if !counts.iter().any(is_open) {
            return Ok(());
        }
        if let Some(changes) = &held.task.changes {
            return self.explain_by_log(&**changes).await;
        }
        match held.opened.watermark.clone() {
            Some(watermark) => self.explain_by_cursor(mapping, watermark).await,
            None => Ok(()),
        }
    }

    async fn explain_by_cursor(
        &mut self,
        mapping: &CompiledMapping,
        watermark: Watermark,
    ) -> Result<(), Broken> {
        let (held, writer) = (self.held, self.held.writer);
        let mut read = held.task.source.open(ReadScope::Since(watermark)).await?;
        loop {
            held.check_cancelled()?;
            let rows = read.next_rows(BATCH).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let keys: Vec<Key> = rows.iter().filter_map(|row| mapping.key(row).ok()).collect();
            held.state(move |state| state.note_read_next(&writer, &keys)).await?;
        }
    }

    /// Where the source's log is followed, the next run reads what the log names from the stored position on, and
    /// everything where the log does not say what changed.
    async fn explain_by_log(&mut self, changes: &dyn ChangeLog) -> Result<(), Broken> {
        let (held, writer) = (self.held, self.held.writer);
        let Some(position) = &held.opened.stream_position else { return Ok(()) };
        let mut feed = match held.unless_cancelled(changes.follow(position)).await? {
            Ok(feed) => feed,
            Err(error) => return self.explain_by_lost(error).await,
        };
        loop {
            let Changes { keys, reconcile, is_caught_up, .. } =
                match held.unless_cancelled(feed.next()).await? {
                    Ok(Some(changes)) => changes,
                    Ok(None) => continue,
                    Err(error) => return self.explain_by_lost(error).await,
                };
            if reconcile.is_some() {
                return self.explain_all().await;
            }
            held.state(move |state| state.note_read_next(&writer, &keys)).await?;
            if is_caught_up {
                return Ok(());
            }
        }
    }

    /// A lost position makes the next run read everything, or fail, as the sync says.
    async fn explain_by_lost(&mut self, error: SourceError) -> Result<(), Broken> {
        match (error.kind, self.held.task.definition.on_position_lost) {
            (SourceErrorKind::PositionLost, OnPositionLost::Repair) => self.explain_all().await,
            (SourceErrorKind::PositionLost, OnPositionLost::Stop) => Ok(()),
            _ => Err(error.into()),
        }
    }

    /// The next run reads everything.
    async fn explain_all(&mut self) -> Result<(), Broken> {
        let (held, writer, mut after) = (self.held, self.held.writer, 0);
        loop {
            let batch = held.state(move |state| state.differences(&writer, after, BATCH)).await?;
            let Some((last, _)) = batch.last() else { return Ok(()) };
            after = *last;
            let keys: Vec<Key> = batch.into_iter().filter_map(|(_, one)| one.key).collect();
            held.state(move |state| state.note_read_next(&writer, &keys)).await?;
        }
    }
}
