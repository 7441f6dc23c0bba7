//! The mapping file as it lies on the disk, with those it includes and all that is wrong with them.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use sync_core::config::{
    self,
    diagnostic::{Diagnostic, Severity},
    model::{Config, SyncDefinition},
    places::Places,
    sources::Sources,
};

use crate::{environment::Environment, exit::Exit, failure::Failure};

/// A mapping file that was read.
#[derive(Debug)]
pub(crate) struct MappingFile {
    /// The name the user gave it.
    pub(crate) path: String,
    /// Its text, and those of the files it includes.
    pub(crate) sources: Sources,
    /// What it means; `None` if it has errors.
    pub(crate) config: Option<Config>,
    /// Everything that is wrong with it.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Where the parts of each sync stand in it.
    pub(crate) places: Places,
    /// The files that it includes, those that could not be read too.
    pub(crate) included: Vec<PathBuf>,
}

impl MappingFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read. What is wrong inside it is in `diagnostics`.
    pub(crate) fn read(path: &Path, environment: &Environment) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = if error.kind() == std::io::ErrorKind::NotFound {
                "give its place with `--config FILE`, or begin with a copy of `config/sync_mappings.example.yml`"
            } else {
                "the file must be readable for this user, and UTF-8 text"
            };
            Failure::usage(format!("the mapping file `{name}` cannot be read: {error}"), hint)
        })?;
        let included = RefCell::new(Vec::new());
        let load = |path: &Path| {
            included.borrow_mut().push(path.to_owned());
            std::fs::read_to_string(path).map_err(|error| error.to_string())
        };
        let parsed =
            config::parse_files(&name, &text, &|variable| environment.get(variable), &load);
        Ok(Self {
            path: name,
            sources: parsed.sources,
            config: parsed.config,
            diagnostics: parsed.diagnostics,
            places: parsed.places,
            included: included.into_inner(),
        })
    }

    /// How many warnings there are.
    pub(crate) fn warnings(&self) -> usize {
        let warns = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Warning;
        self.diagnostics.iter().filter(warns).count()
    }
}

/// The syncs that were named, or every enabled one, in the file's order.
///
/// # Errors
/// A name is unknown, or names a disabled sync.
pub(crate) fn select<'c>(
    config: &'c Config,
    names: &[String],
) -> Result<Vec<&'c SyncDefinition>, Failure> {
    let chosen = known(config, names)?;
    if names.is_empty() {
        return Ok(chosen.into_iter().filter(|sync| sync.enabled).collect());
    }
    match chosen.iter().find(|sync| !sync.enabled) {
        Some(sync) => Err(Failure::usage(
            format!("the sync `{}` is disabled", sync.name),
            "set `enabled: true` in the mapping file to run it",
        )),
        None => Ok(chosen),
    }
}

/// The syncs that were named, or every one, in the file's order.
///
/// # Errors
/// A name is unknown.
pub(crate) fn known<'c>(
    config: &'c Config,
    names: &[String],
) -> Result<Vec<&'c SyncDefinition>, Failure> {
    if let Some(name) = names.iter().find(|name| config.sync(name).is_none()) {
        let all: Vec<String> = config.syncs.iter().map(|sync| format!("`{}`", sync.name)).collect();
        let hint = config.nearest_sync(name).map_or_else(
            || format!("the mapping file has {}", all.join(", ")),
            |nearest| format!("did you mean `{nearest}`?"),
        );
        return Err(Failure {
            exit: Exit::Usage,
            message: format!("there is no sync `{name}`"),
            hint,
        });
    }
    Ok(config.syncs.iter().filter(|sync| names.is_empty() || names.contains(&sync.name)).collect())
}
