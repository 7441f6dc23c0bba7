//! `validate`: is everything in place? The mapping file, the settings and the state's place; with `--online` both
//! servers and both schemas too. All that is wrong is said at once.

mod room;

use std::sync::Arc;

use sync_core::{
    config::model::{Config, MappingTest, SyncDefinition},
    mapping::{self, CompiledMapping, FindingCode},
    state::StateError,
};
use sync_engine::event::Observer;
use sync_store::inspect;
use tokio::task::JoinSet;

use crate::{
    cli::{Global, ValidateArgs},
    command,
    environment::{Environment, Settings},
    exit::Exit,
    failure::Failure,
    mapping_file::MappingFile,
    mapping_test,
    report::{
        Screen,
        validation::{SyncCheck, Validation},
    },
    telemetry::LogObserver,
    wire::Wire,
};

/// Looks, and says what was found.
pub(crate) fn perform(
    global: &Global,
    args: &ValidateArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let flags = command::flags(global);
    let settings = environment.settings(&flags);
    let state = match environment.local_settings(&flags) {
        Ok(local) => Some((local.state_path.clone(), inspect(&local.state_path))),
        Err(_) => None,
    };
    let mut validation = Validation {
        file: MappingFile::read(&global.config, &environment),
        settings: settings.as_ref().err().cloned(),
        state,
        online: None,
    };
    let config = validation.file.as_ref().ok().and_then(|file| file.config.clone());
    if let (true, Some(config), Ok(settings)) = (args.online, config, settings) {
        validation.online = Some(look(&settings, &config, &environment));
    }
    let exit = validation.exit();
    if args.json {
        screen.say(&format!("{:#}", validation.json(args.online)));
    } else {
        screen.say(&validation.text(args.online, screen.out));
    }
    Ok(exit)
}

/// Asks both servers about every sync, disabled ones too.
fn look(
    settings: &Settings,
    config: &Config,
    environment: &Environment,
) -> Result<Vec<SyncCheck>, Failure> {
    let observer: Arc<dyn Observer> = Arc::new(LogObserver::default());
    let wire = Arc::new(Wire::new(settings, config, environment, observer)?);
    command::runtime()?.block_on(async {
        let mut under_way = JoinSet::new();
        for (place, definition) in config.syncs.iter().enumerate() {
            let (wire, definition) = (Arc::clone(&wire), definition.clone());
            let tests = config.tests.get(&definition.name).cloned().unwrap_or_default();
            under_way.spawn(async move { (place, check(&wire, definition, tests).await) });
        }
        let mut checks = Vec::new();
        while let Some(joined) = under_way.join_next().await {
            let (place, checked) = joined.map_err(|error| {
                Failure::world(
                    format!("a check ended in a fault of this program: {error}"),
                    "please report this",
                )
            })?;
            checks.push((place, checked?));
        }
        checks.sort_by_key(|(place, _)| *place);
        let mut checks: Vec<SyncCheck> = checks.into_iter().map(|(_, check)| check).collect();
        if let Some(plan) = config.plan {
            room::add_findings(&wire, plan, &mut checks).await?;
        }
        Ok(checks)
    })
}

async fn check(
    wire: &Wire,
    definition: SyncDefinition,
    tests: Vec<MappingTest>,
) -> Result<SyncCheck, StateError> {
    // As a run has it: without what fits no more, where it is to go on without that.
    let task = wire.task(&definition).await;
    let (definition, mut source) = match wire.resolved(&definition).await {
        Ok(_) => {
            let resolved = SyncDefinition::clone(&task.definition);
            let source = match wire.source(&resolved) {
                Ok(source) => source.check().await,
                Err(error) => Err(error),
            };
            (resolved, source)
        }
        Err(error) => (definition, Err(error)),
    };
    if let Ok(report) = &mut source {
        report.findings.extend(wire.log_findings(&definition).await);
        report.findings.sort_by_key(|finding| finding.severity);
    }
    let known = wire.engine.known_schemas(&task).await?;
    let table = wire.engine.look_at_table(&task).await?;
    let mut drift = Vec::new();
    let (mut findings, mut failed) = (Vec::new(), Vec::new());
    if let Ok(table) = &table {
        let columns = source.as_ref().map_or(&[][..], |source| &source.columns);
        let destination = &definition.destination;
        let mapping;
        (mapping, findings) =
            CompiledMapping::compile(destination, &definition.source, columns, table);
        if let (Some(mapping), Ok(source)) = (&mapping, &source) {
            findings.extend(mapping.refused_values(&source.values));
        }
        findings.extend(mapping::room::finding(&definition, table));
        if let Some(mapping) = mapping.filter(|_| source.is_ok()) {
            failed = mapping_test::run(&tests, &definition.source, columns, &mapping, table);
        }
        if let (Some((known, _)), Ok(_)) = (known, &source) {
            drift = known.drift(destination, &definition.source, columns, table);
        }
        if source.is_err() {
            findings.retain(|finding| is_of_table(finding.code));
        }
    }
    let left_out = task.drift.left_out;
    Ok(SyncCheck { definition, source, table, findings, tests, failed, drift, left_out })
}

/// Whether the finding is true of the table whatever the query returns.
fn is_of_table(code: FindingCode) -> bool {
    matches!(
        code,
        FindingCode::SlugUnknown
            | FindingCode::FieldReadOnly
            | FindingCode::FieldTypeUnsupported
            | FindingCode::ExternalIdFieldUnknown
            | FindingCode::ExternalIdFieldTaken
            | FindingCode::TimeZoneUnknown
            | FindingCode::RequiredFieldUnmapped
            | FindingCode::ArchiveFieldUnusable
    )
}
