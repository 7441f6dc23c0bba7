//! The process's environment and the `.env` file: the one place that reads them.
//!
//! A flag beats the environment, the environment beats `.env`, `.env` beats the default. An empty value counts as
//! none, as compose files pass every variable, set or not.

mod problem;

use std::{
    collections::BTreeMap,
    fmt,
    net::{AddrParseError, IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use problem::VARIABLES;
pub(crate) use problem::{EnvFileError, Origin, SettingProblem, SettingsError};
use sync_core::{config::env_file, secret::Secret};
use sync_mysql::{ConnectOptions, SslMode};
use sync_server::{AccessSettings, CREDENTIAL_LENGTH_MIN, Proxies};
use sync_smartsuite::{BASE_URL, ClientOptions};

/// The port that MySQL and MariaDB listen at by default.
const MYSQL_PORT: u16 = 3306;

/// Minutes between runs of `schedule`, where nothing says otherwise: what the Python program had.
const INTERVAL_MINUTES: u32 = 5;

/// Where the state is, where nothing says otherwise: what the Python program had.
const STATE_PATH: &str = "sync_state.db";

/// Where the service listens, where nothing says otherwise: reached from this machine only.
const LISTEN: Listen = Listen::At(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8787));

/// Gives the value of a variable of the process.
type Process = dyn Fn(&str) -> Option<String>;

/// The variables of the process and of `.env`. `Debug` shows names only.
pub(crate) struct Environment {
    process: Box<Process>,
    file: BTreeMap<String, String>,
}

/// What the command line says of the same things.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `--log-level`.
    pub(crate) log_level: Option<LogLevel>,
    /// `--log-format`.
    pub(crate) log_format: Option<LogFormat>,
    /// `--interval`, in minutes.
    pub(crate) interval_minutes: Option<u32>,
    /// `--listen`.
    pub(crate) listen: Option<String>,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    /// Everything.
    Debug,
    /// What a run did.
    Info,
    /// What a person should look at.
    Warning,
    /// What failed.
    Error,
}

impl FromStr for LogLevel {
    type Err = String;

    /// In any case; the other names that the Python program took are understood too.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_uppercase().as_str() {
            "DEBUG" => Ok(Self::Debug),
            "INFO" => Ok(Self::Info),
            "WARNING" | "WARN" => Ok(Self::Warning),
            "ERROR" | "CRITICAL" => Ok(Self::Error),
            _ => Err("the log level is DEBUG, INFO, WARNING or ERROR".to_owned()),
        }
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("the log format is text or json".to_owned()),
        }
    }
}

/// What every command needs: nothing of it can be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalSettings {
    /// How much is logged.
    pub(crate) log_level: LogLevel,
    /// The form of log lines.
    pub(crate) log_format: LogFormat,
    /// Minutes between runs of `schedule`, at least 1.
    pub(crate) interval_minutes: u32,
    /// The file of the state.
    pub(crate) state_path: PathBuf,
}

/// What a command needs that reaches both servers.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// What every command needs.
    pub(crate) local: LocalSettings,
    /// The source.
    pub(crate) mysql: ConnectOptions,
    /// The destination.
    pub(crate) smartsuite: ClientOptions,
}

/// Where the service listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// Nowhere.
    Off,
    /// At this address.
    At(SocketAddr),
}

impl FromStr for Listen {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        text.replacen("localhost:", "127.0.0.1:", 1).parse().map(Self::At)
    }
}

/// How the service is reached over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct HttpSettings {
    /// Where it listens.
    pub(crate) listen: Listen,
    /// Who may do what.
    pub(crate) access: AccessSettings,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("file", &self.file.keys()).finish_non_exhaustive()
    }
}

