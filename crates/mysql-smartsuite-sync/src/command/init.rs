//! `init`: reads both schemas, proposes a mapping, and writes it down.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sync_core::{
    config::{self, model::SyncDefinition},
    mapping::{CompiledMapping, Finding, Severity, room},
    table::TableStructure,
};
use sync_mysql::{SourceTable, census};
use sync_smartsuite::{SmartSuiteClient, Solution};
use tokio::runtime::Runtime;

use crate::{
    cli::Global,
    command,
    environment::{Environment, Settings},
    exit::Exit,
    failure::Failure,
    init::{
        account::{Account, Accounts},
        asking::Answers,
        link::{LinkField, propose_links},
        making::Workspace,
        name::plain,
        proposal::{KeyField, SyncProposal, Way, propose, table_for},
        yaml::{Origin, file},
    },
    report::{Screen, counted},
    state_gate::StateGate,
    test_settings, wire,
};

/// Under this name the calls are counted.
const NAME: &str = "(init)";
/// Rounds in which columns that do not fit are left out.
const ROUNDS_MAX: usize = 4;

/// Options of `init`.
#[derive(Clone, Debug, Args)]
pub(crate) struct InitArgs {
    /// A setting of the two accounts, kept in `.env` once its account has answered; may be repeated. Secrets are better set in the environment
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The solution, by its name or id
    #[arg(long, value_name = "SOLUTION")]
    solution: Option<String>,
    /// A table of the database, and the SmartSuite table for it by name or id; may be repeated. Without the second
    /// part: the one of the same name. Without this option: every table that has one
    #[arg(long, value_name = "TABLE[=TABLE]")]
    table: Vec<String>,
    /// Make the fields in SmartSuite that are wanting, the one for keys among them
    #[arg(long)]
    create_fields: bool,
    /// The zone in which DATETIME columns are written
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Replace a mapping file that is there
    #[arg(long)]
    force: bool,
    /// Ask nothing
    #[arg(long)]
    yes: bool,
    /// What was done, as JSON; asks nothing
    #[arg(long)]
    json: bool,
}

/// From the first question to the file.
pub(crate) fn perform(global: &Global, args: &InitArgs, screen: &Screen) -> Result<Exit, Failure> {
    let answers = Answers::of(args.yes, args.json);
    if TimeZone::get(&args.time_zone).is_err() {
        return Err(Failure::usage(
            format!("`{}` names no time zone", args.time_zone),
            "give an IANA name such as Europe/Berlin with `--time-zone`",
        ));
    }
    let runtime = command::runtime()?;
    let mut accounts = Accounts::new(global, &args.set, answers, screen)?;
    let (mut environment, mut settings) = accounts.complete()?;
    let sources = loop {
        match runtime.block_on(census(&settings.mysql)) {
            Ok(sources) => break sources,
            Err(error) => {
                let message = format!("{} [{}]", error.message, error.kind.code());
                let failure = Failure::world(message, error.remedy);
                (environment, settings) = accounts.mended(Account::Mysql, failure)?;
            }
        }
    };
    accounts.keep(Account::Mysql)?;
    screen.remark(&format!(
        "MySQL: {} in database `{}`",
        counted(u64::try_from(sources.len()).unwrap_or(u64::MAX), "table"),
        settings.mysql.database
    ));
    let (workspace, solutions) = loop {
        match runtime.block_on(workspace(&settings, &environment)) {
            Ok(found) => break found,
            Err(failure) => {
                (environment, settings) = accounts.mended(Account::SmartSuite, failure)?;
            }
        }
    };
    accounts.keep(Account::SmartSuite)?;
    let solution = solution(&solutions, args, answers)?;
    let tables = runtime.block_on(workspace.call(workspace.client.tables(&solution.id)))?;
    screen.remark(&format!(
        "SmartSuite: {} in solution \"{}\"",
        counted(u64::try_from(tables.len()).unwrap_or(u64::MAX), "table"),
        solution.name
    ));
    let pairs = pairs(&sources, &tables, args, answers, screen)?;
    let mut proposals: Vec<SyncProposal> =
        pairs.iter().map(|(source, table)| propose(source, table)).collect();
    propose_links(&mut proposals);
    if !args.json {
        screen.say(&shown(&proposals, screen));
    }
    let made = make(&runtime, &workspace, &mut proposals, args, answers, screen)?;
    let origin = Origin {
        database: &settings.mysql.database,
        solution: &solution.name,
        time_zone: &args.time_zone,
    };
    let text = runtime.block_on(fitting(&settings, &origin, &mut proposals))?;
    let path = &global.config;
    let wrote = write(path, &text, args.force, answers)?;
    if args.json {
        screen.say(&format!("{:#}", report(path, wrote, &proposals, &made)));
    } else {
        let done = if wrote { "written" } else { "as it was already" };
        screen.say(&format!("`{}`: {done}", path.display()));
        screen.say(&next_steps(path));
    }
    Ok(Exit::Done)
}

