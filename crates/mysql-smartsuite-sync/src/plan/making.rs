//! Making a plan: each sync is rehearsed on one copy of the state, one after the other.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::tz::TimeZone;
use sync_core::{
    budget::{Ledger, Month},
    config::model::{Config, SyncDefinition},
    delivery::Operation,
    error::{CallError, CallErrorKind},
    field_value::FieldValue,
    port::Clock,
    record::RecordId,
    slug::Slug,
    state::{StateError, SyncId},
};
use sync_engine::{
    plan::{Gate, LeapingClock, PlanMaker, PlannedSync, RehearsedTarget},
    run::{RunOptions, RunOutcome, RunReport, SyncTask},
};
use sync_store::{Found, SqliteStore, StateReader, ThrowAwayState, inspect};
use tokio_util::sync::CancellationToken;

use super::{Plan, SyncPlan};
use crate::{
    budget,
    environment::{Environment, Settings},
    failure::Failure,
    telemetry::LogObserver,
    wire::{Usage, Wire},
};

/// What a plan is made of.
pub(crate) struct Wishes<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) config: &'a Config,
    pub(crate) environment: &'a Environment,
    pub(crate) chosen: &'a [&'a SyncDefinition],
    pub(crate) options: RunOptions,
    /// Writes shown in full, for each sync.
    pub(crate) shown_max: usize,
    /// SmartSuite is not asked.
    pub(crate) offline: bool,
    /// What records hold now is read.
    pub(crate) live: bool,
}

/// Rehearses every sync. The state is only read; where SmartSuite is asked, its gate and its count of calls are kept.
pub(crate) async fn make(wishes: &Wishes<'_>, ending: &CancellationToken) -> Result<Plan, Failure> {
    let Wishes { settings, config, environment, .. } = *wishes;
    let path = &settings.local.state_path;
    let usage = Usage::of(settings, config, environment)?;
    let found = inspect(path)?.found;
    let system = Arc::clone(&usage.clock);
    let copy = ThrowAwayState::copied_from(path)?;
    let maker = Arc::new(PlanMaker::new(wishes.shown_max));
    let rehearsal = Wire::on(
        copy.open()?,
        Arc::new(LeapingClock::new(Arc::clone(&system))),
        settings,
        &usage,
        Arc::<PlanMaker>::clone(&maker),
    )?;
    let engine = rehearsal.engine.clone().overseen_by(Arc::<PlanMaker>::clone(&maker));
    let gate = gate(settings.clone(), usage.clone(), found == Found::Current);
    let reader = (found == Found::Current).then(|| StateReader::open(path)).transpose()?;
    let mut plan = Plan {
        made_at: system.now(),
        options: wishes.options,
        syncs: Vec::new(),
        rate: usage.rate,
        budget: match config.budget {
            Some(definition) => {
                let now = system.now();
                let ledger = match &reader {
                    Some(reader) => budget::ledger(reader, now)?,
                    None => Ledger::default(),
                };
                Some((definition, ledger.report(&definition, now)))
            }
            None => None,
        },
        calls_this_month: calls_this_month(reader.as_ref(), &*system, config)?,
        offline: wishes.offline,
        unread: None,
    };
    for definition in wishes.chosen {
        let task = rehearsal.task(definition).await;
        let known = match &reader {
            Some(reader) => reader.sync_id(&definition.name)?,
            None => None,
        };
        let reads = (!wishes.offline).then(|| (Arc::clone(&gate), known.unwrap_or(SyncId(0))));
        let target = Arc::new(RehearsedTarget::new(&task, reads, ending));
        let task = SyncTask { target: Arc::<RehearsedTarget>::clone(&target), ..task };
        let mut report = engine.run(&task, wishes.options, ending).await?;
        if wishes.offline {
            table_unknown(&mut report);
        }
        if let Some(error) = target.failure() {
            return Err(error.into());
        }
        let planned = maker.take(&definition.name);
        let mut before = BTreeMap::new();
        if wishes.live {
            match before_of(&planned, &target, definition).await {
                Ok(values) => before = values,
                Err(error) => plan.unread = Some(error.kind.to_string()),
            }
        }
        let copied = StateReader::open(&copy.path())?;
        plan.syncs.push(SyncPlan {
            definition: task.digest(),
            table: engine.known_table(&task).await?,
            refused: copied.sync(&definition.name)?.map_or_else(Vec::new, |sync| sync.quarantined),
            reads: target.calls_made(),
            running: running(reader.as_ref(), &definition.name)?,
            report,
            planned,
            before,
        });
    }
    Ok(plan)
}

/// The way to SmartSuite for what a plan has to read: through the state's own gate, opened when the first call needs
/// it. Without a state of this version there is no gate that others could share: reads are paced in an empty one.
fn gate(settings: Settings, usage: Usage, has_state: bool) -> Arc<Gate> {
    let opened: Mutex<Option<(Wire, Option<ThrowAwayState>)>> = Mutex::new(None);
    Arc::new(move || {
        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.is_none() {
            let empty = if has_state { None } else { Some(ThrowAwayState::empty()?) };
            let store = match &empty {
                None => SqliteStore::open(&settings.local.state_path)?,
                Some(empty) => empty.open()?,
            };
            let clock = Arc::clone(&usage.clock);
            let wire = Wire::on(store, clock, &settings, &usage, Arc::new(LogObserver::default()))
                .map_err(|failure| StateError::Other(failure.message))?;
            *opened = Some((wire, empty));
        }
        let engine = opened.as_ref().map(|(wire, _)| wire.engine.clone());
        engine.ok_or_else(|| StateError::Other("the gate was not opened".into()))
    })
}

/// Says why an offline plan came to nothing, where the table's structure was wanting.
fn table_unknown(report: &mut RunReport) {
    if let RunOutcome::Ran { trouble: Some(trouble), .. } = &mut report.outcome
        && trouble.code == CallErrorKind::NotSent.code()
    {
        "plan_table_unknown".clone_into(&mut trouble.code);
        "the table is not known yet, or is to be read again, and SmartSuite was not to be asked"
            .clone_into(&mut trouble.message);
        "plan without `--offline`: it costs one call a table".clone_into(&mut trouble.remedy);
    }
}

/// What the records of the shown updates hold now.
async fn before_of(
    planned: &PlannedSync,
    target: &RehearsedTarget,
    definition: &SyncDefinition,
) -> Result<BTreeMap<RecordId, BTreeMap<Slug, FieldValue>>, CallError> {
    let prefix = &definition.destination.key_prefix;
    let changed = planned.shown.iter().filter(|write| write.operation != Operation::Create);
    let ids: Vec<String> = changed.map(|write| write.key.external_id(prefix)).collect();
    let records = target.records(&ids).await?;
    Ok(records.into_iter().map(|record| (record.id, record.fields.into_iter().collect())).collect())
}

fn running(reader: Option<&StateReader>, name: &str) -> Result<Option<String>, StateError> {
    let Some(reader) = reader else { return Ok(None) };
    let holder = reader.sync(name)?.and_then(|sync| sync.holder);
    Ok(holder.filter(|holder| holder.is_seen).map(|holder| holder.name))
}

fn calls_this_month(
    reader: Option<&StateReader>,
    clock: &dyn Clock,
    config: &Config,
) -> Result<u64, StateError> {
    let Some(reader) = reader else { return Ok(0) };
    let today = clock.now().to_zoned(TimeZone::UTC).date();
    let month = Month::of(today, config.budget.map_or(1, |budget| budget.billing_day)).from;
    Ok(reader.calls(month)?.iter().map(|count| count.calls).sum())
}
