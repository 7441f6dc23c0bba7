//! Records that share an external id: which one stands for its key, and, where a person asks for it, what becomes of
//! the others.

use sync_core::{
    config::model::WriteMode,
    error::{CallError, CallErrorKind},
    key::Key,
    port::{BULK_MAX, RecordFilter, RecordShape},
    record::{RecordId, SeenRecord},
    second_look::is_untouched,
    shared_id::{Fate, SharingRecord, fates},
    state::StateError,
};
use tokio_util::sync::CancellationToken;

use super::{
    comparing::BATCH,
    holding::{Broken, Held},
    report::Question,
    resolving::{Doomed, resolve},
};
use crate::{
    engine::Engine,
    run::{SyncTask, Trouble},
};

/// What is asked.
pub struct DedupeOptions<'a> {
    /// Delete those that our own member created and nobody changed since.
    pub apply: bool,
    /// Empty the external id of the others; of all, without `apply`.
    pub clear_ids: bool,
    /// At most so many ids are listed; all are counted.
    pub listed_max: usize,
    /// Asked before calls are spent or records are changed; `false` ends it.
    pub ask: &'a (dyn Fn(Question) -> bool + Send + Sync),
}

impl std::fmt::Debug for DedupeOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DedupeOptions")
            .field("apply", &self.apply)
            .field("clear_ids", &self.clear_ids)
            .finish_non_exhaustive()
    }
}

/// What it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct DedupeReport {
    /// The sync.
    pub sync: String,
    /// How it went.
    pub outcome: DedupeOutcome,
    /// Calls it made.
    pub calls: u64,
}

/// How it went.
#[derive(Clone, Debug, PartialEq)]
pub enum DedupeOutcome {
    /// The table was read to its end.
    Listed {
        /// External ids that several records carry.
        shared: u64,
        /// Records beside those that stay: our own work, as it was made.
        deletable: u64,
        /// Records beside those that stay: perhaps somebody's work.
        undecided: u64,
        /// The first of the ids.
        ids: Vec<SharedId>,
        /// What was done, where that was asked for and agreed to.
        applied: Option<Applied>,
    },
    /// Somebody said no to its cost; nothing was asked of SmartSuite.
    Declined {
        /// The cost in calls.
        calls: u64,
    },
    /// Another process runs this sync.
    Busy,
    /// It could not be done.
    Failed(Trouble),
    /// Somebody asked for the end.
    Interrupted,
}

/// An external id that several records carry.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedId {
    /// The id.
    pub external_id: String,
    /// Its records, the one that stays first.
    pub records: Vec<(SharingRecord, Fate)>,
}

/// What was done about shared ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// Records deleted; they are in SmartSuite's recycle bin.
    pub deleted: Vec<RecordId>,
    /// Records whose external id was emptied.
    pub cleared: Vec<RecordId>,
    /// Records that share an id as before.
    pub left: u64,
    /// Why some were left, where SmartSuite refused, or left them out of its answer and as they were.
    pub refused: Option<Trouble>,
}

impl Engine {
    /// Lists, and where asked resolves, external ids that several records of the sync's table carry.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub async fn dedupe(
        &self,
        task: &SyncTask,
        options: &DedupeOptions<'_>,
        cancelled: &CancellationToken,
    ) -> Result<DedupeReport, StateError> {
        let report =
            |outcome, calls| DedupeReport { sync: task.definition.name.clone(), outcome, calls };
        let Some(held) = self.hold_aside(task, cancelled).await? else {
            return Ok(report(DedupeOutcome::Busy, 0));
        };
        let outcome = match Box::pin(dedupe(&held, options)).await {
            Ok(outcome) => outcome,
            Err(Broken::State(error)) => return Err(error),
            Err(Broken::Trouble(trouble)) => DedupeOutcome::Failed(trouble),
            Err(Broken::Interrupted) => DedupeOutcome::Interrupted,
        };
        let calls = held.calls.made();
        held.release().await?;
        Ok(report(outcome, calls))
    }
}

async fn dedupe(held: &Held<'_>, options: &DedupeOptions<'_>) -> Result<DedupeOutcome, Broken> {
    if held.task.definition.destination.mode == WriteMode::UpdateOnly {
        return Err(Broken::Trouble(Trouble::new(
            "makes_no_records",
            "this sync only changes records that are there: none of them is its own",
            "run `dedupe` for the sync that makes them, or remove what is too many in SmartSuite",
        )));
    }
    let calls = held.pages_expected().await?;
    if !(options.ask)(Question::Read { calls }) {
        return Ok(DedupeOutcome::Declined { calls });
    }
    let mapping = held.mapping().await?;
    held.keep_table(&mapping).await?;
    let (mut shared, mut deletable, mut undecided, mut ids) = (0, 0, 0, Vec::new());
    let mut pages = Pages { held, after: None };
    while let Some(page) = pages.next(BATCH).await? {
        for (external_id, records) in page {
            let records = fates(records);
            let count = |fate| records.iter().filter(|(_, one)| *one == fate).count() as u64;
            shared += 1;
            deletable += count(Fate::Deletable);
            undecided += count(Fate::Undecided);
            if ids.len() < options.listed_max {
                ids.push(SharedId { external_id, records });
            }
        }
    }
    let (deletes, clears) = match (options.apply, options.clear_ids) {
        (false, false) => (0, 0),
        (true, false) => (deletable, 0),
        (false, true) => (0, deletable + undecided),
        (true, true) => (deletable, undecided),
    };
    let applied = if deletes + clears == 0 {
        None
    } else {
        let each = |count: u64| count.div_ceil(BULK_MAX as u64);
        let calls = each(shared) + each(deletes) + each(clears);
        if (options.ask)(Question::Dedupe { deletes, clears, calls }) {
            Some(apply(held, options, mapping.shape()).await?)
        } else {
            None
        }
    };
    // What was resolved is gone; what was left is still there.
    let left = applied.as_ref().map_or(shared, |applied| applied.left.min(shared));
    let writer = held.writer;
    held.state(move |state| state.note_shared_ids(&writer, left, false)).await?;
    Ok(DedupeOutcome::Listed { shared, deletable, undecided, ids, applied })
}

