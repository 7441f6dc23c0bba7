//! Why a command cannot go on, for people.

use crate::{
    command::state::folder_of,
    environment::{EnvFileError, SettingsError},
    exit::Exit,
};
use std::path::Path;

use sync_core::state::StateError;
use sync_store::backups;

/// A command that could not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// What is wrong: a fragment without a full stop, and without values that are nobody's business.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: String,
}

impl Failure {
    /// The command line, the settings or the mapping file are wrong.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: hint.into() }
    }

    /// Something in the world is not as it must be.
    pub(crate) fn world(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into(), hint: hint.into() }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        let hint = match &error {
            StateError::Corrupt { path, .. } => restoring(Path::new(path), error.remedy()),
            _ => error.remedy().to_owned(),
        };
        Self::world(error.to_string(), hint)
    }
}

/// The way out of a damaged state, with the backup that is there.
fn restoring(path: &Path, remedy: &str) -> String {
    let newest = backups(path, &folder_of(path)).ok().and_then(|mut all| all.pop());
    newest.map_or_else(
        || remedy.to_owned(),
        |backup| format!("{remedy}; the newest backup is `{}`", backup.path.display()),
    )
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::usage(error.to_string(), SettingsError::HINT)
    }
}

impl From<EnvFileError> for Failure {
    fn from(error: EnvFileError) -> Self {
        Self::usage(
            error.to_string(),
            "every line is NAME=value; put a value in single quotes if it holds a space or one of # $ \" \\ `",
        )
    }
}
