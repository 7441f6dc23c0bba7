//! One world: a database, the emulator, a state file, and the real engine between them.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, sync::Mutex, sync::PoisonError};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use smartsuite_emulator::{
    DEMO_ACCOUNT, DEMO_TOKEN, Emulator, EmulatorBuilder, ObjectId, Outcome, Plan, Profile,
    RouteKind, TableSeed,
};
use sync_core::{
    change::ChangeLog,
    config::model::{
        CaptureMode, Conversion, DestinationDefinition, FieldMapping, OnDelete, OnDrift, OnMissing,
        OnPositionLost, QueryText, SourceDefinition, SourceRows, SyncDefinition, WriteMode,
    },
    key::Key,
    pace::Rate,
    port::{Clock, RowSource},
    secret::Secret,
    state::StateError,
};
use sync_engine::{
    engine::{Engine, EngineParts},
    event::{Event, Observer},
    run::{RunOptions, RunReport, SyncTask, TaskDrift},
    state::State,
    verify::{DedupeOptions, DedupeReport, VerifyOptions, VerifyReport},
};
use sync_smartsuite::{ClientOptions, SmartSuiteClient};
use sync_store::{FileLocks, SqliteStore, StateReader};
use tokio_util::sync::CancellationToken;

use crate::{
    breath::{Breath, ProcessClock},
    clock::{SimClock, SimDice},
    network::SimNetwork,
    source::SimDatabase,
    stream::SimLog,
};

/// The table every world writes to.
pub const TABLE: &str = "6500000000000000000000aa";
/// A second table of the same shape.
pub const OTHER_TABLE: &str = "6500000000000000000000bb";
/// Its external-id field.
pub const EXTERNAL_ID: &str = "sextidaaaa";
/// A field that could carry the key as well.
pub const OTHER_EXTERNAL_ID: &str = "sextidbbbb";
/// A field that people write.
pub const NOTE: &str = "snoteaaaaa";
/// A field of choices, with one: `Active`.
pub const STATUS: &str = "sstatusaaa";
/// Its number field, a slider: the service refuses what is above [`AMOUNT_MAX`], and the mapping cannot know.
pub const AMOUNT: &str = "samountaaa";
/// The second table's field that links to records of the first.
pub const LINK: &str = "slinkaaaaa";
/// The second table's field that links to records of its own.
pub const OWN_LINK: &str = "sownlnkaaa";
/// The first table's field that links to records of the second.
pub const BACK_LINK: &str = "sbcklnkaaa";
/// A field that says that a record's row is gone.
pub const ARCHIVED: &str = "sarchvaaaa";
/// The largest amount that the service takes.
pub const AMOUNT_MAX: i64 = 10_000;

/// A world; everything in it lives in virtual time.
pub struct World {
    /// Time.
    pub clock: SimClock,
    /// The source.
    pub database: SimDatabase,
    /// The way to the destination.
    pub network: SimNetwork,
    /// The sync's definition; changes count from the next run on.
    pub definition: SyncDefinition,
    /// Whether the token's member is the tool's alone.
    pub dedicated_member: bool,
    /// Changes that the database's log names at once, where the sync follows it.
    pub log_batch: Option<usize>,
    /// Everything the engine said.
    pub events: Arc<Events>,
    folder: tempfile::TempDir,
    seed: u64,
}

/// Cancels when an event of a kind is seen.
type Alarm = (fn(&Event) -> bool, CancellationToken);

/// Collects events.
#[derive(Debug, Default)]
pub struct Events {
    said: Mutex<Vec<Event>>,
    alarm: Mutex<Option<Alarm>>,
}

impl Observer for Events {
    fn observe(&self, _sync: &str, event: &Event) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        if let Some((is_it, token)) = &*self.alarm.lock().unwrap_or_else(PoisonError::into_inner)
            && is_it(event)
        {
            token.cancel();
        }
    }
}