/// A variable of the process that is not empty; for those, like `NO_COLOR`, that are the system's and not this
/// program's.
#[expect(clippy::disallowed_methods, reason = "this is the file that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Environment {
    /// The environment of this process, and the `.env` file at `path` if there is one.
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the environment")]
    pub(crate) fn of_process(path: &Path) -> Result<Self, EnvFileError> {
        Self::read(path, |name| std::env::var(name).ok())
    }

    /// The same with a given environment.
    pub(crate) fn read(
        path: &Path,
        process: impl Fn(&str) -> Option<String> + 'static,
    ) -> Result<Self, EnvFileError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(EnvFileError::Unreadable { path: path.to_owned(), source }),
        };
        let (lines, faults) = env_file::read(&text, &process);
        if !faults.is_empty() {
            return Err(EnvFileError::Faults { path: path.to_owned(), faults });
        }
        let file = lines.into_iter().map(|line| (line.name, line.value)).collect();
        Ok(Self { process: Box::new(process), file })
    }

    /// The same as if these stood in `.env`.
    pub(crate) fn with(mut self, more: &[(String, String)]) -> Self {
        self.file.extend(more.iter().cloned());
        self
    }

    /// The value of a variable, for `${NAME}` in the mapping file.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.process)(name).or_else(|| self.file.get(name).cloned())
    }

    /// What every command needs.
    pub(crate) fn local_settings(&self, flags: &Flags) -> Result<LocalSettings, SettingsError> {
        let mut reader = Reader::new(self);
        let local = reader.local(flags);
        reader.finish(local)
    }

    /// What a command needs that reaches both servers.
    pub(crate) fn settings(&self, flags: &Flags) -> Result<Settings, SettingsError> {
        let mut reader = Reader::new(self);
        let (local, mysql, smartsuite) = (reader.local(flags), reader.mysql(), reader.smartsuite());
        let settings = local.zip(mysql).zip(smartsuite);
        reader.finish(settings.map(|((local, mysql), smartsuite)| Settings {
            local,
            mysql,
            smartsuite,
        }))
    }
}

impl Environment {
    /// How the service is reached over HTTP.
    pub(crate) fn http_settings(&self, flags: &Flags) -> Result<HttpSettings, SettingsError> {
        let mut reader = Reader::new(self);
        let settings = reader.http(flags);
        reader.finish(settings)
    }
}

/// Reads variables and collects what is wrong with them.
struct Reader<'e> {
    environment: &'e Environment,
    problems: Vec<SettingProblem>,
}

impl<'e> Reader<'e> {
    fn new(environment: &'e Environment) -> Self {
        Self { environment, problems: Vec::new() }
    }

    fn finish<T>(mut self, settings: Option<T>) -> Result<T, SettingsError> {
        // In the order of the manual, however they were read.
        self.problems
            .sort_by_key(|problem| VARIABLES.iter().position(|(name, _)| *name == problem.name));
        settings.filter(|_| self.problems.is_empty()).ok_or(SettingsError(self.problems))
    }

    /// The value as it stands, unless it is empty.
    fn raw(&self, name: &str) -> Option<(String, Origin)> {
        let process = (self.environment.process)(name).map(|value| (value, Origin::Process));
        let file = || self.environment.file.get(name).map(|value| (value.clone(), Origin::File));
        process
            .filter(|(value, _)| !value.is_empty())
            .or_else(file)
            .filter(|(value, _)| !value.is_empty())
    }

    fn wrong<T>(&mut self, name: &'static str, origin: Option<Origin>) -> Option<T> {
        self.problems.push(SettingProblem { name, origin });
        None
    }

    /// A text that must be there.
    fn required(&mut self, name: &'static str) -> Option<String> {
        match self.raw(name) {
            Some((value, _)) if !value.trim().is_empty() => Some(value.trim().to_owned()),
            Some((_, origin)) => self.wrong(name, Some(origin)),
            None => self.wrong(name, None),
        }
    }

    /// A value that may be missing. `None`: it is there, but wrong.
    fn optional<T>(
        &mut self,
        name: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let Some((value, origin)) = self.raw(name) else { return Some(default) };
        parse(value.trim()).or_else(|| self.wrong(name, Some(origin)))
    }

