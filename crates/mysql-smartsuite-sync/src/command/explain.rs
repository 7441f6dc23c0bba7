//! `explain SYNC KEY`: why a record is as it is: the row, what it becomes, what the state knows, what was done.

use std::path::Path;

use clap::Args;
use sync_core::{
    capture::{Decision, Intention, Standing, decide},
    config::model::SyncDefinition,
    draft::{Draft, LinkWish},
    error::SourceError,
    field_value::FieldValue,
    key::Key,
    mapping::CompiledMapping,
    port::{ReadScope, RowSource as _},
    slug::Slug,
    source::{Column, Row},
    state::StateError,
    table::TableStructure,
};
use sync_mysql::ConnectOptions;
use sync_store::{EntryStanding, KeyReport, LinkDecision, LinkStanding, StateReader};

use crate::{
    cli::Global,
    command,
    exit::Exit,
    failure::Failure,
    mapping_file::known,
    report::{
        Screen,
        explain::{Explanation, Sides, json, text},
    },
    wire,
};

/// Options of `explain`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The sync
    #[arg(value_name = "SYNC")]
    sync: String,
    /// The row's key; several columns are joined by `|`
    #[arg(value_name = "KEY")]
    key: String,
    /// Do not read the row: what the state knows is enough
    #[arg(long)]
    offline: bool,
    /// At most so many effects, the newest first
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    effects: usize,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Explains.
pub(crate) fn perform(
    global: &Global,
    args: &ExplainArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let flags = command::flags(global);
    let local = environment.local_settings(&flags)?;
    let (_, config, ()) = command::everything(global, &environment, Ok(()), screen)?;
    let definition = known(&config, std::slice::from_ref(&args.sync))?;
    let definition = definition.first().ok_or_else(|| Failure::usage("no sync", ""))?;
    let settings = if args.offline { None } else { Some(environment.settings(&flags)?) };
    let mysql = settings.as_ref().map(|settings| &settings.mysql);
    let explained = explanation(&local.state_path, definition, &args.key, mysql, args.effects);
    let explanation = command::runtime()?.block_on(explained)?;
    let is_known = explanation.is_known();
    screen.say(&if args.json { json(&explanation) } else { text(&explanation, screen.out) });
    Ok(if is_known { Exit::Done } else { Exit::Failed })
}

/// Everything that is known of the key of a sync. Without `mysql` the row itself is not read.
///
/// # Errors
/// The state fails.
pub(crate) async fn explanation(
    path: &Path,
    definition: &SyncDefinition,
    key: &str,
    mysql: Option<&ConnectOptions>,
    effects_max: usize,
) -> Result<Explanation, StateError> {
    let (key, name) = (Key::from_text(key), definition.name.clone());
    let (path, asked) = (path.to_owned(), key.clone());
    let state_path = path.clone();
    let asking = tokio::task::spawn_blocking(move || {
        let reader = StateReader::open(&path)?;
        let effects = reader.effects(&name, &asked.text(), effects_max)?;
        Ok((reader.key(&name, &asked)?, reader.table(&name)?, effects))
    });
    let asked = asking.await.unwrap_or_else(|error| Err(StateError::Other(error.to_string())));
    let (state, table, effects) = asked?;
    let sides = match mysql {
        Some(mysql) => {
            let read = row(mysql, definition, &key).await;
            let (definition, state) = (definition.clone(), state.clone());
            let table = table.as_ref().map(|(table, _)| table.clone());
            let judging = tokio::task::spawn_blocking(move || {
                let reader = StateReader::open(&state_path)?;
                sides(read, &definition, table.as_ref(), &state, &reader)
            });
            let failed = |error: tokio::task::JoinError| Err(StateError::Other(error.to_string()));
            Some(judging.await.unwrap_or_else(failed)?)
        }
        None => None,
    };
    let external_id = key.external_id(&definition.destination.key_prefix);
    let sync = definition.name.clone();
    Ok(Explanation { sync, key, external_id, sides, state, effects, table })
}