impl Events {
    /// What was said so far, and forgets it.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Cancels `token` when an event of this kind is said.
    pub fn cancel_at(&self, is_it: fn(&Event) -> bool, token: &CancellationToken) {
        *self.alarm.lock().unwrap_or_else(PoisonError::into_inner) = Some((is_it, token.clone()));
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// A process: an engine that has not yet done anything. Dropping it is its death.
#[derive(Debug)]
pub struct Process {
    engine: Engine,
    task: SyncTask,
}

/// What is special about a process.
#[derive(Clone)]
pub struct ProcessParts {
    /// Who hears what its engine says.
    pub observer: Arc<dyn Observer>,
    /// Whether it may go on.
    pub breath: Breath,
    /// How many pages the state file may grow by, on a disk that is nearly full.
    pub pages_more: Option<u32>,
}

impl std::fmt::Debug for ProcessParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessParts").field("pages_more", &self.pages_more).finish_non_exhaustive()
    }
}

impl Process {
    /// Runs the sync once.
    pub async fn run(&self, options: RunOptions) -> Result<RunReport, StateError> {
        self.engine.run(&self.task, options, &CancellationToken::new()).await
    }

    /// Compares both sides.
    pub async fn verify(&self, options: &VerifyOptions<'_>) -> Result<VerifyReport, StateError> {
        self.engine.verify(&self.task, options, &CancellationToken::new()).await
    }

    /// Looks for records that share an external id.
    pub async fn dedupe(&self, options: &DedupeOptions<'_>) -> Result<DedupeReport, StateError> {
        self.engine.dedupe(&self.task, options, &CancellationToken::new()).await
    }

    /// Another sync of the same process.
    #[must_use]
    pub fn beside(&self, definition: &SyncDefinition, database: &SimDatabase) -> Self {
        let task = SyncTask {
            definition: Arc::new(definition.clone()),
            source: Arc::new(database.clone()),
            ..self.task.clone()
        };
        Self { engine: self.engine.clone(), task }
    }

    /// The same process, whose calls somebody counts.
    #[cfg(test)]
    pub(crate) fn governed_by(self, governor: Arc<dyn sync_engine::governor::Governor>) -> Self {
        Self { engine: self.engine.governed_by(governor), task: self.task }
    }

    /// The same process, whose sync has another definition and other rows.
    #[must_use]
    pub fn reading(&self, definition: &SyncDefinition, source: Arc<dyn RowSource>) -> Self {
        let task =
            SyncTask { definition: Arc::new(definition.clone()), source, ..self.task.clone() };
        Self { engine: self.engine.clone(), task }
    }

    /// Runs the sync once, until `cancelled`.
    pub async fn run_until(&self, cancelled: &CancellationToken) -> Result<RunReport, StateError> {
        self.engine.run(&self.task, RunOptions::default(), cancelled).await
    }
}

