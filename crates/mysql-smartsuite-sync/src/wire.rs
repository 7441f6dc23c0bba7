//! Real ports from settings: the database, SmartSuite, the state, locks, time and chance.

mod fitting;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sync_core::{
    change::ChangeLog,
    config::model::{CaptureMode, Config, OnDrift, SourceRows, SyncDefinition},
    error::{CallError, SourceError, SourceErrorKind, SourcePart},
    pace::Rate,
    port::{Boxed, Clock, ReadScope, RecordTarget, RowRead, RowSource},
    slug::Slug,
    state::{CallKind, StateError},
};
use sync_engine::{
    engine::{Engine, EngineParts},
    event::Observer,
    run::{SyncTask, TaskDrift},
    state::State,
};
use sync_mysql::{ConnectOptions, MysqlSource, SourceFinding};
use sync_smartsuite::{Address, ClientOptions, SmartSuiteClient, Solution};
use sync_store::{FileLocks, Keeping, OpenNote, SqliteStore, check};

use crate::{
    dice::SystemDice,
    environment::{Environment, Settings},
    failure::Failure,
    log_reader::LogReader,
    test_settings,
};

/// A state up to this size is looked through for damage at every start, which takes about 0.1 s. Larger ones are when
/// `schedule` starts, with every copy, and by `state show --check`.
const CHECKED_BYTES_MAX: u64 = 32_000_000;

/// Everything that syncs of this process share.
pub(crate) struct Wire {
    /// Runs syncs.
    pub(crate) engine: Engine,
    /// The same clock that the engine has.
    pub(crate) clock: Arc<dyn Clock>,
    /// What opening the state found worth saying.
    pub(crate) notes: Vec<String>,
    /// The state file, for those who only ask.
    pub(crate) state_path: PathBuf,
    client: Arc<SmartSuiteClient>,
    /// Names the API key without being it.
    pub(crate) key_digest: String,
    target: Arc<dyn RecordTarget>,
    address: Address,
    account: String,
    mysql: ConnectOptions,
    log: LogReader,
}

