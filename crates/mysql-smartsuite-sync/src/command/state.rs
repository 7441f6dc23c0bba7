//! `state`: the file itself. Nothing here asks the database or SmartSuite.

use std::{
    fs::{File, OpenOptions},
    io::{BufReader, BufWriter, Write as _, stdin, stdout},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use sync_core::{config::model::StateDefinition, port::Clock as _, state::StateError};
use sync_store::{
    ImportError, ResetLevel, SqliteStore, StateReader, Trust, back_up, check, export,
    newest_backup, thin_out,
};

use crate::{
    cli::{Global, Level, StateAction, StateArgs},
    clock::SystemClock,
    command,
    exit::Exit,
    failure::Failure,
    mapping_file::MappingFile,
    report::{
        Answer, Screen, counted,
        state::{Overview, json, text},
    },
    wire,
};

/// Does what was asked.
pub(crate) fn perform(global: &Global, args: &StateArgs, screen: &Screen) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let path = environment.local_settings(&command::flags(global))?.state_path;
    let now = SystemClock::new().now();
    match &args.action {
        StateAction::Show { check, json } => show(&path, *check, *json, screen),
        StateAction::Backup { to, every, keep, json } => {
            let folder = to.clone().unwrap_or_else(|| folder_of(&path));
            keep_copies(&path, &folder, *every, *keep, now, Answer::new(screen, *json))
        }
        StateAction::Export { file, json } => {
            write_export(&path, file, now, Answer::new(screen, *json))
        }
        StateAction::Import { file, nothing_ran_since, json } => {
            let trust = if *nothing_ran_since { Trust::Newest } else { Trust::Nothing };
            read_import(&path, file, trust, now, Answer::new(screen, *json))
        }
        StateAction::Reset { level, sync_name, yes, json } => {
            let answer = Answer::new(screen, *json);
            reset(&path, (*level).into(), sync_name, *yes, now, answer)
        }
        StateAction::Prune { runs, effects, json } => {
            let file = MappingFile::read(&global.config, &environment).ok();
            let keeping = file.and_then(|file| file.config).map(|config| config.state);
            // Without a mapping file nobody said that values are not to be kept.
            let keeping = keeping
                .unwrap_or(StateDefinition { keep_values: true, ..StateDefinition::default() });
            let keeping = StateDefinition {
                keep_runs_days: runs.unwrap_or(keeping.keep_runs_days),
                keep_effects_days: effects.unwrap_or(keeping.keep_effects_days),
                ..keeping
            };
            let pruned = prune(&mut open(&path)?, &keeping, now)?;
            let mut answer = Answer::new(screen, *json);
            answer.say(&format!(
                "removed {} and {}",
                counted(pruned.runs, "run"),
                counted(pruned.effects, "effect")
            ));
            answer.fact("runs", pruned.runs);
            answer.fact("effects", pruned.effects);
            Ok(answer.end(Exit::Done))
        }
    }
}

/// Removes what is older than it is to be kept.
pub(crate) fn prune(
    store: &mut SqliteStore,
    keeping: &StateDefinition,
    now: Timestamp,
) -> Result<sync_store::Pruned, StateError> {
    let before = |days: u32| {
        now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN)
    };
    if !keeping.keep_values {
        store.forget_values()?;
    }
    store.prune(before(keeping.keep_runs_days), before(keeping.keep_effects_days))
}

/// The state as it is: nothing is made where there is none.
fn open(path: &Path) -> Result<SqliteStore, Failure> {
    if !path.exists() {
        return Err(StateError::Missing { path: path.display().to_string() }.into());
    }
    Ok(SqliteStore::open(path)?)
}

/// The folder of the state, where its copies are.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// The name as the state has it.
///
/// # Errors
/// It has no such sync.
pub(crate) fn known(reader: &StateReader, name: &str) -> Result<String, Failure> {
    if reader.sync(name)?.is_some() {
        return Ok(name.to_owned());
    }
    let all: Vec<String> = reader.syncs()?.iter().map(|sync| format!("`{}`", sync.name)).collect();
    let hint = if all.is_empty() {
        "it knows none yet: nothing has run".to_owned()
    } else {
        format!("it knows {}", all.join(", "))
    };
    Err(Failure::usage(format!("the state knows no sync `{name}`"), hint))
}

/// Why a sync's state cannot be changed now.
pub(crate) fn busy(reader: &StateReader, name: &str) -> Result<Failure, Failure> {
    let holder = reader.sync(name)?.and_then(|sync| sync.holder);
    let holder = holder.map_or("another process".to_owned(), |holder| holder.name);
    Ok(Failure::world(
        format!("`{name}` is busy: {holder} is running it"),
        "wait until that run has ended, then try again",
    ))
}

fn show(path: &Path, check_pages: bool, as_json: bool, screen: &Screen) -> Result<Exit, Failure> {
    let reader = StateReader::open(path)?;
    let damage = if check_pages { check(path).err() } else { None };
    let overview = Overview::read(&reader, path, check_pages, damage.as_ref())?;
    let shown =
        if as_json { format!("{:#}", json(&overview)) } else { text(&overview, screen.out) };
    screen.say(&shown);
    match damage {
        Some(error) => Err(error.into()),
        None => Ok(Exit::Done),
    }
}