impl World {
    /// An empty world whose emulator behaves as `profile` says. Must be made inside a paused runtime.
    pub fn new(seed: u64, profile: Profile) -> Self {
        let base = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_790_000_000);
        let clock = SimClock::new(base);
        let emulator = service(seed, profile).now(base).build().expect("the seed is valid");
        Self {
            clock,
            database: SimDatabase::new(clock),
            network: SimNetwork::new(emulator, clock, seed),
            definition: definition(),
            dedicated_member: true,
            log_batch: None,
            events: Arc::default(),
            folder: tempfile::tempdir_in(memory()).expect("a temporary folder"),
            seed,
        }
    }

    /// The state file.
    pub fn state_path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    /// Starts a process on the state file.
    pub fn process(&self) -> Process {
        let observer: Arc<dyn Observer> = Arc::<Events>::clone(&self.events);
        let ordinary = ProcessParts { observer, breath: Breath::default(), pages_more: None };
        self.process_of(ordinary).expect("the state opens")
    }

    /// Starts a process of these parts on the state file.
    ///
    /// # Errors
    /// The state cannot be opened.
    pub fn process_of(&self, parts: ProcessParts) -> Result<Process, StateError> {
        let path = self.state_path();
        let ProcessParts { observer, breath, pages_more } = parts;
        let mut store = SqliteStore::open(&path)?;
        if let Some(pages) = pages_more {
            store.limit_growth(pages)?;
        }
        let task = self.task_of(&breath);
        let clock = ProcessClock { clock: self.clock, breath };
        let engine = self.engine(store, Arc::new(clock), observer);
        Ok(Process { engine, task })
    }

    /// The client of a process.
    fn client(&self, breath: &Breath) -> Arc<SmartSuiteClient> {
        let mut options = ClientOptions::new(DEMO_ACCOUNT, Secret::new(DEMO_TOKEN));
        options.base_url = "http://127.0.0.1:1".into();
        let network = self.network.of(breath);
        let client = SmartSuiteClient::with_transport(&options, Arc::new(network))
            .expect("the options are valid");
        Arc::new(client)
    }

    /// An engine on a state.
    pub(crate) fn engine(
        &self,
        store: SqliteStore,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Engine {
        let locks = Arc::new(FileLocks::beside(store.path()));
        Engine::new(EngineParts {
            state: State::inline(Box::new(store)),
            locks,
            clock,
            dice: Arc::new(SimDice::new(self.seed)),
            observer,
            rate: Rate(4),
            key_digest: "key".into(),
            holder: "simulated".into(),
            dedicated_member: self.dedicated_member,
        })
    }

    /// The sync with its two sides.
    #[cfg(test)]
    pub(crate) fn task(&self) -> SyncTask {
        self.task_of(&Breath::default())
    }

    /// The same, for a process that may be stopped.
    fn task_of(&self, breath: &Breath) -> SyncTask {
        let log = self.log_batch.map(|changes_max| SimLog {
            database: self.database.clone(),
            clock: self.clock,
            breath: breath.clone(),
            changes_max,
        });
        SyncTask {
            definition: Arc::new(self.definition.clone()),
            source: Arc::new(self.database.clone()),
            changes: log.map(|log| Arc::new(log) as Arc<dyn ChangeLog>),
            drift: TaskDrift::default(),
            target: self.client(breath),
            host: "127.0.0.1".into(),
            account: DEMO_ACCOUNT.into(),
        }
    }

    /// Runs the sync once in a process of its own.
    pub async fn run(&self) -> RunReport {
        self.process().run(RunOptions::default()).await.expect("the state works")
    }

    /// The live records of the table that the definition names: external id to (title, amount) of each record that
    /// carries it.
    pub fn records(&self) -> BTreeMap<String, Vec<(String, String)>> {
        self.records_in(&self.definition.destination.table_id)
    }

    /// The same of any table.
    pub fn records_in(&self, table: &str) -> BTreeMap<String, Vec<(String, String)>> {
        let mut records: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for record in self.dump(table) {
            let text = |slug: &str| match &record[slug] {
                Json::String(text) => text.clone(),
                Json::Null => String::new(),
                other => other.to_string(),
            };
            records.entry(text(EXTERNAL_ID)).or_default().push((text("title"), text(AMOUNT)));
        }
        records
    }

    /// The live records of a table, as the service shows them.
    pub fn dump(&self, table: &str) -> Vec<Json> {
        let dump = self.side_door("GET", &format!("/_emulator/tables/{table}/dump"), &Json::Null);
        dump["records"].as_array().cloned().unwrap_or_default()
    }

    /// What the records should be.
    pub fn wished(&self) -> BTreeMap<String, Vec<(String, String)>> {
        self.wished_of(&self.definition, &self.database)
    }

    /// What the records of another sync should be.
    pub fn wished_of(
        &self,
        definition: &SyncDefinition,
        database: &SimDatabase,
    ) -> BTreeMap<String, Vec<(String, String)>> {
        let prefix = &definition.destination.key_prefix;
        let rows = database.rows().into_iter();
        rows.map(|(id, row)| {
            let external_id = database.key(id).external_id(prefix);
            (external_id, vec![(row.name, row.amount.to_string())])
        })
        .collect()
    }

    /// How many requests of a kind the emulator received since the log was cleared.
    pub fn requests(&self, kind: RouteKind) -> usize {
        self.network.emulator().log().filter(|entry| entry.route == kind).count()
    }

    /// How many requests the emulator received since the log was cleared.
    pub fn all_requests(&self) -> usize {
        self.network.emulator().log().count()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.network.emulator().clear_log();
    }

    /// A person edits the table: see the emulator's `people` route.
    pub fn person(&self, edit: &Json) -> Json {
        let mut body = edit.clone();
        if body.get("table").is_none() {
            body["table"] = json!(self.definition.destination.table_id);
        }
        self.side_door("POST", "/_emulator/people", &body)
    }

    /// So many of the month's calls are used, by whomever.
    pub fn use_up(&self, calls: u64) {
        let body = json!({ "account": DEMO_ACCOUNT, "used": calls });
        self.side_door("POST", "/_emulator/quota", &body);
    }

    /// How many requests were answered with this status since the log was cleared.
    pub fn answered(&self, status: u16) -> usize {
        self.network.emulator().log().filter(|entry| entry.status == status).count()
    }

    /// The ids of the live records with an external id.
    pub fn record_ids(&self, external_id: &str) -> Vec<String> {
        self.dump(&self.definition.destination.table_id)
            .iter()
            .filter(|record| record[EXTERNAL_ID].as_str() == Some(external_id))
            .filter_map(|record| record["id"].as_str().map(str::to_owned))
            .collect()
    }

    /// The service anew, with a workspace on this plan.
    pub fn change_plan(&mut self, plan: Plan, profile: Profile) {
        let service = service(self.seed, profile).now(Clock::now(&self.clock)).plan(plan);
        let emulator = service.build().expect("the seed is valid");
        self.network = SimNetwork::new(emulator, self.clock, self.seed);
    }

    /// Another service, with this table alone.
    pub fn replace_table(&mut self, table: TableSeed, profile: Profile) {
        let emulator = Emulator::builder()
            .profile(profile)
            .chance(self.seed)
            .now(Clock::now(&self.clock))
            .table(table)
            .keep_bodies()
            .build()
            .expect("the seed is valid");
        self.network = SimNetwork::new(emulator, self.clock, self.seed);
    }

    /// A database beside the world's own.
    pub fn another_database(&self) -> SimDatabase {
        SimDatabase::new(self.clock)
    }

    /// The table, as the service describes it to whoever asks.
    pub fn table_now(&self) -> Json {
        let table = &self.definition.destination.table_id;
        self.side_door("GET", &format!("/api/v1/applications/{table}/"), &Json::Null)
    }

    /// Somebody else sets a field's choices to these labels, at once; a label's id is itself.
    pub fn set_choices(&self, slug: &str, labels: &[&str]) {
        let table = &self.definition.destination.table_id;
        let structure = self.table_now();
        let fields = structure["structure"].as_array().cloned().unwrap_or_default();
        let mut field =
            fields.into_iter().find(|field| field["slug"] == slug).expect("the table has it");
        let mut choices = field["params"]["choices"].as_array().cloned().unwrap_or_default();
        for label in labels {
            if !choices.iter().any(|choice| choice["label"] == *label) {
                choices.push(json!({"value": label.to_lowercase(), "label": label}));
            }
        }
        field["params"]["choices"] = choices.into();
        let body = json!({
            "slug": slug, "label": field["label"], "field_type": field["field_type"], "params": field["params"],
        });
        self.side_door("PUT", &format!("/api/v1/applications/{table}/change_field/"), &body);
    }

    /// Why the row with this key stands in quarantine.
    pub fn quarantine_reason(&self, key: &str) -> String {
        let reader = StateReader::open(&self.state_path()).expect("the state opens");
        let known =
            reader.key(&self.definition.name, &Key::from_text(key)).expect("the state works");
        let faults = known.entries.into_iter().filter_map(|entry| entry.fault);
        faults.map(|fault| fault.reason.0).collect()
    }

    fn side_door(&self, method: &str, path: &str, body: &Json) -> Json {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Authorization", format!("Token {DEMO_TOKEN}"))
            .header("ACCOUNT-ID", DEMO_ACCOUNT)
            .body(bytes::Bytes::from(if body.is_null() { String::new() } else { body.to_string() }))
            .expect("a valid request");
        let now = Clock::now(&self.clock);
        match self.network.emulator().handle(now, &request) {
            Outcome::Answer { response, .. } => {
                assert!(response.status().is_success(), "{method} {path}: {:?}", response.body());
                if response.body().is_empty() {
                    return Json::Null;
                }
                serde_json::from_slice(response.body()).expect("the side door speaks JSON")
            }
            outcome => panic!("the side door always answers, not {outcome:?}"),
        }
    }
}