/// Goes through the shared ids.
struct Pages<'a> {
    held: &'a Held<'a>,
    after: Option<String>,
}

impl Pages<'_> {
    async fn next(
        &mut self,
        ids_max: usize,
    ) -> Result<Option<Vec<(String, Vec<SharingRecord>)>>, Broken> {
        self.held.check_cancelled()?;
        let (writer, after) = (self.held.writer, self.after.clone());
        let page = self
            .held
            .state(move |state| state.shared_ids(&writer, after.as_deref(), ids_max))
            .await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        self.after = Some(last.clone());
        Ok(Some(page))
    }
}

/// Looks at the ids once more, as people may have touched a record since, and acts on what is true now.
async fn apply(
    held: &Held<'_>,
    options: &DedupeOptions<'_>,
    shape: &RecordShape,
) -> Result<Applied, Broken> {
    let mut applied = Applied::default();
    let mut pages = Pages { held, after: None };
    while let Some(page) = pages.next(BULK_MAX).await? {
        let ids: Vec<String> = page.iter().map(|(id, _)| id.clone()).collect();
        let seen = held.list(shape, &RecordFilter::ExternalIds(ids.clone())).await?;
        if (seen.received as u64) < seen.total {
            return Err(CallError::from(CallErrorKind::Garbled).into());
        }
        let (mut deletes, mut clears) = (Vec::new(), Vec::new());
        for (id, known) in page {
            for (record, fate) in fates(as_they_are(held, &id, &known, &seen.records).await?) {
                match fate {
                    Fate::Stays => {}
                    Fate::Deletable if options.apply => deletes.push(record.record),
                    Fate::Deletable => clears.push(record.record),
                    Fate::Undecided if options.clear_ids && !record.is_linked => {
                        clears.push(record.record);
                    }
                    Fate::Undecided => applied.left += 1,
                }
            }
        }
        let before = (applied.deleted.len(), applied.cleared.len());
        let doomed = Doomed { ids, seen: &seen.records, deletes: &deletes, clears: &clears };
        let done = resolve(held, shape, &doomed, &mut applied).await;
        let deleted = applied.deleted.get(before.0..).unwrap_or_default();
        let cleared = applied.cleared.get(before.1..).unwrap_or_default();
        log(held, shape, &seen.records, deleted, cleared).await?;
        done?;
    }
    Ok(applied)
}

/// Writes what was done into the log of effects, whatever else went wrong.
async fn log(
    held: &Held<'_>,
    shape: &RecordShape,
    seen: &[SeenRecord],
    deleted: &[RecordId],
    cleared: &[RecordId],
) -> Result<(), Broken> {
    let prefix = &held.task.definition.destination.key_prefix;
    let keyed = |records: &[RecordId]| -> Vec<(Key, RecordId)> {
        let of = |id: &RecordId| {
            let record = seen.iter().find(|record| record.id == *id)?;
            let key = Key::from_external_id(record.external_id.as_deref()?, prefix)?;
            Some((key, id.clone()))
        };
        records.iter().filter_map(of).collect()
    };
    let (writer, now, field) =
        (held.writer, held.engine.clock.now(), shape.external_id.slug.clone());
    let (deleted, cleared) = (keyed(deleted), keyed(cleared));
    held.state(move |state| state.log_dedupe(&writer, &deleted, &cleared, &field, now)).await?;
    Ok(())
}

/// The records that carry an id now.
async fn as_they_are(
    held: &Held<'_>,
    id: &str,
    known: &[SharingRecord],
    seen: &[SeenRecord],
) -> Result<Vec<SharingRecord>, Broken> {
    let writer = held.writer;
    let own = held.state(move |state| state.own_member(&writer)).await?;
    let mut records = Vec::new();
    for record in seen.iter().filter(|record| record.external_id.as_deref() == Some(id)) {
        let was_linked = known.iter().any(|one| one.record == record.id && one.is_linked);
        let (record_id, nobodys) = (record.id.clone(), Key::Text(String::new()));
        let is_linked =
            held.state(move |state| state.linked_elsewhere(&writer, &record_id, &nobodys)).await?;
        records.push(SharingRecord {
            record: record.id.clone(),
            autonumber: record.autonumber,
            is_linked: is_linked || was_linked,
            is_untouched: is_untouched(record, own.as_deref()),
        });
    }
    Ok(records)
}
