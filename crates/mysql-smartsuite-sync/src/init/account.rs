//! The settings of the two accounts. What is wanting is asked for; what was said or answered is kept in `.env` once its
//! account has answered by it, so that a wrong password or key is never found there.

use std::{
    collections::BTreeSet, fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use crate::{
    cli::Global,
    command,
    environment::{Environment, Settings},
    exit::Exit,
    failure::Failure,
    init::asking::Answers,
    report::Screen,
};

/// One of the two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The database's.
    Mysql,
    /// SmartSuite's.
    SmartSuite,
}

impl Account {
    fn has(self, setting: &str) -> bool {
        setting.starts_with(match self {
            Self::Mysql => "MYSQL_",
            Self::SmartSuite => "SMARTSUITE_",
        })
    }
}

/// The settings in the order in which a person is asked, with the question.
const SETTINGS: [(&str, &str); 6] = [
    ("MYSQL_HOST", "Host of the MySQL or MariaDB server"),
    ("MYSQL_USER", "User there (SELECT is enough)"),
    ("MYSQL_PASSWORD", "Its password"),
    ("MYSQL_DATABASE", "Database"),
    ("SMARTSUITE_ACCOUNT_ID", "SmartSuite account id (after app.smartsuite.com/ in the browser)"),
    ("SMARTSUITE_TOKEN", "SmartSuite API key (My Profile > API Key)"),
];
/// Asked for after the host, if nothing says it.
const PORT: &str = "MYSQL_PORT";

/// The settings in the making.
pub(crate) struct Accounts<'a> {
    global: &'a Global,
    answers: Answers,
    screen: &'a Screen,
    /// Said with `--set`, or answered; none of them is kept yet.
    fresh: Vec<(String, String)>,
    /// Those that a person has answered.
    asked: BTreeSet<&'static str>,
}

impl<'a> Accounts<'a> {
    /// Takes what the command line sets.
    ///
    /// # Errors
    /// One of `set` is no setting with its value.
    pub(crate) fn new(
        global: &'a Global,
        set: &[String],
        answers: Answers,
        screen: &'a Screen,
    ) -> Result<Self, Failure> {
        let mut accounts =
            Self { global, answers, screen, fresh: Vec::new(), asked: BTreeSet::new() };
        for one in set {
            match one.split_once('=') {
                Some((name, value))
                    if SETTINGS.iter().any(|(known, _)| *known == name)
                        || name == PORT
                        || name == "SMARTSUITE_BASE_URL" =>
                {
                    accounts.put(name, value.to_owned())?;
                }
                _ => {
                    return Err(Failure::usage(
                        "`--set` takes NAME=VALUE with the name of a setting of MySQL or SmartSuite",
                        "for example `--set MYSQL_HOST=db.example.com`",
                    ));
                }
            }
        }
        Ok(accounts)
    }

    /// The settings with everything that is wanting asked for.
    ///
    /// # Errors
    /// Something is wanting or wrong, and nobody is there to say it.
    pub(crate) fn complete(&mut self) -> Result<(Environment, Settings), Failure> {
        let flags = command::flags(self.global);
        let environment = self.environment()?;
        let error = match environment.settings(&flags) {
            Ok(settings) => return Ok((environment, settings)),
            Err(error) if self.answers == Answers::Nobody => return Err(error.into()),
            Err(error) => error,
        };
        self.screen.remark(
            "Some settings are wanting. What you answer is tried, and then kept in `.env`, which only you can read.",
        );
        let is_wanting = |name: &str| error.0.iter().any(|problem| problem.name == name);
        self.ask(&environment, is_wanting)?;
        let environment = self.environment()?;
        let settings = environment.settings(&flags)?;
        Ok((environment, settings))
    }

    /// The settings with what a person has answered for this account asked for once more, as it did not answer by them.
    ///
    /// # Errors
    /// The failure, if no person has answered anything for it; or nobody answers now.
    pub(crate) fn mended(
        &mut self,
        account: Account,
        failure: Failure,
    ) -> Result<(Environment, Settings), Failure> {
        let again: BTreeSet<&str> =
            self.asked.iter().copied().filter(|name| account.has(name)).collect();
        if again.is_empty() || failure.exit == Exit::Interrupted {
            return Err(failure);
        }
        self.screen.failure(&failure);
        let environment = self.environment()?;
        self.ask(&environment, |name| again.contains(name))?;
        let environment = self.environment()?;
        let settings = environment.settings(&command::flags(self.global))?;
        Ok((environment, settings))
    }

    /// Keeps what is new of an account that has answered.
    ///
    /// # Errors
    /// `.env` cannot be written.
    pub(crate) fn keep(&self, account: Account) -> Result<(), Failure> {
        let fresh = self.fresh.iter().filter(|(name, _)| account.has(name));
        let fresh: Vec<(String, String)> = fresh.cloned().collect();
        keep(&fresh)
    }

    fn environment(&self) -> Result<Environment, Failure> {
        Ok(command::environment()?.with(&self.fresh))
    }

    fn ask(
        &mut self,
        environment: &Environment,
        is_asked: impl Fn(&str) -> bool,
    ) -> Result<(), Failure> {
        for (name, question) in SETTINGS {
            if !is_asked(name) {
                continue;
            }
            let is_secret = matches!(name, "MYSQL_PASSWORD" | "SMARTSUITE_TOKEN");
            let value = if is_secret {
                self.answers.secret(question)?
            } else {
                let known = environment.get(name).filter(|known| !known.is_empty());
                self.answers.line(question, known.as_deref())?
            };
            self.put(name, value)?;
            self.asked.insert(name);
            if name == "MYSQL_HOST" && (environment.get(PORT).is_none() || is_asked(PORT)) {
                let known = environment.get(PORT);
                let port =
                    self.answers.line("Its port", Some(known.as_deref().unwrap_or("3306")))?;
                self.put(PORT, port)?;
                self.asked.insert(PORT);
            }
        }
        Ok(())
    }

    fn put(&mut self, name: &str, value: String) -> Result<(), Failure> {
        if value.contains(['\'', '\n']) {
            return Err(Failure::usage(
                format!("the value of {name} holds a quote or a line break"),
                format!("set {name} in the environment, or write it into `.env` by hand"),
            ));
        }
        self.fresh.retain(|(known, _)| known != name);
        self.fresh.push((name.to_owned(), value));
        Ok(())
    }
}

/// Puts settings into `.env`, in place of those of the same name.
fn keep(settings: &[(String, String)]) -> Result<(), Failure> {
    if settings.is_empty() {
        return Ok(());
    }
    let path = Path::new(".env");
    let failed = |error: std::io::Error| {
        Failure::world(format!("`.env` cannot be written: {error}"), "set the variables by hand")
    };
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let is_replaced = |line: &str| {
        settings.iter().any(|(name, _)| {
            line.trim_start()
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.trim_start().starts_with('='))
        })
    };
    let mut text = String::new();
    for line in before.lines().filter(|line| !is_replaced(line)) {
        text.push_str(line);
        text.push('\n');
    }
    for (name, value) in settings {
        text += &format!("{name}='{value}'\n");
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