impl Wire {
    /// Opens the state and makes the ports. Nothing is connected yet.
    ///
    /// # Errors
    /// The state cannot be used, or SmartSuite's address cannot.
    pub(crate) fn new(
        settings: &Settings,
        config: &Config,
        environment: &Environment,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Failure> {
        let usage = Usage::of(settings, config, environment)?;
        let mut store = SqliteStore::open(&settings.local.state_path)?;
        if store.bytes() <= CHECKED_BYTES_MAX {
            check(&settings.local.state_path)?;
        }
        store.set_keeping(Keeping {
            effects: config.state.log_effects,
            payload: config.state.keep_refused_values,
            values: config.state.keep_values,
        });
        let clock = Arc::clone(&usage.clock);
        Self::on(store, clock, settings, &usage, observer)
    }

    /// Makes the ports on a state that is open, and with another clock than the system's.
    ///
    /// # Errors
    /// SmartSuite's address cannot be used.
    pub(crate) fn on(
        store: SqliteStore,
        clock: Arc<dyn Clock>,
        settings: &Settings,
        usage: &Usage,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Failure> {
        let address = settings.smartsuite.address().map_err(|error| refused(&error))?;
        let client =
            SmartSuiteClient::new(&settings.smartsuite).map_err(|error| refused(&error))?;
        let client = Arc::new(client);
        let path = store.path().to_owned();
        let notes = store.notes().iter().map(|note| note_text(note, &path)).collect();
        let state = State::on_thread(Box::new(store)).map_err(|error| {
            Failure::world(format!("no thread could be started: {error}"), "end other programs")
        })?;
        let log = LogReader::new(&settings.mysql, &path, Arc::clone(&clock));
        let key_digest = key_digest(&settings.smartsuite, &address);
        let engine = Engine::new(EngineParts {
            state,
            locks: Arc::new(FileLocks::beside(&path)),
            clock: Arc::clone(&clock),
            dice: Arc::new(SystemDice::new()),
            observer,
            rate: usage.rate,
            key_digest: key_digest.clone(),
            holder: holder(),
            dedicated_member: usage.dedicated_member,
        });
        Ok(Self {
            engine,
            clock,
            notes,
            state_path: path,
            key_digest,
            target: Arc::<SmartSuiteClient>::clone(&client),
            client,
            address,
            account: settings.smartsuite.account_id.clone(),
            mysql: settings.mysql.clone(),
            log,
        })
    }

    /// How the database is reached.
    pub(crate) fn mysql(&self) -> &ConnectOptions {
        &self.mysql
    }

    /// A sync with its two sides, its key columns known. Where its rows cannot be read, every read says so.
    pub(crate) async fn task(&self, definition: &SyncDefinition) -> SyncTask {
        self.task_that(definition, false).await
    }

    /// The same for a run: fields may be made for columns that are new (`on_drift: extend`), unless the run is held to a
    /// plan, which allows what it shows and nothing else.
    pub(crate) async fn task_to_run(&self, definition: &SyncDefinition) -> SyncTask {
        self.task_that(definition, !self.engine.is_overseen()).await
    }

    async fn task_that(&self, definition: &SyncDefinition, may_extend: bool) -> SyncTask {
        let resolved = self.resolved(definition).await;
        let (resolved, drift) = match resolved {
            Ok(definition) if definition.on_drift != OnDrift::Freeze => {
                let (definition, drift) = self.fitted(definition, may_extend).await;
                (Ok(definition), drift)
            }
            resolved => (resolved, TaskDrift::default()),
        };
        let source = resolved.and_then(|definition| Ok((self.source(&definition)?, definition)));
        let mut changes: Option<Arc<dyn ChangeLog>> = None;
        let (source, definition): (Arc<dyn RowSource>, _) = match source {
            Ok((source, definition)) => {
                let source = Arc::new(source);
                if definition.capture == CaptureMode::Binlog {
                    changes = Some(Arc::new(self.log.changes(Arc::clone(&source), &definition)));
                }
                (source, definition)
            }
            Err(error) => (Arc::new(Unusable(error)), definition.clone()),
        };
        SyncTask {
            definition: Arc::new(definition),
            source,
            changes,
            drift,
            target: Arc::clone(&self.target),
            host: self.address.host.clone(),
            account: self.account.clone(),
        }
    }

    /// A sync for those who only look: nothing of it can be read.
    pub(crate) fn bare_task(&self, definition: &SyncDefinition) -> SyncTask {
        SyncTask {
            definition: Arc::new(definition.clone()),
            source: Arc::new(Unusable(SourceError {
                about: SourcePart::Whole,
                kind: SourceErrorKind::Protocol,
                message: "the rows of this sync are not to be read".to_owned(),
                remedy: "please report this".to_owned(),
            })),
            changes: None,
            drift: TaskDrift::default(),
            target: Arc::clone(&self.target),
            host: self.address.host.clone(),
            account: self.account.clone(),
        }
    }

    /// The solutions that the key can see; one call.
    ///
    /// # Errors
    /// The state fails; inside, the call.
    pub(crate) async fn solutions(
        &self,
        task: &SyncTask,
    ) -> Result<Result<Vec<Solution>, CallError>, StateError> {
        self.engine.call_for(task, CallKind::Structure, self.client.solutions()).await
    }

    /// How many records a table holds, or of those how many with something in a field; one call.
    ///
    /// # Errors
    /// The state fails; inside, the call.
    pub(crate) async fn record_count(
        &self,
        task: &SyncTask,
        table: &str,
        filled: Option<&Slug>,
    ) -> Result<Result<Option<u64>, CallError>, StateError> {
        let call = self.client.record_count(table, filled);
        self.engine.call_for(task, CallKind::Structure, call).await
    }

    /// What stands in the way of following the database's log, for a sync that wants to.
    pub(crate) async fn log_findings(&self, definition: &SyncDefinition) -> Vec<SourceFinding> {
        if definition.capture != CaptureMode::Binlog {
            return Vec::new();
        }
        match self.source(definition) {
            Ok(source) => self.log.changes(Arc::new(source), definition).check().await,
            Err(_) => Vec::new(),
        }
    }

    /// The definition with its key columns: those of a table may be known to the database alone.
    ///
    /// # Errors
    /// The database cannot be asked, or its table has no primary key.
    pub(crate) async fn resolved(
        &self,
        definition: &SyncDefinition,
    ) -> Result<SyncDefinition, SourceError> {
        resolved_of(&self.mysql, definition).await
    }

    /// The rows of a sync, whose key columns are known.
    ///
    /// # Errors
    /// Its query cannot be used.
    pub(crate) fn source(&self, definition: &SyncDefinition) -> Result<MysqlSource, SourceError> {
        source_of(&self.mysql, definition)
    }
}

/// [`Wire::resolved`] without any other port.
///
/// # Errors
/// The database cannot be asked, or its table has no primary key.
pub(crate) async fn resolved_of(
    mysql: &ConnectOptions,
    definition: &SyncDefinition,
) -> Result<SyncDefinition, SourceError> {
    let mut definition = definition.clone();
    let source = &mut definition.source;
    if let (SourceRows::Table { name, .. }, true) = (&source.rows, source.primary_key.is_empty()) {
        source.primary_key = MysqlSource::primary_key(mysql, name).await?;
    }
    Ok(definition)
}

/// The rows of a sync, without any other port.
///
/// # Errors
/// Its query cannot be used.
pub(crate) fn source_of(
    mysql: &ConnectOptions,
    definition: &SyncDefinition,
) -> Result<MysqlSource, SourceError> {
    let destination = &definition.destination;
    let columns = destination.fields.iter().flat_map(|field| field.columns()).map(str::to_owned);
    let columns = columns.chain(destination.links.iter().flat_map(|link| link.from.clone()));
    // Each once, although a column may fill a field and a link.
    let columns: std::collections::BTreeSet<String> = columns.collect();
    MysqlSource::new(mysql.clone(), &definition.source, columns)
}

/// How the SmartSuite account may be used.
#[derive(Clone)]
pub(crate) struct Usage {
    /// How fast calls may leave.
    pub(crate) rate: Rate,
    /// Whether the token's member is used by this tool alone.
    pub(crate) dedicated_member: bool,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Usage {
    /// As the mapping file says.
    ///
    /// # Errors
    /// SmartSuite's address cannot be used.
    pub(crate) fn of(
        settings: &Settings,
        config: &Config,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let address = settings.smartsuite.address().map_err(|error| refused(&error))?;
        Ok(Self {
            rate: test_settings::rate(config, environment, &address)?,
            dedicated_member: config.dedicated_member,
            clock: test_settings::clock(environment, &address)?,
        })
    }
}

fn refused(error: &sync_smartsuite::OptionsError) -> Failure {
    Failure::usage(
        error.to_string(),
        "check SMARTSUITE_BASE_URL, SMARTSUITE_ACCOUNT_ID and SMARTSUITE_TOKEN",
    )
}

/// A source whose query cannot be used.
struct Unusable(SourceError);

impl RowSource for Unusable {
    fn open(&self, _scope: ReadScope) -> Boxed<'_, Result<Box<dyn RowRead>, SourceError>> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

/// [`test_settings::rate`] where the mapping file may be unusable: then the default.
pub(crate) fn rate_of(
    config: Option<&Config>,
    environment: &Environment,
    address: &Address,
) -> Result<Rate, Failure> {
    let usual = Config::default();
    test_settings::rate(config.unwrap_or(&usual), environment, address)
}

/// Names the API key without being it.
pub(crate) fn key_digest(options: &ClientOptions, address: &Address) -> String {
    let parts = [&address.url, &options.account_id, options.token.expose()];
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

/// Names this process, for people who wonder who holds a sync.
pub(crate) fn holder() -> String {
    let process = std::process::id();
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(machine) => format!("process {process} on {}", machine.trim()),
        Err(_) => format!("process {process}"),
    }
}

fn note_text(note: &OpenNote, path: &Path) -> String {
    let path = path.display();
    match note {
        OpenNote::TakenOver { backup, links } => format!(
            "took over the Python program's state `{path}` with {}; the original is kept as `{}`",
            crate::report::counted(*links, "link"),
            backup.display()
        ),
        OpenNote::Migrated { from, backup } => format!(
            "brought the state `{path}` up to date from version {from}; the file as it was is kept as `{}`",
            backup.display()
        ),
        OpenNote::MountPoint => format!(
            "the state file `{path}` is mounted by itself, so what SQLite keeps beside it is lost with the container: \
             mount its folder instead"
        ),
    }
}
