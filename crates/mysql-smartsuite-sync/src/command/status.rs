//! `status`: how each sync stands. Reads the state alone, so it works offline and while syncs run.

use sync_core::{config::model::SyncDefinition, port::Clock as _, state::StateError};
use sync_store::StateReader;

use crate::{
    cli::{Global, StatusArgs},
    clock::SystemClock,
    command,
    exit::Exit,
    failure::Failure,
    mapping_file::{MappingFile, known},
    report::{
        Screen,
        status::{Extent, Status, json, text},
    },
};

/// Shows it.
pub(crate) fn perform(
    global: &Global,
    args: &StatusArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let settings = environment.local_settings(&command::flags(global))?;
    let file = MappingFile::read(&global.config, &environment);
    let config = file.as_ref().ok().and_then(|file| file.config.as_ref());
    let reader = match StateReader::open(&settings.state_path) {
        Ok(reader) => Some(reader),
        Err(error @ (StateError::Missing { .. } | StateError::Older { .. })) => {
            screen.remark(&error.to_string());
            screen.remark(&screen.hint(error.remedy()));
            None
        }
        Err(error) => return Err(error.into()),
    };
    let defined: Vec<&SyncDefinition> = match config {
        Some(config) if args.sync_name.is_empty() => config.syncs.iter().collect(),
        Some(config) => {
            named(config, reader.as_ref(), &args.sync_name)?;
            config.syncs.iter().filter(|sync| args.sync_name.contains(&sync.name)).collect()
        }
        None => {
            screen.remark("the mapping file cannot be used, so this is what the state alone says");
            screen.remark(&screen.hint("`validate` shows what is wrong with the file"));
            Vec::new()
        }
    };
    let now = SystemClock::new().now();
    let extent = Extent {
        runs: args.runs,
        rows: args.rows,
        budget: config.and_then(|config| config.budget),
    };
    let wanted =
        |name: &str| args.sync_name.is_empty() || args.sync_name.iter().any(|one| one == name);
    let status = match &reader {
        Some(reader) => Status::read(reader, &defined, wanted, extent, now)?,
        None => Status::unknown(&defined, now),
    };
    let shown = if args.json { format!("{:#}", json(&status)) } else { text(&status, screen.out) };
    screen.say(&shown);
    Ok(Exit::Done)
}

/// Fails for a name that neither the mapping file nor the state has.
fn named(
    config: &sync_core::config::model::Config,
    reader: Option<&StateReader>,
    names: &[String],
) -> Result<(), Failure> {
    for name in names {
        let remembered = match reader {
            Some(reader) => reader.sync(name)?.is_some(),
            None => false,
        };
        if !remembered {
            known(config, std::slice::from_ref(name))?;
        }
    }
    Ok(())
}