    fn local(&mut self, flags: &Flags) -> Option<LocalSettings> {
        let log_level = match flags.log_level {
            Some(level) => Some(level),
            None => self.optional("LOG_LEVEL", LogLevel::Info, |text| text.parse().ok()),
        };
        let log_format = match flags.log_format {
            Some(format) => Some(format),
            None => self.optional("LOG_FORMAT", LogFormat::Text, |text| text.parse().ok()),
        };
        let name = "SYNC_INTERVAL_MINUTES";
        let interval = match flags.interval_minutes {
            Some(0) => self.wrong(name, Some(Origin::Flag)),
            Some(minutes) => Some(minutes),
            None => self.optional(name, INTERVAL_MINUTES, |text| {
                text.parse().ok().filter(|minutes| *minutes > 0)
            }),
        };
        let state_path =
            self.optional("STATE_DB_PATH", PathBuf::from(STATE_PATH), |text| Some(text.into()));
        Some(LocalSettings {
            log_level: log_level?,
            log_format: log_format?,
            interval_minutes: interval?,
            state_path: state_path?,
        })
    }

    fn http(&mut self, flags: &Flags) -> Option<HttpSettings> {
        let name = "SYNC_LISTEN";
        let listen = match &flags.listen {
            Some(text) => text.parse().ok().or_else(|| self.wrong(name, Some(Origin::Flag))),
            None => self.optional(name, LISTEN, |text| text.parse().ok()),
        };
        let name = "SYNC_TRUSTED_PROXIES";
        let proxies = self.optional(name, Proxies::default(), Proxies::parse);
        let access = AccessSettings {
            operator_token: self.credential("SYNC_OPERATOR_TOKEN"),
            viewer_token: self.credential("SYNC_VIEWER_TOKEN"),
            webhook_token: self.credential("SYNC_WEBHOOK_TOKEN"),
            webhook_secret: self.credential("SYNC_WEBHOOK_SECRET"),
            proxies: proxies?,
        };
        Some(HttpSettings { listen: listen?, access })
    }

    /// A credential that others must show, long enough that nobody guesses it.
    fn credential(&mut self, name: &'static str) -> Option<Secret> {
        let (text, origin) = self.raw(name)?;
        let text = text.trim();
        let is_good =
            text.len() >= CREDENTIAL_LENGTH_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_good { Some(Secret::new(text)) } else { self.wrong(name, Some(origin)) }
    }

    fn mysql(&mut self) -> Option<ConnectOptions> {
        let host = self.required("MYSQL_HOST");
        let port = self
            .optional("MYSQL_PORT", MYSQL_PORT, |text| text.parse().ok().filter(|port| *port > 0));
        let user = self.required("MYSQL_USER");
        let password = self.password();
        let database = self.required("MYSQL_DATABASE");
        let ssl_mode = self.optional("MYSQL_SSL_MODE", None, |text| text.parse().ok().map(Some));
        let ssl_ca = self.optional("MYSQL_SSL_CA", None, |text| Some(Some(text.into())));
        let mut options = ConnectOptions::new(host?, user?, password?, database?);
        options.port = port?;
        options.ssl_ca = ssl_ca?;
        // Whoever names an authority wants the server checked against it.
        options.ssl_mode =
            ssl_mode?.or_else(|| options.ssl_ca.is_some().then_some(SslMode::VerifyIdentity));
        Some(options)
    }

    /// A password may be empty, but must be given; its white space is its own.
    fn password(&mut self) -> Option<Secret> {
        let name = "MYSQL_PASSWORD";
        let password = self.raw(name).map(|(password, _)| password);
        match password.or_else(|| self.environment.get(name)) {
            Some(password) => Some(Secret::new(password)),
            None => self.wrong(name, None),
        }
    }

    fn smartsuite(&mut self) -> Option<ClientOptions> {
        let token = self.header("SMARTSUITE_TOKEN");
        let account_id = self.header("SMARTSUITE_ACCOUNT_ID");
        let base_url = self.optional("SMARTSUITE_BASE_URL", BASE_URL.to_owned(), |text| {
            let schemes = ["https://", "http://"];
            schemes.iter().any(|scheme| text.starts_with(scheme)).then(|| text.to_owned())
        });
        let mut options = ClientOptions::new(account_id?, Secret::new(token?));
        options.base_url = base_url?;
        Some(options)
    }

    /// A text that is sent as an HTTP header.
    fn header(&mut self, name: &'static str) -> Option<String> {
        let value = self.required(name)?;
        if value.chars().all(|character| character.is_ascii_graphic()) {
            return Some(value);
        }
        let origin = self.raw(name).map(|(_, origin)| origin);
        self.wrong(name, origin)
    }
}

#[cfg(test)]
mod tests;
