//! `explain SYNC KEY`: why a record is as it is: the row, what it becomes, what the state knows, what was done.

use clap::Args;
use sync_core::{
    capture::{Decision, Intention, Standing, decide},
    config::model::SyncDefinition,
    draft::Fields,
    error::SourceError,
    key::Key,
    mapping::{CompiledMapping, RowFault},
    port::{ReadScope, RowSource as _},
    source::{Column, Row},
    table::TableStructure,
};
use sync_mysql::ConnectOptions;
use sync_store::{EntryStanding, KeyReport, LinkStanding, StateReader};

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
    let key = Key::from_text(&args.key);
    let reader = StateReader::open(&local.state_path)?;
    let state = reader.key(&args.sync, &key)?;
    let table = reader.table(&args.sync)?;
    let sides = if args.offline {
        None
    } else {
        let settings = environment.settings(&flags)?;
        let read = command::runtime()?.block_on(row(&settings.mysql, definition, &key));
        Some(sides(read, definition, table.as_ref().map(|(table, _)| table), &state))
    };
    let explanation = Explanation {
        sync: args.sync.clone(),
        external_id: key.external_id(&definition.destination.key_prefix),
        effects: reader.effects(&args.sync, &key.text(), args.effects)?,
        key,
        sides,
        state,
        table,
    };
    let is_known = explanation.is_known();
    screen.say(&if args.json { json(&explanation) } else { text(&explanation, screen.out) });
    Ok(if is_known { Exit::Done } else { Exit::Failed })
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
) -> Sides {
    let (columns, row) = match read {
        Ok(read) => read,
        Err(error) => return Sides { unread: Some(error), ..Sides::default() },
    };
    let mut sides = Sides { is_read: true, ..Sides::default() };
    let Some(row) = row else {
        sides.decision = Some(decide(Intention::Gone, &standing(state)));
        return sides;
    };
    sides.cells = columns.iter().cloned().zip(row.0.iter().cloned()).collect();
    let Some(table) = table else { return sides };
    let (mapping, _) =
        CompiledMapping::compile(&definition.destination, &definition.source, &columns, table);
    let Some(mapping) = mapping else {
        sides.unfit = true;
        return sides;
    };
    let drafted: Result<Fields, RowFault> = mapping.draft(&row).map(|draft| draft.fields);
    match drafted {
        Ok(fields) => {
            let wish = Intention::Record(fields.fingerprint());
            sides.decision = Some(decide(wish, &standing(state)));
            sides.draft = Some(fields);
        }
        Err(fault) => sides.fault = Some(fault),
    }
    sides
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
