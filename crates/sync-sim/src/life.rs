//! A plan lived through: its steps are done to the world, its processes run beside them, and after each the oracle
//! looks. When the plan is at its end the faults stop, and everything must become right.

mod ending;
mod look;
mod meeting;
mod writing;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use jiff::Timestamp;
use smartsuite_emulator::{
    BulkAnswer, BulkBadItem, BulkOrder, Fault, FaultKind, OutOfRange, Profile,
};
use sync_core::{
    config::model::{
        ArchiveField, CaptureMode, Conversion, FieldMapping, OnDelete, OnPositionLost, SourceRows,
    },
    mutation,
    port::Clock as _,
    state::{RECORDS_OF_ANOTHER_SYNC, RunStatus, StateError},
};
use sync_engine::run::{RunOptions, RunOutcome, RunReport};

use crate::{
    breath::{Breath, ProcessClock},
    cast::{Actor, Cast, Ear, Sayings, Turn},
    coverage::Tally,
    disk::{Durable, StateCopy, lose},
    oracle::{Oracle, Seen, What, Wrong, wrong},
    plan::{Configuration, Fate, Gone, Launch, Plan, Setup, Step, Trap},
    source::OpenTransaction,
    world::{
        AMOUNT, ARCHIVED, EXTERNAL_ID, OTHER_EXTERNAL_ID, OTHER_TABLE, ProcessParts, TABLE, World,
    },
};

/// A world in which something was wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What.
    pub wrong: Wrong,
    /// What had happened until then.
    pub story: Vec<String>,
}

/// Lives through a plan.
///
/// # Errors
/// What was wrong.
pub fn live(plan: &Plan) -> Result<Tally, Box<Failure>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // The world before this one may have gone wrong in the midst of it.
        mutation::free_disk();
        let mut life = Life::new(plan);
        match life.whole(&plan.steps).await {
            Ok(()) => Ok(life.tally),
            Err(wrong) => {
                life.tell_requests();
                Err(Box::new(Failure { wrong, story: life.story }))
            }
        }
    })
}

/// Virtual time after which a world is taken to be endless.
const ENDLESS: Duration = Duration::from_hours(200);

/// Turns since the last process started after which one is taken never to end.
const TURNS_MAX: u32 = 30_000;

struct Life {
    world: World,
    setup: Setup,
    oracle: Oracle,
    cast: Cast,
    sayings: Sayings,
    /// Processes started so far.
    started: usize,
    /// Processes that had others beside them.
    in_company: BTreeSet<usize>,
    /// Processes that may let any number of records go.
    allowed: BTreeSet<usize>,
    phases: look::Phases,
    transactions: BTreeMap<i64, (OpenTransaction, char)>,
    old_state: Option<StateCopy>,
    /// How much of the log has reached the disk, as of this number of durable commits.
    durable: (u64, Durable),
    /// The key columns are known to the state for certain.
    key_is_known: bool,
    /// Another field carries the key, and no run has succeeded since.
    field_is_new: bool,
    amount_is_mapped: bool,
    title_is_amount: bool,
    successes: u64,
    faults: u64,
    deaths: u64,
    calls: u64,
    failed_reads: u64,
    /// A write may take effect after a later one of the same record was answered: nothing tells before the second look.
    has_late_writes: bool,
    /// Turns taken since the last process started.
    turns: u32,
    tally: Tally,
    story: Vec<String>,
}

impl Life {
    fn new(plan: &Plan) -> Self {
        let mut world = World::new(plan.seed, profile(&plan.setup));
        world.dedicated_member = plan.setup.dedicated;
        world.database.yield_at_most(plan.setup.batch_rows);
        world.database.slow_down(Duration::from_millis(plan.setup.batch_takes_ms));
        arrange(&mut world, &plan.setup);
        Self {
            world,
            setup: plan.setup.clone(),
            oracle: Oracle::new(plan.setup.gone, plan.setup.dedicated),
            cast: Cast::default(),
            sayings: Sayings::default(),
            started: 0,
            in_company: BTreeSet::new(),
            allowed: BTreeSet::new(),
            phases: look::Phases::default(),
            transactions: BTreeMap::new(),
            old_state: None,
            durable: (mutation::durable_commits(), Durable::default()),
            key_is_known: false,
            field_is_new: false,
            amount_is_mapped: true,
            title_is_amount: false,
            successes: 0,
            faults: 0,
            deaths: 0,
            calls: 0,
            failed_reads: 0,
            has_late_writes: false,
            turns: 0,
            tally: Tally::default(),
            story: Vec::new(),
        }
    }