/// The workspace, and the solutions that the key sees in it.
async fn workspace(
    settings: &Settings,
    environment: &Environment,
) -> Result<(Workspace, Vec<Solution>), Failure> {
    let options = &settings.smartsuite;
    let refused = |error: sync_smartsuite::OptionsError| {
        Failure::usage(error.to_string(), "check the SMARTSUITE settings")
    };
    let address = options.address().map_err(refused)?;
    let client = SmartSuiteClient::new(options).map_err(refused)?;
    let rate = wire::rate_of(None, environment, &address)?;
    let clock = test_settings::clock(environment, &address)?;
    let path = &settings.local.state_path;
    let gate =
        StateGate::open((NAME, ""), path, options, &address, rate, Arc::clone(&clock)).await?;
    let workspace = Workspace { client, gate, clock };
    let solutions = workspace.call(workspace.client.solutions()).await?;
    Ok((workspace, solutions))
}

fn solution(
    solutions: &[Solution],
    args: &InitArgs,
    answers: Answers,
) -> Result<Solution, Failure> {
    let names = || {
        let names: Vec<String> =
            solutions.iter().map(|one| format!("\"{}\" ({})", one.name, one.id)).collect();
        names.join(", ")
    };
    if let Some(wanted) = &args.solution {
        let found = solutions.iter().find(|one| one.id == *wanted || one.name == *wanted);
        return found.cloned().ok_or_else(|| {
            Failure::usage(
                format!("the key sees no solution `{wanted}`"),
                format!("it sees {}", names()),
            )
        });
    }
    match solutions {
        [] => Err(Failure::world(
            "the key sees no solution",
            "give the key's member access to a solution",
        )),
        [only] => Ok(only.clone()),
        several if answers == Answers::Person => {
            let labels: Vec<String> = several.iter().map(|one| one.name.clone()).collect();
            let at = answers.one("Which solution do the records go to?", &labels, 0)?;
            several.get(at).cloned().ok_or_else(|| Failure::usage("no solution", ""))
        }
        _ => Err(Failure::usage(
            "the key sees several solutions",
            format!("name one with `--solution`: {}", names()),
        )),
    }
}

/// Which tables go together.
fn pairs(
    sources: &[SourceTable],
    tables: &[TableStructure],
    args: &InitArgs,
    answers: Answers,
    screen: &Screen,
) -> Result<Vec<(SourceTable, TableStructure)>, Failure> {
    if !args.table.is_empty() {
        return args.table.iter().map(|wanted| named_pair(wanted, sources, tables)).collect();
    }
    let mut candidates = Vec::new();
    for source in sources {
        if source.primary_key.is_empty() {
            screen.remark(&format!(
                "`{}` is left out: it has no primary key, so its rows cannot be told apart",
                source.name
            ));
            continue;
        }
        candidates.push((source, table_for(source, tables)));
    }
    if answers == Answers::Person {
        return asked_pairs(&candidates, tables, answers);
    }
    let pairs: Vec<(SourceTable, TableStructure)> = candidates
        .into_iter()
        .filter_map(|(source, table)| Some((source.clone(), table?.0.clone())))
        .collect();
    if pairs.is_empty() {
        return Err(Failure::usage(
            "no table of the database has the name of a table of the solution",
            "say which go together with `--table SOURCE=TABLE`",
        ));
    }
    Ok(pairs)
}

