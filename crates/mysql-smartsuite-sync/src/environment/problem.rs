//! What can be wrong with the settings, in words that never show a value.

use std::{fmt, path::PathBuf};

use sync_core::config::env_file::EnvFault;

/// Every variable that means something, with what it must hold.
pub(super) const VARIABLES: [(&str, &str); 20] = [
    ("MYSQL_HOST", "a host name or address"),
    ("MYSQL_PORT", "a port from 1 to 65535"),
    ("MYSQL_USER", "a user name"),
    ("MYSQL_PASSWORD", "a password"),
    ("MYSQL_DATABASE", "the name of a database"),
    ("MYSQL_SSL_MODE", "disabled, preferred, required or verify_identity"),
    ("MYSQL_SSL_CA", "the path of a PEM file"),
    ("SMARTSUITE_TOKEN", "an API key, without white space"),
    (
        "SMARTSUITE_ACCOUNT_ID",
        "the first part of every page's address, app.smartsuite.com/ACCOUNT_ID/...",
    ),
    ("SMARTSUITE_BASE_URL", "an address that begins with https://"),
    ("SYNC_INTERVAL_MINUTES", "a whole number of minutes, at least 1"),
    ("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR"),
    ("LOG_FORMAT", "text or json"),
    ("STATE_DB_PATH", "the path of a file"),
    ("SYNC_LISTEN", "an address with its port, as 127.0.0.1:8787, or off"),
    ("SYNC_OPERATOR_TOKEN", "a token of at least 16 characters, without white space"),
    ("SYNC_VIEWER_TOKEN", "a token of at least 16 characters, without white space"),
    ("SYNC_WEBHOOK_TOKEN", "a token of at least 16 characters, without white space"),
    ("SYNC_WEBHOOK_SECRET", "a secret of at least 16 characters, without white space"),
    (
        "SYNC_TRUSTED_PROXIES",
        "addresses with commas between them, or networks of at most a /8, as 127.0.0.1, 172.18.0.0/16",
    ),
];

/// Everything that is missing or wrong, at once. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct SettingsError(pub(crate) Vec<SettingProblem>);

impl SettingsError {
    /// What a person should do next.
    pub(crate) const HINT: &'static str =
        "copy `.env.example` to `.env` and fill it in, or set them in the environment";
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.0.iter().all(|problem| problem.origin.is_none());
        let what = if missing { "missing" } else { "missing or wrong" };
        match self.0.as_slice() {
            [_] => write!(f, "a setting is {what}")?,
            several => write!(f, "{} settings are {what}", several.len())?,
        }
        let width = self.0.iter().map(|problem| problem.name.len()).max().unwrap_or(0);
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {:width$}  {}", problem.name, problem.words()))
    }
}

/// One thing that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingProblem {
    /// The variable.
    pub(crate) name: &'static str,
    /// Where its value comes from; `None`: it has none.
    pub(crate) origin: Option<Origin>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// The environment of the process.
    Process,
    /// The `.env` file.
    File,
}

impl SettingProblem {
    /// Where the value is wrong, if it has one, and what it must be.
    fn words(&self) -> String {
        let wanted = VARIABLES.iter().find(|(name, _)| *name == self.name);
        let wanted = wanted.map_or("", |(_, wanted)| wanted);
        match self.origin {
            None => format!("not set: give {wanted}"),
            Some(Origin::Flag) => format!("wrong on the command line: give {wanted}"),
            Some(Origin::Process) => format!("wrong in the environment: give {wanted}"),
            Some(Origin::File) => format!("wrong in `.env`: give {wanted}"),
        }
    }
}

/// The `.env` file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvFileError {
    /// It is there, but cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Some of its lines cannot be used.
    #[error("`{}` cannot be used: {}", path.display(), .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Faults {
        /// The file.
        path: PathBuf,
        /// What is wrong with which line, without its text.
        faults: Vec<EnvFault>,
    },
}
