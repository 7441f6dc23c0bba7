//! Making a plan: each sync is rehearsed on one copy of the state, one after the other: those first that others point to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::tz::TimeZone;
use sync_core::{
    budget::{Ledger, Month},
    config::{
        model::{Config, SyncDefinition},
        order::Order,
    },
    error::{CallError, CallErrorKind},
    port::Clock,
    record::RecordId,
    slug::Slug,
    state::{StateError, SyncId},
};
use sync_engine::{
    engine::Engine,
    plan::{Gate, LeapingClock, PlanMaker, PlannedSync, RehearsedTarget},
    run::{RunOptions, RunOutcome, RunReport, SyncTask},
};
use sync_store::{Found, SqliteStore, StateReader, ThrowAwayState, inspect};
use tokio_util::sync::CancellationToken;

use super::{Before, Plan, SyncPlan};
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
    let rehearsals = Rehearsals { wishes, wire: &rehearsal, engine: &engine };
    let order = Order::of(wishes.chosen);
    let mut made = BTreeMap::new();
    for place in order.turns() {
        let Some(definition) = wishes.chosen.get(place).copied() else { continue };
        let known = match &reader {
            Some(reader) => reader.sync_id(&definition.name)?,
            None => None,
        };
        let reads = (!wishes.offline).then(|| (Arc::clone(&gate), known.unwrap_or(SyncId(0))));
        made.insert(place, rehearsals.begin(definition, reads, ending).await?);
    }
    // As `run` does: what the later ones created is linked from the earlier ones.
    for place in &order.again {
        let Some(one) = made.get_mut(place) else { continue };
        let copied = StateReader::open(&copy.path())?;
        let has_dirty_keys = copied.sync(&one.definition.name)?.is_some_and(|sync| sync.dirty > 0);
        if one.report.may_go_on() && has_dirty_keys && !ending.is_cancelled() {
            rehearsals.go_on(one, ending).await?;
        }
    }
    for one in made.into_values() {
        let Rehearsal { definition, task, target, report } = one;
        let planned = maker.take(&definition.name);
        let mut before = BTreeMap::new();
        if let Some(reader) = reader.as_ref().filter(|_| config.state.keep_values) {
            before = kept_values(&planned, reader, definition)?;
        }
        if wishes.live {
            match before_of(&planned, &target, definition).await {
                Ok(values) => before = values,
                Err(error) => plan.unread = Some(error.kind.to_string()),
            }
        }
        let copied = StateReader::open(&copy.path())?;
        plan.syncs.push(SyncPlan {
            definition: task.digest(),
            parents: parents(definition),
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

/// Rehearsals on one copy of the state.
struct Rehearsals<'a> {
    wishes: &'a Wishes<'a>,
    wire: &'a Wire,
    engine: &'a Engine,
}

/// One sync's rehearsal.
struct Rehearsal<'a> {
    definition: &'a SyncDefinition,
    task: SyncTask,
    target: Arc<RehearsedTarget>,
    report: RunReport,
}

impl<'a> Rehearsals<'a> {
    async fn begin(
        &self,
        definition: &'a SyncDefinition,
        reads: Option<(Arc<Gate>, SyncId)>,
        ending: &CancellationToken,
    ) -> Result<Rehearsal<'a>, Failure> {
        let task = self.wire.task(definition).await;
        let target = Arc::new(RehearsedTarget::new(&task, reads, ending));
        let task = SyncTask { target: Arc::<RehearsedTarget>::clone(&target), ..task };
        let report = self.rehearse(&task, &target, self.wishes.options, ending).await?;
        Ok(Rehearsal { definition, task, target, report })
    }

    /// A second turn, whose end is the end of both.
    async fn go_on(
        &self,
        first: &mut Rehearsal<'_>,
        ending: &CancellationToken,
    ) -> Result<(), Failure> {
        let options = RunOptions { full: false, ..self.wishes.options };
        let second = self.rehearse(&first.task, &first.target, options, ending).await?;
        first.report = first.report.clone().followed_by(second);
        Ok(())
    }

    async fn rehearse(
        &self,
        task: &SyncTask,
        target: &RehearsedTarget,
        options: RunOptions,
        ending: &CancellationToken,
    ) -> Result<RunReport, Failure> {
        let mut report = self.engine.run(task, options, ending).await?;
        if self.wishes.offline {
            table_unknown(&mut report);
        }
        target.failure().map_or(Ok(report), |error| Err(error.into()))
    }
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

/// What the records of the shown updates hold, as it was last written.
fn kept_values(
    planned: &PlannedSync,
    reader: &StateReader,
    definition: &SyncDefinition,
) -> Result<BTreeMap<RecordId, Before>, StateError> {
    let mut kept = BTreeMap::new();
    for write in planned.shown.iter().filter(|write| write.record_is_there()) {
        let Some((record, fields)) = reader.values(&definition.name, &write.key)? else { continue };
        let values = fields.iter().map(|(slug, value)| (slug.clone(), value.clone())).collect();
        kept.insert(record, Before { values, is_whole: false });
    }
    Ok(kept)
}

/// What the records of the shown updates hold now.
async fn before_of(
    planned: &PlannedSync,
    target: &RehearsedTarget,
    definition: &SyncDefinition,
) -> Result<BTreeMap<RecordId, Before>, CallError> {
    let prefix = &definition.destination.key_prefix;
    let changed = planned.shown.iter().filter(|write| write.record_is_there());
    let ids: Vec<String> = changed.map(|write| write.key.external_id(prefix)).collect();
    let records = target.records(&ids).await?;
    let whole = |fields: Vec<_>| Before { values: fields.into_iter().collect(), is_whole: true };
    Ok(records.into_iter().map(|record| (record.id, whole(record.fields))).collect())
}

/// The sync that each link field leads to.
fn parents(definition: &SyncDefinition) -> BTreeMap<Slug, String> {
    let links = definition.destination.links.iter();
    links.map(|link| (link.slug.clone(), link.parent.clone())).collect()
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