fn named_pair(
    wanted: &str,
    sources: &[SourceTable],
    tables: &[TableStructure],
) -> Result<(SourceTable, TableStructure), Failure> {
    let (name, other) = wanted.split_once('=').map_or((wanted, None), |(a, b)| (a, Some(b)));
    let source = sources.iter().find(|source| source.name == name).ok_or_else(|| {
        let all: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        Failure::usage(
            format!("the database has no table `{name}`"),
            format!("it has {}", all.join(", ")),
        )
    })?;
    if source.primary_key.is_empty() {
        return Err(Failure::usage(
            format!("table `{name}` has no primary key, so its rows cannot be told apart"),
            "write its sync by hand, with a query whose columns identify a row",
        ));
    }
    let table = match other {
        Some(other) => {
            tables.iter().find(|table| table.id == other || plain(&table.name) == plain(other))
        }
        None => table_for(source, tables).map(|(table, _)| table),
    };
    let table = table.ok_or_else(|| {
        let all: Vec<String> =
            tables.iter().map(|table| format!("\"{}\" ({})", table.name, table.id)).collect();
        Failure::usage(
            format!("the solution has no table for `{wanted}`"),
            format!("name one with `--table {name}=TABLE`: {}", all.join(", ")),
        )
    })?;
    Ok((source.clone(), table.clone()))
}

