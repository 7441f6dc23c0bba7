//! `quarantine`: rows that could not be written. Works on the state alone; only `retry` and `drop` change it, under the
//! sync's lock.

use jiff::Timestamp;
use sync_core::port::Clock as _;
use sync_store::{QuarantineFilter, SqliteStore, StateReader};

use crate::{
    cli::{Global, Meant, QuarantineAction, QuarantineArgs},
    clock::SystemClock,
    command,
    exit::Exit,
    failure::Failure,
    report::{
        Answer, Screen, counted,
        quarantine::{OfSync, json, list, row, row_json},
    },
    wire,
};

/// Does what was asked.
pub(crate) fn perform(
    global: &Global,
    args: &QuarantineArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let path = environment.local_settings(&command::flags(global))?.state_path;
    let reader = StateReader::open(&path)?;
    let now = SystemClock::new().now();
    match &args.action {
        QuarantineAction::List { meant, rows, json: as_json } => {
            let all = rows_meant(&reader, meant, *rows)?;
            let shown =
                if *as_json { format!("{:#}", json(&all)) } else { list(&all, now, screen.out) };
            screen.say(&shown);
            Ok(Exit::Done)
        }
        QuarantineAction::Show { sync, key, json } => {
            let name = command::state::known(&reader, sync)?;
            let filter = QuarantineFilter { key: Some(key.clone()), ..QuarantineFilter::default() };
            let found =
                reader.quarantine_where(&name, &filter, None, 1)?.pop().ok_or_else(|| {
                    Failure::world(
                        format!("no row of `{name}` with this key is in quarantine"),
                        "`quarantine list` shows those that are",
                    )
                })?;
            let shown = if *json {
                format!("{:#}", row_json(&name, &found))
            } else {
                row(&name, &found, now, screen.out)
            };
            screen.say(&shown);
            Ok(Exit::Done)
        }
        QuarantineAction::Retry { meant, all, json } => {
            let mut store = changing(meant, *all, "retry", &path)?;
            change(&mut store, &reader, meant, (screen, *json), Change::Retry(now))
        }
        QuarantineAction::Drop { meant, all, json } => {
            let mut store = changing(meant, *all, "drop", &path)?;
            change(&mut store, &reader, meant, (screen, *json), Change::Drop)
        }
    }
}

/// The rows that are meant, at most so many of each sync.
fn rows_meant(
    reader: &StateReader,
    meant: &Meant,
    rows_max: usize,
) -> Result<Vec<OfSync>, Failure> {
    let filter = filter(meant);
    names(reader, meant)?
        .into_iter()
        .map(|name| {
            let mut rows =
                reader.quarantine_where(&name, &filter, None, rows_max.saturating_add(1))?;
            let is_more = rows.len() > rows_max;
            rows.truncate(rows_max);
            Ok(OfSync { name, rows, is_more })
        })
        .collect()
}

fn filter(meant: &Meant) -> QuarantineFilter {
    QuarantineFilter { code: meant.code.clone(), key: meant.key.clone() }
}

/// The syncs that are meant, every one if none is named.
fn names(reader: &StateReader, meant: &Meant) -> Result<Vec<String>, Failure> {
    if meant.sync_name.is_empty() {
        return Ok(reader.syncs()?.into_iter().map(|sync| sync.name).collect());
    }
    meant.sync_name.iter().map(|name| command::state::known(reader, name)).collect()
}

/// The state, opened to be changed, unless nobody said which rows are meant.
fn changing(
    meant: &Meant,
    all: bool,
    verb: &str,
    path: &std::path::Path,
) -> Result<SqliteStore, Failure> {
    let any = !meant.sync_name.is_empty() || meant.code.is_some() || meant.key.is_some();
    if !any && !all {
        return Err(Failure::usage(
            format!("which rows should it {verb}?"),
            "name them by `--sync-name`, `--code` or `--key`, or say `--all`",
        ));
    }
    Ok(SqliteStore::open(path)?)
}

/// What is done to rows.
#[derive(Clone, Copy)]
enum Change {
    Retry(Timestamp),
    Drop,
}

fn change(
    store: &mut SqliteStore,
    reader: &StateReader,
    meant: &Meant,
    (screen, as_json): (&Screen, bool),
    change: Change,
) -> Result<Exit, Failure> {
    let mut answer = Answer::new(screen, as_json);
    let mut by_sync = serde_json::Map::new();
    let filter = filter(meant);
    let mut exit = Exit::Done;
    let mut changed = 0;
    for name in names(reader, meant)? {
        if reader.quarantine_where(&name, &filter, None, 1)?.is_empty() {
            continue;
        }
        let now = SystemClock::new().now();
        let Some(custody) = store.take_custody(&name, &wire::holder(), now)? else {
            screen.failure(&command::state::busy(reader, &name)?);
            exit = exit.and(Exit::Failed);
            continue;
        };
        let (rows, what) = match change {
            Change::Retry(now) => {
                (store.retry_quarantined(&custody, &filter, now)?, "tried again with its next run")
            }
            Change::Drop => (
                store.drop_quarantined(&custody, &filter)?,
                "forgotten until it changes or everything is read",
            ),
        };
        store.release_custody(custody)?;
        answer.say(&format!("{name}: {} {what}", counted(rows, "row")));
        changed += rows;
        by_sync.insert(name, rows.into());
    }
    if changed == 0 && exit == Exit::Done {
        answer.say("no row in quarantine is meant by this");
    }
    answer.fact("rows", changed);
    answer.fact("syncs", by_sync);
    Ok(answer.end(exit))
}