type Read = Result<(Vec<Column>, Option<Row>), SourceError>;

/// The row with this key, as it is now.
async fn row(mysql: &ConnectOptions, definition: &SyncDefinition, key: &Key) -> Read {
    let source = wire::source_of(mysql, &wire::resolved_of(mysql, definition).await?)?;
    let mut read = source.open(ReadScope::Keys(vec![key.clone()])).await?;
    let columns = read.columns().to_vec();
    let row = read.next_rows(1).await?.pop();
    Ok((columns, row))
}

/// What the row becomes, and what would be done about it.
fn sides(
    read: Read,
    definition: &SyncDefinition,
    table: Option<&TableStructure>,
    state: &KeyReport,
    reader: &StateReader,
) -> Result<Sides, StateError> {
    let (columns, row) = match read {
        Ok(read) => read,
        Err(error) => return Ok(Sides { unread: Some(error), ..Sides::default() }),
    };
    let mut sides = Sides { is_read: true, ..Sides::default() };
    let Some(row) = row else {
        sides.decision = Some(decide(Intention::Gone, &standing(state)));
        return Ok(sides);
    };
    sides.cells = columns.iter().cloned().zip(row.0.iter().cloned()).collect();
    let Some(table) = table else { return Ok(sides) };
    let (mapping, _) =
        CompiledMapping::compile(&definition.destination, &definition.source, &columns, table);
    let Some(mapping) = mapping else {
        sides.unfit = true;
        return Ok(sides);
    };
    match mapping.draft(&row) {
        Ok(Draft { key, fields, links }) => {
            sides.links = reader.link_decisions(&definition.name, &key, &links)?;
            let fields = fields.with(held(&links, &sides.links));
            let wish = Intention::Record(fields.fingerprint());
            sides.decision = Some(decide(wish, &standing(state)));
            sides.draft = Some(fields);
        }
        Err(fault) => sides.fault = Some(fault),
    }
    Ok(sides)
}

/// What the link fields hold: the records of rows that have one, without links that SmartSuite did not take.
fn held(wishes: &[LinkWish], decisions: &[LinkDecision]) -> Vec<(Slug, FieldValue)> {
    let records = |wish: &LinkWish| {
        let of_field = decisions.iter().filter(|one| one.slug == wish.slug && !one.withheld);
        FieldValue::ids(of_field.filter_map(|one| Some(one.record.as_ref()?.0.clone())))
    };
    wishes.iter().map(|wish| (wish.slug.clone(), records(wish))).collect()
}

/// As capture sees it.
fn standing(state: &KeyReport) -> Standing {
    let entry = |wanted: &[EntryStanding]| {
        let entry = state.entries.iter().rev().find(|entry| wanted.contains(&entry.standing))?;
        Some(match (entry.is_gone, entry.fingerprint, &entry.fields) {
            (true, ..) => Intention::Gone,
            (false, Some(print), Some(_)) => Intention::Record(print),
            (false, Some(print), None) => Intention::Faulty(print),
            (false, None, _) => Intention::Unknown,
        })
    };
    Standing {
        waiting: entry(&[EntryStanding::Waiting]),
        sending: entry(&[EntryStanding::Sending, EntryStanding::InDoubt]),
        quarantined: entry(&[EntryStanding::Quarantined]),
        link: match (&state.link, state.recordless) {
            (Some(link), _) => Some(match (link.standing, link.fingerprint) {
                (LinkStanding::Gone, _) => Intention::Gone,
                (_, Some(print)) => Intention::Record(print),
                (_, None) => Intention::Unknown,
            }),
            (None, recordless) => recordless.map(Intention::Record),
        },
    }
}

/// The decision in words.
pub(crate) fn words(decision: Decision) -> &'static str {
    match decision {
        Decision::Unchanged => "nothing: it is as intended already",
        Decision::Withdraw => "what waits is taken back: SmartSuite holds it already",
        Decision::Queue => "it is sent",
        Decision::Park => "it is put into quarantine",
    }
}