fn asked_pairs(
    candidates: &[(&SourceTable, Option<(&TableStructure, &'static str)>)],
    tables: &[TableStructure],
    answers: Answers,
) -> Result<Vec<(SourceTable, TableStructure)>, Failure> {
    let labels: Vec<String> = candidates
        .iter()
        .map(|(source, table)| {
            let rows = source.rows.map(|rows| format!(", about {}", counted(rows, "row")));
            let rows = rows.unwrap_or_default();
            match table {
                Some((table, why)) => {
                    format!("{}{rows}  ->  \"{}\" ({why})", source.name, table.name)
                }
                None => format!("{}{rows}", source.name),
            }
        })
        .collect();
    let ticked: Vec<bool> = candidates.iter().map(|(_, table)| table.is_some()).collect();
    let chosen = answers.some(
        "Which tables are to be kept in step? (space ticks, enter goes on)",
        &labels,
        &ticked,
    )?;
    let mut pairs = Vec::new();
    for at in chosen {
        let Some((source, likely)) = candidates.get(at) else { continue };
        let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        let likely =
            likely.and_then(|(likely, _)| tables.iter().position(|table| table.id == likely.id));
        // Where a table was found, the first question has shown it and its tick said yes.
        let to = match likely {
            Some(to) => to,
            None => {
                let question =
                    format!("Into which SmartSuite table go the rows of `{}`?", source.name);
                answers.one(&question, &names, 0)?
            }
        };
        if let Some(table) = tables.get(to) {
            pairs.push(((*source).clone(), table.clone()));
        }
    }
    if pairs.is_empty() {
        return Err(Failure::usage("no table was chosen", "nothing was written"));
    }
    Ok(pairs)
}

/// The proposals for people: a line for each column with its reason.
fn shown(proposals: &[SyncProposal], screen: &Screen) -> String {
    let paint = screen.out;
    let mut lines = Vec::new();
    for sync in proposals {
        lines.push(String::new());
        let heading = format!("{}  ->  \"{}\"", sync.source.name, sync.table.name);
        lines.push(paint.strong(&heading));
        let key = match &sync.key_field {
            KeyField::There(_, label) => format!("\"{label}\""),
            KeyField::New(field) => paint.caution(&format!("new field \"{}\"", field.label)),
        };
        lines.push(format!("  key     {}  ->  {key}", sync.source.primary_key.join(", ")));
        let changes = match &sync.cursor {
            Some(cursor) => format!("known by `{cursor}`"),
            None => "every run reads every row: no column says when a row last changed".to_owned(),
        };
        lines.push(format!("  changes {changes}"));
        let width = sync.columns.iter().map(|one| one.column.chars().count()).max().unwrap_or(0);
        for column in &sync.columns {
            let to = match &column.way {
                Way::Field { label, .. } => format!("\"{label}\""),
                Way::New(field) => paint.caution(&format!("new field \"{}\"", field.label)),
                Way::Nowhere => paint.faint("not mapped"),
            };
            let reason = paint.faint(&format!("({})", column.reason));
            lines.push(format!("  {:width$}  {to}  {reason}", column.column));
        }
        for link in &sync.links {
            let to = match &link.field {
                LinkField::There(_, label) => format!("\"{label}\""),
                LinkField::New(field) => paint.caution(&format!("new field \"{}\"", field.label)),
            };
            let reason = paint.faint(&format!("(links to {}: {})", link.parent, link.reason));
            lines.push(format!("  {:width$}  {to}  {reason}", link.from.join(", ")));
        }
        if let Some((column, _)) = &sync.title {
            let reason = paint.faint("(a record needs a title, so it goes there too)");
            lines.push(format!("  {column:width$}  the record's title  {reason}"));
        }
    }
    lines.join("\n")
}

/// Makes the fields that are wanting, if that is wished; columns without one are left out. Answers the labels.
fn make(
    runtime: &Runtime,
    workspace: &Workspace,
    proposals: &mut [SyncProposal],
    args: &InitArgs,
    answers: Answers,
    screen: &Screen,
) -> Result<Vec<String>, Failure> {
    let wanting: usize = proposals.iter().map(|sync| sync.new_fields().len()).sum();
    if wanting == 0 {
        return Ok(Vec::new());
    }
    let fields = counted(u64::try_from(wanting).unwrap_or(u64::MAX), "new field");
    let agreed = args.create_fields
        || answers.agree(&format!("Make {fields} in SmartSuite?"), answers == Answers::Person)?;
    if !agreed {
        for sync in proposals.iter_mut() {
            sync.without_new_fields();
            if let KeyField::New(_) = sync.key_field {
                return Err(Failure::usage(
                    format!("table \"{}\" has no field for the keys of its rows", sync.table.name),
                    "add `--create-fields`, or make a text field called `External ID` that nothing else writes",
                ));
            }
        }
        return Ok(Vec::new());
    }
    check_room(proposals)?;
    let mut made = Vec::new();
    for sync in proposals.iter_mut() {
        let fields: Vec<_> = sync.new_fields().into_iter().cloned().collect();
        if fields.is_empty() {
            continue;
        }
        screen.remark(&format!(
            "table \"{}\": making {}",
            sync.table.name,
            counted(u64::try_from(fields.len()).unwrap_or(u64::MAX), "field")
        ));
        let wanted: Vec<_> = fields.iter().collect();
        let table = runtime.block_on(workspace.add(&sync.table, &wanted))?;
        // As a second try would find it, so that it writes the same file.
        *sync = propose(&sync.source, &table);
        made.extend(
            fields.into_iter().map(|field| format!("{}: {}", sync.table.name, field.label)),
        );
    }
    propose_links(proposals);
    Ok(made)
}

/// Whether each table has room for the fields that its syncs want together: known before the first is made.
fn check_room(proposals: &[SyncProposal]) -> Result<(), Failure> {
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for sync in proposals {
        let table = &sync.table;
        let more = wanted.entry(&table.id).or_default();
        *more += sync.new_fields().len();
        if *more > 0 && table.fields.len() + *more > room::FIELDS_MAX {
            return Err(Failure::usage(
                format!(
                    "table \"{}\" has {} and would get {more} more, and SmartSuite allows {}; none was made",
                    table.name,
                    counted(u64::try_from(table.fields.len()).unwrap_or(u64::MAX), "field"),
                    room::FIELDS_MAX
                ),
                "remove fields that nobody needs, or leave `--create-fields` out: columns without a field are not mapped then",
            ));
        }
    }
    Ok(())
}

/// The file's text, with every column left out that does not fit after all.
async fn fitting(
    settings: &Settings,
    origin: &Origin<'_>,
    proposals: &mut [SyncProposal],
) -> Result<String, Failure> {
    for _ in 0..ROUNDS_MAX {
        let text = file(origin, proposals);
        let parsed = config::parse(&text, &|_| None);
        let Some(config) = parsed.config else {
            let first = parsed.diagnostics.first().map(|one| one.message.clone());
            return Err(Failure::world(
                format!("what was written would not be valid: {}", first.unwrap_or_default()),
                "please report this",
            ));
        };
        let mut left_out = false;
        for (definition, sync) in config.syncs.iter().zip(proposals.iter_mut()) {
            for finding in unfit(settings, definition, &sync.table).await? {
                let (column, slug) = (finding.column.as_deref(), finding.slug.as_ref());
                if sync.leave_out_links(column, slug) {
                    left_out = true;
                } else if let Some(column) = column {
                    sync.leave_out(column, &finding.message);
                    left_out = true;
                }
            }
        }
        if !left_out {
            return Ok(text);
        }
    }
    Ok(file(origin, proposals))
}

/// Columns that do not fit their fields, with the reason.
async fn unfit(
    settings: &Settings,
    definition: &SyncDefinition,
    table: &TableStructure,
) -> Result<Vec<Finding>, Failure> {
    let failed = |error: sync_core::error::SourceError| {
        Failure::world(format!("{} [{}]", error.message, error.kind.code()), error.remedy)
    };
    let source = wire::source_of(&settings.mysql, definition).map_err(failed)?;
    let report = source.check().await.map_err(failed)?;
    let (_, findings) = CompiledMapping::compile(
        &definition.destination,
        &definition.source,
        &report.columns,
        table,
    );
    Ok(findings.into_iter().filter(|finding| finding.severity() == Severity::Error).collect())
}

/// Writes the file, if it is not there with the same text; answers whether it was written.
fn write(path: &Path, text: &str, force: bool, answers: Answers) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| {
        Failure::world(
            format!("`{}` cannot be written: {error}", path.display()),
            "give another place with `--config FILE`",
        )
    };
    match std::fs::read_to_string(path) {
        Ok(there) if there == text => return Ok(false),
        Ok(_) => {
            let question = format!("`{}` is there already. Replace it?", path.display());
            if !force && !answers.agree(&question, false)? {
                return Err(Failure::usage(
                    format!("`{}` is there already", path.display()),
                    "add `--force` to replace it, or give another place with `--config FILE`",
                ));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)?;
    Ok(true)
}

fn next_steps(path: &Path) -> String {
    let config = if path == Path::new("config/sync_mappings.yml") {
        String::new()
    } else {
        format!(" --config {}", path.display())
    };
    format!(
        "next:  mysql-smartsuite-sync{config} validate --online   checks it against both sides\n       \
         mysql-smartsuite-sync{config} plan                shows what a run would do\n       \
         mysql-smartsuite-sync{config} run                 does it"
    )
}

fn report(path: &Path, wrote: bool, proposals: &[SyncProposal], made: &[String]) -> Value {
    let of_sync = |sync: &SyncProposal| {
        let columns: Vec<Value> = sync
            .columns
            .iter()
            .map(|column| {
                let field = match &column.way {
                    Way::Field { slug, .. } => Some(slug.as_str()),
                    Way::New(field) => Some(field.slug.as_str()),
                    Way::Nowhere => None,
                };
                json!({ "column": column.column, "field": field, "reason": column.reason })
            })
            .collect();
        json!({
            "sync": sync.name,
            "source": sync.source.name,
            "table": sync.table.id,
            "table_name": sync.table.name,
            "external_id_field": sync.key_field.slug().as_str(),
            "cursor": sync.cursor,
            "columns": columns,
            "links": sync.links.iter().map(|link| json!({
                "from": link.from,
                "sync": link.parent,
                "field": link.field.slug().as_str(),
                "reason": link.reason,
            })).collect::<Vec<_>>(),
        })
    };
    json!({
        "exit_code": 0,
        "file": path.display().to_string(),
        "written": wrote,
        "fields_made": made,
        "syncs": proposals.iter().map(of_sync).collect::<Vec<_>>(),
        "next": ["validate --online", "plan", "run"],
    })
}