    async fn whole(&mut self, steps: &[Step]) -> Result<(), Wrong> {
        for step in steps {
            self.tell(&format!("{step:?}"));
            self.take(step).await?;
            self.look()?;
        }
        self.come_to_rest().await?;
        let rows = self.oracle.rows().len() as u64;
        self.tally.worlds.push([rows, self.faults, self.deaths, self.calls]);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    fn tell(&mut self, what: &str) {
        let since = self.world.clock.elapsed();
        self.story.push(format!("{:>9.3} {what}", since.as_secs_f64()));
    }

    async fn take(&mut self, step: &Step) -> Result<(), Wrong> {
        match step {
            Step::Write(changes) => changes.iter().for_each(|change| self.write(*change)),
            Step::People(edits) => edits.iter().for_each(|edit| self.edit(*edit)),
            Step::Faults(traps) => traps.iter().for_each(|trap| self.set(trap)),
            Step::BlindLookUps(times) => self.world.network.blind_look_ups(*times),
            Step::DatabaseDown(reads) => self.world.database.break_reads(*reads),
            Step::ReadBreaks(batches) => self.world.database.break_after(*batches),
            Step::HideKeys(rows) => self.world.database.hide_keys(rows.iter().copied()),
            Step::KeysBreak => self.world.database.break_keys(),
            Step::LogPurged => self.purge_log(),
            Step::LogUnnamed => self.unname_log(),
            Step::DatabaseRestarts => self.restart_database(),
            Step::Resync(rows) => rows.iter().for_each(|(id, value)| self.resync(*id, *value)),
            Step::Start(launch) => self.start(*launch)?,
            Step::Wait(milliseconds) => {
                let until = self.now().saturating_add(Duration::from_millis(*milliseconds));
                self.drive(until.ok()).await?;
            }
            Step::Meet(stand, blow) => {
                self.meet(&format!("{stand:?}"), *blow, |life| life.stands().contains(stand))
                    .await?;
            }
            Step::MeetLookUp(blow) => {
                self.meet("LookUp", *blow, |life| life.world.network.look_ups_on_the_wire() > 0)
                    .await?;
            }
            Step::Finish => self.drive(None).await?,
            Step::LoseState | Step::BackUpState | Step::RestoreState => {
                self.drive(None).await?;
                self.state_file(step);
            }
            Step::Configure(configuration) => {
                self.drive(None).await?;
                self.configure(*configuration).await?;
            }
        }
        Ok(())
    }

    fn restart_database(&mut self) {
        self.strike("database restart");
        self.transactions.clear();
        self.world.database.restart();
    }

    fn purge_log(&mut self) {
        if self.setup.log_batch.is_some() {
            self.strike("log purged");
            self.world.database.purge_log();
        }
    }

    fn unname_log(&mut self) {
        if self.setup.log_batch.is_some() {
            self.strike("log without names");
            self.world.database.log_unnamed();
        }
    }

    fn set(&mut self, trap: &Trap) {
        let mut fault =
            Fault::new(trap.fault).on(&[trap.route]).skip(trap.skip).times(Some(trap.times));
        // Late effects and delays are what they are, before or after.
        if trap.after && !matches!(trap.fault, FaultKind::Late { .. }) {
            fault = fault.after_the_effect();
        }
        self.world.network.emulator().add_fault(fault);
    }

    fn state_file(&mut self, step: &Step) {
        let path = self.world.state_path();
        match step {
            Step::BackUpState => {
                let copy = StateCopy::of(&path);
                self.old_state = copy.is_some().then_some(copy);
                return;
            }
            Step::LoseState => {
                self.strike("state lost");
                lose(&path);
            }
            _ => {
                let Some(copy) = &self.old_state else { return };
                let copy = copy.clone();
                self.strike("old state put back");
                copy.restore();
            }
        }
        self.phases.is_restored = true;
        self.oracle.state_forgets();
        self.key_is_known = false;
        self.forget_marks();
        self.world.database.forget_looks();
        let now = self.now();
        self.oracle.gate_forgets(now);
    }

    /// Marks that people made may be gone.
    fn forget_marks(&mut self) {
        for id in std::mem::take(&mut self.phases.marked) {
            self.oracle.may_be_unnoticed(id);
        }
    }

    async fn configure(&mut self, configuration: Configuration) -> Result<(), Wrong> {
        let definition = &mut self.world.definition;
        match configuration {
            Configuration::Amount(is_mapped) => {
                self.amount_is_mapped = is_mapped;
                definition.destination.fields.retain(|field| &*field.slug != AMOUNT);
                if is_mapped {
                    let amount =
                        FieldMapping::of_column("amount", AMOUNT.into(), Conversion::Automatic);
                    definition.destination.fields.push(amount);
                }
            }
            Configuration::TitleIsAmount(is_amount) => {
                self.title_is_amount = is_amount;
                let column = if is_amount { "amount" } else { "name" };
                let title = FieldMapping::of_column(column, "title".into(), Conversion::Automatic);
                let fields = &mut definition.destination.fields;
                fields.retain(|field| &*field.slug != "title");
                fields.insert(0, title);
            }
            Configuration::OtherTable(other) => {
                let table = if other { OTHER_TABLE } else { TABLE };
                table.clone_into(&mut definition.destination.table_id);
            }
            Configuration::OtherExternalId(other) => {
                let field = if other { OTHER_EXTERNAL_ID } else { EXTERNAL_ID };
                if &*definition.destination.external_id_field != field {
                    definition.destination.external_id_field = field.into();
                    self.field_is_new = true;
                }
            }
            Configuration::Rename(number) => {
                let name = format!("items {number}");
                if name != definition.name {
                    definition.previously = Some(std::mem::replace(&mut definition.name, name));
                }
            }
            Configuration::OtherKey => {
                if self.key_is_known {
                    return self.other_key().await;
                }
                return Ok(());
            }
        }
        self.strike("definition changed");
        Ok(())
    }

    /// Somebody names another key column: the program must say so and do nothing.
    async fn other_key(&mut self) -> Result<(), Wrong> {
        let key = std::mem::replace(
            &mut self.world.definition.source.primary_key,
            vec!["name".to_owned()],
        );
        self.strike("key columns changed");
        mutation::free_disk();
        let ended = self.world.process().run(RunOptions::default()).await;
        self.world.definition.source.primary_key = key;
        match ended {
            Err(StateError::KeyChanged { .. }) => Ok(()),
            other => wrong(What::KeyChangeAccepted, format!("{other:?}")),
        }
    }

    fn start(&mut self, launch: Launch) -> Result<(), Wrong> {
        let ear = Arc::new(Ear {
            number: self.started,
            sayings: Arc::clone(&self.sayings),
            clock: self.world.clock,
            calls: 0.into(),
            reports: std::sync::Mutex::default(),
        });
        self.started += 1;
        self.turns = 0;
        let breath = Breath::default();
        let parts = ProcessParts {
            observer: Arc::<Ear>::clone(&ear),
            breath: breath.clone(),
            pages_more: launch.pages,
        };
        let process = match self.world.process_of(parts) {
            Ok(process) => process,
            Err(error) => return wrong(What::StateFailed, error.to_string()),
        };
        let now = self.now();
        self.oracle.process_begins(now, self.cast.actors.is_empty());
        if !self.cast.actors.is_empty() {
            self.in_company.insert(ear.number);
            self.in_company.extend(self.cast.actors.iter().map(|actor| actor.ear.number));
        }
        if matches!(launch.fate, Fate::LosesPower(..)) {
            self.forget_marks();
        }
        if launch.yes {
            self.allowed.insert(ear.number);
        }
        let options = RunOptions {
            full: launch.full,
            retry: launch.retry,
            allow_deletes: launch.yes.then_some(u64::MAX),
            follow: (launch.follows > 0).then(|| Duration::from_secs(launch.follows)),
            ..RunOptions::default()
        };
        let clock = ProcessClock { clock: self.world.clock, breath };
        let actor = Actor::new(process, options, launch.runs, ear, &clock, launch.fate);
        self.cast.actors.push(actor);
        Ok(())
    }

    /// Lets the processes run until a moment, or until all have ended.
    async fn drive(&mut self, until: Option<Timestamp>) -> Result<(), Wrong> {
        loop {
            let next = self.cast.next_to_go_on().into_iter().chain(until).min();
            if until.is_none() && self.cast.actors.is_empty() {
                return Ok(());
            }
            let turn = self.next_turn(next).await;
            self.hear()?;
            if turn.is_none() && until.is_some_and(|until| self.now() >= until) {
                return Ok(());
            }
            self.came(turn).await?;
        }
    }

    /// A turn was taken.
    async fn came(&mut self, turn: Option<Turn>) -> Result<(), Wrong> {
        match turn {
            None | Some(Turn::Taken) => {}
            Some(Turn::Ended(ended)) => self.ended(&ended.0, ended.1)?,
            Some(Turn::Due(place)) => self.strikes(place).await,
            Some(Turn::DueToDie(place)) => self.kill(place).await,
        }
        self.moves_on()
    }

    /// A process must come to its end.
    fn moves_on(&mut self) -> Result<(), Wrong> {
        self.turns += 1;
        if self.world.clock.elapsed() > ENDLESS || self.turns > TURNS_MAX {
            return wrong(What::Endless, "a process does not come to its end");
        }
        Ok(())
    }

    /// The next turn of some process; `None`: the moment has come.
    async fn next_turn(&mut self, moment: Option<Timestamp>) -> Option<Turn> {
        let clock = self.world.clock;
        let wait =
            moment.map(|at| Duration::try_from(at.duration_since(clock.now())).unwrap_or_default());
        if wait.is_some_and(|wait| wait.is_zero()) && self.cast.actors.is_empty() {
            return None;
        }
        let mut alarm = clock.sleep(wait.unwrap_or(ENDLESS));
        let (cast, network) = (&mut self.cast, &self.world.network);
        poll_fn(move |context| {
            if network.has_struck(context.waker()) {
                return Poll::Ready(None);
            }
            if let Poll::Ready(turn) = cast.turn(&clock, context) {
                return Poll::Ready(Some(turn));
            }
            alarm.as_mut().poll(context).map(|()| None)
        })
        .await
    }

    /// The fate of a process strikes.
    async fn strikes(&mut self, place: usize) {
        match self.cast.actors[place].fate {
            Fate::Ends => {}
            Fate::Dies(_) => self.kill(place).await,
            Fate::LosesPower(_, choice) => self.lose_power(choice).await,
            Fate::Stops { seconds, .. } => {
                self.stop(place, seconds);
                let fate = self.cast.actors[place].fate;
                if let Fate::Stops { at, seconds, dies } = fate {
                    // It does not strike again.
                    let never = crate::plan::Moment { calls: u32::MAX, ..at };
                    self.cast.actors[place].fate = Fate::Stops { at: never, seconds, dies };
                }
            }
        }
    }

    /// A process stands still for so many seconds.
    fn stop(&mut self, place: usize, seconds: u64) {
        self.strike_of(place, "stopped");
        self.oracle.shock(self.now());
        let until = self.now().saturating_add(Duration::from_secs(seconds));
        self.cast.actors[place].stop_until(until.unwrap_or(Timestamp::MAX));
    }

    /// SIGKILL: the process is gone, and what it had written is there.
    async fn kill(&mut self, place: usize) {
        self.strike_of(place, "SIGKILL");
        self.deaths += 1;
        self.oracle.shock(self.now());
        let is_last = self.cast.actors.len() == 1;
        // Closing the last connection would fold the log into the file, which a killed process does not do.
        let copy = is_last.then(|| StateCopy::of(&self.world.state_path()));
        let actor = self.cast.actors.remove(place);
        self.phases.dies(actor.ear.number);
        gone(actor).await;
        if let Some(copy) = copy {
            copy.restore();
        }
    }

    /// Every process is gone, and what had not reached the disk.
    async fn lose_power(&mut self, choice: u32) {
        self.strike("power cut");
        self.deaths += self.cast.actors.len() as u64;
        let copy = StateCopy::of(&self.world.state_path()).cut(self.durable.1, choice);
        for actor in std::mem::take(&mut self.cast.actors) {
            self.phases.dies(actor.ear.number);
            gone(actor).await;
        }
        copy.restore();
        if self.successes < 2 {
            // What the first run wrote may be gone with who the member is.
            self.oracle.state_forgets();
        }
        self.key_is_known = false;
        self.forget_marks();
        self.world.database.forget_looks();
        let now = self.now();
        self.oracle.gate_forgets(now);
    }

    /// A process came to its end.
    fn ended(&mut self, actor: &Actor, ended: Result<RunReport, StateError>) -> Result<(), Wrong> {
        self.calls += u64::from(actor.ear.calls.load(Ordering::SeqCst));
        if matches!(ended, Err(StateError::DiskFull)) {
            self.faults += 1;
            self.oracle.shock(self.now());
            self.strike_full(actor.ear.number);
        }
        self.phases.ends(actor.ear.number);
        match ended {
            Ok(report) => self.reported(actor.ear.number, &report),
            Err(StateError::DiskFull) => {
                mutation::free_disk();
                self.tell(&format!("process {}: the disk is full", actor.ear.number));
                self.phases.dies(actor.ear.number);
                Ok(())
            }
            Err(StateError::UnresolvedCreates { .. }) if self.field_is_new => {
                self.tell("the key's field cannot change yet");
                let field = &mut self.world.definition.destination.external_id_field;
                let other = if &**field == EXTERNAL_ID { OTHER_EXTERNAL_ID } else { EXTERNAL_ID };
                *field = other.into();
                Ok(())
            }
            Err(error) => wrong(What::StateFailed, error.to_string()),
        }
    }

    /// A run came to its end.
    fn reported(&mut self, number: usize, report: &RunReport) -> Result<(), Wrong> {
        self.tell(&format!("process {number}: {:?} {:?}", report.outcome, report.books));
        match &report.outcome {
            RunOutcome::Busy => {
                self.strike("busy");
                if !self.in_company.contains(&number) {
                    return wrong(What::BusyForNobody, format!("process {number}"));
                }
            }
            RunOutcome::Stopped(_) => {}
            RunOutcome::Ran { status, trouble } => {
                self.tally.runs += 1;
                if trouble.as_ref().is_some_and(|trouble| trouble.code == RECORDS_OF_ANOTHER_SYNC) {
                    self.name_former_sync();
                }
                if !report.books.rows_balance() || !report.books.entries_balance() {
                    return wrong(What::Unbalanced, format!("{:?}", report.books));
                }
                if *status == RunStatus::Success {
                    self.successes += 1;
                    // What an earlier run found without knowing the member counts as adopted.
                    let is_first = self.tally.runs == 1 && self.faults == 0 && self.deaths == 0;
                    if is_first && report.books.created > 0 {
                        self.oracle.state_knows_its_member();
                    }
                    self.key_is_known = true;
                    self.field_is_new = false;
                    self.phases.is_restored = false;
                }
            }
        }
        Ok(())
    }

    /// People renamed the sync more than once before it ran, or put back a state from before: they say which one it was.
    fn name_former_sync(&mut self) {
        let former = || -> rusqlite::Result<String> {
            self.open_state()?.query_row(
                "SELECT name FROM syncs AS s WHERE EXISTS (SELECT 1 FROM links AS l WHERE l.sync_id = s.id)",
                [],
                |row| row.get(0),
            )
        };
        let former = former().ok();
        self.tell(&format!("the sync was {former:?}"));
        self.world.definition.previously = former;
    }

    /// The live records of a table.
    fn seen(&self, table: &str) -> Vec<Seen> {
        self.world.dump(table).iter().map(Seen::of).collect()
    }
}

/// Waits until everything of a process is gone: calls that have not left are given up in a turn of their own.
async fn gone(actor: Actor) {
    let ear = Arc::clone(&actor.ear);
    drop(actor);
    for _ in 0..1_000 {
        if Arc::strong_count(&ear) == 1 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("a dead process goes on");
}

/// The definition and the database of a world.
fn arrange(world: &mut World, setup: &Setup) {
    let definition = &mut world.definition;
    definition.destination.on_delete = match setup.gone {
        Gone::Stay => OnDelete::Ignore,
        Gone::Deleted => OnDelete::Delete { adopted: false },
        Gone::AllDeleted => OnDelete::Delete { adopted: true },
        Gone::Archived => OnDelete::Archive(ArchiveField {
            slug: ARCHIVED.into(),
            value: "gone".into(),
            restored: None,
        }),
    };
    if setup.soft {
        definition.source.deleted_field = Some("deleted".into());
        world.database.mark_deleted([]);
    }
    if let Some(rows) = setup.page_rows {
        definition.source.rows = SourceRows::Table { name: "items".into(), filter: None };
        definition.capture = CaptureMode::Table;
        world.database.page_rows(rows);
    }
    if setup.log_batch.is_some() {
        definition.capture = CaptureMode::Binlog;
        definition.on_position_lost = OnPositionLost::Repair;
        world.log_batch = setup.log_batch;
    }
}

fn profile(setup: &Setup) -> Profile {
    let mut profile = setup.profile.profile();
    profile.out_of_range = OutOfRange::Refuse;
    if setup.half_written {
        profile.bulk_bad_item = BulkBadItem::PartialThenRefuse;
    }
    if setup.shuffled {
        profile.bulk_order = BulkOrder::Shuffled;
        profile.bulk_answer = BulkAnswer::Outcomes;
    }
    profile
}