/// A folder in memory where the system has one: the power never fails in here, so nothing need reach a disk.
pub(crate) fn memory() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    if shared.is_dir() { shared } else { std::env::temp_dir() }
}

/// The service with a world's tables.
fn service(seed: u64, profile: Profile) -> EmulatorBuilder {
    Emulator::builder()
        .profile(profile)
        .chance(seed)
        .table(table(TABLE, "Items").field(
            BACK_LINK,
            "Others",
            "linkedrecordfield",
            linking(OTHER_TABLE),
        ))
        .table(
            table(OTHER_TABLE, "Other items")
                .field(LINK, "Items", "linkedrecordfield", linking(TABLE))
                .field(OWN_LINK, "Own", "linkedrecordfield", linking(OTHER_TABLE)),
        )
        .keep_bodies()
}

fn table(id: &str, name: &str) -> TableSeed {
    let id: ObjectId = id.parse().expect("a table id");
    TableSeed::new(id, name)
        .field("title", "Title", "recordtitlefield", json!({"primary": true}))
        .field(EXTERNAL_ID, "External ID", "textfield", json!({}))
        .field(
            AMOUNT,
            "Amount",
            "numbersliderfield",
            json!({"min_value": 0, "max_value": AMOUNT_MAX}),
        )
        .field(NOTE, "Note", "textfield", json!({}))
        .field(
            STATUS,
            "Status",
            "singleselectfield",
            json!({"choices": [
                {"value": "sta01", "label": "Active", "value_color": "#3A86FF", "value_order": 0},
            ]}),
        )
        .field(OTHER_EXTERNAL_ID, "Other external ID", "textfield", json!({}))
        .field(ARCHIVED, "Archived", "textfield", json!({}))
}