fn keep_copies(
    path: &Path,
    folder: &Path,
    every: Option<u32>,
    keep: Option<u32>,
    now: Timestamp,
    mut answer: Answer<'_>,
) -> Result<Exit, Failure> {
    let newest = newest_backup(path, folder, now)?;
    match (every, newest) {
        (Some(hours), Some(newest)) if is_younger(newest.at, hours, now) => {
            answer.say(&format!("`{}` is young enough: nothing was copied", newest.path.display()));
            answer.fact("copied_to", serde_json::Value::Null);
        }
        _ => {
            let backup = back_up(path, folder, now)?;
            answer.say(&format!("copied to `{}`", backup.path.display()));
            answer.fact("copied_to", backup.path.display().to_string());
        }
    }
    let mut removed = Vec::new();
    if let Some(keep) = keep {
        let gone = thin_out(path, folder, usize::try_from(keep).unwrap_or(usize::MAX))?;
        for backup in gone {
            answer.say(&format!("removed `{}`", backup.path.display()));
            removed.push(backup.path.display().to_string());
        }
    }
    answer.fact("removed", removed);
    Ok(answer.end(Exit::Done))
}

/// Whether less than so many hours have passed since `at`.
pub(crate) fn is_younger(at: Timestamp, hours: u32, now: Timestamp) -> bool {
    now.duration_since(at) < SignedDuration::from_hours(i64::from(hours))
}

fn write_export(
    path: &Path,
    file: &Path,
    now: Timestamp,
    mut answer: Answer<'_>,
) -> Result<Exit, Failure> {
    if file == Path::new("-") {
        export(path, &mut BufWriter::new(stdout().lock()), now)?;
        return Ok(Exit::Done);
    }
    let failed = |error: std::io::Error| {
        Failure::world(
            format!("`{}` cannot be written: {error}", file.display()),
            "name a file that is not there yet, in a folder that this user may write",
        )
    };
    // It holds every key: for its owner alone, as the state itself.
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut out = BufWriter::new(created.map_err(failed)?);
    let exported = export(path, &mut out, now)
        .and_then(|exported| {
            let flushed = out.flush().and_then(|()| out.get_ref().sync_all());
            flushed.map_err(|error| StateError::Other(error.to_string()))?;
            Ok(exported)
        })
        .inspect_err(|_| drop(std::fs::remove_file(file)))?;
    answer.say(&format!(
        "wrote {} of {} to `{}`",
        counted(exported.links, "link"),
        counted(exported.syncs, "sync"),
        file.display()
    ));
    answer.fact("links", exported.links);
    answer.fact("syncs", exported.syncs);
    answer.fact("file", file.display().to_string());
    Ok(answer.end(Exit::Done))
}

fn read_import(
    path: &Path,
    file: &Path,
    trust: Trust,
    now: Timestamp,
    mut answer: Answer<'_>,
) -> Result<Exit, Failure> {
    let mut store = SqliteStore::open(path)?;
    let imported = if file == Path::new("-") {
        store.import(&mut stdin().lock(), trust, now)
    } else {
        let opened = File::open(file).map_err(|error| {
            Failure::usage(
                format!("`{}` cannot be read: {error}", file.display()),
                "name a file that `state export` wrote",
            )
        })?;
        store.import(&mut BufReader::new(opened), trust, now)
    };
    let imported = imported.map_err(|error| not_imported(&error))?;
    answer.say(&format!(
        "read {} of {}",
        counted(imported.links, "link"),
        counted(imported.syncs, "sync")
    ));
    answer.fact("links", imported.links);
    answer.fact("syncs", imported.syncs);
    if trust == Trust::Nothing {
        let pages = imported.links.div_ceil(1_000);
        answer.say(&format!(
            "the next runs read every row and compare every record: about {}",
            counted(pages, "API call")
        ));
        answer.fact("calls_to_compare", pages);
    }
    Ok(answer.end(Exit::Done))
}

fn not_imported(error: &ImportError) -> Failure {
    let hint = match error {
        ImportError::Line { .. } | ImportError::Read(_) => {
            "nothing was imported; write the file again with `state export`"
        }
        ImportError::Known(_) => {
            "nothing was imported; `state reset sync` forgets what is known of it here"
        }
        ImportError::Busy(_) => "nothing was imported; end that run first",
        ImportError::State(error) => error.remedy(),
    };
    Failure::world(error.to_string(), hint)
}

fn reset(
    path: &Path,
    level: ResetLevel,
    names: &[String],
    yes: bool,
    now: Timestamp,
    mut answer: Answer<'_>,
) -> Result<Exit, Failure> {
    let mut store = open(path)?;
    let reader = StateReader::open(path)?;
    for name in names {
        known(&reader, name)?;
    }
    if level.is_destructive() && !yes {
        return Err(Failure::usage(
            format!("`state reset {}` cannot be undone: {}", level.word(), level.effect()),
            "say `--yes` to do it; `state backup` keeps a copy first",
        ));
    }
    for name in names {
        let Some(custody) = store.take_custody(name, &wire::holder(), now)? else {
            return Err(busy(&reader, name)?);
        };
        store.reset(&custody, level)?;
        store.release_custody(custody)?;
        answer.say(&format!("{name}: done; {}", level.effect()));
    }
    answer.fact("syncs", names.to_vec());
    answer.fact("level", level.word());
    answer.fact("effect", level.effect());
    Ok(answer.end(Exit::Done))
}

impl From<Level> for ResetLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Position => Self::Position,
            Level::Values => Self::Values,
            Level::Links => Self::Links,
            Level::Sync => Self::Sync,
        }
    }
}