fn linking(table: &str) -> Json {
    json!({"linked_application": table, "entries_allowed": "multiple"})
}

/// `items(id, name, amount)` into the table.
fn definition() -> SyncDefinition {
    let field = |column: &str, slug: &str| {
        FieldMapping::of_column(column, slug.into(), Conversion::Automatic)
    };
    SyncDefinition {
        name: "items".into(),
        enabled: true,
        description: None,
        previously: None,
        freshness: None,
        priority: sync_core::budget::Priority::Normal,
        source: SourceDefinition {
            rows: SourceRows::Query {
                query: QueryText {
                    text: "SELECT id, name, amount FROM items \
                           WHERE updated_at >= :last_sync_time OR :last_sync_time IS NULL"
                        .into(),
                    line: 1,
                },
                keys: Some(QueryText { text: "SELECT id FROM items".into(), line: 1 }),
            },
            primary_key: vec!["id".into()],
            updated_at_field: Some("updated_at".into()),
            deleted_field: None,
            time_zone: None,
            related: Vec::new(),
        },
        destination: DestinationDefinition {
            table_id: TABLE.into(),
            external_id_field: EXTERNAL_ID.into(),
            key_prefix: String::new(),
            fields: vec![field("name", "title"), field("amount", AMOUNT)],
            links: Vec::new(),
            on_missing: OnMissing::Recreate,
            mode: WriteMode::Upsert,
            match_on: Vec::new(),
            on_delete: OnDelete::Ignore,
        },
        schedule: None,
        capture: CaptureMode::Query,
        on_drift: OnDrift::Freeze,
        on_position_lost: OnPositionLost::Stop,
        sweep: None,
        reconcile: None,
    }
}
